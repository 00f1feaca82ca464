"""The page's part on worth: every picture says what the books say, in two languages, and leaves what is unknown open."""

import re
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from gongfen import reports
from gongfen.facts import kinds as k
from gongfen.reports.charts.drawing import Saying
from gongfen.reports.charts.over_time import Line, over_time
from gongfen.reports.charts.price_band import Priced, price_band
from gongfen.reports.charts.stacked_bars import Piece, Stack, stacked_bars
from gongfen.reports.charts.tornado import Sway, tornado
from gongfen.reports.page.report import render
from gongfen.reports.story import Month
from gongfen.value import Layer, Swings, swings, worth
from gongfen.value.worth import Out
from tests.test_report_page import Tree, a_story
from tests.test_worked_example import STANDARD
from tests.test_worth import CARRIED, OUTPUTS, PRICE, SKILLS, example

SAYING = Saying(key="k", title="Title", finding="Finding")
HOSTILE = '<script>alert("x")</script>'
CIRCULAR = msgspec.structs.replace(
    STANDARD, machines=(k.Coefficient(device="gpu", uslh_per_hour=40_000, origin="price"),)
)


def of_output(output, n):
    past, now = output.transferred_uslh, output.living_uslh
    return (
        Layer(part="T", kind="2", phase="training", standing="crowd", uslh=past // 2),
        Layer(part="T", kind="machine", phase="", standing="", uslh=past - past // 2),
        Layer(part="L", kind="1", phase="inference", standing="unpaid", uslh=now - n),
        Layer(part="L", kind="5", phase="operation", standing="employed", uslh=n),
    )


def month(name, **amounts):
    known = ("sales_micro", "value_micro", "rent_avg_micro", "rent_repro_micro", "living_uslh", "surplus_rate_ppm",
             "composition_ppm")  # fmt: skip
    return Month(month=name, unmeasured=False, **{one: amounts.get(one) for one in known})


MONTHS = (
    month("2026-08", sales_micro=4_000_000, surplus_rate_ppm=1_000_000, living_uslh=3_600_000),
    month("2026-09"),
    month(
        "2026-10", sales_micro=9_000_000, value_micro=5_000_000, rent_avg_micro=4_000_000, rent_repro_micro=6_000_000
    ),
)


@lru_cache(maxsize=4)
def story(outputs=6):
    """The sample story, with the worth of the worked example, in which one rule lacks its data."""
    state = example(*SKILLS[:2], standard=CIRCULAR)
    told = a_story(outputs)
    return replace(
        told,
        outputs=tuple(replace(one, layers=of_output(one, n)) for n, one in enumerate(told.outputs)),
        worth=worth(state, OUTPUTS, PRICE),
        swings=swings(state, OUTPUTS, PRICE, CARRIED),
        months=MONTHS,
    )


@lru_cache(maxsize=4)
def tree(outputs=6):
    return Tree(render(story(outputs)))


def section(lang="en", page=None):
    return (page or tree()).by_id(f"{lang}-worth")


def test_the_page_with_worth_is_well_formed_and_has_no_id_twice():
    page = tree()
    assert not page.faults
    ids = [e.attrs["id"] for e in page.elements if "id" in e.attrs]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_picture_has_a_title_a_finding_and_a_table_and_is_drawn_for_desk_and_phone(lang):
    page = tree()
    pictures = [e for e in page.all("svg", inside=f"{lang}-worth") if e.attrs.get("role") == "img"]
    shapes = ["wide" if "wide" in e.attrs["class"] else "upright" for e in pictures]
    assert shapes.count("wide") == shapes.count("upright") == 1 + 3 + 3 + 3
    for svg in pictures:
        title, desc = svg.below[:2]
        assert (title.tag, desc.tag) == ("title", "desc")
        assert title.attrs["id"] == svg.attrs["aria-labelledby"]
        assert desc.attrs["id"] == svg.attrs["aria-describedby"]
        assert title.text.strip()
        assert desc.text.strip()
    for kind in ("band", "stacked", "tornado", "over-time"):
        assert page.all("svg", kind, inside=f"{lang}-worth")
    assert len(page.all("table", inside=f"{lang}-worth")) >= 9


def test_regions_that_scroll_can_be_reached_and_are_named():
    for region in tree().all("div", "scroll"):
        assert region.attrs["tabindex"] == "0"
        assert region.attrs["role"] == "region"
        assert region.attrs["aria-label"].strip()


def test_the_numbers_of_the_worked_example_stand_on_the_page():
    said = section().words
    for words in ("165 h", "75 h", "EUR 9,600.00", "EUR 6,600.00", "EUR 5,800.00", "405 h", "EUR 6,700.00"):
        assert words in said, words
    assert "no fact about skill x1.5" in said
    assert "λ from a price: circular" in said
    assert "循环论证" in section("zh").words


def test_unpaid_labour_stands_out_of_the_answer_too_where_there_is_some():
    told = story()
    out = Out(unpaid_uslh=7, transferred_uslh=60_000, living_uslh=3_456, value_micro=2_538_240, rent_avg_micro=1,
              rent_repro_micro=2)  # fmt: skip
    page = Tree(render(replace(told, worth=msgspec.structs.replace(told.worth, without_unpaid=out))))
    assert "unpaid labour out" in section(page=page).text
    assert "不计无酬劳动" in section("zh", page).text
    assert told.worth.without_unpaid is None
    assert "unpaid labour out" not in section().text


def test_nothing_is_fetched_and_nothing_runs():
    page = tree()
    assert not page.all("script")
    for e in page.all(inside="en-worth"):
        assert not {"src", "style", "onclick", "onload"} & set(e.attrs)
        assert (e.attrs.get("href") or "#").startswith("#")


def test_sample_data_is_marked_at_every_heading_of_a_picture_and_every_column_of_amounts():
    for table in tree().all("table", inside="en-worth"):
        heads = [e for e in table.below if e.tag == "th" and e.attrs["scope"] == "col" and e.attrs.get("class") == "n"]
        amounts = [e for e in heads if e.words not in ("from", "to")]
        assert all("◇" in e.text for e in amounts), [e.text for e in amounts]


def test_an_unsold_output_has_no_rent_and_an_unmeasured_one_bounds():
    (table,) = [e for e in tree().all("table", inside="en-worth") if e.below[0].text == "Price against value"]
    rows = [" ".join(e.text.split()) for e in table.below if e.tag == "tr"]
    assert rows[6].endswith("not soldunknownunknown")
    assert "≥ " in rows[5]
    assert "≤ " in rows[5]


def test_hostile_names_stay_names():
    hostile = msgspec.structs.replace(story().worth, gated=(HOSTILE,), machines=())
    bars = tuple(msgspec.structs.replace(one, about=HOSTILE) for one in story().swings[0].bars)
    page = Tree(render(replace(story(), worth=hostile, swings=(Swings(measure="value", base=1, bars=bars),))))
    assert not page.faults
    assert not page.all("script")


def test_where_nothing_is_known_of_worth_the_page_has_no_part_on_it():
    unknown = tuple(replace(one, layers=()) for one in story().outputs)
    page = Tree(render(replace(story(), worth=None, outputs=unknown, months=())))
    assert not [e for e in page.elements if e.attrs.get("id") in ("en-worth", "zh-worth")]
    assert not [e for e in page.elements if e.attrs.get("href") in ("#en-worth", "#zh-worth")]


def test_without_a_standard_labour_is_told_and_no_money_is_made_of_it():
    unpriced = tuple(
        replace(one, value_micro=None, rent_avg_micro=None, rent_repro_micro=None) for one in story().outputs
    )
    page = Tree(render(replace(story(), worth=None, swings=(), melt_micro=None, outputs=unpriced)))
    assert not page.faults
    said = section(page=page).words
    assert "no standard is published" in said
    assert not page.all("svg", "band", inside="en-worth")
    assert not page.all("svg", "tornado", inside="en-worth")
    assert len(page.all("svg", "stacked", inside="en-worth")) == 3 * 2
    worth_of_one = next(e for e in page.all("section", "worth") if "en-o-1-w" in e.attrs["aria-labelledby"])
    assert "No standard is published: its labour is known, its value in money is not." in worth_of_one.words


def test_an_indicator_of_which_no_month_is_known_is_named_and_not_drawn():
    hours = (month("2026-10", living_uslh=3_600_000), month("2026-11", living_uslh=1_000_000))
    page = Tree(render(replace(story(), months=hours)))
    assert len(page.all("svg", "over-time", inside="en-worth")) == 2
    said = section(page=page).words
    assert "Unknown in every month: Sales, value and rent, Rate of surplus, Organic composition." in said
    assert "各月均未知" in section("zh", page).words


def test_no_tornado_of_a_rent_where_nothing_was_sold():
    state = example()
    page = Tree(render(replace(story(), worth=worth(state, OUTPUTS, None), swings=swings(state, OUTPUTS, None))))
    assert len(page.all("svg", "tornado", inside="en-worth")) == 2


def test_many_outputs_are_all_in_the_table_and_the_picture_says_what_it_leaves_out():
    said = section(page=tree(16)).words
    assert "4 outputs of less value are only in the table." in said
    (table,) = [e for e in tree(16).all("table", inside="en-worth") if e.below[0].text == "Price against value"]
    assert sum(e.tag == "tr" for e in table.below) == 1 + 16


# -- the pictures themselves -------------------------------------------------------------------------------------------


def svg(text):
    page = Tree(text)
    assert not page.faults
    return page


def numbers(element, *names):
    return [float(element.attrs[name]) for name in names]


@pytest.mark.parametrize("narrow", [False, True])
def test_stacked_bars_are_as_long_as_their_parts(narrow):
    pieces = tuple(Piece(value=v, tone="past", code=str(v), note=HOSTILE) for v in (100, 300, 0, 200))
    page = svg(stacked_bars([Stack(name=HOSTILE, amount="600", pieces=pieces)], saying=SAYING, narrow=narrow))
    widths = [numbers(e, "width")[0] for e in page.all("rect", "piece")]
    assert [round(w / widths[0]) for w in widths] == [1, 3, 2]
    starts = [numbers(e, "x", "width") for e in page.all("rect", "piece")]
    assert all(abs(a[0] + a[1] - b[0]) < 0.02 for a, b in pairwise(starts))


@pytest.mark.parametrize("narrow", [False, True])
def test_the_band_lies_between_living_labour_and_value_and_the_price_on_its_scale(narrow):
    row = Priced(name="a", living=30, value=50, price=100, note="n")
    page = svg(price_band([row], axis="money", unit=str, saying=SAYING, narrow=narrow))
    living, band = [numbers(e, "x", "width") for e in page.all("rect", "piece")]
    assert abs(living[0] + living[1] - band[0]) < 0.02
    assert abs(living[1] / band[1] - 30 / 20) < 0.01
    (way,) = page.all("path", "rent-way")
    start, end = (float(n) for n in re.fullmatch(r"M([\d.]+) [\d.]+H([\d.]+)", way.attrs["d"]).groups())
    assert abs(start - (band[0] + band[1])) < 0.02
    assert abs((end - start) / band[1] - 50 / 20) < 0.01
    assert "short" not in way.attrs["class"]


def test_a_price_below_value_is_told_by_a_broken_line_and_no_price_by_none():
    rows = [
        Priced(name="a", living=30, value=50, price=40, note=""),
        Priced(name="b", living=1, value=2, price=None, note=""),
    ]
    page = svg(price_band(rows, axis="money", unit=str, saying=SAYING))
    assert len(page.all("path", "short")) == 1
    assert len(page.all("path", "price-mark")) == 1


def test_a_line_over_time_breaks_where_a_value_is_unknown():
    line = Line(name="e", values=(1, 2, None, 4, None, 6, 7))
    page = svg(over_time([f"2026-{m:02}" for m in range(1, 8)], [line], unit=str, saying=SAYING))
    drawn = [e for e in page.all("path", "line-0")][1:]  # noqa: C416 — the first is the legend
    assert [e.attrs["d"].count("L") for e in drawn] == [1, 1]
    assert len(page.all("path", "mark-0")) == 1 + 5
    assert [e.text for e in page.all("text", "gap")] == ["?", "?"]


@pytest.mark.parametrize("values", [(), (None,), (5,), (0, 0), (-3, 4)])
@pytest.mark.parametrize("narrow", [False, True])
def test_a_line_over_time_of_any_length_is_drawn(values, narrow):
    times = [f"2026-{n + 1:02}" for n in range(len(values))]
    page = svg(over_time(times, [Line(name="e", values=values)], unit=str, saying=SAYING, narrow=narrow))
    known = [value for value in values if value is not None]
    assert bool(page.all("line", "grid")) is bool(known), "where nothing is known there is no scale"
    assert len(page.all("path", "mark-0")) == 1 + len(known)


@pytest.mark.parametrize("narrow", [False, True])
def test_tornado_bars_meet_at_the_base(narrow):
    rows = [Sway(name="N", settings="a … b", gives="1 … 9", low=-10, high=90),
            Sway(name="M", settings="a … b", gives="? … 9", low=None, high=9)]  # fmt: skip
    page = svg(tornado(rows, base=40, said="now 40", saying=SAYING, narrow=narrow))
    low, high = (numbers(e, "x", "width") for e in (*page.all("rect", "at-low"), *page.all("rect", "at-high")))
    assert abs(low[0] + low[1] - high[0]) < 0.02
    assert abs(low[1] - high[1]) < 0.02
    assert len(page.all("rect", "open")) == 1
    base = page.all("path", "base")[0].attrs["d"]
    assert base.startswith(f"M{high[0]:.2f}".rstrip("0").rstrip("."))


# -- contrast ----------------------------------------------------------------------------------------------------------

CSS = (Path(reports.__file__).parent / "templates" / "report.css").read_text(encoding="utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--([a-z-]+):(#[0-9a-f]{6})", block))
    for block in re.findall(r":root\{(.*?)\}", CSS, re.DOTALL)[:2]
)


def luminance(colour):
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def faded(colour, paper, opacity):
    mixed = [round(int(colour[n : n + 2], 16) * opacity + int(paper[n : n + 2], 16) * (1 - opacity)) for n in (1, 3, 5)]
    return "#" + "".join(f"{c:02x}" for c in mixed)


@pytest.mark.parametrize("looks", [LIGHT, {**LIGHT, **DARK}], ids=["light", "dark"])
def test_marks_stand_out_three_to_one_and_text_four_and_a_half(looks):
    """WCAG 2.2, 1.4.11 and 1.4.3."""
    shades = [1.0, *(float(n) for n in re.findall(r"\.piece\.shade-\d\{fill-opacity:([\d.]+)\}", CSS))]
    assert len(shades) == 3
    for tone in ("living", "past", "machine"):
        for shade in shades:
            assert contrast(faded(looks[tone], looks["paper"], shade), looks["paper"]) >= 3, (tone, shade)
    for line in ("act", "living", "rent", "past", "bad", "ink"):
        assert contrast(looks[line], looks["paper"]) >= 3, line
    for text in ("ink", "quiet", "bad", "act"):
        assert contrast(looks[text], looks["paper"]) >= 4.5, text
