"""A fact in one line: who, on what, how much."""

import json
from decimal import Decimal

from gongfen.facts import Body, Elsewhere, Fact, encode

BRIEF = 120
WHOLE = 2_000
"""A fact that is asked about by itself is cut later: its day, its reason and its evidence are to be seen."""
TIMES = {"h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000}


def brief(fact: Fact, most: int = BRIEF) -> str:
    """What a fact says, cut where it grows longer than ``most``."""
    if isinstance(fact.body, Elsewhere):
        return f"body_sha256={fact.body.sha256}"
    fields = json.loads(encode(fact))["body"]
    if isinstance(fact.body, Body):  # who, on what, how much: in the order in which a kind says it
        fields = {name: fields[name] for name in fact.body.__struct_fields__ if name in fields}
    text = ", ".join(f"{name}={_said(name, value)}" for name, value in fields.items() if value not in (None, "", []))
    return text if len(text) <= most else text[:most] + "…"


def _said(name: str, value: object) -> str:
    """A field's value, as ``gongfen record`` takes it; of a hash, enough to know it by."""
    if isinstance(value, str) and (name == "root" or name.endswith("sha256")):
        return f"{value[:12]}…"
    if isinstance(value, str):
        return value
    if isinstance(value, int) and name.endswith(("_us", "_micro")):
        return _time(value) if name.endswith("_us") else _money(value)
    if isinstance(value, list) and name == "makers":
        return ",".join(f"{part['maker']}:{part['ppm']}" for part in value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _time(us: int) -> str:
    """In the largest unit of which it is a whole number: 2h, 90m, 40s."""
    return next((f"{us // size}{unit}" for unit, size in TIMES.items() if us and us % size == 0), str(us))


def _money(micro: int) -> str:
    """With two decimals, or as many as it takes: 12.50, 0.000025."""
    amount = Decimal(micro).scaleb(-6)
    return f"{amount:.2f}" if amount == amount.quantize(Decimal("0.01")) else f"{amount.normalize():f}"
