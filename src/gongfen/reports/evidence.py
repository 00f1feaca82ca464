"""Which facts a settlement rests on: everything tied to the sold outputs by making, and the rules they fall under."""

from collections.abc import Iterable

from gongfen.facts import Fact
from gongfen.facts import kinds as k
from gongfen.facts.references import references

RULES = ("standard", "policy", "sale", "settlement", "payment", "influence", "evaluation")


def evidence(facts: Iterable[tuple[int, Fact]]) -> tuple[int, ...]:
    """Numbers of the facts that need a proof of their own, in order.

    Works are tied when one was made from the other, directly or through further works. All facts about tied works
    count, with the makers that they name, every rule, every sale and every measurement.
    """
    log = list(facts)
    tied = _tied({fact.body.output for _, fact in log if isinstance(fact.body, k.Sale)}, log)
    makers: set[str] = set()
    numbers: set[int] = set()
    for seq, fact in log:
        if fact.kind in RULES or (fact.kind != "enrol" and not tied.isdisjoint(references(fact))):
            numbers.add(seq)
            makers.update(_makers(fact))
    numbers.update(seq for seq, fact in log if isinstance(fact.body, k.Enrol) and fact.body.maker in makers)
    return tuple(sorted(numbers))


def _tied(start: set[str], log: Iterable[tuple[int, Fact]]) -> set[str]:
    links: dict[str, set[str]] = {}
    for _, fact in log:
        group = _made_together(fact)
        for name in group:
            links.setdefault(name, set()).update(group)
    tied: set[str] = set()
    front = set(start)
    while front:
        tied |= front
        front = {near for name in front for near in links.get(name, ())} - tied
    return tied


def _made_together(fact: Fact) -> set[str]:
    match fact.body:
        case k.Make(inputs=inputs, outputs=outputs):
            return {*(use.work for use in inputs), *outputs}
        case k.Dataset(dataset=dataset, works=works):
            return {dataset, *works}
        case k.Model(model=model, base=str(base)):
            return {model, base}
    return set()


def _makers(fact: Fact) -> set[str]:
    match fact.body:
        case k.Work(makers=parts):
            return {part.maker for part in parts}
        case k.Labour(maker=maker) | k.Payment(maker=maker):
            return {maker}
        case k.Compute(machine=machine):
            return {machine}
    return set()
