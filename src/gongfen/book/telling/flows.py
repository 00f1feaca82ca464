"""The flow of labour, from its sources through data and model into outputs, added up from what was booked."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from gongfen.accounts import stock_in
from gongfen.accounts.chart import LABOUR_UNIT, External, read_source
from gongfen.accounts.stocks import Stock
from gongfen.book.importing.corpus import name_of
from gongfen.book.recording.record import Record
from gongfen.facts import Fact
from gongfen.facts import kinds as k
from gongfen.facts.amounts import apportion
from gongfen.reports.ledger import LabourFlow, Passed
from gongfen.reports.story import Flow, Node

OTHER_WORKS = "data:other"
TRAININGS = "data:trainings"
PROMPTS = "prompts"
LEFT = {
    "data": "Left in the data set",
    "dataset": "Left in the data set",
    "model": "Left in the model",
    "deployment": "Left in the deployment",
    "prompt": "Left in prompts",
    "training": "Left in the training of people",
}
"""What is still at rest, for the uses to come, by the kind of its stock; the page says these in every language."""
LEFT_OUTSIDE = "Left in the works"
"""What is at rest in works that no data set has gathered."""
RESTING = {
    LEFT["model"]: "left:models",
    LEFT["prompt"]: "left:prompts",
    LEFT["deployment"]: "left:deployments",
    LEFT["training"]: "left:trainings",
}
COLUMNS = {"data": 1, "model": 2, "prompt": 3, "output": 4}
LABELS = {"data": "Data set", "model": "Model", "prompt": "Deployment"}


AT_REST = ("1", "5000:")
LOSSES = "58"
"""How the names of the accounts begin in which labour lies, and is lost."""
LOST = Node(node="lost", label="Lost", column=4, kind="stock")


@dataclass(slots=True)
class _Picture:
    """What has been drawn so far."""

    record: Record
    of_data: dict[str, str]
    """Work → the node of the data set that gathered it."""
    amounts: dict[tuple[str, str, str], int] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)

    def add(self, source: Node, target: Node, quality: str, uslh: int) -> None:
        """Draw a flow between two bars, unless they are one."""
        if uslh <= 0 or source.node == target.node:
            return
        self.nodes.setdefault(source.node, source)
        self.nodes.setdefault(target.node, target)
        key = (source.node, target.node, quality)
        self.amounts[key] = self.amounts.get(key, 0) + uslh

    def take_back(self, source: Node, target: Node, quality: str, uslh: int) -> None:
        """Draw so much less of a flow: it was a mistake."""
        key = (source.node, target.node, quality)
        self.amounts[key] = max(self.amounts.get(key, 0) - uslh, 0)


def labour_flow(record: Record) -> tuple[tuple[Node, ...], tuple[Flow, ...]]:
    """Bars and flows of the whole book, in micro-SLH; columns are phases in time."""
    of_data = {
        work: fact.body.dataset
        for _, fact in record.about("kind|dataset")
        if isinstance(fact.body, k.Dataset)
        for work in fact.body.works
    }
    picture = _Picture(record, of_data)
    for seq, fact in _booked(record):
        _draw(picture, seq, fact)
    _draw_stocks(picture)
    flows = (Flow(source=a, target=b, uslh=n, quality=q) for (a, b, q), n in sorted(picture.amounts.items()) if n)
    return tuple(picture.nodes.values()), tuple(flows)


GIVERS = (
    "makers", "machines", "bought", "opening", "trainings", "works", "data", "models", "deployments", "prompts",
    "outputs",
)  # fmt: skip
FAMILIES = {"maker": "makers", "machine": "machines", "model": "models", "output": "outputs"}


def passed_on(record: Record) -> LabourFlow:
    """The same flow between makers, machines, data, models and outputs, each as one. Within ``reading``."""
    nodes, flows = labour_flow(record)
    known = {node.node: node for node in nodes}
    sums: dict[tuple[str, str], int] = {}
    for one in flows:
        ends = (_family(known[one.source]), _family(known[one.target]))
        sums[ends] = sums.get(ends, 0) + one.uslh
    told = sorted(sums.items(), key=lambda row: (GIVERS.index(row[0][0]), -row[1], row[0][1]))
    return LabourFlow(
        passed=tuple(Passed(source=source, target=target, uslh=uslh) for (source, target), uslh in told),
        lower_bound=any(node.unmeasured for node in nodes),
    )


def _family(node: Node) -> str:
    """Which of the places a bar belongs to."""
    if node.kind == "bought":
        return "opening" if node.node == "opening" else "bought"
    if node.kind == "data":
        return {OTHER_WORKS: "works", TRAININGS: "trainings"}.get(node.node, "data")
    if node.kind == "prompt":
        return "prompts" if node.node == PROMPTS else "deployments"
    if node.kind == "stock":
        return RESTING.get(node.label, "left:data") if node.node != LOST.node else "lost"
    return FAMILIES[node.kind]


def _booked(record: Record) -> Iterable[tuple[int, Fact]]:
    """The facts that moved labour, in the order of the log."""
    for seq, bookings in record.views.all_bookings():
        if any(unit == LABOUR_UNIT for _, postings in bookings for _, _, unit in postings):
            yield seq, record.fact(seq)


def _draw(picture: _Picture, seq: int, fact: Fact) -> None:
    body = fact.body
    if isinstance(body, k.Labour | k.Compute | k.Purchase):
        picture.add(*_coming_in(picture, body), _rested(picture, seq))
    elif isinstance(body, k.Correction):
        found = picture.record.said(body.fact)
        assert found is not None, "what was corrected was said before"
        if isinstance(found[1].body, k.Labour | k.Compute | k.Purchase):
            picture.take_back(*_coming_in(picture, found[1].body), -_rested(picture, seq))
    elif isinstance(body, k.Opening):
        before = Node(node="opening", label="Older books", column=0, kind="bought")
        for lot in body.lots:
            picture.add(before, _node(picture, lot.work), "estimated", lot.amount_uslh)
    else:
        _draw_passing(picture, seq)


def _coming_in(picture: _Picture, body: k.Labour | k.Compute | k.Purchase) -> tuple[Node, Node, str]:
    """Who or what labour comes from, the work that it goes into, and how it is known."""
    target = _node(picture, body.work)
    match body:
        case k.Labour():
            maker = Node(node=f"maker:{body.maker}", label=name_of(picture.record, body.maker), column=0, kind="maker")
            return maker, target, "imputed" if body.quality == "imputed" else "measured"
        case k.Compute():
            machine = Node(node=f"machine:{body.device}", label="Machine time", column=0, kind="machine")
            return machine, target, "estimated"
        case _:
            return Node(node=f"bought:{body.item}", label=body.item, column=0, kind="bought"), target, "estimated"


def _draw_passing(picture: _Picture, seq: int) -> None:
    """What works gave, to what was made with it, or to nothing; in their proportions, to the last unit."""
    rows = _labour_moved(picture, seq)
    given = [(_work_in(account), -amount) for account, amount in rows if amount < 0]
    taken = {account: amount for account, amount in rows if amount > 0}
    left = dict(taken)
    first = next((_work_in(account) for account in taken if not account.startswith(LOSSES)), "")
    for work, amount in given:
        stock = picture.record.state.stocks.get(work)
        # A prompt's labour was timed; what comes out of data and models is known as its larger part is.
        timed = stock is not None and stock.kind == "prompt"
        quality = "measured" if timed else _quality(stock_in(picture.record.state, first or work))
        for account, part in apportion(amount, left).items():
            target = LOST if account.startswith(LOSSES) else _node(picture, _work_in(account))
            picture.add(_node(picture, work), target, quality, part)
            left[account] -= part


def _draw_stocks(picture: _Picture) -> None:
    """What is still at rest before the outputs, for the uses to come."""
    for work, stock in picture.record.state.stocks.prefixed(""):
        if stock.kind in LEFT and stock.remaining:
            gathered = stock.kind != "data" or work in picture.of_data
            label = LEFT[stock.kind] if gathered else LEFT_OUTSIDE
            bar = Node(node=f"left:{label}", label=label, column=4, kind="stock")
            picture.add(_node(picture, work), bar, _quality(stock), stock.remaining)


def _rested(picture: _Picture, seq: int) -> int:
    """What a fact brought to rest in works, or took out of them; not what was lost at once."""
    return sum(amount for account, amount in _labour_moved(picture, seq) if account.startswith(AT_REST))


def _labour_moved(picture: _Picture, seq: int) -> list[tuple[str, int]]:
    """(account, micro-SLH) of what a fact booked between works and losses."""
    bookings = picture.record.views.bookings(seq)
    moved = [row for _, postings in bookings for row in postings]
    return [(account, amount) for account, amount, unit in moved
            if unit == LABOUR_UNIT and account.startswith((*AT_REST, LOSSES))]  # fmt: skip


def _node(picture: _Picture, work: str) -> Node:
    """The bar in which a work's labour is drawn: data sets and prompts gather theirs."""
    stock = picture.record.state.stocks.get(work)
    assert stock is not None, f"{work} has been booked on"
    least = stock.is_lower_bound
    if stock.kind == "data":
        gathered = picture.of_data.get(work)
        if gathered is not None:
            return _node(picture, gathered)
        return Node(node=OTHER_WORKS, label="Works outside a data set", column=1, kind="data")
    if stock.kind == "training":
        return Node(node=TRAININGS, label="Training of people", column=1, kind="data", unmeasured=least)
    if stock.kind == "prompt":
        return Node(node=PROMPTS, label="Prompts", column=3, kind="prompt")
    kind = {"dataset": "data", "model": "model", "deployment": "prompt", "output": "output"}[stock.kind]
    return Node(node=work, label=LABELS.get(kind, work), column=COLUMNS[kind], kind=kind, unmeasured=least)


def _quality(stock: Stock | None) -> str:
    """How the labour in a stock is known, by its larger part."""
    sums = {"imputed": 0, "measured": 0, "estimated": 0}
    for key, amount in stock.sources.items() if stock else ():
        source = read_source(key)
        quality = "estimated" if isinstance(source, External) else source.quality
        sums["imputed" if quality == "imputed" else "estimated" if quality == "estimated" else "measured"] += amount
    return max(sums, key=lambda quality: sums[quality])


def _work_in(account: str) -> str:
    """The work in the name of a stock account: ``1100:data:WORK``."""
    return account.split(":", 2)[2]
