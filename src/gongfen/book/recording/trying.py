"""Whether a book would take facts: they are booked as if they came in, and nothing of it stays."""

from collections.abc import Iterable
from contextlib import suppress

from gongfen.accounts import state_in_memory
from gongfen.accounts.keys import signers_speak_for_themselves
from gongfen.book.recording.record import Record
from gongfen.errors import MakerKeyError
from gongfen.facts import Fact
from gongfen.facts.signing import MakerKey
from gongfen.proof.note import Signer

NOBODY = bytes(32)
"""The seed with which the state that is thrown away is signed: the book's own key is not needed for that."""


class _Enough(Exception):  # noqa: N818 - nothing went wrong
    """Everything was taken; now it is taken back."""


def check_own_word(fact: Fact, key: MakerKey) -> None:
    """Raise MakerKeyError when a signed fact speaks of others than its signer: that is seen without a book."""
    if (problem := signers_speak_for_themselves(state_in_memory(key.origin), fact)) is not None:
        raise problem


def try_out(record: Record, facts: Iterable[Fact], key: MakerKey) -> None:
    """Raise what recording the facts, signed with this key, would raise; the book stays as it is."""
    if key.origin != record.origin:
        reason = f"is a key for the book {key.origin}, and this one is {record.origin}"
        raise MakerKeyError(f"key {key.key}", reason, "name the key's own book, or none at all")
    book_and_forget(record, facts)


def book_and_forget(record: Record, facts: Iterable[Fact]) -> None:
    """Raise what recording the facts would raise; the book stays as it is."""
    with suppress(_Enough), record.writing():
        record.put(facts, signers=(Signer(record.origin, NOBODY),))
        raise _Enough
