"""From an output back to the works and people behind it, along recorded makings. Certain, unlike influence."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gongfen.facts import Fact
from gongfen.facts import kinds as k

Origin = Callable[[str], Iterable[tuple[int, Fact]]]
"""The facts that record a work and its makings, with their numbers: not those in which it was used."""


@dataclass(frozen=True, slots=True)
class Step:
    """One work on the way back: what it is, how it came in, from what it was made."""

    work: str
    kind: str
    role: str
    """In what it was used: ``data``, ``base``, ``model``, ``prompt``…; of the start, what it is itself."""
    depth: int
    seq: int
    """Number of the fact that recorded it."""
    makers: tuple[k.Part, ...] = ()
    sample: bool = False
    """Whether it, or its making, is recorded as sample data."""


def lineage(output: str, origin: Origin) -> tuple[Step, ...]:
    """Every work behind ``output``, nearest first, each once. Empty when the book does not know it."""
    steps: dict[str, Step] = {}
    front = [(output, "")]
    depth = 0
    while front:
        following: list[tuple[str, str]] = []
        for work, role in front:
            if work in steps:
                continue
            facts = list(origin(work))
            declared = next(((seq, fact) for seq, fact in facts if _declares(fact, work)), None)
            if declared is None:
                continue
            seq, fact = declared
            itself = fact.body.role if isinstance(fact.body, k.Work) else fact.kind
            makers = fact.body.makers if isinstance(fact.body, k.Work) else ()
            sample = any(one.sample for _, one in facts)
            steps[work] = Step(work, fact.kind, role or itself, depth, seq, makers, sample)
            following += _inputs(facts, work)
        front, depth = following, depth + 1
    return tuple(steps.values())


def _declares(fact: Fact, work: str) -> bool:
    match fact.body:
        case k.Work(work=name) | k.Dataset(dataset=name) | k.Model(model=name) | k.Output(output=name):
            return name == work
    return False


def _inputs(facts: Iterable[tuple[int, Fact]], work: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for _, fact in facts:
        match fact.body:
            case k.Make(inputs=inputs, outputs=outputs) if work in outputs:
                found += [(use.work, use.role) for use in inputs]
            case k.Dataset(dataset=name, works=works) if name == work:
                found += [(member, "data") for member in works]
            case k.Model(model=name, base=str(base)) if name == work:
                found.append((base, "base"))
            case k.Work(work=name, part_of=str(whole)) if name == work:
                found.append((whole, "whole"))
    return found
