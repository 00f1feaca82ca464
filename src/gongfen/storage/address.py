"""Where a book lies when it is not a file: the address of a PostgreSQL database, whose password never shows."""

import re
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from gongfen.errors import BookPlaceError

SCHEMES = ("postgresql://", "postgres://")
DEFAULT_SCHEMA = "public"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)
_SAID = ("host", "port", "schema")
"""Parameters that are shown; others may hold secrets, or say nothing about the place."""


class Address:
    """``postgresql://user:password@host:port/database?schema=name``: one schema of one database is one book.

    ``str`` gives it without the password: that is what messages show. What it does not say, PostgreSQL's own variables
    say (``PGHOST``, ``PGUSER``, ``PGPASSWORD``, ``PGSSLMODE``, …) and its password file.
    """

    def __init__(self, url: str) -> None:
        remedy = "write postgresql://user:password@host:port/database, with %-escapes for signs in the password"
        try:
            url.encode()  # words of a command line may be no text
            parts = urlsplit(url)
            port, host = parts.port, parts.hostname or ""
        except ValueError:
            raise BookPlaceError("the book's address", "is not one", remedy) from None
        asked = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.schema = asked.pop("schema", DEFAULT_SCHEMA)
        self.database = unquote(parts.path.removeprefix("/"))
        if not url.startswith(SCHEMES) or not self.database or "/" in self.database or "\0" in self.database:
            raise BookPlaceError("the book's address", "does not name a database", remedy)
        if not _NAME.fullmatch(self.schema) or self.schema.startswith("pg_"):
            name = "letters, digits and _, 63 at most, and not pg_ first"
            raise BookPlaceError(f"the schema {self.schema[:80]!r}", "is not a plain name", f"name it with {name}")
        self.url = parts._replace(query=urlencode(asked, quote_via=quote)).geturl()
        """What a driver opens: with the password, without the schema."""
        user = f"{parts.username}@" if parts.username else ""
        said = {name: value for name, value in [*asked.items(), ("schema", self.schema)] if name in _SAID}
        if self.schema == DEFAULT_SCHEMA:
            del said["schema"]
        place = f"{user}{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"
        self._shown = f"postgresql://{place}/{quote(self.database)}" + (f"?{urlencode(said, safe='/')}" if said else "")

    def __str__(self) -> str:
        return self._shown

    def __repr__(self) -> str:
        return f"Address({self._shown!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Address) and (self.url, self.schema) == (other.url, other.schema)

    def __hash__(self) -> int:
        return hash((self.url, self.schema))

    @property
    def name(self) -> str:
        """What the book's files are called by: the database, and the schema if it is another than usual."""
        plain = re.sub(r"[^\w.-]", "_", self.database)
        return plain if self.schema == DEFAULT_SCHEMA else f"{plain}.{self.schema}"


def is_address(named: str) -> bool:
    """Whether a place is named as a server's."""
    return named.startswith(SCHEMES)
