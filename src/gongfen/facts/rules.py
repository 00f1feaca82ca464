"""Rules of a kind that the types of its fields cannot say: shares that add up, names that come once."""

from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

from msgspec import UNSET

from gongfen.facts import kinds as k
from gongfen.facts.amounts import PPM
from gongfen.facts.curve import decoded, is_sound

Broken = list[tuple[str, str]]
"""(reason, remedy) pairs."""


def broken_rules(body: k.Body) -> Broken:
    """What is wrong with a body whose fields have the right types; empty when nothing is."""
    rule = RULES.get(type(body))
    return rule(body) if rule else []


def _enrol(body: k.Enrol) -> Broken:
    if ":" in body.maker:
        return [("holds a colon in its maker's name, which the names of accounts need", "use a name without")]
    return []


def _work(body: k.Work) -> Broken:
    if not body.makers:
        return []
    total = sum(part.ppm for part in body.makers)
    if total != PPM:
        return [(f"has makers' shares that add to {total} ppm", "make them add to 1,000,000 ppm")]
    if len({part.maker for part in body.makers}) != len(body.makers):
        return [("names a maker twice", "give each maker one share")]
    return []


def _labour(body: k.Labour) -> Broken:
    if body.labour_us is None and body.quality != "unmeasured":
        return [(f"has no time but calls it {body.quality}", "give labour_us, or quality=unmeasured")]
    if body.labour_us is not None and body.quality == "unmeasured":
        return [("gives a time but calls it unmeasured", "write labour_us=none, or say how it was measured")]
    if body.days > 1 and date.fromisoformat(body.day).toordinal() + body.days > date.max.toordinal():
        return [("lasts beyond the year 9999", "check the day and the number of days")]
    if (body.task is UNSET) != (body.units is UNSET):
        return [("needs a task and its units together", "give both, or none of them")]
    return []


def _dataset(body: k.Dataset) -> Broken:
    if not body.works or len(set(body.works)) != len(body.works):
        return [("names no work, or one twice", "name each work once")]
    return []


def _make(body: k.Make) -> Broken:
    inputs, outputs = [use.work for use in body.inputs], list(body.outputs)
    if not outputs:
        return [("makes nothing", "name its outputs")]
    both = set(inputs) & set(outputs)
    if both:
        return [(f"makes {min(both)} out of itself", "give the new version its own name")]
    return _twice(inputs) + _twice(outputs)


def _policy(body: k.Policy) -> Broken:
    return _NEWEST if body.policy == "*" else []


_NEWEST: Broken = [("calls itself *, under which the newest is found", "give it a name of its own")]


def _standard(body: k.Standard) -> Broken:
    if body.standard == "*":
        return _NEWEST
    low = [r.skill for r in body.reductions if r.num < r.den]
    if low:
        return [(f"reduces {', '.join(low)} below simple labour", "give num/den of at least 1")]
    averages = [] if body.averages is UNSET else [average.task for average in body.averages]
    return _twice([r.skill for r in body.reductions]) + _twice([m.device for m in body.machines]) + _twice(averages)


def _skill(body: k.Skill) -> Broken:
    if body.teach_us >= body.life_us:
        return [("takes more teaching than a working life has", "check the hours: teach_us, life_us")]
    wages = (body.wage_micro, body.simple_wage_micro)
    if (wages[0] is None) != (wages[1] is None):
        return [("names one wage of two", "give the wage of the skill and that of simple labour, or neither")]
    if wages[0] is not None and wages[1] is not None and wages[0] < wages[1]:
        return [("is paid less than simple labour, which would reduce it below 1", "check the two wages")]
    return []


def _rate(body: k.Rate) -> Broken:
    if body.currency == body.into:
        return [(f"changes {body.currency} into itself", "name two currencies")]
    return []


def _loss(body: k.Loss) -> Broken:
    first, last = body.first_day, body.last_day
    if isinstance(first, str) != isinstance(last, str):
        return [("names one end of its days", "give first_day and last_day, or neither")]
    if isinstance(first, str) and isinstance(last, str) and first > last:
        return [("ends before it begins", "give first_day ≤ last_day")]
    return []


def _opening(body: k.Opening) -> Broken:
    if not (body.lots or body.money):
        return [("opens with nothing", "name lots, or money")]
    if len({(lot.work, lot.name) for lot in body.lots}) != len(body.lots):
        return [("names a lot twice", "name each work and source once")]
    if any((item.account == "owed") != (item.maker is not None) for item in body.money):
        return [("owes money to nobody, or keeps cash for somebody", "give owed a maker, and cash none")]
    return []


def _influence(body: k.Influence) -> Broken:
    for effect in body.effects:
        low, high = effect.low_nnat, effect.high_nnat
        if isinstance(low, int) != isinstance(high, int):
            return [(f"gives {effect.work} one end of an interval", "give both ends, or none")]
        if isinstance(low, int) and isinstance(high, int) and not low <= effect.effect_nnat <= high:
            return [(f"gives {effect.work} an effect outside its interval", "give low ≤ effect ≤ high")]
    start, end = body.output_start, body.output_end
    if isinstance(start, int) != isinstance(end, int):
        return [("names one end of a part", "give output_start and output_end, or neither")]
    if isinstance(start, int) and isinstance(end, int) and (start >= end or body.grade == "settlement"):
        return [("is of no part that can be measured", "give output_start < output_end, and display grade")]
    return _twice([effect.work for effect in body.effects])


def _settlement(body: k.Settlement) -> Broken:
    return _twice([line.maker for line in body.lines])


def _key(body: k.Key) -> Broken:
    wrong: Broken = []
    public = decoded(body.public)
    if public is None or not is_sound(public):
        wrong.append(("names a public key that is none, or that anybody could sign for", "make one: gongfen key new"))
    if decoded(body.possession) is None:
        wrong.append(("holds a proof of possession that is not in canonical base64", "make the key again"))
    if body.key == body.replaces:
        wrong.append(("replaces itself", "give the new key a name of its own"))
    return wrong


def _twice(names: list[str]) -> Broken:
    if len(set(names)) == len(names):
        return []
    again = min(name for name, times in Counter(names).items() if times > 1)
    return [(f"names {again} twice", "name each once")]


def _quote(body: k.Quote) -> Broken:
    if body.exact and body.similarity_ppm is not UNSET:
        return [("is exact, and gives a similarity", "write exact=false, or leave similarity_ppm out")]
    return []


RULES: dict[type[k.Body], Callable[[Any], Broken]] = {
    k.Enrol: _enrol,
    k.Work: _work,
    k.Labour: _labour,
    k.Dataset: _dataset,
    k.Make: _make,
    k.Policy: _policy,
    k.Standard: _standard,
    k.Influence: _influence,
    k.Quote: _quote,
    k.Settlement: _settlement,
    k.Key: _key,
    k.Skill: _skill,
    k.Rate: _rate,
    k.Loss: _loss,
    k.Opening: _opening,
}
"""Kind → its rule."""
