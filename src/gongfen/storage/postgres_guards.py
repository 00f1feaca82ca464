"""Whether a book on a server is guarded as its schema says: the triggers, and the very functions that they call."""

import re
from importlib.resources import files
from typing import Any, Protocol

SCHEMA = files("gongfen.storage").joinpath("schema_postgres.sql").read_text(encoding="utf-8")
GUARDED = ("fact", "node", "checkpoint", "cosigned")
"""Tables that the database itself keeps from being changed."""
_TABLES = re.findall(r"^CREATE (?:UNLOGGED )?TABLE (\w+)", SCHEMA, re.MULTILINE)
_FUNCTIONS = dict(re.findall(r"^CREATE FUNCTION (\w+)\(.*?\$\$(.*?)\$\$;$", SCHEMA, re.MULTILINE | re.DOTALL))
"""Name → source of each function, as the server keeps it."""
_BEFORE_ANY_CHANGE = 2 + 8 + 16 + 32
"""pg_trigger.tgtype of BEFORE UPDATE OR DELETE OR TRUNCATE, once a statement."""
_HERE = "quote_ident(current_schema())::regnamespace"
_TRIGGERS = f"""
SELECT relname, tgname, tgenabled = 'A' AND tgtype = $2 AND tgqual IS NULL AND tgattr::text = '' AND tgnargs = 0
  AND proname = 'refuse_change' AND pronamespace = {_HERE} AS whole
FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid
WHERE relnamespace = {_HERE} AND relname = ANY($1::text[]) AND NOT tgisinternal ORDER BY 1, 2
"""  # noqa: S608 - fixed text
_SOURCES = f"""
SELECT proname, prosrc, lanname = 'plpgsql' AND NOT prosecdef FROM pg_proc JOIN pg_language ON pg_language.oid = prolang
WHERE pronamespace = {_HERE} AND proname = ANY($1::text[]) ORDER BY 1
"""  # noqa: S608 - fixed text
_KINDS = f"""
SELECT relname, relkind = 'r' AND NOT relrowsecurity AND NOT relhasrules
FROM pg_class WHERE relnamespace = {_HERE} AND relname = ANY($1::text[])
"""  # noqa: S608 - fixed text


class Asked(Protocol):
    """A connection that answers questions."""

    def rows(self, query: str, *values: object) -> list[Any]:
        """All rows of an answer."""


def unguarded(db: Asked) -> list[str]:
    """What refuses changes of the log and is gone, off or of another make; and what acts beside it.

    The catalogue of the server is asked, and held against ``schema_postgres.sql``. What else lies in the same schema is
    its owner's business.
    """
    return [*_wrong_triggers(db), *_wrong_functions(db), *_wrong_tables(db)]


def _wrong_triggers(db: Asked) -> list[str]:
    found = {(table, name): whole for table, name, whole in db.rows(_TRIGGERS, _TABLES, _BEFORE_ANY_CHANGE)}
    due = {(table, "never_changed") for table in GUARDED}
    wrong = [f"the trigger of {table} is gone or off" for table, name in sorted(due) if not found.get((table, name))]
    return wrong + [
        f"the trigger {name} of {table} is none of a book's" for table, name in found if (table, name) not in due
    ]


def _wrong_functions(db: Asked) -> list[str]:
    found: dict[str, list[bool]] = {}
    for name, source, plain in db.rows(_SOURCES, list(_FUNCTIONS)):
        found.setdefault(name, []).append(plain and source == _FUNCTIONS[name])
    return [f"the function {name} is not as a book has it" for name in _FUNCTIONS if found.get(name) != [True]]


def _wrong_tables(db: Asked) -> list[str]:
    plain = {name for name, whole in db.rows(_KINDS, _TABLES) if whole}
    return [f"the table {name} has rules of its own, or is no table" for name in _TABLES if name not in plain]
