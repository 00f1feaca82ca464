"""A log booked a second time: every fact as at first, every settlement computed again from what stands before it."""

from collections.abc import Callable
from dataclasses import dataclass

from gongfen import accounts, shares
from gongfen.errors import BookPlaceError, GongfenError, ProofError
from gongfen.facts import Fact
from gongfen.facts.kinds import Close, Settlement


@dataclass(frozen=True, slots=True)
class Settled:
    """One settlement that was recomputed."""

    settlement: str
    period: str
    currency: str
    total_micro: int
    makers: int


class Replay:
    """Facts booked into an empty ``state``, in their order. What fails is a ProofError with ``remedy``."""

    def __init__(self, state: accounts.State, remedy: str) -> None:
        self.settled: list[Settled] = []
        self._state = state
        self._remedy = remedy

    def book(self, seq: int, fact: Fact, root: Callable[[], bytes]) -> list[accounts.Entry]:
        """The entries of a fact; ``root()`` gives the root of the log before it, 32 bytes.

        Raises ProofError when it could not have been booked, or is a settlement that does not follow.
        """
        if isinstance(fact.body, Settlement | Close):
            self._hold_against_log(seq, fact.body, root())
        try:
            return accounts.book(self._state, fact, seq)
        except BookPlaceError:
            raise  # the place of the answers is away: that says nothing about the fact
        except GongfenError as error:
            raise self._wrong(f"fact {seq} ({fact.kind})", f"could not have been booked: {error}") from None

    def finish(self) -> tuple[Settled, ...]:
        """The settlements, once the books balance; raises ProofError when they do not."""
        given, held = accounts.conservation(self._state)
        if given != held:
            raise self._wrong("the books", f"do not balance: {given} micro-SLH in, {held} at rest")
        return tuple(self.settled)

    def _hold_against_log(self, seq: int, body: Settlement | Close, root: bytes) -> None:
        thing = f"settlement {body.settlement}" if isinstance(body, Settlement) else f"close {body.close}"
        if body.size != seq or body.root != root.hex():
            raise self._wrong(thing, "names a state of the log that is not the one before it")
        if isinstance(body, Settlement):
            self._settle(seq, body)

    def _settle(self, seq: int, body: Settlement) -> None:
        try:
            shares.check_settlement(self._state, body)
        except (ProofError, BookPlaceError):
            raise
        except GongfenError as error:
            raise self._wrong(f"fact {seq} (settlement)", f"could not have been settled: {error}") from None
        self.settled.append(Settled(body.settlement, body.period, body.currency, body.total_micro, len(body.lines)))

    def _wrong(self, thing: str, reason: str) -> ProofError:
        return ProofError(thing, reason, self._remedy)
