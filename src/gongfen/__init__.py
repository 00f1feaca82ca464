"""Who made it, out of whose labour, what is it worth, who is owed what — and the proof.

>>> import gongfen, tempfile
>>> book = gongfen.create(tempfile.mkdtemp() + "/book.db", origin="example.org/book")
>>> book.record(gongfen.kinds.Enrol(maker="ada"))
[0]
>>> book.receipt(0).check(book.log.verifier)
"""

from gongfen.book import Book as Book
from gongfen.book import create_book as create
from gongfen.book import open_book as open  # noqa: A004 - gongfen.open(...) reads as it should
from gongfen.errors import GongfenError as GongfenError
from gongfen.facts import Fact as Fact
from gongfen.facts import kinds as kinds

__all__ = ["Book", "Fact", "GongfenError", "create", "kinds", "open"]
__version__ = "0.1.0"
