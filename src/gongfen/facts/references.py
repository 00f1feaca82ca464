"""Which works, makers and targets a fact is about: what the views index, so that no question scans the log."""

from gongfen.facts import kinds as k
from gongfen.facts.envelope import Fact

LISTED = frozenset(
    (
        "compute",
        "dataset",
        "drop",
        "model",
        "make",
        "influence",
        "evaluation",
        "standard",
        "policy",
        "settlement",
        "label",
        "output",
        "key",
        "revocation",
        "forgetting",
    )
)
"""Kinds that are asked for as a whole, found through ``kind|NAME``."""


SAMPLE = "sample|"
"""Under this name all sample data is found."""


def references(fact: Fact) -> list[str]:
    """The names under which a fact is found again, each once, in a stable order."""
    body = fact.body
    if type(body) is k.Labour and not fact.sample and body.work != body.maker:
        return [body.work, body.maker]  # most facts are, and this is asked of every fact
    names = _about(fact)
    if fact.kind in LISTED:
        names.append(f"kind|{fact.kind}")
    if fact.sample:
        names.append(SAMPLE)
    return list(dict.fromkeys(names))


def _about(fact: Fact) -> list[str]:
    match fact.body:
        case k.Labour(work=work, maker=maker):  # first, because most facts are
            return [work, maker]
        case k.Enrol(maker=maker) | k.Details(maker=maker) | k.Forgetting(maker=maker):
            return [maker]
        case k.Key(key=key, maker=maker):
            return [key, maker]
        case k.Revocation(key=key):
            return [key]
        case k.Payment(maker=maker):
            return [f"paid|{maker}"]
        case k.Wage(maker=maker):
            return [f"wage|{maker}"]
        case k.Work(work=work, makers=makers):
            return [work, *(part.maker for part in makers)]
        case k.Drop(item=item):
            return [item]
        case k.Dataset(dataset=dataset, works=works):
            return [dataset, *works]
        case k.Model(model=model):
            return [model]
        case k.Output(output=output) | k.Label(output=output) | k.Sale(output=output):
            return [output]
        case k.Compute(work=work) | k.Purchase(work=work) | k.Plan(work=work) | k.Loss(work=work):
            return [work]
        case k.Recycle(output=output, work=work):
            return [output, work]
        case k.Opening(lots=lots, money=money):
            return [*(lot.work for lot in lots), *(f"paid|{item.maker}" for item in money if item.maker)]
        case k.Skill(skill=skill):
            return [skill]
        case k.Make(inputs=inputs, outputs=outputs, make=make):
            return [make, *(use.work for use in inputs), *outputs]
        case k.Influence(influence=influence, target=target, model=model):
            return [influence, target, model]
        case k.Quote(output=output, work=work):
            return [output, work]
        case k.Evaluation(subject=subject):
            return [subject]
        case k.Settlement(settlement=settlement, lines=lines):
            return [settlement, *(f"paid|{line.maker}" for line in lines)]
    return []
