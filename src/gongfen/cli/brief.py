"""A fact in one line: who, on what, how much."""

import json

from gongfen.facts import Body, Elsewhere, Fact, encode

BRIEF = 100


def brief(fact: Fact) -> str:
    """What a fact says, cut where it grows long."""
    if isinstance(fact.body, Elsewhere):
        return f"body_sha256={fact.body.sha256}"
    fields = json.loads(encode(fact))["body"]
    if isinstance(fact.body, Body):  # who, on what, how much: in the order in which a kind says it
        fields = {name: fields[name] for name in fact.body.__struct_fields__ if name in fields}
    text = ", ".join(f"{name}={_said(name, value)}" for name, value in fields.items() if value not in (None, "", []))
    return text if len(text) <= BRIEF else text[:BRIEF] + "…"


def _said(name: str, value: object) -> str:
    """A field's value, as ``gongfen record`` takes it; of a hash, enough to know it by."""
    if isinstance(value, str) and (name == "root" or name.endswith("sha256")):
        return f"{value[:12]}…"
    if isinstance(value, str):
        return value
    if isinstance(value, list) and name == "makers":
        return ",".join(f"{part['maker']}:{part['ppm']}" for part in value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
