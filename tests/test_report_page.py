"""The page: what it says is what the story says, in two languages, with nothing to fetch and nothing unsafe."""

import ast
import re
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from babel.messages.extract import extract
from jinja2.ext import babel_extract

from gongfen import reports
from gongfen.reports.charts.flow_layout import lay_out
from gongfen.reports.charts.row_bars import Span, bars
from gongfen.reports.page import pictures as pictures_module
from gongfen.reports.page.cards import segments
from gongfen.reports.page.report import render
from gongfen.reports.story import (
    Flow,
    LabourPart,
    MakerStory,
    Node,
    OutputStory,
    Proof,
    Quoted,
    ScatterPoint,
    Sentence,
    SettlementStory,
    Source,
    Story,
    TrainingStory,
    Validation,
)
from gongfen.reports.words import Words, catalogue
from tests.books import COOPERATIVE, new_book

PRESIDENTS = """George Washington|John Adams|Thomas Jefferson|James Madison|James Monroe|John Quincy Adams|Andrew Jackson
Martin Van Buren|William Henry Harrison|John Tyler|James K. Polk|Zachary Taylor|Millard Fillmore|Franklin Pierce|James Buchanan
Abraham Lincoln|Andrew Johnson|Ulysses S. Grant|Rutherford B. Hayes|James A. Garfield|Chester A. Arthur|Grover Cleveland
Benjamin Harrison|William McKinley|Theodore Roosevelt|William Howard Taft|Woodrow Wilson|Warren G. Harding|Calvin Coolidge
Herbert Hoover|Franklin D. Roosevelt|Harry S. Truman|Dwight D. Eisenhower|John F. Kennedy|Lyndon B. Johnson|Richard Nixon
Gerald R. Ford|Jimmy Carter|Ronald Reagan|George H. W. Bush|William J. Clinton|George W. Bush|Barack Obama"""
NAMES = tuple(name for line in PRESIDENTS.splitlines() for name in line.split("|"))
PROMPTS = (
    "Fellow citizens of the Senate and of the House of Representatives,",
    "The state of our finances",
    "On the labouring man and the wages he is owed,",
    "Our machines have grown more powerful than",
    "Peace among the nations",
    "The roads, the schools and the mails",
)
QUOTE = "the free and independent exercise of the industry of our citizens"
GENERATED = (
    " I have the satisfaction to report that the industry of the country has been enlarged in every branch, and that "
    "the revenue of the past year has exceeded the estimate which was laid before you. It remains for the wisdom of "
    "Congress to secure "
    + QUOTE
    + ", and to provide that those by whose labor the common stock has been made shall have their just part in it. "
    "The Secretary of the Treasury will lay before you an account of what has been received and of what has been paid."
)
EXCERPTS = (
    "The resources drawn into the Treasury, for the year ending on the 30th of September last …",
    "It is a fortunate circumstance that the expanding industry of our people has been met …",
    "Labor is prior to and independent of capital. Capital is only the fruit of labor …",
    "The increase of our commerce and the flourishing state of the revenue …",
    "We have built better homes, cleaner air, cleaner water, and a better life …",
)
KINDS = ("1", "2", "3", "4", "5", "7", "machine", "data")


def digest(text):
    return sha256(text.encode()).hexdigest()


def proof(seq, kind="make"):
    return Proof(seq=seq, fact=f"{kind}-{seq:04d}", kind=kind, leaf=digest(f"leaf {seq}"))


def shared_out(total, weights):
    """Whole cents by largest remainder, for a story whose sums hold."""
    all_ = sum(weights) or 1
    parts = [total * w // all_ for w in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % all_), i))
    for i in order[: total - sum(parts)]:
        parts[i] += 1
    return parts


def a_source(n, output, maker):
    effect = (41_300_000 - 7_900_000 * n) * (3 + output) // 3 if n < 5 else -6_200_000 - 900_000 * output
    return Source(
        work=f"sotu-{1790 + 5 * maker}",
        makers=(f"president-{maker}",),
        excerpt=EXCERPTS[(n + output) % len(EXCERPTS)],
        origin=f"https://www.presidency.ucsb.edu/node/{200_000 + maker}" if n != 3 else "Annual Message of 1901",
        effect_nnat=effect,
        share_ppm=max(effect, 0) // 160,
        proof=proof(10 + maker, "bring-in"),
    )


def an_output(n, makers):
    text, living, past = GENERATED, 21_000 + 3_100 * (n % 5), 7_007
    price = None if n == 5 else 2_000_000 if n != 3 else 900_000
    value = 40 * (past + living)
    start = text.index(QUOTE)
    return OutputStory(
        output=f"sha256:{digest(f'output {n}')}",
        prompt=PROMPTS[n % len(PROMPTS)],
        prompted_by=f"president-{n % makers}",
        text=text[: 420 + 60 * (n % 3)].rsplit(" ", 1)[0] + ".",
        visible_label="AI-generated content · 人工智能生成",
        sources=tuple(a_source(i, n, (7 * n + 11 * i + 2) % makers) for i in range(6)),
        works_measured=3 * makers,
        influence_grade="display",
        influence_method="Empirical Fisher over the adapter's gradients, one checkpoint.",
        quotes=(
            Quoted(
                start=start,
                end=start + len(QUOTE),
                work="sotu-1801",
                makers=("president-2",),
                proof=proof(12, "bring-in"),
            ),
        )
        if n % 2 == 0
        else (),
        quote_rule="A shared stretch of eight words or more counts as a quotation.",
        transferred_uslh=past,
        living_uslh=living,
        unmeasured=n == 4,
        untimed=False,
        by_kind=tuple(
            LabourPart(part=k, uslh=u)
            for k, u in zip(KINDS, shared_out(past + living, (70, 9, 12, 3, 4, 1, 2, 5)), strict=True)
        ),
        price_micro=price,
        value_micro=value,
        rent_avg_micro=None if price is None else price - value,
        rent_repro_micro=None if price is None else price - 40 * living,
        proofs=tuple(proof(200 + 4 * n + i, kind) for i, kind in enumerate(("make", "output", "label", "sale"))),
    )


def a_flow(source, target, uslh, quality="measured"):
    return Flow(source=source, target=target, uslh=uslh, quality=quality)


def a_picture(outputs, makers):
    """Makers write the works; the data set is planned for four trainings, the model for a hundred thousand uses."""
    wrote = [(60 + 37 * n % 91) * 1_000_000 for n in range(makers)]
    nodes = [Node(node=f"president-{n}", label=NAMES[n % len(NAMES)], column=0, kind="maker") for n in range(makers)]
    nodes += [
        Node(node=node, label=label, column=column, kind=kind, unmeasured=node == "bought")
        for node, label, column, kind in (
            ("bought", "Bought data", 0, "bought"),
            ("machine", "Machine time", 0, "machine"),
            ("engineer", "Wang Xiaoming", 0, "maker"),
            ("data", "Data set", 1, "data"),
            ("model", "Model", 2, "model"),
            ("deployment", "Deployment", 3, "data"),
            ("prompts", "Prompts", 3, "prompt"),
            ("data-left", "Left in the data set", 4, "stock"),
            ("model-left", "Left in the model", 4, "stock"),
            ("lost", "Obsolete", 4, "loss"),
        )
    ]
    nodes += [Node(node=o.output, label=f"output {n}", column=4, kind="output") for n, o in enumerate(outputs)]
    flows = [a_flow(f"president-{n}", "data", uslh, "imputed") for n, uslh in enumerate(wrote)]
    data = sum(wrote) + 320_000_000
    passed = data // 4
    model = passed + 640_000_000 + 210_000_000
    used = sum(o.transferred_uslh for o in outputs)
    flows += [
        a_flow("bought", "data", 320_000_000, "estimated"),
        a_flow("data", "model", passed),
        a_flow("data", "data-left", data - passed),
        a_flow("engineer", "model", 640_000_000),
        a_flow("machine", "model", 210_000_000, "estimated"),
        a_flow("model", "deployment", 90_000_000),
        a_flow("model", "model-left", model - 90_000_000),
        a_flow("deployment", "lost", 90_000_000 - used),
    ]
    for o in outputs:
        flows += [a_flow("deployment", o.output, o.transferred_uslh), a_flow("prompts", o.output, o.living_uslh)]
    total = data + 850_000_000 + sum(o.living_uslh for o in outputs)
    return tuple(nodes), tuple(flows), total


def the_makers(makers, pool_cents):
    cents = pool_cents - pool_cents // 2
    labour = shared_out(pool_cents // 2, [60 + 37 * n % 91 for n in range(makers)])
    influence = shared_out(cents, [(97 * n) % 131 + (0 if n % 9 else 120) for n in range(makers)])
    return tuple(
        MakerStory(
            maker=f"president-{n}",
            name=NAMES[n % len(NAMES)] if n < len(NAMES) else f"Member {n}",
            works=3,
            labour_uslh=700 + 31 * n,
            labour_quality="imputed",
            influence_ppm=influence[n] * 1_000_000 // max(cents, 1),
            owed_for_labour_micro=labour[n] * 10_000,
            owed_for_influence_micro=influence[n] * 10_000,
            owed_micro=(labour[n] + influence[n]) * 10_000,
            paid_micro=0,
            quoted=3 if n == 2 else 0,
        )
        for n in range(makers)
    )


def the_validation(makers):
    points = []
    for n in range(min(makers, 12)):
        predicted = (n * 83 % 47 - 11) * 3_100_000
        points.append(
            ScatterPoint(
                maker=f"president-{n * 3 % makers}",
                predicted_nnat=predicted,
                measured_nnat=predicted * 9 // 4 + (n * 61 % 29 - 14) * 2_400_000,
            )
        )
    return Validation(
        points=tuple(points),
        spearman_ppm=923_077 if len(points) > 2 else None,
        spearman_between_ppm=(512_000, 990_000) if len(points) > 2 else None,
        adjoint_growth_ppm=1_180_000,
        method="One-sided metagradient through the whole run; each point is one training from the same seed without that maker.",
    )


def the_training(makers):
    losses = tuple(3_420_000 - 980_000 * s // (s + 40) + (s * s * 7919 % 997 - 498) * 330 for s in range(260))
    return TrainingStory(
        model=f"sha256:{digest('model')}",
        base="SmolLM2-135M-Instruct (Q8_0)",
        base_sha256=digest("base"),
        works=3 * makers,
        makers=makers,
        dropped=(
            ("near-duplicate of an earlier work", 4),
            ("no licence recorded", 2),
            ("shorter than 200 characters", 7),
        ),
        steps=len(losses),
        tokens=1_064_960,
        losses_unat=losses,
        device="2 × x86-64 core",
        device_us=1_843_220_000,
        gflop=862_617,
        energy_mwh=10_240,
        energy_quality="estimated",
        seed=43,
        adapter_sha256=digest("adapter"),
        data_root=digest("data"),
        config_sha256=digest("config"),
        code_sha256=digest("code"),
    )


def a_story(outputs=6, makers=43):
    """A book of State of the Union addresses; every sum holds."""
    made = tuple(an_output(n, max(makers, 1)) for n in range(outputs))
    nodes, flows, total = a_picture(made, makers)
    sales = sum(o.price_micro or 0 for o in made)
    pool = sales * 4 // 5
    cents = pool // 10_000 if makers else 0
    people = the_makers(makers, cents)
    shared = sum(m.owed_micro for m in people)
    name = "gongfen.example/sotu"
    return Story(
        title="Forty-three presidents",
        book=name,
        made_at="2026-11-22T05:00:00Z",
        sample=True,
        sample_what=("prices of the outputs", "hours spent on the works", "the standard that turns hours into money"),
        command="gongfen demo --out demo/",
        size=412,
        root=digest("root"),
        checkpoint=f"{name}\n412\nq7WkB0yFf0c4bX1r8m1mVtJ0nq3k2m8cQmUqz2bQ1yE=\n\n— {name} 3q2+7wM1cU0yB8mQeXzJkVt6s0hRr5nL9aF2dPiYwOuKxTgHjCbZvSE4lN7oD1pA\n",
        key=f"{name}+deadbeef+AXl1b2xkIG1hbiB3aG8gbWFkZSB0aGlzIGJvb2sgc2lnbg==",
        currency="EUR",
        melt_micro=40_000_000,
        nodes=nodes,
        flows=flows,
        in_uslh=total,
        out_uslh=total,
        training=the_training(makers),
        outputs=made,
        makers=people,
        validation=the_validation(makers) if makers else None,
        settlement=SettlementStory(
            settlement="settlement-2026-10",
            period="2026-10",
            policy="commons-half/1",
            policy_text="Four fifths of sales go to the makers. Half of the pool follows labour, half follows measured influence; "
            "negative influence counts as zero. Cents by largest remainder, ties by id.",
            standard="sample/1",
            currency="EUR",
            sales_micro=sales,
            pool_micro=pool,
            beta_ppm=500_000,
            shared_micro=shared,
            unidentified_micro=0,
            carried_micro=pool - shared,
            proof=proof(405, "settlement"),
        ),
    )


VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


class Element:
    """A tag with its attributes, what it stands in, and what stands in it."""

    def __init__(self, tag, attrs, parents):
        self.tag, self.attrs, self.parents = tag, attrs, parents
        self.ids = {p.attrs.get("id") for p in parents}
        self.pieces, self.below = [], []

    @property
    def text(self):
        return "".join(self.pieces)

    @property
    def words(self):
        return " ".join(" ".join(self.pieces).split())


class Tree(HTMLParser):
    """A page read strictly: every element closed in order."""

    def __init__(self, page):
        super().__init__()
        self.open, self.elements, self.faults = [], [], []
        self.feed(page)
        self.close()
        self.faults += [f"{e.tag} is never closed" for e in self.open]

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.faults.append(f"{tag} has an attribute twice: {names}")
        element = Element(tag, dict(attrs), list(self.open))
        for parent in self.open:
            parent.below.append(element)
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1].tag != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")
            return
        self.open.pop()

    def handle_data(self, data):
        for element in self.open:
            element.pieces.append(data)

    def all(self, tag=None, cls=None, inside=None):
        return [
            e
            for e in self.elements
            if (tag is None or e.tag == tag)
            and (cls is None or cls in (e.attrs.get("class") or "").split())
            and (inside is None or inside in e.ids)
        ]

    def by_id(self, id_):
        (found,) = [e for e in self.elements if e.attrs.get("id") == id_]
        return found


@lru_cache(maxsize=8)
def tree(outputs=6, makers=43):
    return Tree(render(a_story(outputs, makers)))


SIZES = [(6, 43), (0, 0), (0, 3), (1, 1), (16, 60)]


@pytest.mark.parametrize(("outputs", "makers"), SIZES)
def test_the_page_is_well_formed_and_every_anchor_leads_somewhere(outputs, makers):
    page = tree(outputs, makers)
    assert page.faults == []
    ids = [e.attrs["id"] for e in page.elements if "id" in e.attrs]
    assert len(ids) == len(set(ids))
    for e in page.elements:
        if (e.attrs.get("href") or "").startswith("#"):
            assert e.attrs["href"][1:] in ids
        for name in ("aria-labelledby", "aria-describedby"):
            assert set((e.attrs.get(name) or "").split()) <= set(ids)
        assert " " not in (e.attrs.get("id") or "")


def test_the_strict_reader_sees_a_fault():
    assert Tree("<p><b>x</p>").faults
    assert Tree('<p id="a" id="b">x</p>').faults
    assert not Tree("<p><b>x</b><br></p>").faults


def test_from_an_output_to_makers_cents_and_proofs_and_back():
    page = tree()

    def links(inside):
        return {a.attrs["href"] for a in page.all("a", inside=inside)}

    out = links("en-o-1")
    receipts = {a for a in out if a.startswith("#en-r-")}
    makers = {a for a in out if a.startswith("#en-m-")}
    assert receipts
    assert makers
    assert {"#en-settlement", "#en-makers"} <= out
    assert all("#en-o-1" in links(r[1:]) for r in receipts)
    behind = {a for li in page.all("ol", "sources", inside="en-o-1") for a in links("en-o-1") if a in makers and li}
    back = [m for m in behind if "#en-o-1" in links(m[1:])]
    assert len(back) >= 6
    assert any(a.startswith("#en-r-") for a in links("en-settlement"))


def test_nothing_is_fetched_and_nothing_runs():
    page = tree()
    loads = {"script", "iframe", "object", "embed", "img", "image", "video", "audio", "use", "form", "base"}
    assert not loads & {e.tag for e in page.elements}
    for e in page.elements:
        names = e.attrs
        assert not [n for n in names if n.startswith("on") or n in {"src", "srcset", "style", "xlink:href", "action"}]
        if "href" in names and not names["href"].startswith("#"):
            assert e.tag == "a" or names["href"] == "data:,"
            assert names["href"].startswith(("https://", "http://", "data:,"))
        for value in names.values():
            assert "url(" not in (value or "") or value.startswith("url(#")
    (style,) = page.all("style")
    assert not re.search(r"url\(|@import|@font-face|expression|</", style.text)


EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)></title></style></svg>{{ 7 * 7 }}%(x)s %s &amp; ]]>"


def hostile():
    story = a_story(2, 3)
    source = replace(story.outputs[0].sources[0], excerpt=EVIL, work=EVIL, origin="javascript:alert(3)", makers=(EVIL,))
    quote = replace(story.outputs[0].quotes[0], work=EVIL)
    output = replace(
        story.outputs[0],
        prompt=EVIL,
        text=EVIL + story.outputs[0].text,
        prompted_by=EVIL,
        visible_label=EVIL,
        sources=(source,),
        quotes=(quote,),
        quote_rule=EVIL,
        influence_method=EVIL,
        influence_grade=EVIL,
        by_kind=(LabourPart(part=EVIL, uslh=5),),
        proofs=(Proof(seq=1, fact=EVIL, kind=EVIL, leaf=EVIL),),
    )
    makers = tuple(replace(m, name=EVIL, labour_quality=EVIL) for m in story.makers)
    nodes = tuple(replace(n, label=EVIL) for n in story.nodes)
    flows = tuple(replace(f, quality=EVIL) for f in story.flows)
    training = replace(story.training, base=EVIL, device=EVIL, dropped=((EVIL, 1),), energy_quality=EVIL, model=EVIL)
    settlement = replace(story.settlement, policy=EVIL, policy_text=EVIL, period=EVIL, standard=EVIL)
    return replace(
        story,
        title=EVIL,
        book=EVIL,
        sample_what=(EVIL,),
        command=EVIL,
        checkpoint=EVIL,
        key=EVIL,
        root=EVIL,
        made_at=EVIL,
        outputs=(output, story.outputs[1]),
        makers=makers,
        nodes=nodes,
        flows=flows,
        training=training,
        settlement=settlement,
        validation=replace(story.validation, method=EVIL),
    )


def test_hostile_texts_stay_texts():
    page = Tree(render(hostile()))
    assert page.faults == []
    assert not page.all("script")
    assert not page.all("img")
    assert not [e for e in page.elements if any(n.startswith("on") for n in e.attrs)]
    assert not [e for e in page.elements if "script:" in (e.attrs.get("href") or "")]
    assert "javascript:alert(3)" in page.by_id("en-o-1").text
    assert page.by_id("en-o-1").text.count(EVIL) > 5
    assert EVIL in page.all("title")[0].text
    assert EVIL in page.by_id("zh-proof").text


def test_unknown_is_said_and_never_zero():
    story = a_story(2, 3)
    unsold = replace(story.outputs[0], price_micro=None, rent_avg_micro=None, rent_repro_micro=None)
    story = replace(
        story,
        outputs=(unsold,),
        validation=replace(story.validation, spearman_ppm=None, adjoint_growth_ppm=None),
        training=replace(story.training, energy_mwh=None, gflop=None, seed=None, config_sha256="", losses_unat=()),
    )
    page = Tree(render(story))
    worth = next(e for e in page.all("section", "worth") if "en-o-1-w" in e.attrs["aria-labelledby"])
    assert "its rent is unknown" in worth.words
    assert "EUR 0.00" not in worth.text
    assert "not sold" in page.all("table", "index")[0].words
    assert "Rank agreement (Spearman) unknown" in page.by_id("en-test").words
    assert "between 0.51 and 0.99" in tree().by_id("en-test").words
    assert "Smoothness of the run unknown: not recorded" in page.by_id("en-test").words
    assert "smooth enough" not in page.by_id("en-test").text
    for name in ("Energy", "Arithmetic", "Seed", "Configuration, SHA-256"):
        assert f"{name} unknown: not recorded" in page.by_id("en-model").words
    assert page.by_id("zh-model").text.count("未知：未记录") == 4
    assert "未知：未记录" in page.by_id("zh-test").text
    assert "The training loss was not recorded." in page.by_id("en-model").text
    untested = Tree(render(replace(story, validation=None)))
    assert "Not tested" in untested.by_id("en-test").text
    assert not untested.all("svg", "scatter")


def test_what_a_book_was_never_told_is_unknown_on_its_page(tmp_path):
    """A model that was tuned elsewhere: its facts name no arithmetic, no seed, and a growth that is no number."""
    memory = b'{"losses_unat":[3000000,2900000],"tokens":64}'
    growth = r'notes=[{"name":"adjoint\u0020growth\u0020ppm","value":"low"}]'
    retrained = 'points=[{"label":"ada","predicted_nnat":3,"measured_nnat":4}]'
    told = (
        COOPERATIVE.replace(
            "tool=test seed=7\ncompute", f"tool=test record_sha256={sha256(memory).hexdigest()}\ncompute"
        )
        .replace("influence=i2", f"influence=i2 {growth}")
        .replace(
            "sale sale", f"evaluation subject=i2 method=retraining metric=spearman value_ppm=1 {retrained}\nsale sale"
        )
    )
    with new_book(tmp_path, told) as book:
        for text in (memory, b"text"):
            book.log.keep_blob(text)
        book.settle("2026-11")
        page = Tree(book.report("A song"))
    for name in ("Arithmetic", "Seed"):
        assert f"{name} unknown: not recorded" in page.by_id("en-model").words
    assert "Smoothness of the run unknown: not recorded" in page.by_id("en-test").words


def test_a_sentence_leads_to_the_works_that_moved_it_most():
    story = a_story(1, 3)
    given = story.outputs[0]
    first = given.text.index(". ") + 1
    moved = replace(given.sources[0], proof=proof(999, "work"), low_nnat=1_000_000, high_nnat=2_000_000)
    said = (
        Sentence(start=1, end=first, told=True, sources=(moved,)),
        Sentence(start=first + 1, end=len(given.text), told=False, sources=(moved,)),
    )
    page = Tree(render(replace(story, outputs=(replace(given, sentences=said, influence_told=False),))))
    assert not page.faults
    for key in ("en", "zh"):
        links = page.all("a", "sentence", inside=f"{key}-o-1")
        text = "".join(link.text for link in links if link.attrs["href"] == f"#{key}-o-1-s-1")
        assert text == given.text[1:first]
        assert {link.attrs["href"] for link in links} == {f"#{key}-o-1-s-1", f"#{key}-o-1-s-2"}
    assert moved.work in page.by_id("en-o-1-s-1").text
    assert "between +1 mnat and +2 mnat" in page.by_id("en-o-1-s-1").words
    assert "№ 999" in page.by_id("en-o-1-s-1").words
    assert "cannot tell" in page.by_id("en-o-1-s-2").text
    assert moved.work not in page.by_id("en-o-1-s-2").text
    assert "so these shares say nothing" in page.by_id("en-o-1").words
    assert "无法判断" in page.by_id("zh-o-1-s-2").text


def test_a_known_zero_is_not_called_unknown():
    story = a_story(1, 3)
    given = replace(
        story.outputs[0], price_micro=0, rent_avg_micro=-story.outputs[0].value_micro, rent_repro_micro=-840_000
    )
    training = replace(story.training, energy_mwh=0, gflop=0, seed=0)
    page = Tree(render(replace(story, outputs=(given,), training=training)))
    worth = next(e for e in page.all("section", "worth") if "en-o-1-w" in e.attrs["aria-labelledby"])
    assert "EUR 0.00" in worth.text
    assert "sold below value" in worth.text
    assert "−EUR 0.84" in worth.text
    assert "unknown" not in worth.text
    assert "0 mWh" in page.by_id("en-model").text
    assert "0 GFLOP" in page.by_id("en-model").text
    assert "Seed 0" in page.by_id("en-model").words
    assert "unknown" not in page.by_id("en-model").text


def euros(cell):
    return Decimal(re.search(r"EUR ([\d,.]+)", cell.words).group(1).replace(",", ""))


@pytest.mark.parametrize("key", ["en", "zh"])
def test_what_the_page_shows_adds_up(key):
    page, story = tree(), a_story()
    columns = {
        kind: [euros(c) for c in page.all("td", kind, inside=f"{key}-makers")]
        for kind in ("labour", "influence", "owed")
    }
    assert len(columns["owed"]) == 44
    for labour, influence, owed in zip(columns["labour"], columns["influence"], columns["owed"], strict=True):
        assert labour + influence == owed
    for amounts in columns.values():
        assert sum(amounts[:-1]) == amounts[-1]
    assert columns["owed"][-1] == Decimal(story.settlement.shared_micro).scaleb(-6)
    assert len(page.all("li", "ok", inside=f"{key}-settlement")) == 4
    assert not page.all("li", "bad")


def test_a_sum_that_fails_is_said_in_the_headline():
    story = a_story()
    crooked = replace(
        story, makers=(replace(story.makers[0], owed_micro=story.makers[0].owed_micro + 10_000), *story.makers[1:])
    )
    page = Tree(render(crooked))
    assert "do not add up" in page.by_id("en-answer-h").text
    assert "对不上" in page.by_id("zh-answer-h").text
    assert "does not add up" in page.by_id("en-m-1").text
    assert len(page.all("li", "bad", inside="en-settlement")) == 2
    lost = Tree(render(replace(story, out_uslh=story.out_uslh - 1)))
    assert len(lost.all("li", "bad", inside="en-settlement")) == 1
    assert "in and out do not agree" in lost.by_id("en-answer").text


def test_the_headline_gives_the_answer():
    assert tree().by_id("en-answer-h").words == (
        "6 outputs, made from the work of 43 makers. 43 are owed EUR 7.12; every cent can be recomputed."
    )
    assert "1 output, made from the work of 1 maker. 1 is owed" in tree(1, 1).by_id("en-answer-h").words
    assert "No output yet" in tree(0, 0).by_id("en-answer-h").text


def test_sample_data_is_marked_wherever_it_is_shown():
    page = tree()
    assert page.all("div", "notice")
    for table in (*page.all("table", "index"), *page.all("table", "makers"), *page.all("table", "waterfall")):
        assert "◇" in table.text
    real = Tree(render(replace(a_story(), sample=False)))
    assert not real.all("div", "notice")
    assert "◇" not in "".join(e.text for e in real.all("main"))


# --- both languages ---------------------------------------------------------------------------------------------------

REPORTS = Path(reports.__file__).parent


def messages():
    """Every message that code and templates say, as (singular, plural or None)."""
    found = set()
    for path in [*REPORTS.rglob("*.py"), *(REPORTS.parent / "book").rglob("*.py")]:
        keywords = {"gettext": None, "say": None, "N_": None, "ngettext": (1, 2), "counted": (1, 2)}
        with path.open("rb") as source:
            found |= {m for _, m, _, _ in extract("python", source, keywords=keywords)}
    for path in (REPORTS / "templates").glob("*.j2"):
        with path.open("rb") as source:
            found |= {m for _, _, m, _ in babel_extract(source, ("_", "gettext", "ngettext"), [], {"silent": "false"})}
    found |= terminal_messages()
    pairs = {tuple(x for x in m if x) if isinstance(m, tuple) else (m,) for m in found}
    return {(m[0], m[1] if len(m) > 1 else None) for m in pairs}


def terminal_messages():
    """What the command line says: arguments of gettext, say, counted, table, and texts marked with N_."""
    found = set()
    for path in [*(REPORTS.parent / "cli").glob("*.py"), REPORTS / "text" / "replies.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                said = {"gettext": node.args[:1], "say": node.args[:1], "N_": node.args[:1], "table": node.args[1:]}
                texts = [
                    a.value for a in said.get(name, []) if isinstance(a, ast.Constant) and isinstance(a.value, str)
                ]
                found |= {text for text in texts if text.strip()}
                if name == "counted" and all(isinstance(a, ast.Constant) for a in node.args[:2]):
                    found.add(tuple(a.value for a in node.args[:2]))
    return found


def test_every_message_is_translated_and_no_translation_is_left_over():
    known = {}
    for message in catalogue("zh-Hans"):
        if message.id:
            ids = message.id if isinstance(message.id, (tuple, list)) else (message.id, None)
            known[tuple(ids)] = message.string
    said = messages()
    assert len(said) > 200
    assert said - set(known) == set()
    assert set(known) - said == set()
    for (singular, plural), string in known.items():
        text = string[0] if plural else string
        assert text, singular
        places = set(re.findall(r"%\((\w+)\)s", plural or singular))
        assert set(re.findall(r"%\((\w+)\)s", text)) == places


def test_each_language_speaks_only_itself():
    page = tree()
    assert page.by_id("en").attrs["lang"] == "en"
    assert page.by_id("zh").attrs["lang"] == "zh-Hans"
    assert page.all("html")[0].attrs["lang"] == "en"
    chinese = " ".join(page.by_id("zh").text.split())
    for singular, _ in messages():
        if singular.count(" ") > 3 and "%(" not in singular:
            assert singular not in chinese
    assert "劳动者" not in page.by_id("en-makers").text


def test_works_carry_their_own_language():
    story = a_story(1, 3)
    poem = replace(story.outputs[0], prompt="床前明月光，", text="疑是地上霜。", quotes=())
    page = Tree(render(replace(story, outputs=(poem,))))
    assert {e.attrs["lang"] for e in page.all("div", "text")} == {"zh-Hans"}
    assert {e.attrs["lang"] for e in tree().all("div", "text")} == {"en"}


@pytest.mark.parametrize("other", ["script", "style"])
def test_the_style_sheet_switches_without_script(other):
    css = (REPORTS / "templates" / "report.css").read_text(encoding="utf-8")
    assert "#zh:target,#zh :target" in css
    assert "prefers-color-scheme:dark" in css
    assert "@media print" in css
    assert f"<{other}" not in css


@pytest.mark.parametrize(
    ("micro", "shown"),
    [
        (0, "EUR 0.00"),
        (10_000_000, "EUR 10.00"),
        (1, "EUR 0.000001"),
        (-30_000, "−EUR 0.03"),
        (9_007_199_254_740_993_000_001, "EUR 9,007,199,254,740,993.000001"),
        (300_000, "EUR 0.30"),
    ],
)
def test_money_is_exact(micro, shown):
    assert Words("en").money(micro, "EUR") == shown
    assert Words("zh-Hans").money(micro, "EUR") == shown


@pytest.mark.parametrize(
    ("uslh", "english", "chinese"),
    [
        (900, "3.24 s", "3.24 秒"),
        (15_900, "57.24 s", "57.24 秒"),
        (16_667, "1 min", "1 分钟"),
        (1_000_000, "1 h", "1 小时"),
        (12_500_000, "12 h 30 min", "12 小时 30 分钟"),
        (-900, "−3.24 s", "−3.24 秒"),
        (999_999, "1 h", "1 小时"),
    ],
)
def test_labour_is_said_in_hours_minutes_and_seconds(uslh, english, chinese):
    assert Words("en").hours(uslh) == english
    assert Words("zh_CN.UTF-8").hours(uslh) == chinese


# --- pictures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("outputs", "makers"), SIZES)
def test_every_picture_has_a_title_a_finding_and_a_table(outputs, makers):
    page = tree(outputs, makers)
    for svg in page.all("svg"):
        if svg.attrs.get("role") == "img":
            assert [e.tag for e in svg.below[:2]] == ["title", "desc"]
            (section,) = [e for e in svg.parents if e.tag == "section"]
            assert page.all("table", inside=section.attrs["id"])
        else:
            assert svg.attrs["aria-hidden"] == "true"
    for th in page.all("th"):
        assert th.attrs["scope"] in {"row", "col"}
    for table in page.all("table"):
        assert any(e.tag == "caption" for e in table.below)


def a_layout(story, most=pictures_module.MOST_BARS):
    words = Words("en")
    nodes, flows = pictures_module._folded(story, words, most)
    bars, streams = pictures_module._bars_and_streams(story, nodes, flows, words)
    return lay_out(bars, streams, body=360, gap=7, slot=lambda _, span: max(span, 19)), bars, streams


@pytest.mark.parametrize("most", [0, 3, pictures_module.MOST_BARS, 10_000])
@pytest.mark.parametrize(("outputs", "makers"), SIZES)
def test_the_flow_is_as_wide_as_the_labour_that_passes(outputs, makers, most):
    laid, bars, streams = a_layout(a_story(outputs, makers), most)
    for bar in bars:
        place = laid.places[bar.key]
        assert laid.columns[place.layer] == bar.column
        sides = ([], [])
        for r in laid.ribbons:
            for leg, (a, b) in enumerate(pairwise(r.stops)):
                sides[0].extend([(r.enters[leg], r.width)] * (b == bar.key))
                sides[1].extend([(r.leaves[leg], r.width)] * (a == bar.key))
        for stretches, amount in zip(
            sides,
            (
                sum(s.value for s in streams if s.target == bar.key),
                sum(s.value for s in streams if s.source == bar.key),
            ),
            strict=True,
        ):
            assert sum(w for _, w in stretches) == pytest.approx(place.span * amount / place.size if place.size else 0)
            ends = sorted(stretches)
            for (at, w), (after, _) in pairwise(ends):
                assert at + w == pytest.approx(after)
            if ends:
                assert ends[0][0] == pytest.approx(place.at)
    for layer in laid.layers:
        places = [laid.places[key] for key in layer]
        for upper, lower in pairwise(places):
            assert upper.at + upper.span <= lower.at + 1e-6
        assert all(p.at >= -1e-6 and p.at + p.span <= laid.length + 1e-6 for p in places)


def test_outputs_stand_in_their_order():
    laid, bars, _ = a_layout(a_story())
    label = {bar.key: bar.label for bar in bars}
    last = [label[key] for key in laid.layers[-1] if key in label]
    assert [name for name in last if name.startswith("Output")] == [f"Output {n}" for n in range(1, 7)]


def test_joining_small_makers_loses_no_labour():
    story = a_story(16, 60)
    _, whole, _ = a_layout(story, 10_000)
    _, bars, streams = a_layout(story)
    assert len(bars) < 40
    assert len(whole) > 60
    assert sum(s.value for s in streams) == sum(f.uslh for f in story.flows)
    assert "48 more makers" in {bar.label for bar in bars}
    qualities = {(f.quality, f.uslh) for f in story.flows}
    assert {s.quality for s in streams} == {q for q, _ in qualities}


def test_what_was_not_measured_is_hatched_and_marked():
    svg = next(e for e in tree().all("svg", "sankey"))
    flows = [e for e in tree().all("path", "flow") if svg in e.parents]
    assert flows
    for flow in flows:
        measured = "measured" in flow.attrs["class"].split()
        assert ("fill" in flow.attrs) != measured
    assert "≥ 320 h" in svg.text


def test_row_bars_keep_to_their_scale():
    drawn = bars([Span(0, 25, "living"), Span(25, 100, "influence", "estimated")], high=200, key="en")
    assert 'x="0.000%" y="0" width="12.500%"' in drawn
    assert 'x="12.500%" y="0" width="37.500%"' in drawn
    assert "url(#en-estimated-influence)" in drawn
    below = bars([Span(0, -50, "influence")], low=-50, high=50, key="en")
    assert 'x="0.000%" y="0" width="50.000%"' in below


def test_every_point_of_the_test_is_named():
    svg = tree().all("svg", "scatter")[0]
    for name in ("Washington", "Lincoln", "Theodore Roosevelt"):
        assert name in svg.text
    dots = [e for e in tree().all("circle", "dot") if svg in e.parents]
    assert len(dots) == 12


def test_text_is_cut_in_code_points_and_nothing_is_lost():
    text = "😀abc😀def"
    quote = replace(a_story(1, 3).outputs[0].quotes[0], start=1, end=5)
    parts = segments(text, [quote, replace(quote, start=3, end=99)])
    assert "".join(s.text for s in parts) == text
    assert [(s.text, s.quotes) for s in parts] == [("😀", ()), ("ab", (1,)), ("c😀", (1, 2)), ("def", (2,))]


def test_the_same_story_gives_the_same_bytes():
    assert render(a_story(2, 5)) == render(a_story(2, 5))
