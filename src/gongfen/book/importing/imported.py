"""What an import recorded, or would record: counted from its draft."""

from datetime import tzinfo

import msgspec

from gongfen.book.importing.draft import Draft
from gongfen.facts import kinds as k
from gongfen.studio.importers.export import Doubt


class Hours(msgspec.Struct, kw_only=True):
    """New labour by its quality, in µs; of unmeasured labour the number of entries. ``discarded_us`` is part of it."""

    measured_us: int = 0
    clipped_us: int = 0
    imputed_us: int = 0
    unmeasured: int = 0
    discarded_us: int = 0

    def add(self, body: k.Labour) -> None:
        """Count one piece of labour."""
        if body.labour_us is None:
            self.unmeasured += 1
            return
        name = f"{body.quality}_us"
        setattr(self, name, getattr(self, name) + body.labour_us)
        self.discarded_us += body.labour_us if body.discarded is True else 0

    def merge(self, other: "Hours") -> None:
        """Count what another has counted."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import recorded, or would record."""

    tool: str
    file: str
    dry_run: bool
    facts: int
    """New ones, all kinds together."""
    kinds: dict[str, int]
    """Kind → new facts of it."""
    there: int
    """Entries and runs that the book had already."""
    makers: dict[str, Hours]
    works: dict[str, Hours]
    new_makers: tuple[str, ...]
    new_works: int
    unknown: tuple[str, ...]
    """Users whom nobody has mapped; their labour is in none of the numbers."""
    device_us: int
    energy_mwh: int | None
    """``None``: no run says it."""
    runs: int
    energy_lacking: int
    """Runs that do not say it: then the energy is at least what is stated."""
    doubts: tuple[Doubt, ...]
    zone: str


def imported(draft: Draft, zone: tzinfo, *, dry_run: bool) -> Imported:
    """Count what a draft holds."""
    makers: dict[str, Hours] = {}
    works: dict[str, Hours] = {}
    kinds: dict[str, int] = {"enrol": len(draft.named)} if draft.named else {}
    for _, fact in draft.fresh:
        kinds[fact.kind] = kinds.get(fact.kind, 0) + 1
        if isinstance(fact.body, k.Labour):
            makers.setdefault(fact.body.maker, Hours()).add(fact.body)
            works.setdefault(fact.body.work, Hours()).add(fact.body)
    runs = [fact.body for _, fact in draft.fresh if isinstance(fact.body, k.Compute)]
    energies = [run.energy_mwh for run in runs if run.energy_mwh is not None]
    return Imported(
        tool=draft.export.tool,
        file=draft.export.file,
        dry_run=dry_run,
        facts=len(draft.fresh) + len(draft.named),
        kinds=dict(sorted(kinds.items())),
        there=draft.there,
        makers=dict(sorted(makers.items())),
        works=dict(sorted(works.items())),
        new_makers=tuple(sorted(draft.named)),
        new_works=kinds.get("work", 0),
        unknown=tuple(draft.unknown),
        device_us=sum(run.device_us for run in runs),
        energy_mwh=sum(energies) if energies else None,
        runs=len(runs),
        energy_lacking=len(runs) - len(energies),
        doubts=tuple(draft.doubts),
        zone=str(zone),
    )
