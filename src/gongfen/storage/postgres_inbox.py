"""Batches that wait for whoever writes at the moment, and the answers to them."""

from collections.abc import Iterator, Sequence

from gongfen.storage.postgres_link import Link

SHORT = 400
"""Characters of an answer that is called out; a longer one waits in the inbox to be fetched."""
ONE_CALL = 7_000
"""Characters of a call, which PostgreSQL limits to 7,999 bytes; answers are ASCII."""

MOST_CALLS = 50
"""Calls to others after which one looks for oneself."""


class Inbox:
    """One program's view of a book's inbox. Answers are heard as soon as they are committed."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._said: dict[int, str] = {}
        self._calls = 0
        self._listening = False

    def post(self, batch: bytes, ids: Sequence[str]) -> tuple[int, int]:
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
        ticket, last = self._link.row(query, batch, [fact_id.encode() for fact_id in ids])
        return ticket, 0 if last is None else last + 1

    def wait(self, ticket: int, most_ms: int) -> str | None:
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

    def look(self, ticket: int) -> tuple[bool, str | None]:
        """(whether a batch still waits, the answer if it has one that was not called out)."""
        query = (
            "WITH done AS (DELETE FROM inbox WHERE ticket = $1 AND answer IS NOT NULL) "
            "SELECT answer FROM inbox WHERE ticket = $1"
        )
        row = self._link.change(query, ticket)
        return (row is not None and row[0] is None), (row[0] if row else None)

    def withdraw(self, ticket: int) -> bool:
        """Take a batch back; whether it was still waiting. If not, it is answered, or was never heard of."""
        query = "DELETE FROM inbox WHERE ticket = $1 AND answer IS NULL RETURNING ticket"
        return self._link.change(query, ticket) is not None

    def answer(self, answers: dict[int, str]) -> None:
        """Answer batches with the open transaction; those who wait hear of it once it is committed."""
        short = {ticket: said for ticket, said in answers.items() if len(said) <= SHORT}
        long = {ticket: said for ticket, said in answers.items() if ticket not in short}
        if long:
            # What nobody fetched goes after an hour.
            self._link.later("DELETE FROM inbox WHERE answer IS NOT NULL AND at < now() - interval '1 hour'")
            self._link.later(
                "UPDATE inbox SET answer = given.answer FROM unnest($1::bigint[], $2::text[]) "
                "AS given (ticket, answer) WHERE inbox.ticket = given.ticket",
                list(long),
                list(long.values()),
            )
        self._link.unsent.done += short
        lines = [f"{ticket} {said}" for ticket, said in {**short, **dict.fromkeys(long, "")}.items()]
        self._link.unsent.calls += _calls(lines)

    def _heard(self, call: str) -> None:
        self._calls += 1
        for line in call.splitlines():
            ticket, _, said = line.partition(" ")
            self._said[int(ticket)] = said


def _calls(lines: list[str]) -> Iterator[str]:
    """Lines put together into as few calls as they fit in."""
    call = ""
    for line in lines:
        if len(call) + len(line) > ONE_CALL:
            yield call
            call = ""
        call += f"{line}\n"
    yield call
