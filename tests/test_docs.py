"""The documentation is run, complete, current, and its links lead somewhere.

How a page is run, in a fresh folder, from top to bottom:

- A ``console`` block holds commands after ``$ `` (their further lines after ``> ``) and what they print. In what is
  printed ``…`` stands for anything within a line, and a line of its own for any number of lines. A command succeeds,
  unless what it prints ends with the name of an error: then it exits with 2. ``> file`` takes what it answers, not
  what it says beside.
- A ``python`` block is executed; one that begins with ``>>>`` is a doctest.
- ``<!-- not run: REASON -->`` above a block leaves it out. ``<!-- after: PAGE -->`` begins a page where another ended.
"""

import doctest
import importlib.util
import inspect
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
import typer

import gongfen
from gongfen import accounts, errors
from gongfen.cli.main import app, run
from gongfen.facts import KINDS, Fact, checked
from gongfen.facts.notation import read_words

HOME = Path(__file__).parents[1]
DOCS = HOME / "docs"
PAGES = sorted(
    [
        *(path for path in DOCS.rglob("*.md") if "_build" not in path.parts),
        HOME / "CONTRIBUTING.md",
        HOME / "CHANGELOG.md",
        HOME / "benchmarks" / "README.md",
    ]
)
FENCE = re.compile(r"(?:^<!-- (not run: [^\n]+) -->\n)?^```([a-z]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MISTAKE = re.compile(r"  \w+Error(; nothing was written)?")
SHELL = re.compile(r"[|<;&$`\n]")
ENVIRONMENT = {
    "COLUMNS": "100",
    "LANG": "C.UTF-8",
    "GONGFEN_BY": "reed",
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
}


def name_of(path: Path) -> str:
    return path.relative_to(HOME).as_posix()


# -- running a page ----------------------------------------------------------------------------------------------------


class Block(NamedTuple):
    left_out: str
    language: str
    text: str


class Step(NamedTuple):
    command: str
    shown: list[str]


def blocks(page: str) -> list[Block]:
    return [Block(*found) for found in FENCE.findall(page)]


def steps(text: str) -> list[Step]:
    found: list[Step] = []
    saying = False
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(Step(line[2:], []))
            saying = True
        elif saying and line.startswith(">"):
            last = found.pop()
            found.append(Step(f"{last.command}\n{line[2:]}", []))
        else:
            saying = False
            found[-1].shown.append(line)
    return found


class Session:
    """A reader who types a page into a shell, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("GONGFEN", "LC_"))}
        self.environment = clean | ENVIRONMENT
        self.names: dict[str, Any] = {"__name__": "docs"}

    def read(self, page: Path) -> None:
        for block in blocks(page.read_text(encoding="utf-8")):
            if block.left_out:
                continue
            if block.language == "console":
                for step in steps(block.text):
                    self.take(step)
            elif block.language == "python":
                self.python(block.text)

    def take(self, step: Step) -> None:
        text, code = self.command(step.command)
        fits = matches(step.shown, text.splitlines())
        assert fits, f"$ {step.command}\nthe page shows:\n" + "\n".join(step.shown) + f"\nit prints:\n{text}"
        mistake = bool(step.shown) and MISTAKE.fullmatch(step.shown[-1]) is not None
        assert code == (2 if mistake else 0), f"$ {step.command}\nexits with {code}:\n{text}"

    def command(self, command: str) -> tuple[str, int]:
        """What a command prints, and its exit code."""
        if found := re.fullmatch(r"export (\w+)=(.*)", command):
            self.environment[found[1]] = shlex.split(found[2])[0]
            return "", 0
        words, to, place = command.partition(" > ")
        if command.startswith("gongfen ") and not SHELL.search(command):
            text, beside, code = self.gongfen(shlex.split(words))
            if to:
                (self.folder / place).write_text(text)
            return (beside if to else text + beside), code
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.stdout, done.returncode

    def gongfen(self, words: list[str]) -> tuple[str, str, int]:
        """The command in this process: a start of Python for each would take most of the time."""
        said, beside = io.StringIO(), io.StringIO()
        code = 0
        with self.inside(), patch.object(sys, "argv", words), redirect_stdout(said), redirect_stderr(beside):
            try:
                run()
            except SystemExit as stop:
                code = stop.code if isinstance(stop.code, int) else 1
        return said.getvalue(), beside.getvalue(), code

    def python(self, text: str) -> None:
        with self.inside():
            if not text.startswith(">>>"):
                exec(compile(text, "docs", "exec"), self.names)  # noqa: S102 - the docs are ours
                return
            wanted = doctest.DocTestParser().get_doctest(text.replace("…", "..."), self.names, "docs", None, 0)
            wanted.globs = self.names
            said = io.StringIO()
            runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
            found = runner.run(wanted, out=said.write, clear_globs=False)
            assert not found.failed, said.getvalue()

    def inside(self) -> Any:
        return _Inside(self)


class _Inside:
    """In the session's folder, with its environment."""

    def __init__(self, session: Session) -> None:
        self.parts = (patch.dict(os.environ, session.environment, clear=True), chdir(session.folder))

    def __enter__(self) -> None:
        for part in self.parts:
            part.__enter__()

    def __exit__(self, *error: object) -> None:
        for part in reversed(self.parts):
            part.__exit__(*error)


def matches(shown: list[str], printed: list[str]) -> bool:
    """Whether what is printed is what the page shows, where ``…`` is anything."""
    lines = "\n".join(line.rstrip() for line in printed).rstrip("\n")
    parts = [
        "(?:.*\n)*?" if line.strip() == "…" else re.escape(line.rstrip()).replace("…", ".*") + "\n" for line in shown
    ]
    return re.fullmatch("".join(parts), f"{lines}\n" if lines else "") is not None


def begins_after(page: Path) -> Path | None:
    found = re.search(r"^<!-- after: (.+) -->$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return page.parent / found[1] if found else None


@pytest.fixture(scope="module")
def cooperative(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the tutorial leaves it."""
    folder = tmp_path_factory.mktemp("tutorial")
    Session(folder).read(DOCS / "tutorial.md")
    return folder


RUN = [page for page in PAGES if any(b.language in ("console", "python") for b in blocks(page.read_text("utf-8")))]


@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_what_a_page_shows_is_what_happens(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    folder = tmp_path / "reader"
    if (before := begins_after(page)) is not None:
        assert before.resolve() == DOCS / "tutorial.md", "a page begins where the tutorial ended, or afresh"
        shutil.copytree(request.getfixturevalue("cooperative"), folder)
    else:
        folder.mkdir()
    Session(folder).read(page)


def test_a_page_that_shows_something_else_fails(tmp_path: Path) -> None:
    good = "$ gongfen init example.org/x\ngongfen.db is a new book of example.org/x.\n…\n"
    for number, (old, new) in enumerate([("", ""), ("new book", "old book"), ("\n…", ""), ("…", "Keep …\n…\nno")]):
        session = Session(tmp_path / str(number))
        session.folder.mkdir()
        (step,) = steps(good.replace(old, new) if old else good)
        if not old:
            session.take(step)
        else:
            with pytest.raises(AssertionError, match="it prints"):
                session.take(step)


def test_a_mistake_must_be_shown_as_one_and_a_success_too(tmp_path: Path) -> None:
    session = Session(tmp_path)
    with pytest.raises(AssertionError, match="exits with 2"):
        session.take(Step("gongfen owed", ["…"]))
    session.take(Step("gongfen owed", ["…", "  BookPlaceError"]))
    with pytest.raises(AssertionError, match="exits with 0"):
        session.take(Step("echo '  BookPlaceError; nothing was written'", ["  BookPlaceError; nothing was written"]))


def test_python_that_fails_or_answers_otherwise_is_found(tmp_path: Path) -> None:
    session = Session(tmp_path)
    session.python("x = 1")
    session.python(">>> x\n1\n>>> 'abc'\n'a…'\n")
    with pytest.raises(AssertionError, match="Expected"):
        session.python(">>> x\n2\n")
    with pytest.raises(ZeroDivisionError):
        session.python("1 / 0")


def test_a_block_that_is_left_out_leaves_the_others_in() -> None:
    page = "<!-- not run: slow -->\n```console\n$ a\n```\n\ntext\n\n```python\nb\n```\n"
    assert blocks(page) == [Block("not run: slow", "console", "$ a\n"), Block("", "python", "b\n")]


def test_every_block_is_run_or_says_why_not() -> None:
    """Only these languages stand in the docs, so that no command hides from the tests."""
    known = {"console", "python", "text", "json", "toml", "sql"}
    for page in PAGES:
        for block in blocks(page.read_text("utf-8")):
            assert block.language in known, f"{name_of(page)}: a block in {block.language!r}"
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    assert text.count("\n```") == 2 * len(FENCE.findall(text)), "a fence is not closed, or has an unknown opening"


# -- current and complete ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["reference/cli.md", "reference/cli-zh.md", "reference/facts.md"])
@pytest.mark.parametrize("columns", ["20", "200"])
def test_generated_pages_are_current_at_any_width(
    generator: ModuleType, page: str, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("GONGFEN_BOOK", "elsewhere.db")
    assert page in generator.PAGES
    assert generator.current(page) == (DOCS / page).read_text("utf-8"), "run: python docs/generate.py"


def test_the_examples_of_every_kind_make_a_book(generator: ModuleType) -> None:
    assert set(generator.story()) == set(KINDS)
    given, held = accounts.conservation(list(generator.told_in_order())[-1][1])
    assert given == held > 0


def attempt(line: str, state: accounts.State) -> None:
    fact = Fact(id="broken", at="2026-11-22T04:17:24.000000Z", by="ada", body=read_words(line.split(" ")))
    checked(fact)
    accounts.book(state, fact, 999)


def test_every_rule_on_the_page_refuses_what_breaks_it(generator: ModuleType) -> None:
    state = list(generator.told_in_order())[-1][1]
    for rule in generator.RULES:
        assert rule.broken.startswith(f"{rule.kind} ")
        with pytest.raises(rule.error) as refused:
            attempt(rule.broken, state)
        assert type(refused.value) is rule.error, rule


def verbs() -> list[str]:
    group: Any = typer.main.get_command(app)
    inner = [f"{name} {sub}" for name, verb in group.commands.items() for sub in getattr(verb, "commands", {})]
    return sorted([*group.commands, *inner])


def error_classes() -> list[str]:
    return [
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.GongfenError) and kind is not errors.GongfenError
    ]


def headings(path: Path) -> list[str]:
    text = FENCE.sub("", path.read_text("utf-8"))
    return [found[1].strip() for found in re.finditer(r"^#+ (.+)$", text, re.MULTILINE)]


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        ("reference/cli.md", [f"`gongfen {verb}`" for verb in verbs()]),
        ("reference/cli-zh.md", [f"`gongfen {verb}`" for verb in verbs()]),
        ("reference/facts.md", [f"`{kind}`" for kind in KINDS]),
        ("reference/errors.md", [f"`{name}`" for name in error_classes()]),
        (
            "reference/python.md",
            [
                *(f"`gongfen.{name}`" for name in gongfen.__all__ if name[0].islower() and name != "kinds"),
                *(f"`Book.{name}`" for name in vars(gongfen.Book) if not name.startswith("_")),
            ],
        ),
    ],
)
def test_nothing_is_undocumented_and_nothing_documented_is_gone(page: str, wanted: list[str]) -> None:
    found = headings(DOCS / page)
    missing = [name for name in wanted if name not in found]
    assert not missing, f"{page} lacks {missing}"
    marked = [name for name in found if name.startswith("`") and name.split(".")[0].strip("`") != "log"]
    gone = [name for name in marked if name not in wanted and name != "`gongfen`"]
    assert not gone, f"{page} still has {gone}"


def test_every_argument_of_the_python_interface_is_named() -> None:
    text = (DOCS / "reference/python.md").read_text("utf-8")
    sections = dict(zip(*[iter(re.split(r"^### `([\w.]+)`$", text, flags=re.MULTILINE)[1:])] * 2, strict=True))
    verbs_of = {f"Book.{name}": verb for name, verb in vars(gongfen.Book).items() if not name.startswith("_")}
    for name, verb in {**verbs_of, "gongfen.open": gongfen.open, "gongfen.create": gongfen.create}.items():
        for argument in inspect.signature(verb).parameters:
            assert argument == "self" or argument in sections[name], f"{name}: {argument}"


def test_the_errors_that_show_themselves_are_the_ones_of_their_section() -> None:
    """Every section of the errors page shows its own error, and says that the exit code is 2 on the page."""
    text = (DOCS / "reference/errors.md").read_text("utf-8")
    sections = re.split(r"^## `(\w+)`$", text, flags=re.MULTILINE)
    assert "exits with 2" in sections[0]
    for name, section in zip(sections[1::2], sections[2::2], strict=True):
        shown = re.findall(r"^  (\w+Error)(?:; nothing was written)?$", section, re.MULTILINE)
        assert set(shown) == {name}, f"{name} shows {shown}"


def test_every_house_rule_of_the_books_is_in_the_chart() -> None:
    """Every account that the little book of the reference uses, and each invariant, stands in accounts.md."""
    text = (DOCS / "reference/accounts.md").read_text("utf-8")
    for number in range(1, 9):
        assert f"| I{number} |" in text
    for kind in KINDS:
        assert f"| `{kind}` |" in text, kind
    for test in re.findall(r"`(tests/test_\w+\.py)::(\w+)`", text):
        assert f"def {test[1]}(" in (HOME / test[0]).read_text("utf-8"), test


def test_every_account_that_is_used_is_in_the_chart(generator: ModuleType) -> None:
    text = (DOCS / "reference/accounts.md").read_text("utf-8")
    for one, _ in generator.told_in_order():
        for entry in one.entries:
            for posting in entry.postings:
                prefix = posting.account.split(":")[0]
                assert f"`{prefix}" in text, posting.account


# -- links -------------------------------------------------------------------------------------------------------------

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub and MyST make it."""
    kept = re.sub(r"[^\w\- ]", "", re.sub(r"`([^`]*)`", r"\1", heading).lower())
    return kept.replace(" ", "-")


def links(page: Path) -> Iterator[str]:
    text = re.sub(r"`[^`\n]*`", "", FENCE.sub("", page.read_text("utf-8")))
    yield from (found[1] for found in LINK.finditer(text))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_internal_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if re.match(r"https?://", link):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), f"{name_of(page)}: {link}"
        if anchor:
            assert anchor in map(slug, headings(target)), f"{name_of(page)}: {link}"


def test_every_page_is_in_a_table_of_contents() -> None:
    """So that a reader finds it; ADRs too."""
    listed: set[Path] = set()
    for page in PAGES:
        text = page.read_text("utf-8")
        for tree in re.findall(r"^:::\{toctree\}\n(.*?)^:::$", text, re.MULTILINE | re.DOTALL):
            for line in tree.splitlines():
                if line and not line.startswith(":"):
                    listed.add((page.parent / f"{line.strip()}.md").resolve())
    inside = {page for page in PAGES if page.is_relative_to(DOCS)}
    assert inside - listed == {DOCS / "index.md"}
    assert listed <= inside


def test_every_adr_has_its_four_parts_and_is_linked() -> None:
    index = "\n".join(page.read_text("utf-8") for page in PAGES if "adr" not in page.parts)
    for page in (DOCS / "adr").glob("*.md"):
        text = page.read_text("utf-8")
        assert page.name in index, f"{page.name} is not linked from any page"
        for part in ("## Context", "## Decision", "## Refused", "## Consequences"):
            assert f"\n{part}\n" in text, f"{page.name} lacks {part}"


def test_the_glossary_has_every_word_of_the_record() -> None:
    text = (DOCS / "glossary.md").read_text("utf-8")
    for word in ("fact", "work", "maker", "labour", "work point", "standard", "transfer", "influence", "origin", "rent",
                 "share", "settlement", "label", "receipt"):  # fmt: skip
        assert f"| {word} |" in text, word
    hints = gongfen.kinds.Labour.__annotations__
    for said in (*hints["phase"].__args__, *hints["standing"].__args__, *gongfen.kinds.LABOURS.values()):
        assert said in text, said


def test_no_page_names_this_machine() -> None:
    for page in PAGES:
        for found in re.findall(r"/(?:work|root|home|tmp)/\S*", page.read_text("utf-8")):
            pytest.fail(f"{name_of(page)} names {found}")
