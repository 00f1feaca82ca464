"""What the book knows of a person: kept outside the log under a salted commitment, and forgotten without a gap in it.

The log holds SHA-256 over the salt, a zero byte, and the details in canonical JSON. Without the salt, names and payout
accounts could be found by trying: there are few enough of them to hash each one. With 32 bytes of chance before them
nobody can, and once the salt is deleted with the details, the commitment says nothing about anybody: not even who
knows the name can show that it was this one. The proofs go on to hold, for they are over the commitment.
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import sha256

import msgspec

from gongfen.book.recording.record import Record
from gongfen.errors import BookPlaceError, DamagedBookError, DetailsError, GongfenError, UnknownMakerError
from gongfen.facts import Body
from gongfen.facts import kinds as k
from gongfen.reports.replies import Person

SALT_BYTES = 32
FIELD = re.compile(r"[a-z][a-z0-9_]{0,39}")
MOST_FIELDS = 40
MOST_CHARACTERS = 2_000

_details = msgspec.json.Decoder(dict[str, str])


def seal(details: Mapping[str, str]) -> tuple[str, str, str]:
    """(salt, details as canonical JSON, commitment) of details, with a new salt of 32 bytes in hexadecimal."""
    salt = secrets.token_hex(SALT_BYTES)
    text = msgspec.json.encode(dict(details), order="sorted").decode()
    return salt, text, _commitment(salt, text)


def describe(record: Record, maker: str, given: Mapping[str, str]) -> Person:
    """Keep personal details of a maker, who is enrolled if need be, and record the commitment to them.

    What is given takes the place of what was kept under that name; an empty text takes it away; the rest stays. When
    nothing changes, nothing is written. Raises DetailsError, MalformedFactError.
    """
    _check(given)
    sealed: list[tuple[str, str]] = []

    def said() -> Iterator[Body]:
        """Run within the transaction. What is new lies beside what is kept, until the log commits to it."""
        known, before = record.state.makers.get(maker), kept(record, maker)
        if before is not None and known is not None and not _fits(before, known.details_sha256 or ""):
            raise _altered(maker)
        old = _read(maker, before[1]) if before is not None else {}
        new = {name: text for name, text in {**old, **given}.items() if text}
        if new == old or (not new and known is None):
            return
        if not new:
            raise DetailsError(maker, "would have no details left", f"delete them: gongfen forget {maker}")
        salt, text, commitment = seal(new)
        sealed.append((salt, text))
        record.store.put_person(maker, salt, text, waiting=True)
        if known is None:
            yield k.Enrol(maker=maker, details_sha256=commitment)
        else:
            yield k.Details(maker=maker, details_sha256=commitment)

    try:
        record.record(said())
    except GongfenError as error:
        # A place that did not answer may have written it: then what waits is adopted when the log commits to it.
        if sealed and not isinstance(error, BookPlaceError):
            record.store.forget_person(maker, only_waiting=True)
        raise
    return details(record, maker)


def kept(record: Record, maker: str) -> tuple[str, str] | None:
    """The (salt, details) that the log commits to, moved to their place if they still wait; ``None``: none are there.

    Whoever was killed between the word in the log and the deed beside it left both the old and the new. What is there
    and does not fit comes back as it is: the caller says so.
    """
    known, row = record.state.makers.get(maker), record.store.person(maker)
    if known is None or known.details_sha256 is None:
        return None
    if row is None or not _fits(row, known.details_sha256):
        waiting = record.store.person(maker, waiting=True)
        if waiting is not None and _fits(waiting, known.details_sha256):
            with suppress(BookPlaceError):  # where nothing may be written they go on waiting, and are read as well
                record.store.adopt_person(maker)
            return waiting
    return row


def _fits(row: tuple[str, str], commitment: str) -> bool:
    return commitment in (_commitment(*row), _early_commitment(*row))


def details(record: Record, maker: str) -> Person:
    """What is kept of a maker. Raises UnknownMakerError, and DamagedBookError if it is not what the log commits to."""
    known = record.state.makers.get(maker)
    if known is None:
        raise UnknownMakerError(maker, "is not enrolled", f"enrol and describe them: gongfen person {maker} name=…")
    row, commitment = kept(record, maker), known.details_sha256
    if commitment is None:
        return Person(maker=maker, details=None, committed=False, forgotten=_forgotten(record, maker))
    if row is None:
        return Person(maker=maker, details=None, committed=True, forgotten=None)
    if not _fits(row, commitment):
        raise _altered(maker)
    return Person(maker=maker, details=_read(maker, row[1]), committed=True, forgotten=None)


def _altered(maker: str) -> DamagedBookError:
    remedy = f"restore them from a backup; or delete them, gongfen forget {maker}, and write them anew"
    return DamagedBookError(f"the details of {maker}", "are not those that the log commits to", remedy)


def forget(record: Record, maker: str) -> Person:
    """Delete a maker's details with their salt, and record that they were forgotten; every proof still holds.

    Raises UnknownMakerError, and DetailsError when there is nothing to forget.
    """

    def said() -> Iterator[Body]:
        """Run within the transaction. What can be refused is refused before anything is deleted."""
        known = record.state.makers.get(maker)
        row = record.store.person(maker) or record.store.person(maker, waiting=True)
        commitment = known.details_sha256 if known else None
        if row is None and known is None:
            raise UnknownMakerError(maker, "is not enrolled", "see who is: gongfen log --kind enrol --last 0")
        if row is None and commitment is None:
            seq = _forgotten(record, maker)
            reason = "has no details" if seq is None else f"was forgotten with fact {seq}"
            raise DetailsError(maker, reason, "nothing is left to do")
        if commitment is not None:
            yield k.Forgetting(maker=maker, details_sha256=commitment)
        # The deed comes with the word; should the word then not be written, it can be said again.
        record.store.forget_person(maker)

    record.record(said())
    return Person(maker=maker, details=None, committed=False, forgotten=_forgotten(record, maker))


def check_details(record: Record) -> tuple[str, ...]:
    """The makers of whom details wait that the log does not commit to: somebody describes them, or was killed.

    Raises DamagedBookError if details are kept of somebody to whom the log commits none, or others: after a forgetting
    that was only said, or from another book.
    """
    waiting = []
    for maker, salt, text, waits in list(record.store.people()):
        known = record.state.makers.get(maker)
        commitment = known.details_sha256 if known else None
        if waits:
            if commitment is None or not _fits((salt, text), commitment):
                waiting.append(maker)
        elif known is None or commitment is None:
            said = known is not None and _forgotten(record, maker) is not None
            reason = "though the log says that they were forgotten" if said else "though the log commits to none"
            remedy = f"delete them: gongfen forget {maker}"
            raise DamagedBookError(f"the details of {maker}", f"are still kept, {reason}", remedy)
        elif (found := kept(record, maker)) is not None and not _fits(found, commitment):
            raise _altered(maker)
    return tuple(waiting)


def _forgotten(record: Record, maker: str) -> int | None:
    """Number of the fact that last forgot a maker."""
    found = [seq for seq, fact in record.about(maker) if isinstance(fact.body, k.Forgetting)]
    return found[-1] if found else None


def _commitment(salt: str, text: str) -> str:
    return sha256(f"{salt}\0{text}".encode()).hexdigest()


def _early_commitment(salt: str, text: str) -> str:
    """As imports wrote it in version 0.1: without the zero byte."""
    return sha256(f"{salt}{text}".encode()).hexdigest()


def _read(maker: str, text: str) -> dict[str, str]:
    try:
        return _details.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        remedy = f"restore them from a backup, or forget them: gongfen forget {maker}"
        raise DamagedBookError(f"the details of {maker}", "cannot be read", remedy) from None


def _check(given: Mapping[str, str]) -> None:
    for name, text in given.items():
        if not FIELD.fullmatch(name):
            raise DetailsError(
                f"the field {name[:60]!r}", "is no name of a detail", "write, say, name, contact, account"
            )
        if not isinstance(text, str) or len(text) > MOST_CHARACTERS or not _is_text(text):
            reason = f"is not a text of {MOST_CHARACTERS} characters at most"
            raise DetailsError(f"the field {name}", reason, "keep longer papers elsewhere")
    if not given or len(given) > MOST_FIELDS:
        raise DetailsError("the details", f"are none, or more than {MOST_FIELDS}", "write, say, name=… contact=…")


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
