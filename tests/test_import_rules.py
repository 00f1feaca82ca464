"""What every import keeps: nobody's time twice, nothing recorded again, everything doubtful named, nothing half done."""

import csv
import io
import json
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gongfen
from gongfen.book.importing import Imported
from gongfen.errors import GongfenError, InputError, ToolExportError, UnknownMakerError, UnknownWorkError
from gongfen.facts import kinds as k
from gongfen.studio.importers.readers import READERS
from gongfen.studio.importers.reading import day_of, moment
from gongfen.studio.importers.sheets import duration
from gongfen.studio.importers.timeline import Timeline, days
from tests.books import new_book
from tests.imports import FIXTURES, MIN, SOURCES, H, S, bring, labour, reasons, shop
from tests.test_cli import gongfen_

HEAD = "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End time,Duration,Tags"


def toggl(folder: Path, *rows: str, name: str = "toggl.csv") -> Path:
    """A report with rows such as ``ada Poems 2026-11-02 09:00 10:00``; the duration may follow."""
    path = folder / name
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(HEAD.split(","))
    for row in rows:
        who, project, day, start, end, *lasts = row.split()
        table.writerow(
            [
                "",
                who,
                "",
                project,
                "",
                "",
                "No",
                day,
                start,
                day if end != "-" else "",
                end.strip("-"),
                *(lasts or [""]),
                "",
            ]
        )
    path.write_text(out.getvalue())
    return path


def times(book: gongfen.Book) -> list[tuple[str, str, int | None]]:
    return [(body.maker, body.day, body.labour_us) for body in labour(book)]


# -- nobody's time twice -----------------------------------------------------------------------------------------------


def test_overlapping_time_of_two_tools_counts_once(tmp_path: Path) -> None:
    """Ada had two clocks running. What the first import took, the second does not take again."""
    with shop(tmp_path) as book:
        bring(book, "toggl", toggl(tmp_path, "ada Poems 2026-11-02 09:00 11:00"))
        other = tmp_path / "log.timeclock"
        other.write_text("i 2026-11-02 10:30:00 site\no 2026-11-02 12:00:00\n")
        found = bring(book, "timeclock", other)
        assert times(book) == [("ada", "2026-11-02", 2 * H), ("ada", "2026-11-02", 1 * H)]
        assert reasons(found) == [("overlap", 30 * MIN)]
        for tool, path in (("toggl", tmp_path / "toggl.csv"), ("timeclock", other)):
            again = bring(book, tool, path)
            assert (again.facts, again.there, reasons(again)) == (0, 1, [])


def test_what_stands_in_a_description_is_no_time_of_anybody(tmp_path: Path) -> None:
    """A text that looks like our own note of a beginning and an end takes no hour away, and stops no import."""
    with shop(tmp_path) as book:
        notes = tmp_path / "log.timedot"
        notes.write_text(
            "2026-01-01\nreview;x; 2026-02-01T00:00:00Z/2026-02-28T23:00:00Z  1h\n"
            "2026-01-02\nreview;x; 2026-99-01T00:00:00Z/2026-99-28T23:00:00Z  1h\n"
        )
        bring(book, "timedot", notes)
        book.record(k.Labour(maker="ada", work=labour(book)[0].work, labour_kind=2, phase="training", standing="crowd",
                             labour_us=H, day="2026-01-03", evidence="x; 2026-02-01T00:00:00Z/2026-02-28T23:00:00Z"))  # fmt: skip
        found = bring(book, "toggl", toggl(tmp_path, "ada Poems 2026-02-02 09:00 11:00"))
        assert not found.doubts
        assert times(book)[-1] == ("ada", "2026-02-02", 2 * H)


@pytest.mark.parametrize("text", ["9" * 5_000 + ":00:00", "9" * 5_000 + "h", "9" * 5_000, "1e99999999"])
def test_a_duration_of_a_thousand_digits_is_refused_at_once(text: str) -> None:
    with pytest.raises(ToolExportError):
        duration(text, "hours", "row 1")


def test_two_people_may_work_at_the_same_time_and_so_may_a_group(tmp_path: Path) -> None:
    with new_book(tmp_path, "enrol maker=ada\nenrol maker=crew form=group people=3") as book:
        rows = ["ada Poems 2026-11-02 09:00 11:00", *["crew Poems 2026-11-02 09:00 11:00"] * 2]
        found = bring(book, "toggl", toggl(tmp_path, *rows))
        assert not found.doubts
        assert sum(b.labour_us or 0 for b in labour(book)) == 6 * H


def test_an_entry_that_was_moved_does_not_count_twice(tmp_path: Path) -> None:
    """Somebody corrected the start: the row has another key now, but its time lies on the recorded one."""
    with shop(tmp_path) as book:
        bring(book, "toggl", toggl(tmp_path, "ada Poems 2026-11-02 09:00 11:00"))
        found = bring(book, "toggl", toggl(tmp_path, "ada Poems 2026-11-02 08:30 11:00"))
        assert times(book) == [("ada", "2026-11-02", 2 * H), ("ada", "2026-11-02", 30 * MIN)]
        assert reasons(found) == [("overlap", 2 * H)]


def test_labour_that_was_taken_back_leaves_its_time_free(tmp_path: Path) -> None:
    with shop(tmp_path) as book:
        bring(book, "toggl", toggl(tmp_path, "ada Poems 2026-11-02 09:00 11:00"))
        fact = next(fact for _, fact in book.log.facts() if fact.kind == "labour")
        book.record(k.Correction(correction="c-1", fact=fact.id, reason="the clock ran on"))
        other = toggl(tmp_path, "ada Poems 2026-11-02 09:15 10:15", name="other.csv")
        assert reasons(bring(book, "toggl", other)) == []
        assert times(book)[-1] == ("ada", "2026-11-02", 1 * H)


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=12),
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=4),
    st.tuples(st.integers(0, 60), st.integers(1, 20)),
)
def test_a_time_line_gives_what_is_free_and_nothing_else(
    taken: list[tuple[int, int]], given_back: list[tuple[int, int]], asked: tuple[int, int]
) -> None:
    line, minutes = Timeline(), set[int]()
    for start, length in taken:
        line.take((start, start + length))
        minutes |= set(range(start, start + length))
    for start, length in given_back:
        line.give_back((start, start + length))
        minutes -= set(range(start, start + length))
    start, length = asked
    free = line.free((start, start + length))
    assert {m for a, b in free for m in range(a, b)} == set(range(start, start + length)) - minutes
    assert free == sorted(free)


@given(
    st.sampled_from(["UTC", "Asia/Shanghai", "America/Sao_Paulo", "Pacific/Apia", "Asia/Beirut", "Europe/Dublin"]),
    st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - the zone is the other argument
    st.integers(1, 24 * 60),
)
def test_a_night_is_of_two_days_whatever_the_clocks_do(name: str, start: datetime, minutes: int) -> None:
    """Clocks go forward at midnight in Brazil, and Samoa had no 30 December 2011: nothing is lost, nothing is twice."""
    zone = ZoneInfo(name)
    begin = moment(start, ZoneInfo("UTC"))
    found = days([(begin, begin + minutes * MIN)], minutes * MIN, zone)
    assert sum(found.values()) == minutes * MIN
    assert 1 <= len(found) <= 3
    assert next(iter(found)) == day_of(begin, zone)


# -- nothing recorded again --------------------------------------------------------------------------------------------


def test_a_longer_export_adds_what_is_new(tmp_path: Path) -> None:
    one, two = "ada Poems 2026-11-02 09:00 10:00", "ada Poems 2026-11-03 09:00 10:00"
    with shop(tmp_path) as book:
        bring(book, "toggl", toggl(tmp_path, two))
        found = bring(book, "toggl", toggl(tmp_path, one, two, name="longer.csv"))
        assert (found.facts, found.there) == (1, 1)


@pytest.mark.parametrize(
    ("row", "said", "what"),
    [
        (
            "ada Poems 2026-11-02 09:00 12:00",
            {},
            "evidence: 2026-11-02T09:00:00Z/2026-11-02T11:00:00Z → 2026-11-02T09:00:00Z/2026-11-02T12:00:00Z",
        ),
        ("ada Site 2026-11-02 09:00 11:00", {}, "work: toggl/Poems → toggl/Site"),
        ("ada Poems 2026-11-02 09:00 11:00", {"kind": 3}, "labour_kind: 6 → 3"),
        (
            "ada Poems 2026-11-02 09:00 11:00 01:30:00",
            {},
            "evidence: 2026-11-02T09:00:00Z/2026-11-02T11:00:00Z → 2026-11-02T09:00:00Z/2026-11-02T11:00:00Z 5400000000 us",
        ),
    ],
)
def test_a_changed_row_is_named_and_not_recorded_again(tmp_path: Path, row: str, said: Any, what: str) -> None:
    with shop(tmp_path) as book:
        bring(book, "toggl", toggl(tmp_path, "ada Poems 2026-11-02 09:00 11:00"))
        before = times(book)
        found = bring(book, "toggl", toggl(tmp_path, row), **said)
        assert times(book) == before
        (number,) = [seq for seq, fact in book.log.facts() if fact.kind == "labour"]
        said = [("toggl.csv, row 2", "changed", f"fact {number}: {what}")]
        assert [(d.place, d.reason, d.detail) for d in found.doubts] == said


WRONG, RIGHT = "ada Poems 2026-11-02 09:00 11:00", "ada Poems 2026-11-02 09:00 12:00"


def take_back(book: gongfen.Book) -> None:
    """Correct the newest labour, or machine time, of a book."""
    *_, newest = (fact for _, fact in book.log.facts() if fact.kind in ("labour", "compute"))
    book.record(k.Correction(correction=f"c-{book.log.size}", fact=newest.id, reason="the clock ran on"))


def standing(book: gongfen.Book) -> list[int | None]:
    """The labour that nobody has taken back."""
    facts = [fact for _, fact in book.log.facts()]
    gone = {fact.body.fact for fact in facts if isinstance(fact.body, k.Correction)}
    return [fact.body.labour_us for fact in facts if isinstance(fact.body, k.Labour) and fact.id not in gone]


def test_a_corrected_row_is_recorded_anew_when_it_has_been_put_right(tmp_path: Path) -> None:
    """As often as it takes; and what was put right is there on the next import."""
    with shop(tmp_path) as book:
        for row, hours in ((WRONG, 2), (RIGHT, 3), (WRONG, 2)):
            export = toggl(tmp_path, row)
            assert bring(book, "toggl", export, dry_run=True).kinds["labour"] == 1
            bring(book, "toggl", export)
            assert standing(book) == [hours * H]
            again = bring(book, "toggl", export)
            assert (again.facts, again.there, again.doubts) == (0, 1, ())
            take_back(book)
        ids = [fact.id for _, fact in book.log.facts() if fact.kind == "labour"]
        assert [name.removeprefix(ids[0]) for name in ids] == ["", "#2", "#3"]


def test_a_row_that_is_still_as_it_was_corrected_does_not_undo_the_correction(tmp_path: Path) -> None:
    with shop(tmp_path) as book:
        bring(book, "toggl", toggl(tmp_path, WRONG))
        take_back(book)
        found = bring(book, "toggl", toggl(tmp_path, WRONG))
        assert (standing(book), reasons(found)) == ([], [("taken_back", 2 * H)])
        bring(book, "toggl", toggl(tmp_path, WRONG), kind=3)
        assert standing(book) == [2 * H]


def test_what_two_clocks_showed_is_counted_once_and_not_never_when_one_of_them_was_wrong(tmp_path: Path) -> None:
    """Of 9–11 and 10–12 the second counts 11–12. The first is put right to 9–11:30: 9–11 is free again."""
    second = "ada Site 2026-11-02 10:00 12:00"
    with shop(tmp_path) as book:
        bring(book, "toggl", toggl(tmp_path, WRONG, second))
        assert standing(book) == [2 * H, H]
        book.correct(next(seq for seq, fact in book.log.facts() if fact.kind == "labour"), "the clock ran on")
        found = bring(book, "toggl", toggl(tmp_path, "ada Poems 2026-11-02 09:00 11:30", second))
        assert standing(book) == [H, 2 * H]
        assert (reasons(found), found.there) == ([("overlap", 30 * MIN)], 1)


def test_of_a_night_the_day_that_still_stands_is_named(tmp_path: Path) -> None:
    """One row, two facts: while one of them stands, the row is not recorded beside it."""
    night = "ada,,,Poems,,,No,2026-11-02,23:00,2026-11-03,0{}:00,,"
    export = tmp_path / "night.csv"
    with shop(tmp_path) as book:
        export.write_text(f"{HEAD}\n{night.format(1)}\n")
        bring(book, "toggl", export)
        first, second = (seq for seq, fact in book.log.facts() if fact.kind == "labour")
        book.correct(first, "wrong")
        export.write_text(f"{HEAD}\n{night.format(2)}\n")
        (doubt,) = bring(book, "toggl", export).doubts
        assert (doubt.reason, doubt.detail.partition(":")[0]) == ("changed", f"fact {second}")
        book.correct(second, "wrong")
        bring(book, "toggl", export)
        assert standing(book) == [H, 2 * H]


def test_a_corrected_run_is_recorded_anew_when_it_has_been_put_right(tmp_path: Path) -> None:
    export = tmp_path / "emissions.csv"
    rows = "duration,energy_consumed,project_name,run_id\n{},0.01,poems,r-1\n"
    with shop(tmp_path) as book:
        for seconds, facts, reason in ((60, 1, []), (60, 0, ["taken_back"]), (30, 1, [])):
            export.write_text(rows.format(seconds))
            found = bring(book, "codecarbon", export)
            assert (found.kinds.get("compute", 0), [doubt.reason for doubt in found.doubts]) == (facts, reason)
            assert bring(book, "codecarbon", export).kinds == {}
            if facts:
                take_back(book)


def test_a_long_id_of_a_tool_has_room_for_the_next_fact(tmp_path: Path) -> None:
    with shop(tmp_path) as book:
        for end, there in (("11", [2 * H]), ("12", [3 * H])):
            export = tmp_path / "long.csv"
            export.write_text(f"{HEAD},Id\nada,,,Poems,,,No,2026-11-02,09:00,2026-11-02,{end}:00,,,{'x' * 300}\n")
            bring(book, "toggl", export)
            assert standing(book) == there
            assert bring(book, "toggl", export).there == 1
            take_back(book)


def test_a_changed_annotation_is_named(tmp_path: Path) -> None:
    tasks = json.loads((FIXTURES / "label_studio.json").read_text())
    with shop(tmp_path) as book:
        bring(book, "label-studio")
        tasks[0]["annotations"][0]["lead_time"] = 60.5
        tasks[0]["data"]["text"] = "Day breaks."
        path = tmp_path / "label_studio.json"
        path.write_text(json.dumps(tasks))
        found = bring(book, "label-studio", path)
        assert (found.facts, found.there) == (0, 3)
        assert [(d.detail, d.recorded) for d in found.doubts if d.reason == "changed"] == [
            ("work label-studio/83/1 has another text now", True),
            ("fact 3: labour_us: 4288000 → 60500000", False),
        ]  # fmt: skip


def test_two_servers_of_a_tool_are_told_apart(tmp_path: Path) -> None:
    with shop(tmp_path) as book:
        first = bring(book, "label-studio")
        second = bring(book, "label-studio", instance="north", task="label")
        assert first.facts == second.facts
        assert labour(book)[-1].work == "label-studio/north/83/2"
        assert (labour(book)[-1].task, labour(book)[-1].units) == ("label", 1)


# -- who -------------------------------------------------------------------------------------------------------------


def test_new_makers_are_enrolled_by_name_and_the_name_stays_outside_the_log(tmp_path: Path) -> None:
    export = toggl(tmp_path, "x Poems 2026-11-02 09:00 11:00")
    export.write_text(export.read_text().replace(",x,", "Ada Reed,,", 1).replace("\r\nAda", "\r\nAda", 1))
    rows = export.read_text().splitlines()
    export.write_text("\n".join([rows[0], "Ada Reed,,,Poems,,,No,2026-11-02,09:00,2026-11-02,11:00,,"]))
    with new_book(tmp_path) as book:
        found = bring(book, "toggl", export, makers={}, enrol=True)
        assert found.new_makers == ("ada-reed",)
        assert book.details("ada-reed").details == {"name": "Ada Reed"}
        assert all(b"Ada Reed" not in entry.data for entry in book.log.store.entries(0))
        again = bring(book, "toggl", export, makers={}, enrol=True)
        assert (again.facts, again.there) == (0, 1)


def test_an_address_is_nobodys_name_in_the_log(tmp_path: Path) -> None:
    with new_book(tmp_path) as book, pytest.raises(UnknownMakerError, match="e-mail address does not belong"):
        bring(book, "toggl", toggl(tmp_path, "ada@example.org P 2026-11-02 09:00 11:00"), makers={}, enrol=True)


def test_a_name_that_is_somebody_already_is_not_guessed(tmp_path: Path) -> None:
    tasks = [{"id": 1, "data": {"t": "x"}, "annotations": [{"id": 1, "lead_time": 1, "created_at": "2026-11-02",
              "completed_by": {"first_name": "Ada"}}]}]  # fmt: skip
    path = tmp_path / "e.json"
    path.write_text(json.dumps(tasks))
    with shop(tmp_path) as book, pytest.raises(UnknownMakerError, match="ada is somebody already"):
        bring(book, "label-studio", path, makers={}, enrol=True)


def test_a_maker_named_in_the_map_is_not_enrolled_by_a_slip(tmp_path: Path) -> None:
    with shop(tmp_path) as book:
        with pytest.raises(UnknownMakerError, match="adda is not enrolled"):
            bring(book, "prodigy", makers={"*": "adda"})
        assert bring(book, "prodigy", makers={"*": "adda"}, enrol=True, dry_run=True).new_makers == ("adda",)


def test_a_machine_does_no_labour(tmp_path: Path) -> None:
    """The book's own rules hold, the place is named, and a dry run says the same."""
    with new_book(tmp_path, "enrol maker=ada form=machine\nenrol maker=bo") as book:
        before = book.log.size
        for dry_run in (True, False):
            with pytest.raises(GongfenError, match=r"prodigy.jsonl, line 1: ada is a machine"):
                bring(book, "prodigy", dry_run=dry_run)
        assert book.log.size == before


def test_works_that_are_declared_need_a_licence(tmp_path: Path) -> None:
    with shop(tmp_path) as book:
        with pytest.raises(UnknownWorkError, match=r"toggl/.*has no licence.*--work"):
            bring(book, "toggl", licence=None)
        bring(book, "label-studio", work="poem-1")
        bring(book, "toggl", licence=None, work="poem-1")
        assert {body.work for body in labour(book)} == {"poem-1"}


def test_a_closed_period_takes_no_labour(tmp_path: Path) -> None:
    with shop(tmp_path) as book:
        book.record(k.Enrol(maker="cy"))
        size = book.log.size
        close = k.Close(close="close-1", period="2026-11", size=size, root=book.log.tree.root(size).hex(), given_uslh=0,
                        outputs_uslh=0, stocks_uslh=0, losses_uslh=0)  # fmt: skip
        book.record(book.log.new(close, at="2026-12-01T00:00:00.000000Z"))
        for dry_run in (True, False):
            with pytest.raises(GongfenError, match=r"toggl.csv, row 2: .*is closed"):
                bring(book, "toggl", dry_run=dry_run)
            with pytest.raises(GongfenError, match=r"mlflow.json, run c0ffee.*1: .*is closed"):
                bring(book, "mlflow", dry_run=dry_run)


# -- what is doubtful --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "due", "recorded"),
    [
        (["ada P 2026-11-02 09:00 -"], [("running", 0)], []),
        (["ada P 2026-11-02 11:00 09:00"], [("negative", 0)], []),
        (["ada P 2026-11-02 09:00 10:00 -01:00:00"], [("negative", 0)], []),
        (["ada P 2026-11-02 09:00 10:00 02:00:00"], [("disagreement", 1 * H)], [1 * H]),
        (["ada P 2026-11-02 09:00 10:00 00:50:00"], [], [50 * MIN]),
        (["ada P 2026-11-02 09:00 - 25:00:00"], [("beyond_a_day", 25 * H)], []),
        (["ada P 2026-11-02 09:00 - 20:00:00", "ada Q 2026-11-02 10:00 - 05:00:00"], [("full_day", 5 * H)], [20 * H]),
        (["ada P 2026-11-02 09:00 10:00", "ada P 2026-11-02 09:00 10:00"], [("overlap", 1 * H)], [1 * H]),
    ],
)
def test_doubtful_time_is_named_and_never_more_than_is_sure(
    tmp_path: Path, rows: list[str], due: list[tuple[str, int]], recorded: list[int]
) -> None:
    with shop(tmp_path) as book:
        dry = bring(book, "toggl", toggl(tmp_path, *rows), dry_run=True)
        found = bring(book, "toggl", toggl(tmp_path, *rows))
        assert reasons(found) == reasons(dry) == due
        assert [body.labour_us for body in labour(book)] == recorded


def test_a_day_that_the_book_has_filled_takes_no_more(tmp_path: Path) -> None:
    with shop(tmp_path) as book:
        bring(book, "timedot", _file(tmp_path, "a.timedot", "2026-11-02\na  20h\n"))
        found = bring(book, "timedot", _file(tmp_path, "b.timedot", "2026-11-02\nb  4h\nc  1m\n"))
        assert (reasons(found), times(book)[-1]) == ([("full_day", 1 * MIN)], ("ada", "2026-11-02", 4 * H))


@pytest.mark.parametrize(
    ("line", "due", "recorded"),
    [
        ("poems:x 30h", [("beyond_a_day", 30 * H)], []),
        ("poems:x  30h", [("beyond_a_day", 30 * H)], []),
        ("poems:x 90m", [], [("timedot/poems/x", 90 * MIN)]),
        ("poems:x .... ..", [], [("timedot/poems/x", 90 * MIN)]),
        ("poems of 2025", [("no_duration", 0)], []),
        ("poems:x", [("no_duration", 0)], []),
    ],
)
def test_a_time_after_one_space_is_read_where_it_can_be_nothing_else(
    tmp_path: Path, line: str, due: list[tuple[str, int]], recorded: list[tuple[str, int]]
) -> None:
    with shop(tmp_path) as book:
        found = bring(book, "timedot", _file(tmp_path, "a.timedot", f"2026-11-02\n{line}\n"))
        assert (reasons(found), [(body.work, body.labour_us) for body in labour(book)]) == (due, recorded)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"lead_time": -3.5}, "negative"), ({"created_at": None}, "no_day"), ({"completed_by": None}, "nobody"),
        ({"lead_time": 90_000}, "idle"), ({"id": 1002}, "repeated"),
    ],
)  # fmt: skip
def test_doubtful_annotations_are_named(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    tasks = json.loads((FIXTURES / "label_studio.json").read_text())[:1]
    tasks[0]["annotations"][0] |= change
    with shop(tmp_path) as book:
        found = bring(book, "label-studio", _file(tmp_path, "e.json", json.dumps(tasks)))
        assert [doubt.reason for doubt in found.doubts] == [reason]
        assert len(labour(book)) == (2 if reason == "idle" else 1)


# -- what cannot be read -----------------------------------------------------------------------------------------------


def _file(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


SHEET = "Email,Project,Start date,Start time,End date,End time,Duration\n"
BAD: list[tuple[str, str | bytes, str]] = [
    ("label-studio", "[{", r"export, is|export is not JSON|is not JSON"),
    ("label-studio", '{"a": 1}', r"export has another shape: .*JSON-MIN"),
    ("label-studio", '[{"id": 1, "text": "x", "lead_time": 4}]', r"missing required field `annotations`.*JSON-MIN"),
    ("label-studio", '[{"annotations": [{"lead_time": "soon"}]}]', r"\$\[0\]\.annotations\[0\]\.lead_time"),
    ("label-studio", '[{"annotations": [{"lead_time": 1e400, "created_at": "2026-11-02"}]}]', "impossible amount"),
    ("label-studio", '[{"annotations": [{"created_at": "yesterday"}]}]', "has no time in 'yesterday'"),
    ("label-studio", '[{"annotations": [{"created_at": "9999-12-31T23:59:59-12:00"}]}]', "has no time in '9999"),
    ("timeclock", "i 9999-12-31 23:00 a\n", "has no such time"),
    ("label-studio", b'[{"annotations": [{"completed_by": "\xff"}]}]', "is not JSON"),
    ("label-studio", '[{"annotations": [], "data": ' + "[" * 100_000 + "]" * 100_000 + "}]", "is not JSON"),
    ("argilla", '{"rating.responses": [[5]]}', "is not a list of records"),
    ("argilla", '[{"id": "r", "q.responses": [1], "q.responses.users": "ada"}]', "record 1 has another shape"),
    ("prodigy", '{"text": "a", "_timestamp": 1}\n{"text": ', "line 2 is not JSON"),
    ("prodigy", '{"text": "a", "_timestamp": "noon"}', "line 1 has another shape"),
    ("toggl", "", "row 1, is empty"),
    ("toggl", "Name,When\na,b\n", "has no column user or email or member"),
    (
        "toggl",
        SHEET + "ada,P,02.13.2026,09:00,,,01:00:00\nada,P,13.02.2026,09:00,,,01:00:00",
        "writes dates in two ways",
    ),
    ("toggl", SHEET + "ada,P,01/02/2026,09:00,,,01:00:00", r"leaves open whether 01/02.*--dates"),
    ("toggl", SHEET + "ada,P,2026-13-02,09:00,,,01:00:00", "row 2.* has no such day as '2026-13-02'"),
    ("toggl", SHEET + "ada,P,2026-11-02,25:00,,,01:00:00", "row 2.* has no time in '25:00'"),
    ("toggl", SHEET + "ada,P,2026-11-02,09:00,,,long", "row 2.* has no duration in 'long'"),
    ("toggl", SHEET + "ada,P,2026-11-02,09:00,,,NaN", "row 2.* has no duration in 'NaN'"),
    ("toggl", SHEET + "ada,P,2026-11-02,09:00,,,01:00:00,surplus", "8 cells for 7 columns"),
    ("toggl", SHEET + 'ada,"P,2026-11-02', "row 2, is not CSV"),
    ("toggl", SHEET.encode() + b"ada,\xff,2026-11-02,09:00,,,1:00:00", "is not UTF-8: byte 0xff"),
    ("toggl", SHEET + "ada,\0,2026-11-02,09:00,,,1:00:00", "holds a zero byte"),
    ("kimai", "Datum;Von;Bis;Dauer\n2026-11-02;1;2;3\n", "has no column username or"),
    ("timedot", "poems  ....\n", "line 1, stands before the first day"),
    ("timedot", "2026-02-30\n", "line 1, has no such day"),
    ("timedot", "11/02\npoems  ..\n", "names the day '11/02' without its year"),
    ("timedot", "2026-11-02\npoems  12 monkeys!\n", "line 2, has no quantity in '12 monkeys!'"),
    ("timeclock", "x 2026-11-02 09:00 a\n", "line 1, is no line of a timeclock"),
    ("timeclock", "o 2026-11-02 09:00\n", "clocks out of what was not clocked in"),
    ("timeclock", "i 2026-11-02 29:00 a\n", "line 1, has no such time"),
    (
        "codecarbon",
        "timestamp,project_name,run_id,duration,energy_consumed\n,p,r,soon,1\n",
        "row 2, has no number in 'soon'",
    ),
    ("codecarbon", "a,b\n1,2\n", "has no column duration"),
    ("mlflow", '{"runs": [{"info": {"start_time": 1, "end_time": 2}}]}', "run 1 has no run_id"),
    ("mlflow", '{"experiments": []}', "missing required field `runs`"),
    ("mlflow", '[{"info": {"run_id": "r", "start_time": "noon", "end_time": 2}}]', "has no time in 'noon'"),
]


@pytest.mark.parametrize(("tool", "text", "due"), BAD, ids=[f"{tool}: {due[:30]}" for tool, _, due in BAD])
def test_a_bad_file_is_named_with_its_row_and_nothing_is_written(
    tmp_path: Path, tool: str, text: str | bytes, due: str
) -> None:
    with shop(tmp_path) as book:
        before = book.log.size
        with pytest.raises(ToolExportError, match=due) as refused:
            bring(book, tool, _file(tmp_path, "export", text))
        assert refused.value.remedy
        assert book.log.size == before


@pytest.mark.parametrize("tool", READERS)
def test_a_file_that_is_not_there_is_named(tmp_path: Path, tool: str) -> None:
    with shop(tmp_path) as book, pytest.raises(ToolExportError, match="is not a"):
        bring(book, tool, tmp_path / "nothing")


@pytest.mark.parametrize("tool", SOURCES)
def test_an_export_that_is_cut_off_anywhere_never_shows_a_traceback(tmp_path: Path, tool: str) -> None:
    """Every prefix of a fixture is read, or refused in three parts."""
    data = (FIXTURES / SOURCES[tool][0]).read_bytes()
    with shop(tmp_path) as book:
        for end in range(0, len(data), max(len(data) // 40, 1)):
            with suppress(GongfenError):
                found = bring(book, tool, _file(tmp_path, "export", data[:end]), dry_run=True)
                assert isinstance(found, Imported)


# -- the command line --------------------------------------------------------------------------------------------------


def command(folder: Path, *words: str, **environment: str) -> Any:
    return gongfen_(folder, "import", *words, GONGFEN_BOOK=str(folder / "book.db"), **environment)


def test_one_command_a_source(tmp_path: Path) -> None:
    shop(tmp_path).close()
    export = str(FIXTURES / "label_studio.json")
    dry = command(tmp_path, "label-studio", export, "--dry-run")
    assert dry.returncode == 0
    assert "10, bo@example.org, 11" in dry.stdout.replace("\n", " ")
    assert "--map '10=MAKER'" in dry.stdout
    names = _file(tmp_path, "makers.txt", "# who is who\n10 = ada\nbo@example.org = bo\n")
    found = command(tmp_path, "label-studio", export, "--map", str(names), "--map", "11=bo", "--licence", "CC0-1.0")
    assert "new facts: 6 (labour 4, work 2)" in found.stdout, found.stderr
    again = command(tmp_path, "label-studio", export, "--map", str(names), "--map", "11=bo", "--json")
    assert (json.loads(again.stdout)["facts"], json.loads(again.stdout)["there"]) == (0, 4)


def test_the_answer_is_said_in_chinese_too(tmp_path: Path) -> None:
    shop(tmp_path).close()
    found = command(tmp_path, "toggl", str(FIXTURES / "toggl.csv"), "--map", "*=ada", "--kind", "6", "--licence", "X",
                    "--dry-run", GONGFEN_LANG="zh")  # fmt: skip
    for said in ("试运行", "新事实", "已有", "存疑", "劳动者", "实测", "重叠"):
        assert said in found.stdout, said


def test_texts_are_still_brought_in_by_their_name(tmp_path: Path) -> None:
    shop(tmp_path).close()
    (tmp_path / "toggle").mkdir()
    (tmp_path / "toggle" / "a.txt").write_text(" ".join(f"word{n}" for n in range(50)))
    for words in (("toggle", "--maker", "ada"), ("--maker", "ada", "toggle"), ("corpus", "toggle", "--maker", "ada")):
        found = command(tmp_path, *words, "--licence", "CC0-1.0", "--dry-run")
        assert "1 passages of 1 documents by 1 makers" in found.stdout, found.stderr


def test_a_tool_that_is_none_is_told_which_there_are(tmp_path: Path) -> None:
    shop(tmp_path).close()
    found = command(tmp_path, "nosuchtool", "x.csv")
    assert found.returncode == 2
    assert "nosuchtool is no tool whose exports can be read" in found.stderr
    assert all(f"{tool}, " in found.stderr or f"{tool};" in found.stderr for tool in (*SOURCES, "git"))


@pytest.mark.parametrize(
    ("words", "due"),
    [
        (("--map", "nobody"), "is neither USER=MAKER nor a file"),
        (("--map", "=ada"), "does not say who a user is"),
        (("--map", "a=ada", "--map", "a=bo"), "says that a is bo, and before ada"),
        (("--zone", "Mars/Olympus"), "is no time zone"),
        (("--zone", "../etc"), "is no time zone"),
    ],
)
def test_what_is_said_wrongly_is_named(tmp_path: Path, words: tuple[str, ...], due: str) -> None:
    shop(tmp_path).close()
    found = command(tmp_path, "toggl", str(FIXTURES / "toggl.csv"), "--kind", "6", *words)
    assert due in found.stderr
    assert (found.returncode, "nothing was written" in found.stderr) == (2, True)


def test_an_unknown_kind_of_labour_is_refused(tmp_path: Path) -> None:
    shop(tmp_path).close()
    assert command(tmp_path, "toggl", str(FIXTURES / "toggl.csv"), "--kind", "9").returncode == 2
    with shop(tmp_path / "..") as book, pytest.raises(InputError):
        bring(book, "toggl", kind=None)


def test_a_large_export_takes_a_few_times_its_size(tmp_path: Path) -> None:
    """Results, which take most of an export, are never held: 20 MB are read in less than 60."""
    import tracemalloc

    result = json.dumps([{"value": {"x": n / 7, "labels": ["a"]}, "id": str(n)} for n in range(400)])
    with (tmp_path / "large.json").open("w") as file:
        file.write("[")
        for n in range(1_000):
            note = f'{{"id": {n}, "completed_by": 10, "lead_time": 1.5, "created_at": "2026-11-02T09:00:00Z", "result": {result}}}'
            file.write(f'{"," if n else ""}{{"id": {n}, "data": {{"text": "{n}"}}, "annotations": [{note}]}}')
        file.write("]")
    size = (tmp_path / "large.json").stat().st_size
    assert size > 20_000_000
    from gongfen.studio.importers.export import How

    tracemalloc.start()
    export = READERS["label-studio"](tmp_path / "large.json", How())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(export.entries) == 1_000
    assert peak < 3 * size
    assert S


@pytest.mark.parametrize("tool", ["label-studio", "toggl", "codecarbon"])
def test_a_book_on_a_server_takes_the_same(schema: str, tool: str) -> None:
    with gongfen.create(schema, origin="example.org/book", by="test") as book:
        book.record(k.Enrol(maker="ada"), k.Enrol(maker="bo"))
        dry = bring(book, tool, dry_run=True)
        assert book.log.size == 2
        found = bring(book, tool)
        assert (dry.facts, dry.doubts) == (found.facts, found.doubts)
        assert bring(book, tool).facts == 0
