"""Who made what out of what, as PROV-JSON: the W3C's words for provenance, which archives and workflow tools read.

Works are entities, makers agents, labour and making activities (PROV-DM, W3C Recommendation of 30 April 2013; the
serialisation is PROV-JSON, W3C Member Submission of 24 April 2013). What PROV has no word for stands under the prefix
``gongfen``. Facts that were corrected are left out; their corrections stay in the log, which is named on top.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any
from urllib.parse import quote

import msgspec

from gongfen.facts import Fact
from gongfen.facts import kinds as k

Record = tuple[str, dict[str, Any]]
"""(identifier, attributes)."""
Numbered = tuple[int, Fact]
TERMS = "urn:gongfen:terms:"
_PLAIN = "/-._~"
"""Signs that a local name of PROV may hold as they are, beside letters and digits (PROV-N, section 3.7.1)."""
_AGENTS = {"person": "prov:Person", "group": "prov:Organization", "machine": "prov:SoftwareAgent"}


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """What is told: the facts of one log."""

    origin: str
    size: int
    root: str
    """Hex."""
    facts: Callable[[], Iterable[Numbered]]
    """Those that stand, in their order, with their numbers; asked for once a section."""


def provenance(told: Provenance) -> Iterator[str]:
    """A PROV-JSON document, line by line."""
    place = f"urn:gongfen:{quote(told.origin, safe=_PLAIN)}:"
    prefixes = {"gongfen": TERMS, "work": f"{place}work:", "maker": f"{place}maker:", "fact": f"{place}fact:"}
    yield f'{{"prefix":{_text(prefixes)}'
    log = {"prov:type": _name("gongfen:Log"), "gongfen:size": told.size, "gongfen:root": told.root}
    for section, records in _SECTIONS.items():
        found = (one for number, fact in told.facts() for one in records(number, fact))
        yield from _section(section, chain([("fact:log", log)], found) if section == "entity" else found)
    yield "}\n"


def _section(name: str, records: Iterable[Record]) -> Iterator[str]:
    """One section, if there is anything in it."""
    before = f',\n"{name}":{{\n'
    for identifier, found in records:
        yield f"{before}{_text(identifier)}:{_text(found)}"
        before = ",\n"
    if before == ",\n":
        yield "}"


def _text(found: object) -> str:
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def _name(qualified: str) -> dict[str, str]:
    """A qualified name as a value."""
    return {"$": qualified, "type": "prov:QUALIFIED_NAME"}


def work(name: str) -> str:
    """The identifier of a work.

    >>> work("poem 1/prompt"), work("诗")
    ('work:poem%201/prompt', 'work:%E8%AF%97')
    """
    return f"work:{quote(name, safe=_PLAIN)}"


def _maker(name: str) -> str:
    return f"maker:{quote(name, safe=_PLAIN)}"


def _known(**found: Any) -> dict[str, Any]:  # noqa: ANN401 - any plain value
    """Attributes that are known, under our prefix."""
    return {
        f"gongfen:{name}": value for name, value in found.items() if value is not None and value is not msgspec.UNSET
    }


def _said(number: int, fact: Fact) -> dict[str, Any]:
    """What every entity, agent and activity says of the fact behind it."""
    return {"gongfen:fact": number} | ({"gongfen:sample": True} if fact.sample else {})


# -- things ------------------------------------------------------------------------------------------------------------


def _entities(number: int, fact: Fact) -> Iterator[Record]:
    match fact.body:
        case k.Work() as body:
            kind = _name(f"gongfen:{body.role.capitalize()}")
            told = _known(sha256=body.sha256, media=body.media, licence=body.licence, source=body.source)
            yield work(body.work), {"prov:label": body.work, "prov:type": kind} | told | _said(number, fact)
        case k.Dataset() as body:
            told = _known(root=body.root, licence=body.licence)
            kinds = [_name("prov:Collection"), _name("gongfen:Dataset")]
            yield work(body.dataset), {"prov:label": body.dataset, "prov:type": kinds} | told | _said(number, fact)
        case k.Model() as body:
            told = _known(sha256=body.sha256, format=body.format, parameters=body.parameters, licence=body.licence,
                          source=body.source)  # fmt: skip
            kind = _name("gongfen:Model")
            yield work(body.model), {"prov:label": body.model, "prov:type": kind} | told | _said(number, fact)
        case k.Output() as body:
            told = _known(sha256=body.sha256, media=body.media, quantity=body.quantity)
            kind = _name("gongfen:Output")
            yield work(body.output), {"prov:label": body.output, "prov:type": kind} | told | _said(number, fact)


def _agents(number: int, fact: Fact) -> Iterator[Record]:
    if isinstance(body := fact.body, k.Enrol):
        # An id, not a name: names lie outside the log, and can be forgotten.
        told = {"prov:label": body.maker, "prov:type": _name(_AGENTS[body.form])}
        yield _maker(body.maker), told | _known(people=body.people) | _said(number, fact)


def _activities(number: int, fact: Fact) -> Iterator[Record]:
    match fact.body:
        case k.Make() as body:
            told = _known(name=body.make, tool=body.tool, seed=body.seed)
            kind = _name(f"gongfen:{body.activity.capitalize()}")
        case k.Labour() as body:
            told = _known(labour_kind=body.labour_kind, phase=body.phase, standing=body.standing, skill=body.skill,
                          labour_us=body.labour_us, day=body.day, days=body.days, quality=body.quality)  # fmt: skip
            kind = _name("gongfen:Labour")
        case k.Compute() as body:
            told = _known(device=body.device, device_us=body.device_us, gflop=body.gflop, tokens=body.tokens,
                          energy_mwh=body.energy_mwh, energy_quality=body.energy_quality)  # fmt: skip
            kind = _name("gongfen:Compute")
        case _:
            return
    yield f"fact:{number}", {"prov:type": kind} | told | _said(number, fact)


# -- how they hang together --------------------------------------------------------------------------------------------


def _used(number: int, fact: Fact) -> Iterator[Record]:
    if isinstance(body := fact.body, k.Make):
        for place, use in enumerate(body.inputs):
            told = {"prov:activity": f"fact:{number}", "prov:entity": work(use.work), "prov:role": use.role}
            yield f"_:used{number}.{place}", told | _known(uses=use.uses, unit=use.unit or None)


def _generated(number: int, fact: Fact) -> Iterator[Record]:
    if isinstance(body := fact.body, k.Make):
        for place, output in enumerate(body.outputs):
            yield f"_:made{number}.{place}", {"prov:entity": work(output), "prov:activity": f"fact:{number}"}


def _associated(number: int, fact: Fact) -> Iterator[Record]:
    match fact.body:
        case k.Labour(maker=maker) | k.Compute(machine=maker):
            yield f"_:by{number}", {"prov:activity": f"fact:{number}", "prov:agent": _maker(maker)}


def _attributed(number: int, fact: Fact) -> Iterator[Record]:
    if isinstance(body := fact.body, k.Work):
        for place, one in enumerate(body.makers):
            told = {"prov:entity": work(body.work), "prov:agent": _maker(one.maker)}
            yield f"_:of{number}.{place}", told | _known(ppm=one.ppm)


def _influenced(number: int, fact: Fact) -> Iterator[Record]:
    match fact.body:
        case k.Labour(work=name) | k.Compute(work=name):
            yield f"_:on{number}", {"prov:influencee": work(name), "prov:influencer": f"fact:{number}"}


def _derived(number: int, fact: Fact) -> Iterator[Record]:
    match fact.body:
        case k.Make() as body:
            for place, (output, use) in enumerate((one, other) for one in body.outputs for other in body.inputs):
                told = {"prov:generatedEntity": work(output), "prov:usedEntity": work(use.work)}
                yield f"_:from{number}.{place}", told | {"prov:activity": f"fact:{number}"}
        case k.Model(base=str(base)) as body:
            yield f"_:from{number}", {"prov:generatedEntity": work(body.model), "prov:usedEntity": work(base)}
        case k.Quote() as body:
            told = {"prov:generatedEntity": work(body.output), "prov:usedEntity": work(body.work)}
            yield f"_:from{number}", told | {"prov:type": _name("prov:Quotation")} | _said(number, fact)


def _members(number: int, fact: Fact) -> Iterator[Record]:
    if isinstance(body := fact.body, k.Dataset):
        for place, name in enumerate(body.works):
            yield f"_:in{number}.{place}", {"prov:collection": work(body.dataset), "prov:entity": work(name)}


_SECTIONS: dict[str, Callable[[int, Fact], Iterator[Record]]] = {
    "entity": _entities,
    "agent": _agents,
    "activity": _activities,
    "used": _used,
    "wasGeneratedBy": _generated,
    "wasAssociatedWith": _associated,
    "wasAttributedTo": _attributed,
    "wasInfluencedBy": _influenced,
    "wasDerivedFrom": _derived,
    "hadMember": _members,
}
"""Each section of the document, and what of it a fact says."""
