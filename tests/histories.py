"""Random histories of a cooperative: make, use, re-plan, lose, retire, recycle, sell, correct, in whatever order."""

from contextlib import suppress
from typing import Any

from hypothesis import strategies as st

from gongfen import accounts
from gongfen.errors import GongfenError
from gongfen.facts import Fact
from gongfen.facts import kinds as k
from tests.books import HASH, said

MAKERS = ("ada", "bo", "cy")
START = said(
    """
    enrol maker=ada form=group people=1000
    enrol maker=bo form=group people=1000
    enrol maker=cy form=group people=1000
    enrol maker=desk form=machine
    standard standard=s basis=t reductions=[{"skill":"odd","num":187,"den":167}] machines=[{"device":"cpu","uslh_per_hour":40001}] melt_micro=40.0 currency=EUR unpaid=simple
    """
)
VERBS = (
    "labour", "unpaid", "unmeasured", "slow", "discarded", "compute", "buy", "work", "gather", "make", "plan",
    "business", "lose", "retire", "recycle", "sell", "correct", "open",
)  # fmt: skip
PLAIN = ("labour", "unpaid", "unmeasured", "compute", "buy", "work", "gather", "make", "plan", "business")
"""What the small verifier books, too."""
AVERAGES = said(
    'standard standard=averages basis=t reductions=[{"skill":"odd","num":187,"den":167}] machines=[{"device":"cpu","uslh_per_hour":40001}] melt_micro=40.0 currency=EUR averages=[{"task":"item","labour_us":1000000}]'
)
Step = tuple[str, int, int, int]


_NUMBERS = st.integers(0, 30)
STEPS = st.lists(st.tuples(st.sampled_from(VERBS), _NUMBERS, _NUMBERS, st.integers(0, 10**11)), max_size=40)
PLAIN_STEPS = st.lists(st.tuples(st.sampled_from(PLAIN), _NUMBERS, _NUMBERS, st.integers(0, 10**11)), max_size=40)


def histories() -> st.SearchStrategy[list[k.Body]]:
    """Bodies; some of them break a rule, and are refused when they are booked."""
    return STEPS.map(history)


def history(steps: list[Step]) -> list[k.Body]:
    """The bodies of some steps, after a start in which there is a work of each role, and an output made of them."""
    told = _Told()
    if any(step[0] not in PLAIN for step in steps):
        told.bodies += AVERAGES
    for step in [("work", 0, 0, 0), ("work", 1, 0, 0), ("work", 2, 0, 0), ("plan", 2, 0, 6), ("make", 0, 0, 5), *steps]:
        told.tell(*step)
    return told.bodies


class _Told:
    """A history as far as it was told: works are numbered as they come."""

    def __init__(self) -> None:
        self.bodies: list[k.Body] = list(START)
        self.works: list[str] = []
        self.outputs: list[str] = []
        self.data: list[str] = []

    def tell(self, verb: str, first: int, second: int, amount: int) -> None:
        """One step: which work, with which other, how much."""
        target = self.works[first % len(self.works)] if self.works else ""
        other = self.works[(first + 1 + second) % len(self.works)] if self.works else ""
        output = self.outputs[first % len(self.outputs)] if self.outputs else ""
        if verb in _LABOUR:
            self.bodies += _labour(verb, target, MAKERS[second % 3], first, amount)
        elif verb in ("work", "gather", "make"):
            self._make(verb, target, other, first, amount)
        else:
            self.bodies += self._other(verb, (target, output), first, second, amount)

    def _make(self, verb: str, target: str, other: str, first: int, amount: int) -> None:
        name = f"work-{len(self.works)}"
        if verb == "work":
            role = ("data", "prompt", "deployment")[first % 3]
            self.data += [name] * (role == "data")
            self.bodies.append(
                k.Work(work=name, sha256=HASH, size_bytes=0, makers=(), source="t", licence="l", role=role)
            )
        elif target == other:
            return
        elif verb == "gather":
            self.bodies.append(k.Dataset(dataset=name, works=(target, other), root=HASH, licence="l"))
        else:
            inputs = (k.Use(work=target, role="a", uses=1 + amount % 5), k.Use(work=other, role="b"))
            others = [f"{name}.{place}" for place in range(first % 4)]
            alike = amount % 4 > 0  # nearly always one quantity, as outputs of one making have
            for place, output in enumerate((name, *others)):
                quantity = 1 + amount % 3 + (0 if alike else place)
                self.bodies.append(k.Output(output=output, sha256=HASH, size_bytes=0, quantity=quantity))
            self.bodies.append(
                k.Make(make=name, activity="generate", outputs=(*reversed(others), name), tool="t", inputs=inputs)
            )
            self.outputs += [*others, name]
            self.works += others
        self.works.append(name)

    def _other(self, verb: str, works: tuple[str, str], first: int, second: int, amount: int) -> list[k.Body]:
        (target, output), number = works, len(self.bodies)
        match verb:
            case "compute":
                return [k.Compute(machine="desk", device="cpu", work=target, device_us=amount, energy_mwh=first)]
            case "buy":
                return [k.Purchase(item=f"item-{first}", source="data", work=target, price_micro=first, currency="EUR",
                                   embodied_uslh=amount, evidence="t")]  # fmt: skip
            case "plan":
                return [k.Plan(work=target, uses=1 + amount % 7)]
            case "lose" | "retire":
                reason = ("obsolescence", "idle", "decay", "not-necessary")[second % 4]
                lost = 1 + amount // 1_000 if verb == "lose" else None
                return [k.Loss(loss=f"loss-{number}", work=target, reason=reason, amount_uslh=lost)]
            case "recycle":
                return [k.Recycle(recycle=f"again-{number}", output=output, copies=1 + second % 2,
                                  work=self.data[second % len(self.data)],
                                  decay_ppm=amount % 1_000_001)]  # fmt: skip
            case "sell":
                return [
                    k.Sale(sale=f"sale-{number}", output=output, price_micro=amount, currency="EUR", day="2026-01-02")
                ]
            case "correct":
                wrong = [seq for seq, body in enumerate(self.bodies) if isinstance(body, _CORRECTED)]
                fact = str(wrong[second % len(wrong)] if wrong and first % 5 else number // 2)
                return [k.Correction(correction=f"correction-{number}", fact=fact, reason="it was wrong")]
            case "open":
                lot = k.Lot(work=target, name=MAKERS[second % 3], amount_uslh=1 + amount)
                return [k.Opening(opening=f"opening-{number}", evidence="older books", lots=(lot,))]
        raise AssertionError(verb)


_CORRECTED = (k.Labour, k.Compute, k.Purchase, k.Sale)
_LABOUR: dict[str, dict[str, Any]] = {
    "labour": {},
    "unpaid": {"standing": "unpaid"},
    "business": {"labour_kind": 8},
    "unmeasured": {"labour_us": None, "quality": "unmeasured"},
    "slow": {"task": "item", "units": 20_000},
    "discarded": {"discarded": True},
}


def _labour(verb: str, work: str, maker: str, first: int, amount: int) -> list[k.Body]:
    usual: dict[str, Any] = {"maker": maker, "work": work, "labour_kind": 1 + first % 7, "standing": "crowd",
                             "phase": ("training", "inference", "operation")[first % 3], "labour_us": amount,
                             "skill": "odd" if amount % 2 else "simple", "day": "2026-01-01", "days": 3_000}  # fmt: skip
    return [k.Labour(**usual | _LABOUR[verb])]


def facts_of(bodies: list[k.Body]) -> list[Fact]:
    """The facts of a history; each is called by its number."""
    return [Fact(id=str(seq), at="2026-11-22T00:00:00.000000Z", by="t", body=body) for seq, body in enumerate(bodies)]


def booked(bodies: list[k.Body]) -> tuple[accounts.State, list[accounts.Entry]]:
    """The state and the entries after what can be booked of a history was booked; the rest is refused."""
    earlier: dict[str, tuple[int, Fact]] = {}
    state, entries = accounts.state_in_memory(said=earlier.get), []
    for fact in facts_of(bodies):
        try:
            entries += accounts.book(state, fact, len(earlier))
        except GongfenError:
            continue
        earlier[fact.id] = (len(earlier), fact)
    return state, entries


def valid(bodies: list[k.Body]) -> list[Fact]:
    """The facts of a history that can be booked, one after the other."""
    earlier: dict[str, tuple[int, Fact]] = {}
    state = accounts.state_in_memory(said=earlier.get)
    for fact in facts_of(bodies):
        with suppress(GongfenError):
            accounts.book(state, fact, len(earlier))
            earlier[fact.id] = (len(earlier), fact)
    return [fact for _, fact in earlier.values()]
