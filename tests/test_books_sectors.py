"""``gongfen sectors``: labour values of tables in files, prices against them, and tables that have none.

Golden numbers: ``economics.md``, section 4: Miller & Blair's A, Steedman's joint production, the deviation of (12, 8).
"""

import builtins
import json
import re
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import pytest

from tests.test_cli import Said, gongfen_


def asked(folder: Path, *words: str, code: int = 0, **environment: str) -> Said:
    found = gongfen_(folder, "sectors", *words, **environment)
    assert found.returncode == code, found.stdout + found.stderr
    assert "Traceback" not in found.stderr
    return found


def valued(folder: Path, text: str, *words: str) -> Any:
    (folder / "table.csv").write_text(text, encoding="utf-8")
    return json.loads(asked(folder, "table.csv", *words, "--json").stdout)


MILLER_BLAIR = """,agriculture,manufacturing,final demand,labour
agriculture,150,500,350,1000
manufacturing,200,100,1700,2000
"""
"""A = [[.15, .25], [.2, .05]], x = (1000, 2000)."""


def test_values_are_direct_labour_times_the_leontief_inverse(tmp_path: Path) -> None:
    """(I−A)⁻¹ = [[1.254125, .330033], [.264026, 1.122112]]; with l = (1, 1) v is the sums of its columns."""
    found = valued(tmp_path, MILLER_BLAIR)
    values = {one["sector"]: one["value"] for one in found["sectors"]}
    assert values["agriculture"][:8] == "1.518151"
    assert values["manufacturing"][:8] == "1.452145"
    assert [one["direct"] for one in found["sectors"]] == ["1", "1"]
    assert (found["labour"], found["embodied"], found["holds"]) == ("3000", "3000", True)
    assert (found["prices"], found["price_of"]) == (None, "unknown")
    shown = asked(tmp_path, "table.csv").stdout
    assert "v·y = l·x" in shown
    assert "no prices" in shown


def test_prices_in_a_column_are_held_against_values(tmp_path: Path) -> None:
    """p = (12, 8), v = (10, 10), q = (1, 1): MAWD = CV = .2, d = .197075."""
    found = valued(tmp_path, ",iron,corn,final demand,labour,price\niron,0,0,1,10,12\ncorn,0,0,1,10,8\n")
    prices = found["prices"]
    assert (prices["mawd_ppm"], prices["variation_ppm"], prices["distance_ppm"]) == (200_000, 200_000, 197_075)
    assert [one["ratio_ppm"] for one in found["sectors"]] == [1_200_000, 800_000]
    assert found["price_of"] == "column"


def test_a_price_that_is_not_there_is_unknown(tmp_path: Path) -> None:
    found = valued(tmp_path, ",iron,corn,final demand,labour,price\niron,0,0,1,10,12\ncorn,0,0,1,10,\n")
    assert found["prices"]["left_out"] == ["corn"]
    assert [one["ratio_ppm"] for one in found["sectors"]] == [1_000_000, None]


def test_in_a_table_of_money_a_unit_costs_one(tmp_path: Path) -> None:
    found = valued(tmp_path, MILLER_BLAIR, "--money")
    assert (found["price_of"], found["prices"]["price"]) == ("money", "3000")
    weights = [1000 * 1.5181518, 2000 * 1.4521452]
    mawd = sum(abs(1 - 3000 / sum(weights) * one / x) * x for one, x in zip(weights, (1000, 2000), strict=True)) / 3000
    assert found["prices"]["mawd_ppm"] == pytest.approx(mawd * 10**6, abs=2)


def test_two_prices_for_one_thing_are_refused(tmp_path: Path) -> None:
    """``--money`` says that a unit costs 1: a column of other prices, and a table of processes, would pass it over."""
    (tmp_path / "t.csv").write_text(",iron,corn,final demand,labour,price\niron,0,0,1,10,12\ncorn,0,0,1,10,8\n")
    (tmp_path / "p.csv").write_text(PROCESSES)
    for name, due in (("t.csv", "the column price says otherwise"), ("p.csv", "this one is of processes")):
        found = asked(tmp_path, name, "--money", code=2).stderr
        assert due in found
        assert "leave --money out" in found


PROCESSES = """process,uses wheat,makes wheat,uses wool,makes wool,labour
farm,25,30,0,5,5
fold,0,3,10,12,1
"""


def test_joint_production_is_refused_and_says_what_it_would_give(tmp_path: Path) -> None:
    """Steedman: the equations give (−1, 2)."""
    (tmp_path / "steedman.csv").write_text(PROCESSES, encoding="utf-8")
    said = asked(tmp_path, "steedman.csv", code=2).stderr
    assert "makes wheat and wool in one process, and no rule divides its labour" in said
    assert "wheat -1, wool 2" in said
    assert "JointProductionError" in said


def test_processes_with_one_product_each_have_values(tmp_path: Path) -> None:
    """wheat: v = (5 + 25v)/30 → 1; wool: v = (1 + 10v)/12 → ½."""
    found = valued(tmp_path, PROCESSES.replace(",0,5,5", ",,,5").replace("fold,0,3", "fold,,"))
    assert [one["value"] for one in found["sectors"]] == ["1", "0.5"]
    assert (found["labour"], found["embodied"], found["holds"]) == ("6", "6", True)


def test_sectors_that_use_up_what_they_make_are_refused(tmp_path: Path) -> None:
    (tmp_path / "greedy.csv").write_text(",iron,final demand,labour\niron,12,-2,5\n", encoding="utf-8")
    said = asked(tmp_path, "greedy.csv", code=2).stderr
    assert "uses up as much as it makes, or more" in said
    assert "NotProductiveError" in said


@pytest.mark.parametrize(
    ("text", "needle"),
    [
        ("", "is empty"),
        (",iron,labour\niron,1,1\n", "no column of final demand"),
        (",iron,final demand,labour\niron,x,1,1\n", "row iron, column iron is no number"),
        (",iron,final demand,labour,price,price\niron,0,1,1,1,1\n", "more than one column of prices"),
        (",iron,final demand,labour,price\niron,0,1,1,-1\n", "column price is below zero"),
        ("p,makes iron,labour,colour\na,1,1,1\n", "column colour says neither what is used nor what is made"),
        ("p,makes iron,makes iron,labour\na,1,1,1\n", "names column 3"),
        ("p,makes iron\na,1\n", "no column of labour"),
        ("p,makes iron,labour\n", "has no process"),
    ],
)
def test_a_table_that_cannot_be_valued_is_refused_with_its_place(tmp_path: Path, text: str, needle: str) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    said = asked(tmp_path, "t.csv", code=2).stderr
    assert needle in said
    assert "InputError" in said


def test_a_file_that_is_not_there_or_no_text_is_a_named_mistake(tmp_path: Path) -> None:
    assert "InputError" in asked(tmp_path, "nowhere.csv", code=2).stderr
    assert "InputError" in asked(tmp_path, ".", code=2).stderr
    (tmp_path / "t.csv").write_bytes(b"\xff\xfe\x00a,b\n")
    assert "is not text in UTF-8" in asked(tmp_path, "t.csv", code=2).stderr
    (tmp_path / "t.xlsx").write_bytes(b"no zip")
    assert "is not a workbook" in asked(tmp_path, "t.xlsx", code=2).stderr


def test_a_spreadsheet_gives_the_same_values_as_its_csv(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for line in MILLER_BLAIR.splitlines():
        book.active.append([int(cell) if cell.isdecimal() else cell for cell in line.split(",")])
    book.active.append([None, None])
    book.save(tmp_path / "table.xlsx")
    found = json.loads(asked(tmp_path, "table.xlsx", "--json").stdout)
    assert found["sectors"] == valued(tmp_path, MILLER_BLAIR)["sectors"]


def test_a_damaged_spreadsheet_is_read_or_refused_and_never_a_traceback(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for line in MILLER_BLAIR.splitlines():
        book.active.append(line.split(","))
    book.save(tmp_path / "table.xlsx")
    whole = (tmp_path / "table.xlsx").read_bytes()
    chance = Random(7)  # noqa: S311 - damage, not secrets
    for _ in range(60):
        broken = bytearray(whole)
        for _ in range(chance.randrange(1, 6)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        cut = broken[: chance.randrange(len(broken))] if chance.random() < 0.2 else broken
        (tmp_path / "broken.xlsx").write_bytes(cut)
        found = gongfen_(tmp_path, "sectors", "broken.xlsx")
        assert found.returncode in (0, 2), found.stderr
        assert "Traceback" not in found.stderr
        assert found.returncode == 0 or "InputError" in found.stderr


def test_without_openpyxl_it_is_said_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "t.xlsx").write_bytes(b"")
    there = builtins.__import__

    def without(name: str, *more: Any) -> Any:
        if name.startswith("openpyxl"):
            raise ImportError(name)
        return there(name, *more)

    with patch.object(builtins, "__import__", without):
        said = asked(tmp_path, "t.xlsx", code=2).stderr
    assert "pip install 'gongfen[xlsx]'" in said


@pytest.mark.parametrize("columns", ["40", "80", "120"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_table_fits_every_screen(tmp_path: Path, columns: str, lang: str) -> None:
    from rich.cells import cell_len

    (tmp_path / "t.csv").write_text(MILLER_BLAIR, encoding="utf-8")
    shown = asked(tmp_path, "t.csv", "--money", COLUMNS=columns, GONGFEN_LANG=lang).stdout
    assert all(cell_len(line) <= int(columns) for line in shown.splitlines()), shown
    assert ("劳动价值" if lang == "zh" else "labour value") in shown


# -- tasks -------------------------------------------------------------------------------------------------------------

TIMES = "producer,time,units\nada,4,100\nbo,5,60\ncy,9,40\n"
TASKS = "task,machine cost,wage,hours\ncaptions,39.99,20,2\nverse,40,20,2\nsongs,,20,2\n"


def test_the_social_average_of_three(tmp_path: Path) -> None:
    """economics.md, section 1: times 4, 5, 9 h for 100, 60, 40 units: 5.3 h; +130, +18, −148, sum 0."""
    (tmp_path / "t.csv").write_text(TIMES)
    found = json.loads(gongfen_(tmp_path, "books", "average", "t.csv", "--json").stdout)
    assert (found["time"], found["given"], found["not_necessary"]) == ("5.3", "1060", "148")
    assert [one["transfer"] for one in found["producers"]] == ["130", "18", "-148"]
    shown = gongfen_(tmp_path, "books", "average", "t.csv").stdout
    assert re.search(r"cy +9 +40 +−148", shown)
    assert "社会平均每件 5.3 小时" in gongfen_(tmp_path, "books", "average", "t.csv", GONGFEN_LANG="zh").stdout


def test_a_task_is_automated_only_where_the_machine_costs_less_than_the_wages(tmp_path: Path) -> None:
    """At w·h exactly nobody gains by it; what nobody knows the cost of is unknown."""
    (tmp_path / "a.csv").write_text(TASKS)
    found = json.loads(gongfen_(tmp_path, "books", "automation", "a.csv", "--json").stdout)["tasks"]
    assert [(one["threshold"], one["automates"]) for one in found] == [("40", True), ("40", False), ("40", None)]
    shown = gongfen_(tmp_path, "books", "automation", "a.csv").stdout
    assert re.search(r"songs +unknown +40 +unknown", shown)


@pytest.mark.parametrize(
    ("verb", "text", "reason"),
    [
        ("average", "producer,time\nada,4\n", "column units is not there once"),
        ("average", "producer,time,units\n", "names no producer"),
        ("average", TIMES + "ada,1,1\n", "row ada stands there twice"),
        ("average", TIMES + "di,,1\n", "row di does not say time and units"),
        ("average", TIMES + "di,-1,1\n", "row di, column time"),
        ("automation", TASKS + ",1,1,1\n", "has no name"),
        ("automation", TASKS + "x,dear,1,1\n", "row x, column machine cost"),
    ],
)
def test_a_table_of_tasks_that_is_wrong_is_named_with_its_place(
    tmp_path: Path, verb: str, text: str, reason: str
) -> None:
    (tmp_path / "x.csv").write_text(text)
    found = gongfen_(tmp_path, "books", verb, "x.csv")
    assert (found.returncode, found.stdout) == (2, "")
    assert reason in found.stderr


def test_an_average_over_nothing_is_none(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("producer,time,units\nada,4,0\n")
    assert "Nothing was made" in gongfen_(tmp_path, "books", "average", "t.csv").stdout
