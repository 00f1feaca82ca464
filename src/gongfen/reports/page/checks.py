"""The sums that a reader would add, added again on the page: one that fails is said in the headline."""

from dataclasses import dataclass

from gongfen.reports.story import SettlementStory, Story
from gongfen.reports.words import Words


@dataclass(frozen=True, slots=True)
class Check:
    """A sum that was added again on this page."""

    ok: bool
    says: str


def checks_of(story: Story, words: Words) -> tuple[Check, ...]:
    """The sums a reader would add: labour in = out; and of a settlement, parts = owed, owed = shared, all = pool."""
    conserved = Check(
        story.in_uslh == story.out_uslh,
        words.say(
            "Labour in %(left)s µSLH = outputs + stock + losses %(right)s µSLH",
            left=words.number(story.in_uslh),
            right=words.number(story.out_uslh),
        ),
    )
    return (conserved, *(_of_settlement(story, story.settlement, words) if story.settlement else ()))


def _of_settlement(story: Story, s: SettlementStory, words: Words) -> tuple[Check, ...]:
    money = words.money
    owed = sum(m.owed_micro for m in story.makers)
    parts = sum(m.owed_for_labour_micro + m.owed_for_influence_micro for m in story.makers)
    each = all(m.owed_for_labour_micro + m.owed_for_influence_micro == m.owed_micro for m in story.makers)
    rest = s.unidentified_micro + s.carried_micro

    def sums(left: int, right: int) -> dict[str, str]:
        return {"left": money(left, s.currency), "right": money(right, s.currency)}

    return (
        Check(
            each,
            words.say(
                "For every maker, labour part + influence part = owed: together %(left)s = %(right)s",
                **sums(parts, owed),
            ),
        ),
        Check(
            owed == s.shared_micro,
            words.say("All that makers are owed %(left)s = shared out %(right)s", **sums(owed, s.shared_micro)),
        ),
        Check(
            s.shared_micro + rest == s.pool_micro,
            words.say(
                "Shared out + unidentified + carried %(left)s = pool %(right)s",
                **sums(s.shared_micro + rest, s.pool_micro),
            ),
        ),
    )
