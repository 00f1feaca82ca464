"""Batches that wait for whoever writes at the moment, and the answers to them."""

from collections.abc import Iterator, Sequence
from hashlib import sha256

from gongfen.storage.postgres_link import Link

SHORT = 400
"""Characters of an answer that is called out; a longer one waits in the inbox to be fetched."""
ONE_CALL = 7_000
"""Characters of a call, which PostgreSQL limits to 7,999 bytes; answers are ASCII."""

MOST_CALLS = 50
"""Calls to others after which one looks for oneself."""


DIGITS = 16


def ticket_of(number: int, batch: bytes) -> str:
    """What a batch is known by: its number in the inbox, and what it says.

    A server that crashed begins to number anew, for the inbox is not in its log. Whoever waited on through the crash
    would take the answer to another batch of the same number for its own, and believe written what is lost.
    """
    return f"{number}.{sha256(batch).hexdigest()[:DIGITS]}"


def _parts(ticket: str) -> tuple[int, str]:
    number, _, digest = ticket.partition(".")
    return int(number), digest


_IS = f"ticket = $1 AND left(encode(sha256(batch), 'hex'), {DIGITS}) = $2"
"""Whether a row is that of a ticket, given its two parts."""


class Inbox:
    """One program's view of a book's inbox. Answers are heard as soon as they are committed."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._said: dict[str, str] = {}
        self._calls = 0
        self._listening = False

    def post(self, batch: bytes, ids: Sequence[str]) -> tuple[str, int]:
        """Leave a batch with the ids of its facts for whoever writes: (its ticket, how many entries there are)."""
        if not self._listening:
            self._link.listen(self._heard)
            self._listening = True
        self._said.clear()
        # What waits need not be safe on the disk: who waits would repeat it. Posted twice, it is written once.
        query = (
            "INSERT INTO inbox (batch, ids) SELECT $1::bytea, $2::bytea[] "
            "FROM set_config('synchronous_commit', 'off', true) "
            "RETURNING ticket, (SELECT max(seq) FROM fact)"
        )
        number, last = self._link.row(query, batch, [fact_id.encode() for fact_id in ids])
        return ticket_of(number, batch), 0 if last is None else last + 1

    def wait(self, ticket: str, most_ms: int) -> str | None:
        """The answer to a batch; ``None`` when nobody has answered anybody for so many milliseconds.

        An answer that was too long to be called out is the empty text: :meth:`look` fetches it.
        """
        first = self._calls
        while ticket not in self._said:
            calls = self._calls
            self._link.wait(most_ms)
            if calls == self._calls or calls - first > MOST_CALLS:
                break
        return self._said.pop(ticket, None)

    def look(self, ticket: str) -> tuple[bool, str | None]:
        """(whether a batch still waits, the answer if it has one that was not called out)."""
        query = (
            f"WITH done AS (DELETE FROM inbox WHERE {_IS} AND answer IS NOT NULL) "  # noqa: S608 - of our own making
            f"SELECT answer FROM inbox WHERE {_IS}"
        )
        row = self._link.change(query, *_parts(ticket))
        return (row is not None and row[0] is None), (row[0] if row else None)

    def withdraw(self, ticket: str) -> bool:
        """Take a batch back; whether it was still waiting. If not, it is answered, or was never heard of."""
        query = f"DELETE FROM inbox WHERE {_IS} AND answer IS NULL RETURNING ticket"  # noqa: S608 - of our own making
        return self._link.change(query, *_parts(ticket)) is not None

    def answer(self, answers: dict[str, str]) -> None:
        """Answer batches with the open transaction; those who wait hear of it once it is committed."""
        short = {ticket: said for ticket, said in answers.items() if len(said) <= SHORT}
        long = {ticket: said for ticket, said in answers.items() if ticket not in short}
        if long:
            # What nobody fetched goes after an hour.
            self._link.later("DELETE FROM inbox WHERE answer IS NOT NULL AND at < now() - interval '1 hour'")
            self._link.later(
                "UPDATE inbox SET answer = given.answer FROM unnest($1::bigint[], $2::text[]) "
                "AS given (ticket, answer) WHERE inbox.ticket = given.ticket",
                [_parts(ticket)[0] for ticket in long],
                list(long.values()),
            )
        self._link.unsent.done += [_parts(ticket)[0] for ticket in short]
        lines = [f"{ticket} {said}" for ticket, said in {**short, **dict.fromkeys(long, "")}.items()]
        self._link.unsent.calls += _calls(lines)

    def _heard(self, call: str) -> None:
        self._calls += 1
        for line in call.splitlines():
            ticket, _, said = line.partition(" ")
            self._said[ticket] = said


def _calls(lines: list[str]) -> Iterator[str]:
    """Lines put together into as few calls as they fit in."""
    call = ""
    for line in lines:
        if len(call) + len(line) > ONE_CALL:
            yield call
            call = ""
        call += f"{line}\n"
    yield call
