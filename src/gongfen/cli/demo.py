"""``gongfen demo``: the whole way once, on real text — make, record, trace, value, share, label, prove."""

import json
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, Group

import gongfen
from gongfen.book.clock import today
from gongfen.book.proving.publishing import text_of
from gongfen.book.recording import people
from gongfen.cli.app import AsJson, app, progress, several_steps, words
from gongfen.cli.mistakes import told
from gongfen.errors import ProofError
from gongfen.facts import Body, body_of
from gongfen.facts import kinds as k
from gongfen.reports.bundle import unzipped, zipped
from gongfen.reports.text.replies import Running, left_out
from gongfen.reports.words import N_, Words
from gongfen.shares import period_target
from gongfen.trace.rank_interval import rank_interval_ppm

if TYPE_CHECKING:
    from gongfen.studio.recipes import Plan
    from gongfen.studio.workshop import Workshop

MODEL = "orator"


@dataclass
class Demo:
    """What the steps share."""

    book: gongfen.Book
    plan: "Plan"
    config: dict[str, Any]
    folder: Path
    cache: Path
    quick: bool
    console: Console
    speak: Words
    started: float = field(default_factory=time.monotonic)
    workshop: "Workshop | None" = None
    """The model, once it is open: three steps share it."""

    @property
    def outputs(self) -> list[str]:
        """The names of the demo's outputs."""
        return [f"{one['name']}/output" for one in self.config["outputs"]]

    @property
    def period(self) -> str:
        """The month of the first sale, else this one: a demo that was begun yesterday is finished as it was begun."""
        sold = next(self.book.log.state.sales.prefixed(f"{self.config['currency']}|"), None)
        return (sold[0].split("|")[1] if sold else today())[:7]

    def say(self, message: str, **values: object) -> None:
        """One line of what was done, in the reader's language."""
        self.show(self.speak.say(message, **values))

    def show(self, line: str) -> None:
        """A line as it is."""
        self.console.print(Group(Running(f"  {line}")))  # rich would make one plain text of what is not in a group

    def money(self, micro: int | None) -> str:
        """An amount in the demo's currency."""
        return self.speak.money(micro or 0, self.config["currency"])

    def new(self, fact_id: str, body: Body) -> None:
        """Record a fact of the demo's config, marked as sample data, unless it is there."""
        log = self.book.log
        if log.find(fact_id) is None:
            log.record([log.new(body, fact_id=fact_id, sample=True)])

    @contextmanager
    def watched(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """A progress bar, on a terminal."""
        with progress(self.speak.gettext(what)) as move:
            yield move


def bring_in(demo: Demo) -> None:
    """The works, their makers, the standard and the policy."""
    from gongfen.studio.corpus import read_sotu  # noqa: PLC0415 - loaded by the step that needs it

    log = demo.book.log
    if log.state.works.get("sotu/1790-Washington-1") is None:
        with demo.watched(N_("reading and comparing paragraphs")) as move:
            brought = demo.book.bring_in(read_sotu(), progress=move)
        number = demo.speak.number
        demo.say(
            "%(passages)s passages of %(documents)s speeches by %(makers)s makers",
            passages=number(brought.passages), documents=number(brought.documents), makers=number(brought.makers),
        )  # fmt: skip
        demo.say("left out: %(left)s", left=left_out(brought.left, demo.speak))
        demo.show(brought.attribution)
    config = demo.config
    for maker in config["makers"]:
        if log.state.makers.get(maker["maker"]) is None:
            salt, details, sealed = people.seal({"name": maker["name"]})
            log.store.put_person(maker["maker"], salt, details, waiting=True)
            demo.new(f"enrol:{maker['maker']}", k.Enrol(maker=maker["maker"], details_sha256=sealed))
    currency = {"currency": config["currency"]}
    demo.new("standard:demo", body_of("standard", {**config["standard"], **currency}))
    demo.new("skill:demo", body_of("skill", config["skill"]))
    demo.new("policy:demo", body_of("policy", {**config["policy"], **currency}))
    demo.say("%(facts)s; standard and policy published (sample data)", facts=demo.speak.facts(log.size))


def train(demo: Demo) -> None:
    """The model."""
    from gongfen.book import making  # noqa: PLC0415 - loads torch
    from gongfen.studio.workshop import Workshop  # noqa: PLC0415 - loads torch

    log, plan = demo.book.log, demo.plan
    if log.state.works.get(MODEL) is None:
        passages = making.choose(log, plan.per_maker, plan.setup.recipe.seed)
        making.impute_writing(log, passages, demo.config["words_per_hour"])
        data = making.gather(log, MODEL, passages)
        for place, labour in enumerate(demo.config["labour"]):
            fields = {"work": data, "day": today(), **labour}
            demo.new(f"labour:desk:{place}", body_of("labour", fields))
        with demo.watched(N_("preparing the base model")) as move:
            setup = plan.fitted(len(passages))
            demo.workshop = Workshop(setup, [passage.text for passage in passages], demo.cache, move)
        with demo.watched(N_("training")) as move:
            uses = demo.config["planned_uses"]
            found = making.train(log, MODEL, passages, setup, demo.cache, uses, move, demo.workshop, sample=True)
        number = demo.speak.number
        demo.say(
            "%(works)s works by %(makers)s makers, %(tokens)s tokens, %(steps)s steps",
            works=number(found.works), makers=number(found.makers), tokens=number(found.tokens),
            steps=number(found.steps),
        )  # fmt: skip
        first, last = (f"{unat / 1e6:.3f}" for unat in (found.first_loss_unat, found.last_loss_unat))
        demo.say("loss %(first)s → %(last)s nats a token", first=first, last=last)
    known = log.state.works.get(MODEL)
    demo.say("model %(model)s, sha256 %(sha256)s", model=MODEL, sha256=known.sha256 if known else "")


def generate(demo: Demo) -> None:
    """The outputs."""
    from gongfen.book import making  # noqa: PLC0415 - loads torch

    wanted = [one for one in demo.config["outputs"] if demo.book.log.state.works.get(f"{one['name']}/output") is None]
    if wanted:
        with demo.watched(N_("opening the model")):
            atelier = making.open_atelier(demo.book.log, MODEL, demo.cache, demo.workshop)
        demo.workshop = atelier.workshop
        prompts = [making.Prompt(one["name"], one["prompt"], one["by"], one["typed_us"], sample=True) for one in wanted]
        with demo.watched(N_("writing")) as move:
            making.generate(demo.book.log, atelier, prompts, demo.plan.length, demo.plan.setup.recipe.seed, move)
    for one in demo.config["outputs"]:
        text = text_of(demo.book.log, f"{one['name']}/output")
        demo.show(f"{one['name']}: {' '.join(text.split())[:150]}…")


def sell(demo: Demo) -> None:
    """Their sales."""
    for one in demo.config["outputs"]:
        output = f"{one['name']}/output"
        sale = k.Sale(
            sale=f"sale:{one['name']}",
            output=output,
            price_micro=one["price_micro"],
            currency=demo.config["currency"],
            day=today(),
        )
        demo.new(f"sale:{one['name']}", sale)
    total = sum(one["price_micro"] for one in demo.config["outputs"])
    demo.say(
        "%(outputs)s outputs sold for %(total)s together (sample prices)",
        outputs=len(demo.outputs),
        total=demo.money(total),
    )


def trace(demo: Demo) -> None:
    """Influence, and how good its measurement is."""
    from gongfen.book.making import open_atelier  # noqa: PLC0415 - loads torch
    from gongfen.book.tracing.outputs import trace_with  # noqa: PLC0415 - loads torch
    from gongfen.book.tracing.period import PeriodTrace  # noqa: PLC0415 - loads torch

    log = demo.book.log
    wanted = [output for output in demo.outputs if demo.book.who(output).grade is None]
    target = period_target(demo.period, demo.config["currency"])
    if wanted or not log.about(target):
        with demo.watched(N_("opening the model")):
            atelier = open_atelier(log, MODEL, demo.cache, demo.workshop)
        if wanted:
            with demo.watched(N_("display grade: gradients of every work")) as move:
                trace_with(log, atelier, wanted, move)
        period = PeriodTrace(log, atelier, demo.period, demo.config["currency"])
        with demo.watched(N_("settlement grade: back through the training run")) as move:
            period.measure(move)
        with demo.watched(N_("checking by honest retraining")) as move:
            period.validate(demo.plan.retrainings, move)
        period.keep()
    for output in demo.outputs[:2]:
        answer = demo.book.who(output)
        first = answer.strongest[0]
        demo.say(
            "%(output)s: strongest is %(work)s by %(makers)s, %(part)s of the positive influence",
            output=output, work=first.work, makers=demo.speak.gettext(", ").join(first.makers),
            part=demo.speak.percent(first.share_ppm),
        )  # fmt: skip
    quotes = sum(len(demo.book.who(output).quotes) for output in demo.outputs)
    demo.say("quotations found in all outputs: %(n)s", n=quotes)
    measured = [fact.body for _, fact in log.about(target) if isinstance(fact.body, k.Influence)][-1:]
    for fact in [fact for body in measured for _, fact in log.about(body.influence)]:
        if isinstance(fact.body, k.Influence):
            growth = next(int(note.value) for note in fact.body.notes if note.name == "adjoint growth ppm")
            demo.say(
                "the period's income: adjoint growth %(growth)s, refused above 3; it ranks, it does not price",
                growth=f"{growth / 1e6:.2f}",
            )
        if isinstance(fact.body, k.Evaluation):
            value = fact.body.value_ppm
            rank = demo.speak.gettext("too few to say") if value is None else f"{value / 1e6:.2f}"
            if between := rank_interval_ppm(value, len(fact.body.points)):
                rank += f" [{between[0] / 1e6:.2f}, {between[1] / 1e6:.2f}]"
            demo.say(
                "%(n)s real retrainings without one maker: rank correlation %(rank)s",
                n=len(fact.body.points),
                rank=rank,
            )


def settle(demo: Demo) -> None:
    """What everything is worth, and what everybody is owed."""
    book, period, currency = demo.book, demo.period, demo.config["currency"]
    if book.log.state.closed.get(f"{currency}|{period}") is None:
        book.settle(period)
    given, held = map(demo.speak.number, book.balance())
    money, worth = demo.money, book.worth(*demo.outputs)
    demo.say("labour in %(given)s = outputs + stock + losses %(held)s micro-SLH", given=given, held=held)
    demo.say(
        "outputs: price %(price)s, value at least %(value)s",
        price=money(worth.price_micro),
        value=money(worth.value_micro),
    )
    demo.say(
        "rent %(average)s (average theory), %(reproduction)s (reproduction theory)",
        average=money(worth.rent_avg_micro), reproduction=money(worth.rent_repro_micro),
    )  # fmt: skip
    rows = sorted(book.owed(), key=lambda row: (-row.owed_micro, row.maker))
    demo.say(
        "%(makers)s makers are owed %(total)s, every cent of the pool; first:",
        makers=sum(row.owed_micro > 0 for row in rows), total=money(sum(row.owed_micro for row in rows)),
    )  # fmt: skip
    for row in rows[:3]:
        demo.say(
            "  %(maker)s %(owed)s = %(labour)s for labour + %(influence)s for influence",
            maker=row.maker, owed=money(row.owed_micro),
            labour=money(row.for_labour_micro), influence=money(row.for_influence_micro),
        )  # fmt: skip


def label(demo: Demo) -> None:
    """The labelled files."""
    folder = demo.folder / "outputs"
    for output in demo.outputs:
        found = demo.book.label(output, folder)
    label = found.visible.strip("> *")
    demo.say("%(n)s files in %(folder)s: %(label)s", n=len(demo.outputs), folder=folder, label=label)
    for warning in found.warnings:
        demo.show(told(warning, demo.speak))


def report(demo: Demo) -> None:
    """The page."""
    path = demo.folder / "report.html"
    command = "make demo ARGS=--quick" if demo.quick else "make demo"
    with demo.watched(N_("drawing the page")):
        path.write_text(demo.book.report(demo.config["title"], command), encoding="utf-8")
    demo.say("%(page)s: open it in a browser", page=path)


def prove(demo: Demo) -> None:
    """The bundle, checked; and a forged one, found."""
    bundle, key = demo.folder / "audit.zip", str(demo.book.log.verifier)
    with demo.watched(N_("gathering the proofs")):
        bundle.write_bytes(demo.book.audit())
    size = demo.speak.number(bundle.stat().st_size)
    demo.say("%(bundle)s: %(size)s bytes; key %(key)s", bundle=bundle, size=size, key=key)
    with demo.watched(N_("verifying in a process of its own")):
        good = _verify(bundle, key)
    if good.returncode:
        raise ProofError(str(bundle), "does not verify: " + good.stderr, "report this as a bug")
    for line in good.stdout.splitlines():
        demo.show(f"{'·' if '--since' in line else '✓'} {line}")  # what was not compared gets no tick
    forged = demo.folder / "audit-forged.zip"
    forged.write_bytes(_one_byte_flipped(bundle.read_bytes()))
    with demo.watched(N_("verifying the forged copy")):
        bad = _verify(forged, key)
    if bad.returncode == 0:
        raise ProofError(str(forged), "verifies although a byte was flipped", "report this as a bug")
    demo.say("✗ one byte flipped in a copy (%(copy)s): exit code %(code)s", copy=forged.name, code=bad.returncode)
    for line in bad.stderr.splitlines()[:1]:
        demo.show(f"  {line}")


def _verify(bundle: Path, key: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gongfen", "verify", str(bundle), "--key", key]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own program


def _one_byte_flipped(bundle: bytes) -> bytes:
    """A copy in which the first sale's price has another digit, zipped anew: as a careful forger would."""
    parts = unzipped(bundle)
    facts = parts["facts.jsonl"]
    line = facts.index(b'"kind":"sale"')
    place = facts.rindex(b'"price_micro":', 0, line) + len(b'"price_micro":')
    flipped = bytes([facts[place] ^ 0x08])
    return zipped({**parts, "facts.jsonl": facts[:place] + flipped + facts[place + 1 :]})


def _summary(demo: Demo) -> dict[str, Any]:
    """Where everything lies, and what it came to."""
    owed = demo.book.owed()
    return {
        "book": str(demo.book.log.path),
        "key": str(demo.book.log.verifier),
        "report": str(demo.folder / "report.html"),
        "bundle": str(demo.folder / "audit.zip"),
        "facts": demo.book.log.size,
        "outputs": demo.outputs,
        "owed_micro": {row.maker: row.owed_micro for row in owed},
        "sample": demo.book.log.sample,
    }


STEPS: tuple[tuple[str, Callable[[Demo], None]], ...] = (
    (N_("Real works of named authors come in; what is unusable is left out with its reason."), bring_in),
    (N_("A model is tuned on them; data, config, code, seed, time, FLOP, energy and hashes become facts."), train),
    (N_("It writes after prompts that people typed; prompts and typing time are facts."), generate),
    (N_("The outputs are sold at list prices (sample data)."), sell),
    (N_("Influence is measured: on each output (display grade) and on the period's income (settlement grade)."), trace),
    (N_("Everything is valued in double entry, and the period is settled to the cent."), settle),
    (N_("Each output leaves as a file with a visible and a hidden label, read back and checked."), label),
    (N_("One page tells it all."), report),
    (N_("An outsider verifies the bundle in a process of their own; one flipped byte is found."), prove),
)
"""What is said of each step, and the step."""


@app.command()
def demo(
    quick: Annotated[bool, typer.Option("--quick", help="A tiny model from scratch: under a minute.")] = False,
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("demo"),
    cache: Annotated[Path | None, typer.Option(envvar="GONGFEN_CACHE", help="Where base models are kept.")] = None,
    as_json: AsJson = False,
) -> None:
    """Go the whole way once, on real text: make, record, trace, value, share, label, prove."""
    from gongfen.studio.recipes import FULL, QUICK  # noqa: PLC0415 - loads torch

    config = tomllib.loads(files("gongfen.cli").joinpath("demo.toml").read_text(encoding="utf-8"))
    out.mkdir(parents=True, exist_ok=True)
    place = out / ("quick.db" if quick else "full.db")
    console = Console(highlight=False, quiet=as_json)
    opened = (
        gongfen.open(place, by="demo") if place.exists() else gongfen.create(place, origin=config["origin"], by="demo")
    )
    speak = words()
    with several_steps(), opened as book:
        work = Demo(book, QUICK if quick else FULL, config, out, cache or out / "cache", quick, console, speak)
        for number, (title, step) in enumerate(STEPS, 1):
            begun = time.monotonic()
            console.print(Group(Running(f"{number}. {speak.gettext(title)}", style="bold")))
            step(work)
            seconds = speak.say("%(n)s s", n=f"{time.monotonic() - begun:.1f}")
            console.print(f"  {seconds}", style="dim", markup=False)
        if as_json:
            sys.stdout.write(json.dumps(_summary(work), ensure_ascii=False, indent=2) + "\n")
        taken = speak.say("%(n)s s", n=f"{time.monotonic() - work.started:.0f}")
        console.print(speak.say("Done in %(time)s: %(page)s", time=taken, page=out / "report.html"), markup=False)
