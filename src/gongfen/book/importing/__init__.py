"""Bring in a corpus, and what other tools recorded: makers, works, labour, machine time, as facts. Twice is harmless.

What stands in the book already comes first on a maker's time line; what overlaps it, from whichever tool, counts once.
"""

from gongfen.book.importing.imported import Hours, Imported
from gongfen.book.importing.terms import Terms
from gongfen.book.importing.whole import import_work

__all__ = ["Hours", "Imported", "Terms", "import_work"]
