"""The verbs: what the command line, the pages and Python programs share.

What needs a corpus reader, labels, bundles, a page or torch is imported by the verb that uses it: opening stays quick.
"""

# ruff: noqa: PLC0415
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

import msgspec

from gongfen import shares
from gongfen.accounts import conservation
from gongfen.accounts.state import HeldKey
from gongfen.book import answers
from gongfen.book.clock import new_id, today
from gongfen.book.periods import check_period
from gongfen.book.place import cache_folder, own_origin, place_of, user
from gongfen.book.recording import keys, people
from gongfen.book.recording.own_key import read_log_keys
from gongfen.book.recording.receipt import Receipt
from gongfen.book.recording.record import Record, create_record, open_record
from gongfen.errors import MalformedFactError, MissingAssumptionError
from gongfen.facts import Body, Fact
from gongfen.facts import kinds as k
from gongfen.facts.signing import MakerKey
from gongfen.progress import Progress, silent
from gongfen.reports.replies import Flagged, Owed, Person, TracedPeriod, Who
from gongfen.value import Swings, Worth

if TYPE_CHECKING:
    from gongfen.book.bookkeeping.exporting import Exported, Wanted
    from gongfen.book.importing import Imported, Terms
    from gongfen.book.importing.corpus import Brought
    from gongfen.book.making import Prompt, Trained, Written
    from gongfen.book.proving.publishing import Published
    from gongfen.book.proving.verification import Verified
    from gongfen.book.recording.correcting import Corrected
    from gongfen.book.tracing.outputs import Traced
    from gongfen.reports.evaluation import Evaluated, Planned
    from gongfen.reports.ledger import Account, DataLoop, Idle, Indicators, LabourFlow, Ledger, Models
    from gongfen.studio.corpus import Corpus
    from gongfen.studio.importers.export import Export, How
    from gongfen.studio.recipes import Plan
    from gongfen.studio.workshop import Setup


class Book:
    """One book: a log of facts, and the answers that follow from them.

    Every verb raises a :class:`gongfen.errors.GongfenError` on a person's mistake, and has then written nothing.
    """

    def __init__(self, record: Record) -> None:
        self.log = record
        """The record itself: facts by number, receipts, state."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the book's file."""
        self.log.store.close()

    # -- the record ------------------------------------------------------------------------------------------------

    def record(self, *facts: Fact | Body, sample: bool = False) -> list[int]:
        """Write facts, all or none; their numbers come back. ``sample`` marks bodies as sample data."""
        return self.log.record(
            [fact if isinstance(fact, Fact) else self.log.new(fact, sample=sample) for fact in facts], together=True
        )

    def receipt(self, which: int | str) -> Receipt:
        """The proof of one fact, by number or id, which holds without the book."""
        seq = self.log.find(which) if isinstance(which, str) else which
        if seq is None or not 0 <= seq < self.log.size:
            raise MissingAssumptionError(f"fact {str(which)[:60]}", "is not in this book", "see what is: gongfen log")
        return self.log.receipt(seq)

    def verify(self, key: str | None = None, since: str | None = None, progress: Progress | None = None) -> "Verified":
        """Check every byte, hash, signature, settlement and answer of the book."""
        from gongfen.book.proving.verification import verify_record

        return verify_record(self.log, read_log_keys(key) if key else (), since, progress)

    # -- keys and people -------------------------------------------------------------------------------------------

    def new_key(self, maker: str, *, replaces: str | None = None, sign_with: MakerKey | None = None) -> MakerKey:
        """Make a key for an enrolled maker and record its public half; the secret is in what comes back alone."""
        drawn = keys.draw_key(self.log.origin, maker)
        keys.bring_key(self.log, drawn, replaces, sign_with)
        return drawn

    def sign(self, key: MakerKey, body: Body, *, fact_id: str | None = None, at: str | None = None) -> Fact:
        """A fact said and signed by a maker, ready to be recorded."""
        return keys.sign_for(self.log, key, body, fact_id, at)

    def revoke(self, key: str, reason: str, *, sign_with: MakerKey | None = None) -> int:
        """Record that a key is not to be trusted: what it signs from now on is flagged. The fact's number."""
        return keys.revoke(self.log, key, reason, sign_with)

    def keys(self, maker: str | None = None) -> tuple[HeldKey, ...]:
        """The keys of a maker, or of all, valid and ended."""
        self.log.refresh()
        return keys.known_keys(self.log, maker)

    def flags(self) -> tuple[Flagged, ...]:
        """The facts that were signed by a key which had ended, in their order."""
        self.log.refresh()
        return keys.flagged(self.log)

    def describe(self, maker: str, /, **details: str) -> Person:
        """Keep a maker's name, contact, payout account outside the log, and record a salted commitment to them."""
        return people.describe(self.log, maker, details)

    def details(self, maker: str) -> Person:
        """What is kept of a maker, or that it was forgotten."""
        self.log.refresh()
        return people.details(self.log, maker)

    def forget(self, maker: str) -> Person:
        """Delete what is kept of a maker; the log says so, and every proof still holds."""
        return people.forget(self.log, maker)

    # -- answers ---------------------------------------------------------------------------------------------------

    def who(self, output: str) -> Who:
        """Who made an output: lineage, influence and quotation, never mixed in one number."""
        with self.log.reading():
            return keys.marked_who(self.log, answers.who(self.log, output))

    def worth(self, *outputs: str) -> Worth:
        """What outputs are worth together: labour transferred and living, price, both rents."""
        with self.log.reading():
            return answers.worth_of(self.log, outputs)

    def hangs_on(self, *outputs: str) -> tuple[Swings, ...]:
        """Which assumptions the value of outputs hangs on, and each rent: the widest swing first."""
        from gongfen.book.bookkeeping.valuing import swings_of

        with self.log.reading():
            return swings_of(self.log, outputs)

    def owed(self, maker: str | None = None) -> tuple[Owed, ...]:
        """What makers are owed, and why."""
        with self.log.reading():
            return keys.marked_owed(self.log, answers.owed(self.log, maker))

    def balance(self) -> tuple[int, int]:
        """Labour in, and labour at rest in outputs, stocks and losses, micro-SLH: equal, to the last unit."""
        with self.log.reading():
            return conservation(self.log.state)

    # -- the books -------------------------------------------------------------------------------------------------

    def ledger(self) -> "Ledger":
        """The labour ledger at a glance: what was given, where it is, whether it balances, and what stands beside."""
        from gongfen.book.bookkeeping import ledger

        with self.log.reading():
            return ledger.ledger_of(self.log)

    def flow(self) -> "LabourFlow":
        """Where labour went, step by step: from makers and machines through data and models into outputs."""
        from gongfen.book.telling.flows import passed_on

        with self.log.reading():
            return passed_on(self.log)

    def accounts(self, prefix: str = "") -> "tuple[Account, ...]":
        """The accounts whose names begin with ``prefix``, and their balances."""
        from gongfen.book.bookkeeping import ledger

        with self.log.reading():
            return ledger.accounts_below(self.log.state, prefix)

    def close_period(self, period: str, close: str | None = None) -> k.Close:
        """Close a period of the labour ledger with the balances of the log as it stands, and record it."""
        from gongfen.book.bookkeeping import ledger

        check_period(period)
        self.log.refresh()
        return ledger.close_period(self.log, period, close)

    def indicators(self, period: str | None = None, *, progress: Progress = silent) -> "Indicators":
        """c, v, s, W, e, q, r, the labour share, prices against values, owners: of a period, or altogether.

        Of a year, or altogether, month by month too.
        """
        from gongfen.book.bookkeeping.capital import indicators_of
        from gongfen.book.bookkeeping.valuing import months_in

        with self.log.reading():
            found = indicators_of(self.log, period, progress)
            return msgspec.structs.replace(found, months=months_in(self.log, period, found.currency))

    def models(self, *, peaks: Mapping[str, int] | None = None, progress: Progress = silent) -> "Models":
        """The composite measure of every model, each unit by itself, and an estimate from it.

        ``peaks``: device → FLOP a second that it can do at most; then it is said how much of that was used.
        """
        from gongfen.book.bookkeeping.measuring import models_of

        with self.log.reading():
            return models_of(self.log, progress, peaks)

    def loop(self, *, progress: Progress = silent) -> "DataLoop":
        """The data loop: what came back as data, by the equations and by the ledger, and where it leads."""
        from gongfen.book.bookkeeping.looping import loop_of

        with self.log.reading():
            return loop_of(self.log, progress)

    def idle(
        self, work: str, rate: Fraction, days: Fraction | None = None, first_day: str | None = None, *,
        record: bool = False,
    ) -> "Idle":  # fmt: skip
        """What a work loses by standing idle at λ = ``rate`` a day; ``record`` writes the loss.

        It begins on ``first_day``; else on the day after the last such loss, or, if there was none, so that it ends
        yesterday. Without ``days`` it ends yesterday.
        """
        from gongfen.book.bookkeeping import ledger

        return ledger.idle(self.log, work, rate, days, first_day, write=record)

    # -- exchange --------------------------------------------------------------------------------------------------

    def settle(self, period: str, policy: str = "*", settlement: str | None = None) -> k.Settlement:
        """Fix a period's shares against the log as it stands, and record them. ``*``: the newest policy."""
        check_period(period)
        self.log.refresh()
        published = self.log.state.policies.get(policy)
        if published is None:
            thing = "the policy" if policy == "*" else f"policy {policy}"
            raise MissingAssumptionError(thing, "is not published", "publish it: gongfen record policy …")
        name, log = settlement or f"settlement:{published.policy.currency}:{period}", self.log
        found: list[k.Settlement] = []

        def computed() -> Iterable[Body]:
            """Run within the transaction, so that nobody writes between the state and the shares."""
            root = log.tree.root().hex()
            found.append(shares.settle(log.state, name, period, published.policy.policy, log.size, root))
            yield found[0]

        log.record(computed())
        return found[0]

    def left_by(self, settlement: k.Settlement) -> dict[str, int]:
        """What its period brought in other currencies, by currency, micro-units: it is not in that settlement."""
        return shares.left_by(self.log.state, settlement)

    def pay(
        self, maker: str | None = None, amount_micro: int | None = None, method: str = "", currency: str | None = None
    ) -> list[k.Payment]:
        """Record payments: of what is owed to ``maker``, of a part of it, or of all that is owed to everybody."""
        if amount_micro is not None and (maker is None or amount_micro <= 0):
            thing = "a payment" if maker is None else f"a payment to {maker}"
            raise MalformedFactError(thing, "needs one maker and an amount above zero", "name both, or neither")
        owed = [row for row in self.owed(maker) if currency in (None, row.currency)]
        if amount_micro is not None and len(owed) > 1:
            raise MalformedFactError(
                f"a payment to {maker}", "could be in several currencies", "name one: --currency EUR"
            )
        payments = [
            k.Payment(
                payment=f"payment:{new_id()}",
                maker=row.maker,
                amount_micro=row.owed_micro if amount_micro is None else amount_micro,
                currency=row.currency,
                day=today(),
                method=method,
            )
            for row in owed
            if row.owed_micro > 0 and self.log.state.makers.get(row.maker) is not None
        ]
        if not payments and any(row.paid_micro for row in owed):
            reason = "has been paid all that was settled"
            raise MissingAssumptionError(maker or "everybody", reason, "settle the next period: gongfen settle PERIOD")
        if not payments:
            reason = "is owed nothing that can be paid"
            raise MissingAssumptionError(maker or "nobody", reason if maker else "is owed anything that can be paid",
                                         "settle a period first: gongfen settle PERIOD")  # fmt: skip
        self.log.record(payments)
        return payments

    def correct(self, number: int, reason: str, *, dry_run: bool = False) -> "Corrected":
        """Take an earlier fact back by a new one: labour, compute, a purchase, a sale, a payment, a wage or rent.

        ``dry_run`` writes nothing: it only says what would be taken back, or raises why it cannot be.
        """
        from gongfen.book.recording.correcting import correct

        return correct(self.log, number, reason, dry_run=dry_run)

    # -- publication -----------------------------------------------------------------------------------------------

    def label(self, output: str, folder: str | os.PathLike[str], producer: str | None = None) -> "Published":
        """Write an output as a Markdown file with its visible and hidden label, and record it."""
        from gongfen.book.proving import publishing

        self.log.refresh()
        return publishing.label(self.log, output, Path(folder), producer)

    def audit(self) -> bytes:
        """The audit bundle: a zip that verifies without this book."""
        from gongfen.book.proving import publishing

        return publishing.audit(self.log)

    def export(
        self, wanted: "Wanted", out: str | os.PathLike[str] | IO[bytes], *, progress: Progress | None = None
    ) -> "Exported":
        """The books as Beancount, hledger, CSV, Parquet or a statement, in a file or on a stream of bytes."""
        from gongfen.book.bookkeeping.exporting import export

        return export(self.log, wanted, out, progress or silent)

    # -- production ------------------------------------------------------------------------------------------------

    def bring_in(self, corpus: "Corpus", *, dry_run: bool = False, progress: Progress | None = None) -> "Brought":
        """Record a corpus with its makers, sources, licences, and what was left out."""
        from gongfen.book.importing.corpus import bring_in

        return bring_in(self.log, corpus, dry_run=dry_run, progress=progress)

    def import_work(
        self, export: "Export", terms: "Terms", how: "How", *, dry_run: bool = False, progress: Progress | None = None
    ) -> "Imported":
        """Record the labour and machine time of another tool's export, read by ``gongfen.studio.importers``."""
        from gongfen.book.importing import import_work

        return import_work(self.log, export, terms, how.zone, dry_run=dry_run, progress=progress)

    def train(
        self,
        model: str,
        *,
        setup: "Setup | Plan",
        per_maker: int,
        planned_uses: int,
        counted_in: k.UseUnit | None = None,
        cache: Path | None = None,
        progress: Progress = silent,
    ) -> "Trained":
        """Tune a model on so many works of every maker, drawn by the setup's seed, and record how it was made.

        ``planned_uses``: each carries its part of the model's labour; ``counted_in`` tokens or GFLOP, or one by one.
        A plan in place of a setup is fitted to the number of works: a longer run has a lower rate, a longer warm-up.
        """
        from gongfen.book import making
        from gongfen.studio.recipes import Plan

        self.log.refresh()
        seed = (setup.setup if isinstance(setup, Plan) else setup).recipe.seed
        passages = making.choose(self.log, per_maker, seed)
        fitted = setup.fitted(len(passages)) if isinstance(setup, Plan) else setup
        place = cache or cache_folder()
        return making.train(self.log, model, passages, fitted, place, planned_uses, progress, counted_in=counted_in)

    def generate(
        self,
        model: str,
        *prompts: "Prompt",
        length: int = 48,
        seed: int = 0,
        cache: Path | None = None,
        progress: Progress = silent,
    ) -> "list[Written]":
        """Let a model of this book write after each prompt, and record prompts, labour, outputs and machine time."""
        from gongfen.book import making

        self.log.refresh()
        atelier = making.open_atelier(self.log, model, cache or cache_folder())
        return making.generate(self.log, atelier, prompts, length, seed, progress)

    def trace(
        self,
        *outputs: str,
        index: bool = False,
        sentences: bool = False,
        rerank: int = 0,
        workers: int = 0,
        ray: str = "",
        bergson: bool = False,
        metagradient: bool = False,
        seeds: int | None = None,
        tokens: bool = False,
        spans: Sequence[tuple[int, int]] = (),
        cache: Path | None = None,
        progress: Progress = silent,
    ) -> "list[Traced]":
        """Measure every training work's influence on outputs, display grade; find quotations and near copies.

        ``index``: by an index of the works at several checkpoints, kept beside the run, that answers for any output;
        with it, ``sentences``: of each sentence, too, or ``tokens``: of each token, or ``spans``: of these stretches,
        in code points; and ``rerank``: so many works again with whole gradients.
        ``workers``: build the index in so many processes; ``ray``: on the Ray cluster at this address, or ``local``.
        ``bergson``: build it by Bergson's passes, with the same result. ``metagradient``: differentiate the recorded
        training run once for each output; ``seeds``: train with other seeds, too, so many in all (2 if nothing is
        said), for an interval of every effect.
        """
        from gongfen.book.tracing.outputs import How, trace_outputs

        self.log.refresh()
        how = How(index, sentences, rerank, workers, ray, metagradient, seeds, bergson, tokens, tuple(spans))
        return trace_outputs(self.log, outputs, cache or cache_folder(), progress, how)

    def trace_period(
        self,
        period: str,
        *,
        currency: str = "EUR",
        validate: int = 8,
        seeds: int = 2,
        cache: Path | None = None,
        progress: Progress = silent,
    ) -> TracedPeriod:
        """Measure every training work's influence on a period's income, and hold it against so many retrainings.

        It is settlement grade when it stands that test; else it is recorded as display grade, with the reason.
        ``seeds``: train with other seeds, too, so many in all, for an interval of every effect; 1: none.
        """
        from gongfen.book.making import open_atelier
        from gongfen.book.tracing.outputs import model_of
        from gongfen.book.tracing.period import PeriodTrace

        check_period(period)
        self.log.refresh()
        sold = shares.period_of(self.log.state, period, currency)
        if not sold.sales:
            raise MissingAssumptionError(
                f"period {period}", f"has no sales in {currency}", "record them first: gongfen record sale …"
            )
        atelier = open_atelier(self.log, model_of(self.log, sold.outputs[0]), cache or cache_folder())
        found = PeriodTrace(self.log, atelier, period, currency)
        found.measure(progress)
        if validate:
            found.validate(validate, progress)
        found.vary(seeds, cache or cache_folder(), progress)
        return found.keep()

    def evaluate_trace(
        self,
        model: str,
        *,
        outputs: Sequence[str] | int = 8,
        subsets: int = 40,
        seeds: int = 1,
        drop: Sequence[str] = ("1%", "5%"),
        dry_run: bool = False,
        cache: Path | None = None,
        announce: "Callable[[Planned], None] | None" = None,
        progress: Progress = silent,
    ) -> "Evaluated":
        """Hold every way of tracing a model's outputs against honest retrainings of it, and record how each stood.

        The retrainings are kept beside the run: none is made twice. ``announce`` is told what it will take before it
        begins; ``dry_run``: that alone is answered, and nothing is retrained or written.
        """
        from gongfen.book.evaluating.evaluation import Evaluation, Wanted, only_planned

        self.log.refresh()
        wanted = Wanted(outputs, subsets, seeds, tuple(drop))
        found = Evaluation(self.log, model, wanted, cache or cache_folder())
        planned = found.planned()
        if announce is not None:
            announce(planned)
        return only_planned(planned) if dry_run else found.run(planned, progress)

    def report(self, title: str = "Gongfen 工分", command: str = "gongfen report") -> str:
        """One self-contained page in English and Chinese: the last settlement and what it rests on, or all there is."""
        from gongfen.book.telling.whole import tell
        from gongfen.reports.page.report import render

        self.log.refresh()
        return render(tell(self.log, title, command))


def open_book(path: str | os.PathLike[str] | None = None, *, by: str | None = None) -> Book:
    """Open a book: at ``path``, else where ``GONGFEN_BOOK`` says, else ``./gongfen.db``."""
    return Book(open_record(place_of(path), by or user()))


def create_book(
    path: str | os.PathLike[str] | None = None,
    *,
    origin: str | None = None,
    by: str | None = None,
    post_quantum: bool = False,
) -> Book:
    """Make a new book, with a key of its own beside it. ``origin`` is its public name, like a web address.

    Without one it gets a name of its own, made by chance: what a maker signs for one book must not fit another.
    ``post_quantum``: sign with ML-DSA-44 (FIPS 204) too, beside Ed25519.
    """
    return Book(create_record(place_of(path), origin or own_origin(), by or user(), post_quantum=post_quantum))
