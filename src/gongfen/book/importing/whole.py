"""A whole export as facts, all or nothing."""

from datetime import tzinfo

from gongfen.book.importing.draft import Draft
from gongfen.book.importing.imported import Imported, imported
from gongfen.book.importing.labour import Entries
from gongfen.book.importing.makers import Makers, who_are
from gongfen.book.importing.rows import Rows
from gongfen.book.importing.runs import Runs
from gongfen.book.importing.terms import Terms
from gongfen.book.importing.works import Works
from gongfen.book.recording.record import Record
from gongfen.progress import Progress
from gongfen.studio.importers.export import Export


def import_work(
    record: Record,
    export: Export,
    terms: Terms,
    zone: tzinfo,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Imported:
    """Record what a tool's export says, all or nothing. A dry run books it just so, and takes it back.

    Raises ToolExportError, UnknownMakerError for users who are not mapped (a dry run lists them), and whatever a book
    refuses: then nothing is written.
    """
    record.refresh()
    draft = Draft(record, export, terms)
    makers, works, rows = Makers(draft), Works(draft), Rows(draft)
    Entries(draft, makers, works, rows, zone).add_all()
    Runs(draft, makers, works, rows).add_all()
    if draft.unknown and not dry_run:
        raise who_are(draft)
    if dry_run:
        draft.try_out()
    elif draft.fresh:
        draft.write(progress)
    return imported(draft, zone, dry_run=dry_run)
