"""Names are given once, and known before they are used."""

from gongfen.accounts.state import State
from gongfen.errors import DuplicateIdError, GongfenError, UnknownMakerError, UnknownWorkError
from gongfen.facts import Body
from gongfen.facts import kinds as k

WORK = "work"
NAMES: dict[type[Body], tuple[str, str]] = {
    k.Enrol: ("maker", "maker"),
    k.Work: (WORK, "work"),
    k.Dataset: (WORK, "dataset"),
    k.Model: (WORK, "model"),
    k.Output: (WORK, "output"),
    k.Make: ("make", "make"),
    k.Standard: ("standard", "standard"),
    k.Policy: ("policy", "policy"),
    k.Influence: ("influence", "influence"),
    k.Sale: ("sale", "sale"),
    k.Payment: ("payment", "payment"),
    k.Wage: ("wage", "wage"),
    k.Rent: ("rent", "rent"),
    k.Settlement: ("settlement", "settlement"),
    k.Key: ("key", "key"),
    k.Rate: ("rate", "rate"),
    k.Loss: ("loss", "loss"),
    k.Recycle: ("recycle", "recycle"),
    k.Correction: ("correction", "correction"),
    k.Opening: ("opening", "opening"),
    k.Close: ("close", "close"),
}
"""Kind → the space in which its name is given once, and the field; works, data sets, models and outputs share one."""


def names_are_new(state: State, body: Body) -> GongfenError | None:
    """A name is given once: a second work, policy or sale of the same name would rewrite the first."""
    space, field = NAMES[type(body)]
    name = getattr(body, field)
    taken = state.works.get(name) if space == WORK else state.names.get(f"{space}|{name}")
    if taken is not None:
        return DuplicateIdError(name, f"is already in this book as a {space}", "give it a name of its own")
    return None


def name_taken_by(body: Body) -> str | None:
    """The name that a fact gives, as ``space|name``; none of a work, which is found among the works."""
    space, field = NAMES.get(type(body), (WORK, ""))
    return None if space == WORK else f"{space}|{getattr(body, field)}"


def corrected_name(body: k.Correction) -> str:
    """The name under which a corrected fact is remembered."""
    return f"corrected|{body.fact}"


def makers_are_enrolled(state: State, body: Body) -> GongfenError | None:
    """Whoever works, owns or is paid has been enrolled."""
    match body:
        case k.Labour(maker=maker):
            makers = [maker]
        case k.Work(makers=parts):
            makers = [part.maker for part in parts]
        case k.Payment(maker=maker) | k.Wage(maker=maker):
            makers = [maker]
        case k.Key(maker=maker) | k.Details(maker=maker) | k.Forgetting(maker=maker):
            makers = [maker]
        case k.Compute(machine=machine):
            makers = [machine]
        case k.Opening(money=money):
            makers = [item.maker for item in money if item.maker is not None]
        case _:
            makers = []
    for maker in makers:
        if state.makers.get(maker) is None:
            return UnknownMakerError(maker, "is not enrolled", f"record: gongfen record enrol maker={maker}")
    return None


WORKS_NAMED = (
    k.Work, k.Dataset, k.Model, k.Labour, k.Compute, k.Purchase, k.Plan, k.Make, k.Influence, k.Quote, k.Sale, k.Label,
    k.Loss, k.Recycle, k.Opening,
)  # fmt: skip


def works_are_known(state: State, body: Body) -> GongfenError | None:
    """Whatever is worked on, used, measured, sold or labelled has been recorded."""
    for work in _works_named(body):
        if state.works.get(work) is None:
            return UnknownWorkError(work, "is not in this book", "record it first: gongfen record work …")
    return None


def _works_named(body: Body) -> list[str]:
    match body:
        case k.Labour(work=work) | k.Compute(work=work) | k.Purchase(work=work) | k.Plan(work=work) | k.Loss(work=work):
            return [work]
        case k.Recycle(output=output, work=work):
            return [output, work]
        case k.Opening(lots=lots):
            return [lot.work for lot in lots]
        case k.Work(part_of=str(whole)):
            return [whole]
        case k.Dataset(works=works):
            return list(works)
        case k.Model(base=str(base)):
            return [base]
        case k.Make(inputs=inputs, outputs=outputs):
            return [*(use.work for use in inputs), *outputs]
        case k.Influence(model=model, target=target, effects=effects):
            targets = [] if target.startswith("period:") else [target]
            return [model, *targets, *(effect.work for effect in effects)]
        case k.Quote(output=output, work=work):
            return [output, work]
        case k.Sale(output=output) | k.Label(output=output):
            return [output]
    return []
