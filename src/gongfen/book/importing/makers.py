"""Whose labour it is: a tool's users as makers of the book, mapped, known, or enrolled."""

import json
import re

from gongfen.book.importing.draft import Draft
from gongfen.book.recording import people
from gongfen.book.recording.record import Record
from gongfen.errors import ToolExportError, UnknownMakerError
from gongfen.studio.importers.export import Entry, User
from gongfen.studio.names import UNIDENTIFIED, maker_id, tidy

ANYBODY = "*"
SHOWN = 5
_NUMBER = re.compile(r"[0-9]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Makers:
    """The tool's users, each asked after once."""

    def __init__(self, draft: Draft) -> None:
        self.draft, self.record, self.terms = draft, draft.record, draft.terms
        self._resolved: dict[str, str | None] = {}

    def of(self, entry: Entry) -> str | None:
        """Whose labour an entry is; ``None``: nobody knows, and it is said."""
        if entry.user is not None:
            if entry.user.key not in self._resolved:
                self._resolved[entry.user.key] = self._resolve(entry.user)
            return self._resolved[entry.user.key]
        if self.terms.maker is not None:
            return self._checked(self.terms.maker)
        if self.draft.export.tool in ("timedot", "timeclock"):
            raise ToolExportError(self.draft.export.file, "names nobody", "say whose time it is: --maker MAKER")
        self.draft.doubt(entry.place, "nobody", cut_us=entry.labour_us or 0)
        return None

    def _resolve(self, user: User) -> str | None:
        known = [name for name in (user.key, *user.others, user.name) if name]
        mapped = next((self.terms.makers[name] for name in known if name in self.terms.makers), None)
        same = next((name for name in known if self._enrolled(name)), None)
        maker = mapped or same or self.terms.makers.get(ANYBODY)
        if maker is not None:
            return self._checked(maker)
        name = user.name or user.key
        maker = maker_id(name) if not _NUMBER.fullmatch(name) else tidy(f"{self.draft.export.tool}-{name}")
        against = self._against(name, maker) if self.terms.enrol else ""
        if against is not None:
            self.draft.unknown[user.key] = against
            return None
        if not self._enrolled(maker):
            self.draft.named[maker] = name
        return maker

    def _against(self, name: str, maker: str) -> str | None:
        """What stands against enrolling a user under a name made from theirs, or ``None``."""
        if "@" in name:
            return "An e-mail address does not belong into a log that forgets nothing: map it."
        if not maker or maker == UNIDENTIFIED:
            return f"No id can be made of {name!r}: map it."
        if (self._enrolled(maker) and _name_of(self.record, maker) != name) or (
            self.draft.named.get(maker, name) != name
        ):
            return f"{maker} is somebody already, and nobody knows whether it is {name}: map it."
        return None

    def _checked(self, maker: str) -> str:
        """A maker who was named; not enrolled by mistake."""
        if not self._enrolled(maker) and maker not in self.draft.named:
            if not self.terms.enrol:
                remedy = f"record: gongfen record enrol maker={maker}; or give --enrol"
                raise UnknownMakerError(maker, "is not enrolled", remedy)
            self.draft.named[maker] = maker
        return maker

    def _enrolled(self, maker: str) -> bool:
        return self.record.state.makers.get(maker) is not None

    def started(self, user: User | None) -> str | None:
        """Who started a run, where a maker is known for them: their name in the tool is nobody else's business."""
        if user is None:
            return None
        mapped = self.terms.makers.get(user.key)
        return mapped or (user.key if self._enrolled(user.key) else None)


def who_are(draft: Draft) -> UnknownMakerError:
    """That users are unknown, and what to do."""
    names = list(draft.unknown)
    shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    first = names[0]
    how = f"--map '{first}=MAKER', or --map FILE with a line for each; or --enrol. {draft.unknown[first]}"
    reason = f"names users whom no maker is known for: {shown}"
    return UnknownMakerError(draft.export.file, reason, f"say who they are: {how}".rstrip())


def _name_of(record: Record, maker: str) -> str | None:
    """The name that is kept for a maker outside the log, if one is."""
    found = people.kept(record, maker)
    name = json.loads(found[1]).get("name") if found else None
    return name if isinstance(name, str) else None
