"""What was worked on: a tool's tasks and projects as works of the book, declared where it does not know them."""

from gongfen.book.importing.draft import Draft
from gongfen.errors import ToolExportError, UnknownWorkError
from gongfen.facts import kinds as k
from gongfen.studio.importers.export import Thing
from gongfen.studio.names import fitting_id


class Works:
    """The works of an export, each declared at most once."""

    def __init__(self, draft: Draft) -> None:
        self.draft, self.terms = draft, draft.terms
        self._new: dict[str, str] = {}
        """New works → the tool's own name for them."""

    def of(self, thing: Thing, place: str) -> str:
        """The id of what was worked on; declared when the book does not know it."""
        if self.terms.work is not None:
            name = self.terms.work
        elif thing.known:
            name = thing.parts[0]
        else:
            name = fitting_id(*self.draft.prefix, *thing.parts[1:])
        own_name = self.terms.work is None and not thing.known
        if name in self._new:
            if own_name and self._new[name] != _whole_name(thing):
                raise ToolExportError(
                    f"{place}: work {name}", "stands for two things", "rename one of them in the tool"
                )
            return name
        found = self.draft.record.state.works.get(name)
        if found is None:
            self._declare(name, thing, place)
            return name
        changed = own_name and thing.sha256 is not None and found.sha256 != thing.sha256
        if changed and self.draft.first(f"work:{name}"):
            self.draft.doubt(place, "changed", f"work {name} has another text now", recorded=True)
        return name

    def _declare(self, name: str, thing: Thing, place: str) -> None:
        if not (self.terms.licence and self.terms.licence.strip()):
            remedy = "say under which licence it may be used: --licence; or name a work of the book: --work"
            raise UnknownWorkError(f"{place}: work {name}", "is not in this book, and has no licence", remedy)
        own = thing.sha256 is not None and self.terms.work is None
        export = self.draft.export
        body = k.Work(
            work=name,
            sha256=thing.sha256 if own and thing.sha256 else export.sha256,
            media=thing.media if own else "application/octet-stream",
            size_bytes=thing.size_bytes if own else export.size_bytes,
            makers=(),
            source=(self.terms.source or (thing.source if self.terms.work is None else export.file))[:400],
            licence=self.terms.licence.strip(),
        )
        self._new[name] = _whole_name(thing)
        self.draft.keep(place, fitting_id("work", name, joint=":") if len(name) > 190 else f"work:{name}", body)


def _whole_name(thing: Thing) -> str:
    return "\x1f".join(thing.parts)
