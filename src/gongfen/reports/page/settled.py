"""A settlement on the page, from the sales of the period down to what is carried on."""

from gongfen.reports.charts.row_bars import Span
from gongfen.reports.page.rows import Row, row_bar
from gongfen.reports.story import SettlementStory, Story
from gongfen.reports.words import Words

MILLION = 1_000_000


def ledger_of(story: Story, s: SettlementStory, words: Words, key: str) -> tuple[Row, ...]:
    """From sales to cents, each line beginning where the one before it ends."""
    by_labour = sum(m.owed_for_labour_micro for m in story.makers)
    by_influence = sum(m.owed_for_influence_micro for m in story.makers)
    high = max(s.sales_micro, s.pool_micro, 1)

    def row(what: str, amount: int, start: int, tone: str, quality: str = "measured", *, sign: bool = False) -> Row:
        bar = row_bar([Span(start, start + amount, tone, quality)], high, key)
        return Row(what, words.money(amount, s.currency, sign=sign), bar)

    kept = s.pool_micro - s.sales_micro
    beta = words.percent(s.beta_ppm)
    lines = [
        row(words.gettext("Sales of the period"), s.sales_micro, 0, "price"),
        row(words.gettext("not shared under the policy"), kept, s.sales_micro, "rest", sign=True),
        row(words.gettext("Pool"), s.pool_micro, 0, "price"),
        row(words.say("shared by labour (β = %(beta)s)", beta=beta), by_labour, 0, "living"),
        row(
            words.say("shared by influence (1 − β = %(rest)s)", rest=words.percent(MILLION - s.beta_ppm)),
            by_influence,
            by_labour,
            "influence",
            "estimated",
        ),
        row(
            words.gettext("kept for makers who are not identified"),
            s.unidentified_micro,
            by_labour + by_influence,
            "rest",
        ),
        row(
            words.gettext("carried into the next period: smaller than the smallest coin"),
            s.carried_micro,
            by_labour + by_influence + s.unidentified_micro,
            "rest",
        ),
    ]
    return tuple(lines)
