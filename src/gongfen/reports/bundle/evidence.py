"""Which facts a settlement rests on: everything tied to the sold outputs by making, and the rules they fall under."""

from collections.abc import Iterable

from gongfen.facts import Fact
from gongfen.facts import kinds as k
from gongfen.facts.references import references

RULES = ("standard", "policy", "sale", "settlement", "payment", "influence", "evaluation")
ABOUT_MAKERS = ("enrol", "key", "revocation")


class Evidence:
    """Facts go by once and are not held; what is kept of each are the names in it."""

    def __init__(self) -> None:
        self._sold: set[str] = set()
        self._links: dict[str, set[str]] = {}
        self._rules: list[int] = []
        self._told: list[tuple[int, tuple[str, ...], tuple[str, ...]]] = []
        """Number of a fact about works, the names under which it is found, and the makers it names."""
        self._makers: set[str] = set()
        self._presented: list[tuple[int, str]] = []
        """Number of a fact that says who a maker is, or which keys are theirs; and the maker."""
        self._keys: dict[str, str] = {}

    def add(self, seq: int, fact: Fact) -> None:
        """Take note of fact ``seq``; facts come in their order."""
        if isinstance(fact.body, k.Sale):
            self._sold.add(fact.body.output)
        group = _made_together(fact)
        for name in group:
            self._links.setdefault(name, set()).update(group)
        if fact.kind in RULES:
            self._rules.append(seq)
            self._makers.update(_makers(fact))
        elif fact.kind in ABOUT_MAKERS:
            self._presented.append((seq, self._maker_presented(fact)))
        else:
            self._told.append((seq, tuple(references(fact)), _makers(fact)))

    def numbers(self) -> tuple[int, ...]:
        """Numbers of the facts that need a proof of their own, in order.

        Works are tied when one was made from the other, directly or through further works. All facts about tied works
        count, with the makers that they name and those makers' keys, every rule, every sale and every measurement.
        """
        tied = self._tied()
        numbers, makers = set(self._rules), set(self._makers)
        for seq, names, named in self._told:
            if not tied.isdisjoint(names):
                numbers.add(seq)
                makers.update(named)
        numbers.update(seq for seq, maker in self._presented if maker in makers)
        return tuple(sorted(numbers))

    def _tied(self) -> set[str]:
        tied: set[str] = set()
        front = set(self._sold)
        while front:
            tied |= front
            front = {near for name in front for near in self._links.get(name, ())} - tied
        return tied

    def _maker_presented(self, fact: Fact) -> str:
        match fact.body:
            case k.Enrol(maker=maker):
                return maker
            case k.Key(key=key, maker=maker):
                self._keys[key] = maker
                return maker
            case k.Revocation(key=key):
                return self._keys.get(key, "")
        return ""


def evidence(facts: Iterable[tuple[int, Fact]]) -> tuple[int, ...]:
    """Numbers of the facts that need a proof of their own, in order; the facts go by once."""
    found = Evidence()
    for seq, fact in facts:
        found.add(seq, fact)
    return found.numbers()


def _made_together(fact: Fact) -> set[str]:
    match fact.body:
        case k.Make(inputs=inputs, outputs=outputs):
            return {*(use.work for use in inputs), *outputs}
        case k.Dataset(dataset=dataset, works=works):
            return {dataset, *works}
        case k.Model(model=model, base=str(base)):
            return {model, base}
    return set()


def _makers(fact: Fact) -> tuple[str, ...]:
    match fact.body:
        case k.Work(makers=parts):
            return tuple(part.maker for part in parts)
        case k.Labour(maker=maker) | k.Payment(maker=maker):
            return (maker,)
        case k.Compute(machine=machine):
            return (machine,)
    return ()
