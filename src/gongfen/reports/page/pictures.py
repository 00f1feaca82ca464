"""The pictures of the page: the flow of labour lying and upright, the scatter of the test, the curve of the loss."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gongfen.reports.charts.drawing import Saying
from gongfen.reports.charts.flow import sankey, sankey_upright
from gongfen.reports.charts.flow_layout import Bar, Stream
from gongfen.reports.charts.scatter import Point, scatter
from gongfen.reports.charts.sparkline import sparkline
from gongfen.reports.story import Flow, Node, Story, TrainingStory
from gongfen.reports.words import N_, Words

MOST_BARS = 14
"""Bars of one family in one column of the wide flow; the smallest beyond that are drawn as one."""
MOST_UPRIGHT = 4
"""Bars in one layer of the upright flow, before families are drawn as one."""
SHOWN_LOSSES = 12

QUALITIES = {"measured": N_("measured"), "estimated": N_("estimated"), "imputed": N_("imputed")}
COLUMNS = {
    0: N_("Labour and machines"),
    1: N_("Data"),
    2: N_("Model"),
    3: N_("Use"),
    4: N_("Outputs, stock, losses"),
}
NODE_LABELS = (
    N_("Machine time"),
    N_("Lost"),
    N_("Older books"),
    N_("Bought data"),
    N_("Data set"),
    N_("Model"),
    N_("Deployment"),
    N_("Prompts"),
    N_("Left in the data set"),
    N_("Left in the works"),
    N_("Left in the model"),
    N_("Left in the deployment"),
    N_("Left in the training of people"),
    N_("Training of people"),
    N_("Obsolete"),
    N_("Idle"),
    N_("Not socially necessary"),
    N_("Lost"),
)
"""Labels of bars that the book may use and this page can say in every language."""
FAMILIES = {"maker": "makers", "makers": "makers"}
TONES = {"maker": "living", "makers": "living", "prompt": "living", "machine": "machine"}


@dataclass(frozen=True, slots=True)
class Line:
    """One flow in words, for the table beside the picture."""

    source: str
    target: str
    uslh: int
    quality: str


def flow_pictures(story: Story, words: Words, key: str) -> Mapping[str, Markup]:
    """The labour flow twice: lying for a desk, upright and with families joined for a phone."""
    finding = words.say(
        "%(sum)s of labour and machine time, from where it was spent to where it lies now; a table follows.",
        sum=words.hours(story.in_uslh),
    )
    title = words.gettext("Where the labour went")
    headings = {column: words.gettext(label) for column, label in COLUMNS.items()}
    made = {}
    for shape, most, draw in (("wide", MOST_BARS, sankey), ("upright", 0, sankey_upright)):
        nodes, flows = _folded(story, words, most)
        bars, streams = _bars_and_streams(story, nodes, flows, words)
        saying = Saying(key=f"{key}-flow-{shape}", title=title, finding=finding)
        made[shape] = Markup(draw(bars, streams, headings=headings, saying=saying, hatches=key))  # noqa: S704 — charts escape
    return made


def _folded(story: Story, words: Words, most: int) -> tuple[list[Node], list[Flow]]:
    """The picture with at most ``most`` bars of a family in a column; the smallest become one, and nothing is lost.

    ``most`` 0 joins whole families, in columns that are too full for a phone.
    """
    size: dict[str, int] = {}
    for flow in story.flows:
        for end in (flow.source, flow.target):
            size[end] = size.get(end, 0) + flow.uslh
    groups: dict[tuple[int, str], list[Node]] = {}
    for node in story.nodes:
        groups.setdefault((node.column, FAMILIES.get(node.kind, node.kind)), []).append(node)
    full = {n.column for n in story.nodes if sum(m.column == n.column for m in story.nodes) > MOST_UPRIGHT}
    become: dict[str, Node] = {}
    for (column, family), group in groups.items():
        room = most or (1 if column in full else len(group))
        if len(group) <= room:
            continue
        largest = sorted(group, key=lambda n: (n.kind == "makers", -size.get(n.node, 0)))
        rest = largest[max(room - 1, 0) :]
        joined = _joined(family, column, rest, len(rest) == len(group), words)
        become |= {node.node: joined for node in rest}
    nodes = list({become.get(n.node, n).node: become.get(n.node, n) for n in story.nodes}.values())
    nodes.sort(key=lambda n: (n.node.startswith("\0"), -size.get(n.node, 0) if n.kind == "maker" else 0))
    return nodes, _merged(story.flows, {name: node.node for name, node in become.items()})


def _joined(family: str, column: int, rest: Sequence[Node], whole: bool, words: Words) -> Node:
    """One bar for many."""
    n = len(rest)
    shown = {"n": words.number(n)}
    if family == "makers" and any(node.kind == "makers" for node in rest):
        label = words.gettext("all makers") if whole else words.gettext("all other makers")
    elif family == "makers":
        label = (
            words.ngettext("%(n)s maker", "%(n)s makers", n)
            if whole
            else words.ngettext("%(n)s more maker", "%(n)s more makers", n)
        ) % shown
    elif family == "output":
        label = (
            words.ngettext("%(n)s output", "%(n)s outputs", n)
            if whole
            else words.ngettext("%(n)s more output", "%(n)s more outputs", n)
        ) % shown
    elif family == "stock":
        label = words.gettext("Stock")
    elif family == "loss":
        label = words.gettext("Losses")
    else:
        label = words.ngettext("%(n)s more", "%(n)s more", n) % shown
    return Node(
        node=f"\0{family}{column}",
        label=label,
        column=column,
        kind=family,
        unmeasured=any(node.unmeasured for node in rest),
    )


def _merged(flows: Iterable[Flow], become: Mapping[str, str]) -> list[Flow]:
    """Flows between the bars that are left; amounts that are known in different ways stay apart."""
    sums: dict[tuple[str, str, str], int] = {}
    for flow in flows:
        ends = (become.get(flow.source, flow.source), become.get(flow.target, flow.target), flow.quality)
        sums[ends] = sums.get(ends, 0) + flow.uslh
    return [Flow(source=a, target=b, uslh=uslh, quality=quality) for (a, b, quality), uslh in sums.items()]


def _bars_and_streams(
    story: Story, nodes: Sequence[Node], flows: Sequence[Flow], words: Words
) -> tuple[list[Bar], list[Stream]]:
    """What the picture needs: labels said, tones chosen."""
    order = {output.output: n for n, output in enumerate(story.outputs, 1)}
    label = {n.node: node_label(n, order, words) for n in nodes}
    kind = {n.node: n.kind for n in nodes}
    known = [f for f in flows if f.source in kind and f.target in kind]

    def amount(node: Node) -> str:
        into = sum(f.uslh for f in known if f.target == node.node)
        out = sum(f.uslh for f in known if f.source == node.node)
        return ("≥ " if node.unmeasured else "") + words.hours(max(into, out))

    def known_as(quality: str) -> str:
        return words.gettext(QUALITIES.get(quality, quality))

    bars = [
        Bar(
            key=n.node,
            label=label[n.node],
            amount=amount(n),
            column=n.column,
            tone=TONES.get(n.kind, "past"),
            open=n.unmeasured,
        )
        for n in nodes
    ]
    streams = [
        Stream(
            source=f.source,
            target=f.target,
            value=f.uslh,
            tone=TONES.get(kind[f.source], "past"),
            quality=f.quality,
            note=f"{label[f.source]} → {label[f.target]}: {words.hours(f.uslh)} ({known_as(f.quality)})",
        )
        for f in known
    ]
    return bars, streams


def flow_lines(story: Story, words: Words) -> list[Line]:
    """Every flow, none joined, for the table."""
    order = {output.output: n for n, output in enumerate(story.outputs, 1)}
    label = {n.node: node_label(n, order, words) for n in story.nodes}
    return [
        Line(
            label.get(f.source, f.source),
            label.get(f.target, f.target),
            f.uslh,
            words.gettext(QUALITIES.get(f.quality, f.quality)),
        )
        for f in story.flows
    ]


def node_label(node: Node, order: Mapping[str, int], words: Words) -> str:
    """What a bar is called: outputs by their number on the page, people by name, the rest translated if it can be."""
    if node.node in order:
        return words.say("Output %(n)s", n=words.number(order[node.node]))
    return node.label if node.kind == "maker" else words.gettext(node.label)


def scatter_pictures(story: Story, words: Words, key: str) -> Mapping[str, Markup]:
    """Predicted against measured, wide and narrow; nothing when no retraining was made."""
    found = story.validation
    if found is None or not found.points:
        return {}
    names = {m.maker: m.name for m in story.makers}
    short = _short_names([names.get(p.maker, p.maker) for p in found.points])
    points = [
        Point(
            x=p.predicted_nnat,
            y=p.measured_nnat,
            name=name,
            note=f"{names.get(p.maker, p.maker)}: {words.nats(p.predicted_nnat)} → {words.nats(p.measured_nnat)}",
        )
        for p, name in zip(found.points, short, strict=True)
    ]
    title = words.gettext("Predicted and measured effect of leaving one maker out")
    finding = words.gettext("Each point is one maker; the same numbers stand in the table below.")
    axes = (words.gettext("predicted"), words.gettext("measured by retraining"))
    return {
        shape: Markup(  # noqa: S704 — charts escape
            scatter(
                points,
                axes=axes,
                unit=words.nats,
                saying=Saying(key=f"{key}-test-{shape}", title=title, finding=finding),
                narrow=shape == "upright",
            )
        )
        for shape in ("wide", "upright")
    }


def _short_names(names: Sequence[str]) -> list[str]:
    """Last names where they tell people apart, full names where they do not.

    >>> _short_names(["John Adams", "John Quincy Adams", "Abraham Lincoln", "李白"])
    ['John Adams', 'John Quincy Adams', 'Lincoln', '李白']
    """
    last = [name.split()[-1] if name.split() else name for name in names]
    return [short if last.count(short) == 1 else name for name, short in zip(names, last, strict=True)]


def curve(training: TrainingStory, words: Words, key: str) -> Markup:
    """The loss of each step."""
    saying = Saying(
        key=f"{key}-loss",
        title=words.gettext("Training loss, step by step"),
        finding=words.gettext("The thin line is every step, the strong one a running mean."),
    )
    return Markup(sparkline(training.losses_unat, saying=saying))  # noqa: S704 — numbers and escaped words


def some_steps(losses: Sequence[int]) -> list[tuple[int, int]]:
    """A few steps with their loss, first and last among them, for the table beside the curve."""
    last = len(losses) - 1
    if last < SHOWN_LOSSES:
        return list(enumerate(losses, 1))
    steps = sorted({n * last // (SHOWN_LOSSES - 1) for n in range(SHOWN_LOSSES)})
    return [(n + 1, losses[n]) for n in steps]
