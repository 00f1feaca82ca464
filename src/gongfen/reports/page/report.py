"""The report as one page that needs nobody: no script, no request, both languages, light and dark, paper too.

``render`` takes what the book tells (:mod:`gongfen.reports.story`) and gives HTML. The page says only what it is given:
``None`` is said as unknown, sums are added again here and a sum that fails is said in the headline. The language is in
the address (``report.html#zh``), so a link into the Chinese page stays Chinese; the style sheet does the switching.
"""

from decimal import Decimal
from functools import lru_cache, partial
from urllib.parse import urlsplit

from jinja2 import Environment
from markupsafe import Markup

from gongfen.reports.charts.drawing import TONES, patterns, swatch
from gongfen.reports.page.books import books_part
from gongfen.reports.page.cards import card_of
from gongfen.reports.page.checks import checks_of
from gongfen.reports.page.headline import by_currency, due, headline, made_of
from gongfen.reports.page.people import maker_rows, person_rows, work_rows
from gongfen.reports.page.pictures import QUALITIES, curve, flow_lines, flow_pictures, scatter_pictures, some_steps
from gongfen.reports.page.receipts import receipts_of
from gongfen.reports.page.settled import ledger_of
from gongfen.reports.page.worth import worth_part
from gongfen.reports.recorded import recorded
from gongfen.reports.story import Story
from gongfen.reports.templating import environment, style_sheet
from gongfen.reports.text.ledger import closed_lines
from gongfen.reports.text.replies import taken_back_lines
from gongfen.reports.words import LANGUAGES, N_, Words, key_of, tongue

SHORT_HASH = 10
MANY = 12
"""Outputs from which on all cards but the first three are closed until they are asked for."""
HANDED_OVER = (
    N_("prices"),
    N_("hours of labour"),
    N_("the standard: reductions, machine coefficients, MELT"),
    N_("the policy of sharing"),
    N_("planned uses"),
    N_("prompts"),
    N_("duplicate"),
    N_("near duplicate"),
    N_("too short"),
    N_("too long"),
    N_("altered"),
    N_("empty"),
    N_("not text"),
    N_("none: trained from scratch"),
    N_("influence"),
    N_("The book has it by its hash alone, not by its text."),
    N_("It is not text."),
    N_("Works outside a data set"),
    N_("Left in prompts"),
)
"""Texts that the book hands over and this page can say in every language; others are shown as they are."""
GRADES = {"display": N_("display grade"), "settlement": N_("settlement grade")}
WORK_KINDS = {
    "data": N_("work"),
    "dataset": N_("Data set"),
    "model": N_("Model"),
    "prompt": N_("prompt"),
    "deployment": N_("Deployment"),
    "training": N_("Training of people"),
}


def render(story: Story) -> str:
    """The whole page: every language's body, one style sheet, nothing to fetch."""
    bodies = [(lang, key_of(lang), Markup(_body(story, Words(lang)))) for lang in LANGUAGES]  # noqa: S704 — rendered with autoescape
    style = style_sheet("report.css")
    page = _environment(LANGUAGES[0]).get_template("report.html.j2")
    return page.render(story=story, bodies=bodies, style=Markup(style))  # noqa: S704 — our own file


@lru_cache(maxsize=len(LANGUAGES))
def _environment(lang: str) -> Environment:
    words = Words(lang)
    return environment(
        words,
        hours=words.hours,
        percent=words.percent,
        ratio=words.ratio,
        nats=words.nats,
        scaled=words.scaled,
        device=lambda us: words.seconds(Decimal(us).scaleb(-6)),
        told=partial(recorded, words),
        tongue=tongue,
        web=web,
        short=lambda text: text[:SHORT_HASH],
    )


def web(origin: str) -> bool:
    """Whether an origin is an address that a page may link to; a citation or a script is only text.

    >>> web("https://example.org/a"), web("javascript:alert(1)"), web("Message of 1790")
    (True, False, False)
    """
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


def _body(story: Story, words: Words) -> str:
    """One language's page."""
    key = key_of(words.lang)
    cards = tuple(card_of(n, output, story, words, key) for n, output in enumerate(story.outputs, 1))
    checks = checks_of(story, words)
    names = {one.maker: one.name for one in story.makers} | {one.maker: one.name for one in story.people}
    other = next(lang for lang in LANGUAGES if lang != words.lang)
    return (
        _environment(words.lang)
        .get_template("report_body.html.j2")
        .render(
            story=story,
            currency=story.currency,
            lang=words.lang,
            key=key,
            other=other,
            other_key=key_of(other),
            made_of=made_of(story.training, words) if story.training else "",
            headline=headline(story, words, adds_up=all(check.ok for check in checks)),
            checks=checks,
            cards=cards,
            all_labelled=all(output.visible_label for output in story.outputs),
            makers=maker_rows(story, key),
            people=person_rows(story, key),
            works=work_rows(story, key),
            work_kinds=WORK_KINDS,
            owed=sum(m.owed_micro for m in story.makers),
            due=due(story, words),
            sold=[words.money(amount, currency) for currency, amount in by_currency(story.unsettled)],
            order={maker: n for n, maker in enumerate(names, 1)},
            names=names,
            receipts=receipts_of(story),
            flow=flow_pictures(story, words, key),
            flow_lines=flow_lines(story, words),
            swatches={(t, q): Markup(swatch(t, q, key)) for t in TONES for q in QUALITIES},  # noqa: S704
            patterns=Markup(patterns(key)),  # noqa: S704
            test=scatter_pictures(story, words, key),
            curve=curve(story.training, words, key) if story.training else "",
            ledger=ledger_of(story, story.settlement, words, key) if story.settlement else (),
            qualities=QUALITIES,
            many=MANY,
            grades=GRADES,
            books=books_part(story.books, words, key) if story.books else None,
            taken_back=tuple(taken_back_lines(story.taken_back, words)),
            closed=tuple(closed_lines(story.closed, words)),
            shown_losses=some_steps(story.training.losses_unat) if story.training else (),
            valued=worth_part(story, words, key),
        )
    )
