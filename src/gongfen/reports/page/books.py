"""The books at a glance, on the page: who or what gave labour, of which kind it is, where it is now; and money."""

from collections.abc import Iterator
from dataclasses import dataclass

from gongfen.facts.kinds import LABOURS
from gongfen.reports.charts.row_bars import Span
from gongfen.reports.page.rows import Row, row_bar
from gongfen.reports.story import BooksStory
from gongfen.reports.text.ledger import CREDIT, GIVEN, LOST, MONEY, RESTS, clock
from gongfen.reports.words import Words
from gongfen.reports.worth_words import layer_name

LIVING = ("living", "living-unpaid")


@dataclass(frozen=True, slots=True)
class BooksPart:
    """What this part of the page shows."""

    given: tuple[Row, ...]
    kinds: tuple[Row, ...]
    resting: tuple[Row, ...]
    money: tuple[tuple[str, str], ...]
    passed_on: str
    """That corrections took back what had passed on; empty when they did not."""
    circulation: str
    """Business labour in memo; empty when there is none."""


def books_part(books: BooksStory, words: Words, key: str) -> BooksPart:
    """The part in one language."""
    passed_on = ""
    if books.passed_on_uslh:
        passed_on = words.say(
            "corrections took back %(time)s after it had passed on: outputs show it, and nobody worked it (5890)",
            time=words.hours(-books.passed_on_uslh),
        )
    return BooksPart(
        given=tuple(_given(books, words, key)),
        kinds=tuple(_kinds(books, words, key)),
        resting=tuple(_resting(books, words, key)),
        money=tuple(_money(books, words)),
        passed_on=passed_on,
        circulation="" if books.circulation_us is None else clock(books.circulation_us, words),
    )


def _most(books: BooksStory) -> int:
    """The end of the scale that all the bars share."""
    amounts = [amount for _, amount in (*books.given, *books.by_kind, *books.stocks, *books.losses)]
    return max([books.outputs_uslh, *amounts, 1])


def _row(name: str, uslh: int, tone: str, books: BooksStory, words: Words, key: str) -> Row:
    return Row(name, words.hours(uslh), row_bar([Span(0, max(uslh, 0), tone)], _most(books), key))


def _given(books: BooksStory, words: Words, key: str) -> Iterator[Row]:
    for name, uslh in books.given:
        yield _row(words.gettext(GIVEN[name]), uslh, "living" if name in LIVING else "machine", books, words, key)


def _kinds(books: BooksStory, words: Words, key: str) -> Iterator[Row]:
    """The eight kinds, each of them: what nobody recorded is not there, and that is seen too."""
    found = dict(books.by_kind)
    for kind in map(str, LABOURS):
        if kind in found:
            yield _row(layer_name(kind, words), found[kind], "living", books, words, key)
        else:
            yield Row(layer_name(kind, words), words.gettext("none recorded"), row_bar([], 1, key))


def _resting(books: BooksStory, words: Words, key: str) -> Iterator[Row]:
    yield _row(words.gettext("in outputs"), books.outputs_uslh, "past", books, words, key)
    for names, amounts, tone in ((RESTS, books.stocks, "past"), (LOST, books.losses, "rest")):
        for name, uslh in amounts:
            yield _row(words.gettext(names[name]), uslh, tone, books, words, key)
    if books.passed_on_uslh:
        yield _row(words.gettext("taken back after it had passed on"), books.passed_on_uslh, "rest", books, words, key)


def _money(books: BooksStory, words: Words) -> Iterator[tuple[str, str]]:
    for account, currency, micro in books.money:
        yield words.gettext(MONEY.get(account, account)), words.money(-micro if account in CREDIT else micro, currency)
