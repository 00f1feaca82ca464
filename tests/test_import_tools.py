"""Each tool's export, golden: whose labour, how long, of which quality, on what; and which machine ran how long."""

import json
import os
import subprocess
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from msgspec import UNSET
from rich.console import Console

from gongfen.book.clock import today
from gongfen.cli.imported import drawn
from gongfen.errors import InputError, ToolExportError, UnknownMakerError
from gongfen.facts import kinds as k
from gongfen.reports.words import Words
from tests.books import new_book
from tests.imports import FIXTURES, MIN, SOURCES, H, S, bring, compute, labour, reasons, shop
from tests.test_worked_example import STANDARD


def said(bodies: list[Any]) -> list[tuple[Any, ...]]:
    return [(b.maker, b.work, b.day, b.labour_us, b.quality) for b in bodies]


# -- where people annotate ---------------------------------------------------------------------------------------------


def test_label_studio(tmp_path: Path) -> None:
    """lead_time to the microsecond; above half an hour is idle; cancelled is labour thrown away; null is unmeasured."""
    with shop(tmp_path) as book:
        found = bring(book, "label-studio")
        assert said(labour(book)) == [
            ("ada", "label-studio/83/1", "2026-11-02", 4_288_000, "measured"),
            ("bo", "label-studio/83/1", "2026-11-02", 12_345_000, "measured"),
            ("ada", "label-studio/83/2", "2026-11-02", 30 * MIN, "clipped"),
            ("bo", "label-studio/83/2", "2026-11-03", None, "unmeasured"),
        ]
        assert [body.discarded for body in labour(book)] == [UNSET, True, UNSET, UNSET]
        assert {body.labour_kind for body in labour(book)} == {2}
        assert labour(book)[0].evidence == "Label Studio annotation 1001, 2026-11-02T09:16:08.728353Z"
        assert reasons(found) == [("idle", 7_201_500_000 - 30 * MIN)]
        assert found.makers["bo"].discarded_us == 12_345_000
        work = book.log.state.works.get("label-studio/83/1")
        assert work is not None
        assert work.sha256 == sha256(b"Night falls over the river.").hexdigest(), "the hash of the task's text"
        given, held = book.balance()
        assert given == held


def test_what_is_thrown_away_is_lost_and_not_in_the_work(tmp_path: Path) -> None:
    with shop(tmp_path) as book:
        bring(book, "label-studio")
        stock = book.log.state.stocks.get("label-studio/83/1")
        assert stock is not None
        assert stock.remaining == 4_288_000 // 3_600, "of ada's 4.288 s alone"


def test_label_studio_days_are_those_of_the_zone(tmp_path: Path) -> None:
    with shop(tmp_path) as book:
        bring(book, "label-studio", how={"zone": ZoneInfo("Asia/Shanghai")})
        assert [body.day for body in labour(book)] == ["2026-11-02", "2026-11-02", "2026-11-03", "2026-11-03"]


def test_annotated_items_can_be_works_of_the_book(tmp_path: Path) -> None:
    """A field of the item names the work: the labour goes into it, and nothing is declared."""
    tasks = [{"id": 1, "data": {"text": "x", "work": "poem-1"}, "annotations": [
        {"id": 1, "completed_by": 10, "lead_time": 2, "created_at": "2026-11-02T09:00:00Z"}]}]  # fmt: skip
    path = tmp_path / "export.json"
    path.write_text(json.dumps(tasks))
    with shop(tmp_path) as book:
        bring(book, "label-studio", work="poem-1")  # declared by its name
        before = book.log.size
        found = bring(book, "label-studio", path, how={"work_field": "work"}, licence=None)
        assert (found.facts, book.log.size - before, labour(book)[-1].work) == (1, 1, "poem-1")


@pytest.mark.parametrize("name", ["argilla.json", "argilla_nested.json"])
def test_argilla(tmp_path: Path, name: str) -> None:
    """A user's answers to a record are one piece of labour, which nobody timed; a draft is none yet."""
    with shop(tmp_path) as book:
        found = bring(book, "argilla", FIXTURES / name)
        assert said(labour(book)) == [
            ("ada", "argilla/r-1", "2026-11-02", None, "unmeasured"),
            ("bo", "argilla/r-1", "2026-11-02", None, "unmeasured"),
        ]
        if name == "argilla.json":
            assert reasons(found) == [("draft", 0)]
            assert [body.discarded for body in labour(book)] == [UNSET, True]


def test_argilla_imputes_when_it_is_told_to_and_says_so(tmp_path: Path) -> None:
    with shop(tmp_path) as book:
        found = bring(book, "argilla", how={"impute_us": 45 * S})
        assert {(body.labour_us, body.quality) for body in labour(book)} == {(45 * S, "imputed")}
        assert (found.makers["ada"].imputed_us, found.makers["ada"].unmeasured) == (45 * S, 0)


def test_argilla_needs_a_day(tmp_path: Path) -> None:
    with shop(tmp_path) as book, pytest.raises(ToolExportError, match=r"record 1, r-1 names no day.*--day"):
        bring(book, "argilla", how={"day": None})


def test_prodigy(tmp_path: Path) -> None:
    """From answer to answer of a session; the first has no beginning; a gap above the cap is cut; ignored is thrown away."""
    with shop(tmp_path) as book:
        found = bring(book, "prodigy")
        assert [(b.maker, b.work, b.labour_us, b.quality, b.discarded) for b in labour(book)] == [
            ("ada", "prodigy/-91551573", None, "unmeasured", UNSET),
            ("bo", "prodigy/-91551573", None, "unmeasured", UNSET),
            ("ada", "prodigy/-91551574", 12 * S, "measured", UNSET),
            ("bo", "prodigy/-91551574", 1 * S, "measured", UNSET),
            ("ada", "prodigy/-91551575", 8 * S, "measured", True),
            ("ada", "prodigy/-91551576", 30 * MIN, "clipped", UNSET),
        ]
        assert reasons(found) == [("idle", 90 * MIN)]
        assert {body.day for body in labour(book)} == {"2026-11-02"}


def test_prodigy_imputes_the_first_of_a_session(tmp_path: Path) -> None:
    with shop(tmp_path) as book:
        bring(book, "prodigy", how={"impute_us": 5 * S, "cap_us": 10 * S})
        assert sorted((b.labour_us, b.quality) for b in labour(book, "ada")) == [
            (5 * S, "imputed"), (8 * S, "measured"), (10 * S, "clipped"), (10 * S, "clipped"),
        ]  # fmt: skip


# -- where people keep time --------------------------------------------------------------------------------------------


def test_toggl(tmp_path: Path) -> None:
    """What overlaps counts once; a night's work is of two days."""
    with shop(tmp_path) as book:
        found = bring(book, "toggl")
        assert said(labour(book)) == [
            ("ada", "toggl/Museum/Poems/Editing", "2026-11-02", 90 * MIN, "measured"),
            ("ada", "toggl/Museum/Poems", "2026-11-02", 30 * MIN, "measured"),
            ("bo", "toggl/Site", "2026-11-02", 30 * MIN, "measured"),
            ("bo", "toggl/Site", "2026-11-03", 45 * MIN, "measured"),
        ]
        assert [(d.place, d.reason, d.detail, d.cut_us, d.recorded) for d in found.doubts] == [
            ("toggl.csv, row 3", "overlap", "ada", 30 * MIN, True)
        ]
        for body in labour(book):
            assert "@example.org" not in body.evidence, "an address does not belong into a log that forgets nothing"


def test_toggl_times_are_of_the_zone_that_is_said(tmp_path: Path) -> None:
    with shop(tmp_path) as book:
        bring(book, "toggl", how={"zone": ZoneInfo("Asia/Shanghai")})
        assert labour(book)[0].evidence == "Toggl Track 2026-11-02 09:00:00; 2026-11-02T01:00:00Z/2026-11-02T02:30:00Z"
        assert [body.day for body in labour(book, "bo")] == ["2026-11-02", "2026-11-03"]


def test_clockify(tmp_path: Path) -> None:
    """Twelve hours and AM, PM; the month first, as 11/22 shows."""
    with shop(tmp_path) as book:
        assert not bring(book, "clockify").doubts
        assert said(labour(book)) == [
            ("bo", "clockify/Site/Release", "2026-11-05", 195 * MIN, "measured"),
            ("ada", "clockify/Museum/Poems", "2026-11-22", 77 * MIN, "measured"),
        ]


def test_kimai(tmp_path: Path) -> None:
    """Seconds; a pause that Kimai took out stays out; a shift that ends after midnight."""
    with shop(tmp_path) as book:
        assert not bring(book, "kimai").doubts
        assert said(labour(book)) == [
            ("ada", "kimai/Museum/Poems/Testing", "2026-11-04", 7_260 * S, "measured"),
            ("ada", "kimai/Museum/Poems/Editing", "2026-11-04", 1_800 * S, "measured"),
            ("bo", "kimai/Museum/Site/Nights", "2026-11-04", 2 * H, "measured"),
            ("bo", "kimai/Museum/Site/Nights", "2026-11-05", 1 * H, "measured"),
        ]


def test_timedot(tmp_path: Path) -> None:
    """A dot or a letter is a quarter of an hour; the same account twice a day is twice."""
    with shop(tmp_path) as book:
        found = bring(book, "timedot")
        assert said(labour(book)) == [
            ("ada", "timedot/museum/poems", "2026-11-02", 90 * MIN, "measured"),
            ("ada", "timedot/museum/poems", "2026-11-02", 60 * MIN, "measured"),
            ("ada", "timedot/site/nights", "2026-11-02", 45 * MIN, "measured"),
            ("ada", "timedot/admin", "2026-11-02", 90 * MIN, "measured"),
            ("ada", "timedot/museum/poems", "2026-11-03", 90 * MIN, "measured"),
        ]
        assert [(d.place, d.reason, d.detail) for d in found.doubts] == [
            ("log.timedot, line 13", "no_duration", "meeting")
        ]


def test_timeclock(tmp_path: Path) -> None:
    with shop(tmp_path) as book:
        found = bring(book, "timeclock")
        assert said(labour(book)) == [
            ("ada", "timeclock/museum/poems", "2026-11-02", 80 * MIN, "measured"),
            ("ada", "timeclock/site/nights", "2026-11-02", 90 * MIN, "measured"),
            ("ada", "timeclock/site/nights", "2026-11-03", 60 * MIN + 30 * S, "measured"),
        ]
        assert [(d.place, d.reason) for d in found.doubts] == [("log.timeclock, line 6", "running")]


# -- evidence, and machines --------------------------------------------------------------------------------------------


def repository(folder: Path) -> Path:
    """A repository with three commits: one by ada, one by ada and bo, a merge."""
    home = folder / "poems"
    home.mkdir()
    identity = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org", "GIT_COMMITTER_NAME": "Ada",
                "GIT_COMMITTER_EMAIL": "ada@example.org", "GIT_CONFIG_GLOBAL": os.devnull}  # fmt: skip

    def git(*words: str, at: str = "2026-11-02T09:00:00Z") -> None:
        dates = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at}
        subprocess.run(
            ["git", "-C", str(home), *words], check=True, capture_output=True, env=os.environ | identity | dates
        )

    git("init", "-q", "-b", "main")
    (home / "poème.txt").write_text("one")
    (home / "two\nlines.txt").write_text("two")
    git("add", ".")
    git("commit", "-qm", "First")
    git("checkout", "-qb", "side")
    (home / "b.txt").write_text("b")
    git("add", ".")
    git("commit", "-qm", "Second\n\nCo-authored-by: Bo Li <bo@example.org>", at="2026-11-03T23:30:00+08:00")
    git("checkout", "-q", "main")
    git("merge", "-q", "--no-ff", "-m", "Merge", "side")
    return home


def test_git(tmp_path: Path) -> None:
    """Commits are evidence of labour, never a duration; co-authors too; merges are nobody's writing."""
    home = repository(tmp_path)
    with shop(tmp_path) as book:
        assert not bring(book, "git", home).doubts
        assert said(labour(book)) == [
            ("ada", "git/poems", "2026-11-03", None, "unmeasured"),
            ("bo", "git/poems", "2026-11-03", None, "unmeasured"),
            ("ada", "git/poems", "2026-11-02", None, "unmeasured"),
        ]
        first = labour(book)[2]
        assert first.evidence.startswith("git commit ")
        assert first.evidence.endswith("; files: 'poème.txt', 'two\\nlines.txt'")
        again = bring(book, "git", home)
        assert (again.facts, again.there) == (0, 3)


def _signed(home: Path) -> None:
    """One commit more, with a signature: whoever shows it would ask the repository's own program."""

    def git(*words: str, given: str = "") -> str:
        return subprocess.run(
            ["git", "-C", str(home), *words], check=True, capture_output=True, text=True, input=given
        ).stdout

    head = git("rev-parse", "HEAD").strip()
    tree = git("rev-parse", "HEAD^{tree}").strip()
    who = "Ada <ada@example.org> 1793610000 +0000"
    mark = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ==\n -----END PGP SIGNATURE-----"
    said = f"tree {tree}\nparent {head}\nauthor {who}\ncommitter {who}\n{mark}\n\nSigned\n"
    git("update-ref", "HEAD", git("hash-object", "-w", "-t", "commit", "--stdin", given=said).strip())


def test_git_starts_no_program_that_a_repository_names(tmp_path: Path) -> None:
    """A repository's own settings name programs: monitors, pagers, signature checkers. None of them is run."""
    home = repository(tmp_path)
    mark = tmp_path / "it-ran"
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {mark}\n")
    script.chmod(0o755)
    _signed(home)
    with (home / ".git" / "config").open("a") as config:
        config.write(
            f"[core]\n\tfsmonitor = {script}\n\tpager = {script}\n\tsshCommand = {script}\n\thooksPath = {tmp_path}\n"
            f"[log]\n\tshowSignature = true\n[gpg]\n\tprogram = {script}\n[diff]\n\texternal = {script}\n"
            f'[diff "x"]\n\ttextconv = {script}\n\tcommand = {script}\n[pager]\n\tlog = {script}\n[alias]\n\tlog = !{script}\n'
        )
    (home / ".gitattributes").write_text("* diff=x filter=x\n")
    with shop(tmp_path) as book:
        assert bring(book, "git", home, dry_run=True).kinds["labour"] == 4
    assert not mark.exists()


@pytest.mark.parametrize("made", ["missing", "file", "folder", "empty"])
def test_what_is_no_repository_is_named(tmp_path: Path, made: str) -> None:
    home = tmp_path / "elsewhere"
    if made == "file":
        home.write_text("x")
    elif made in ("folder", "empty"):
        home.mkdir()
        if made == "empty":
            subprocess.run(["git", "-C", str(home), "init", "-q"], check=True)
    with shop(tmp_path) as book, pytest.raises(ToolExportError, match="git"):
        bring(book, "git", home)


def test_a_run_of_codecarbon_without_energy_leaves_the_sum_a_lower_bound(tmp_path: Path) -> None:
    export = tmp_path / "emissions.csv"
    export.write_text("duration,energy_consumed,project_name,run_id\n60,0.213,poems,a\n60,,poems,b\n60,0.1,poems,c\n")
    with shop(tmp_path) as book:
        found = bring(book, "codecarbon", export)
    assert (found.energy_mwh, found.runs, found.energy_lacking) == (313_000, 3, 1)
    for lang, line in (
        ("en", "energy: ≥ 313 Wh, for 1 run of 3 does not say it"),
        ("zh-Hans", "能耗：≥ 313 Wh，3 次运行中有 1 次没有说明"),
    ):
        screen = Console(file=StringIO(), width=100)
        screen.print(drawn(found, Words(lang)))
        assert line in screen.file.getvalue()  # type: ignore[attr-defined]


def test_codecarbon(tmp_path: Path) -> None:
    """kWh as milliwatt-hours; two GPUs are two devices' time; a blank count is the machine's; a run counts once."""
    with shop(tmp_path) as book:
        found = bring(book, "codecarbon")
        first, second = compute(book)
        assert (first.device_us, first.energy_mwh) == (554_208_134, 64_695)
        assert first.device == "Intel(R)-Xeon(R)-Platinum-8380-CPU-@-2.30GHz"
        assert (second.device_us, second.energy_mwh) == (2 * 299_781_745, 33_888)
        assert second.device == "NVIDIA-A100-SXM4-40GB"
        assert {first.energy_quality, second.energy_quality} == {"estimated"}
        assert "PUE 1.2 in it" in second.method
        assert {first.day, second.day} == {"2026-11-02"}
        assert reasons(found) == [("repeated", 0)], "the row that was written on the way"
        assert found.energy_mwh == 64_695 + 33_888
        machine = book.log.state.makers.get("codecarbon")
        assert machine is not None
        assert machine.form == "machine"


@pytest.mark.parametrize("name", ["mlflow.json", "mlflow.csv", "mlruns"])
def test_mlflow(tmp_path: Path, name: str) -> None:
    """Milliseconds; a failed run ran too; a running one has not ended; who started it is evidence, if it is a maker."""
    path = FIXTURES / name
    if name == "mlruns":
        path = tmp_path / "mlruns"
        for run in json.loads((FIXTURES / "mlflow.json").read_text())["runs"]:
            home = path / "3" / run["info"]["run_id"]
            (home / "tags").mkdir(parents=True)
            info = run["info"] | {"status": {"FINISHED": 3, "FAILED": 4, "RUNNING": 1}[run["info"]["status"]]}
            (home / "meta.yaml").write_text("".join(f"{key}: {value}\n" for key, value in info.items()))
            for tag in run["data"].get("tags", []):
                (home / "tags" / tag["key"]).write_text(tag["value"])
    with shop(tmp_path) as book:
        found = bring(book, "mlflow", path, work=None, machine="rack-1", device="a100")
        first, second = compute(book)
        assert (first.device_us, first.machine, first.device) == (3_600_500_000, "rack-1", "a100")
        assert first.method.endswith("FINISHED; time from start_time to end_time; started by ada")
        assert second.device_us == 1 * S
        assert "stranger" not in second.method
        assert {first.day, second.day} == {"2026-11-02"}
        assert (first.energy_mwh, first.energy_quality) == (None, "unknown")
        assert reasons(found) == [("running", 0)]
        other = "mlflow.csv" if name == "mlflow.json" else "mlflow.json"
        again = bring(book, "mlflow", FIXTURES / other, machine="rack-1", device="a100")
        assert (again.facts, again.there) == (0, 2), "the same runs, from wherever"


@pytest.mark.parametrize(
    ("tool", "name", "said", "zone", "day"),
    [
        ("mlflow", "run.json", '{"runs":[{"info":{"run_id":"a","start_time":1732060800000,"end_time":1732150800000}}]}',
         "UTC", "2024-11-20"),
        ("mlflow", "run.json", '{"runs":[{"info":{"run_id":"a","start_time":1732060800000,"end_time":1732150800000}}]}',
         "America/New_York", "2024-11-19"),
        ("codecarbon", "emissions.csv",
         "timestamp,project_name,run_id,duration,energy_consumed\n2024-12-01T00:10:00,p,a,1200,0.1\n", "UTC",
         "2024-11-30"),
        ("codecarbon", "emissions.csv", "timestamp,project_name,run_id,duration,energy_consumed\n,p,a,1200,0.1\n",
         "UTC", None),
    ],
    ids=["mlflow", "in another zone", "codecarbon writes at the end", "codecarbon without a time"],
)  # fmt: skip
def test_a_run_is_of_the_day_on_which_it_began(
    tmp_path: Path, tool: str, name: str, said: str, zone: str, day: str | None
) -> None:
    """Its labour counts in that month's c, and not in that of the import."""
    (tmp_path / name).write_text(said)
    with shop(tmp_path) as book:
        book.record(STANDARD)
        bring(book, tool, tmp_path / name, how={"zone": ZoneInfo(zone)}, device="gpu", work=None)
        (run,) = compute(book)
        now = today()[:7]
        assert run.day == (UNSET if day is None else day)
        found = {month: book.indicators(month).constant_uslh for month in ("2024-11", now)}
        where = now if day is None else "2024-11"
        assert found == {
            month: round(run.device_us * 40_000 / 3_600_000_000) if month == where else None for month in found
        }


def test_a_run_that_was_brought_in_without_a_day_is_the_same_run(tmp_path: Path) -> None:
    with shop(tmp_path) as older, new_book(tmp_path, "enrol maker=ada\nenrol maker=bo", "newer.db") as newer:
        ids = {fact.id for _, fact in older.log.facts()}
        bring(older, "codecarbon")
        for _, fact in older.log.facts():
            if isinstance(fact.body, k.Compute):
                without = msgspec.structs.replace(fact.body, day=UNSET)
                newer.record(msgspec.structs.replace(fact, body=without))
            elif fact.id not in ids:
                newer.record(fact)
        again = bring(newer, "codecarbon")
        assert (again.facts, again.there, reasons(again)) == (0, 2, [("repeated", 0)])


# -- what every import keeps -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", SOURCES)
def test_a_dry_run_is_the_run_and_twice_is_harmless(tmp_path: Path, tool: str) -> None:
    with shop(tmp_path) as book:
        before = book.log.size
        dry = bring(book, tool, dry_run=True)
        assert book.log.size == before
        wet = bring(book, tool)
        assert book.log.size == before + wet.facts > before
        same = ("facts", "kinds", "there", "makers", "works", "device_us", "energy_mwh", "doubts", "unknown")
        assert [getattr(dry, name) for name in same] == [getattr(wet, name) for name in same]
        again = bring(book, tool, licence=None)
        assert again.facts == 0
        assert again.there == sum(wet.kinds.get(kind, 0) for kind in ("labour", "compute")) - _later_days(book)
        assert book.log.size == before + wet.facts
        assert book.verify().size == book.log.size


def _later_days(book: Any) -> int:
    """Facts of an entry's second day: it is one entry all the same."""
    return sum("@" in fact.id for _, fact in book.log.facts())


@pytest.mark.parametrize("tool", ["label-studio", "argilla", "prodigy", "toggl", "clockify"])
def test_unknown_users_are_refused_and_a_dry_run_lists_them(tmp_path: Path, tool: str) -> None:
    with shop(tmp_path) as book:
        before = book.log.size
        with pytest.raises(UnknownMakerError, match="--map"):
            bring(book, tool, makers={})
        dry = bring(book, tool, makers={}, dry_run=True)
        assert (len(dry.unknown) >= 2, dry.makers, book.log.size) == (True, {}, before)


@pytest.mark.parametrize("tool", ["timedot", "timeclock"])
def test_a_file_that_names_nobody_needs_a_maker(tmp_path: Path, tool: str) -> None:
    with shop(tmp_path) as book, pytest.raises(ToolExportError, match=r"names nobody.*--maker"):
        bring(book, tool, maker=None)


@pytest.mark.parametrize("tool", ["toggl", "timedot"])
def test_kept_time_does_not_say_which_labour_it_is(tmp_path: Path, tool: str) -> None:
    with shop(tmp_path) as book, pytest.raises(InputError, match="--kind: 1 knowledge"):
        bring(book, tool, kind=None)
