"""A Hugging Face ``Trainer`` tells the book what it did: FLOP, tokens, device time, energy, and hashes.

    from gongfen.book.trainer_callback import GongfenCallback
    Trainer(..., callbacks=[GongfenCallback("book.db", model="poet-2")])

What is recorded, in one transaction when training ends: the model by the hash of its weights, its making out of the
data, the device time, and how many uses it is planned for. If the book refuses it then, training does not fail: the
facts are written beside the model as JSON lines, which ``gongfen record`` takes.
"""

import json
import sys
import time
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from importlib import import_module
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import msgspec
import torch
import transformers
from msgspec import UNSET
from transformers import TrainerCallback

from gongfen.book import Book, open_book
from gongfen.book.clock import today
from gongfen.book.uses import counted, unit_of
from gongfen.errors import DuplicateIdError, GongfenError, MissingAssumptionError, UnknownWorkError
from gongfen.facts import Body
from gongfen.facts import kinds as k
from gongfen.studio.importers.codecarbon import MWH_PER_KWH
from gongfen.studio.names import fitting_id

PENDING = "gongfen-facts.jsonl"
"""What the book refused is written here, in the folder of the training's output."""
COUNTRY = "FRA"
"""CodeCarbon asks for a country offline; only its energy is used, which does not depend on it."""
_PLACES = ("dir", "path", "token", "url", "host", "hub", "run_name")
"""Arguments of a training that name places and secrets: they do not belong into a book."""


class GongfenCallback(TrainerCallback):
    """Records a training. ``model`` is its name in the book; the book must not have it yet.

    ``data``: the data set or work of the book that it was trained on; else a work is declared with the hash of what the
    loader holds, under ``data_licence``. ``base``: the model of the book that it began from. ``device``: as the
    standard names it. ``energy``: ask CodeCarbon, where it is installed; offline, and it is an estimate.
    """

    def __init__(
        self,
        book: str | PathLike[str] | None = None,
        *,
        model: str,
        data: str | None = None,
        data_licence: str = "not stated",
        base: str | None = None,
        licence: str = "not stated",
        uses: int = 1_000,
        counted_in: k.UseUnit | None = None,
        machine: str = "this-computer",
        device: str | None = None,
        energy: bool = True,
        by: str | None = None,
        sample: bool = False,
    ) -> None:
        super().__init__()
        self.book = None if book is None else fspath(book)
        self.model, self.data, self.data_licence, self.base = model, data, data_licence, base
        self.licence, self.machine, self.device = licence, machine, device
        self.uses, self.counted_in = uses, counted_in
        self.energy, self.by, self.sample = energy, by, sample
        self.problem: GongfenError | None = None
        """Why the book did not take the facts, if it did not."""
        self._meter = Meter()
        self._began_ns, self._day = 0, ""
        self._flos = self._tokens = 0
        self._units: dict[str, k.UseUnit | None] = {}
        """What the uses of data and base are counted in."""
        self._content: tuple[str, int] | None = None
        self._about_data = ""

    # -- what the trainer calls ------------------------------------------------------------------------------------

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ANN401, ARG002 - the trainer's
        """See that the book is there and can take it, before hours are spent; then start the clock."""
        if not state.is_world_process_zero:
            return
        with open_book(self.book, by=self.by) as book:
            self._check(book)
        if self.data is None:
            self._content, self._about_data = content_sha256(getattr(kwargs.get("train_dataloader"), "dataset", None))
        self._flos, self._tokens = int(state.total_flos), int(state.num_input_tokens_seen)
        if self.energy:
            self._meter.start()
        self._began_ns, self._day = time.perf_counter_ns(), today()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ANN401, ARG002 - the trainer's
        """Record the training. Whatever the book refuses is kept as JSON lines; the training itself is finished."""
        if not state.is_world_process_zero:
            return
        elapsed_us = (time.perf_counter_ns() - self._began_ns) // 1_000
        energy_mwh = self._meter.stop()
        module = kwargs["model"]
        setup = _setup(args, module)
        facts = list(self._facts(_Ended(args, state, module, elapsed_us, energy_mwh, sha256(setup).hexdigest())))
        try:
            with open_book(self.book, by=self.by) as book:
                new = [said for said in facts if book.log.find(said[0]) is None and not _is_there(book, said[1])]
                kept = [book.log.new(body, fact_id=name, sample=self.sample) for name, body in new]
                book.log.record(kept, [setup])
        except GongfenError as error:
            self.problem = error
            self._keep(Path(args.output_dir), facts, error)

    # -- the book --------------------------------------------------------------------------------------------------

    def _check(self, book: Book) -> None:
        """Raise what would be raised at the end, when it would be too late."""
        if book.log.state.works.get(self.model) is not None:
            raise DuplicateIdError(self.model, "is in this book already", "give the new model a name of its own")
        for name in filter(None, (self.data, self.base)):
            if book.log.state.works.get(name) is None:
                raise UnknownWorkError(name, "is not in this book", "record it first: gongfen record work …")
            self._units[name] = unit_of(book.log.state, name)
        stock = book.log.state.stocks.get(self.base) if self.base is not None else None
        if self.base is not None and stock is not None and stock.planned is None:
            remedy = f"record: gongfen record plan work={self.base} uses=N"
            raise MissingAssumptionError(self.base, "has no planned uses", remedy)
        machine = book.log.state.makers.get(self.machine)
        if machine is not None and machine.form != "machine":
            raise DuplicateIdError(self.machine, f"is a {machine.form}, not a machine", "name another machine=…")

    def _facts(self, ended: "_Ended") -> Iterable[tuple[str, Body]]:
        """The facts of a training, with their ids."""
        yield f"enrol:{self.machine}", k.Enrol(maker=self.machine, form="machine")
        data = self.data
        if data is None and self._content is not None:
            data = fitting_id(self.model, "data")
            digest, size = self._content
            yield f"work:{data}", k.Work(
                work=data, sha256=digest, media="application/octet-stream", size_bytes=size, makers=(),
                source=f"what the Trainer read for {self.model}; {self._about_data}"[:400], licence=self.data_licence,
            )  # fmt: skip
        yield f"model:{self.model}", k.Model(
            model=self.model, sha256=weights_sha256(ended.module), format="weights by name", base=self.base,
            parameters=max(sum(part.numel() for part in ended.module.parameters()), 1),
            source="trained with the Hugging Face Trainer", licence=self.licence,
        )  # fmt: skip
        tokens = int(ended.state.num_input_tokens_seen) - self._tokens
        gflop = round(Fraction(int(ended.state.total_flos) - self._flos, 10**9))
        used = ((data, "data"), (self.base, "base"))
        inputs = [
            counted(name, role, self._units.get(name), tokens=tokens or None, gflop=gflop)
            for name, role in used
            if name
        ]
        notes = [k.Note(name="steps", value=str(ended.state.global_step))]
        notes += [k.Note(name="data", value=self._about_data)] if self._about_data else []
        notes += [k.Note(name="energy", value=self._meter.said)] if self._meter.said else []
        yield f"make:train:{self.model}", k.Make(
            make=f"train:{self.model}", activity="train", inputs=tuple(inputs), outputs=(self.model,),
            tool=f"transformers {transformers.__version__}; torch {torch.__version__}",
            seed=max(int(ended.args.seed), 0),
            config_sha256=ended.config, code_sha256=script_sha256(), record_sha256=ended.config, notes=tuple(notes),
        )  # fmt: skip
        devices = max(int(ended.args.world_size), 1) * max(int(ended.args.n_gpu), 1)
        yield (
            f"compute:{self.model}",
            k.Compute(
                machine=self.machine,
                device=self.device or fitting_id(str(ended.args.device.type)),
                work=self.model,
                device_us=ended.elapsed_us * devices,
                gflop=gflop,
                tokens=tokens or None,
                energy_mwh=ended.energy_mwh,
                energy_quality="unknown" if ended.energy_mwh is None else "estimated",
                method=f"time measured, {devices} device(s); FLOP as the Trainer estimates them (total_flos)"
                + ("; energy by CodeCarbon" if ended.energy_mwh is not None else ""),
                day=self._day,
            ),
        )
        reason = "as planned when it was trained"
        plan = k.Plan(work=self.model, uses=self.uses, unit=self.counted_in or UNSET, reason=reason)
        yield f"plan:{self.model}", plan

    def _keep(self, folder: Path, facts: list[tuple[str, Body]], error: GongfenError) -> None:
        """Write what the book did not take as lines that it takes later."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / PENDING
        lines = (
            json.dumps(
                {"kind": body.kind, "id": name, "sample": self.sample, "body": msgspec.to_builtins(body)},
                ensure_ascii=False,
            )
            for name, body in facts
        )
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        warnings.warn(f"the training is not in the book: {error}. Then: gongfen record {path}", stacklevel=2)


class Meter:
    """CodeCarbon, where it is installed: offline, quiet, and never a reason to stop a training."""

    def __init__(self) -> None:
        self._tracker: Any = None
        self.said = ""
        """What is to be known of the energy, in words."""

    def start(self) -> None:
        """Begin to measure, if CodeCarbon is there."""
        try:
            tracker = import_module("codecarbon").OfflineEmissionsTracker
        except ImportError:
            self.said = "not measured: CodeCarbon is not installed"
            return
        try:
            self._tracker = tracker(
                country_iso_code=COUNTRY, save_to_file=False, log_level="critical", allow_multiple_runs=True
            )
            self._tracker.start()
        except Exception as error:  # noqa: BLE001 - a foreign meter must not cost anybody their training
            self._tracker, self.said = None, f"not measured: CodeCarbon says {type(error).__name__}: {error}"[:4_000]

    def stop(self) -> int | None:
        """The energy in milliwatt-hours; ``None``: not known, and :attr:`said` says why."""
        if self._tracker is None:
            return None
        try:
            self._tracker.stop()
            kwh = Decimal(repr(float(self._tracker.final_emissions_data.energy_consumed)))
            return max(int((kwh * MWH_PER_KWH).to_integral_value()), 0)
        except Exception as error:  # noqa: BLE001 - as above
            self.said = f"not measured: CodeCarbon says {type(error).__name__}: {error}"[:4_000]
            return None


@dataclass(frozen=True, slots=True)
class _Ended:
    """A training that has ended."""

    args: Any
    state: Any
    module: Any
    elapsed_us: int
    energy_mwh: int | None
    config: str


def _is_there(book: Book, body: Body) -> bool:
    """Whether the machine has been enrolled under another fact's id."""
    return isinstance(body, k.Enrol) and book.log.state.makers.get(body.maker) is not None


def weights_sha256(module: torch.nn.Module) -> str:
    """SHA-256 of a model's weights: of each, in the order of the names, its name, type, shape and bytes."""
    found = sha256()
    for name, part in sorted(module.state_dict().items()):
        tensor = part.detach().to("cpu").contiguous()
        found.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        found.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b"")
    return found.hexdigest()


def script_sha256() -> str | None:
    """SHA-256 of the program that trains: the file that Python was started with; ``None``: there is none."""
    path = Path(getattr(sys.modules.get("__main__"), "__file__", None) or "")
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def content_sha256(items: Any) -> tuple[tuple[str, int] | None, str]:  # noqa: ANN401 - whatever a loader reads
    """((SHA-256, bytes) of a data set's items, in their order; what is to be said of it). No hash: it has no end."""
    fingerprint = getattr(items, "_fingerprint", None)
    said = f"Hugging Face fingerprint {fingerprint}" if isinstance(fingerprint, str) else ""
    if items is None or not hasattr(items, "__len__") or not hasattr(items, "__getitem__"):
        return None, "; ".join(filter(None, ("not hashed: it can be read once only", said)))
    found, size = sha256(), 0
    for at in range(len(items)):
        data = _bytes(items[at])
        if data is None:
            return None, "; ".join(filter(None, (f"not hashed: item {at} is a {type(items[at]).__name__}", said)))
        found.update(len(data).to_bytes(8) + data)
        size += len(data)
    return (found.hexdigest(), size), "; ".join(filter(None, (f"{len(items)} items", said)))


def _bytes(item: Any) -> bytes | None:  # noqa: ANN401 - whatever a loader reads
    """An item as bytes that depend on nothing else; ``None`` where nobody knows how."""
    if isinstance(item, torch.Tensor):
        plain = item.detach().to("cpu").contiguous()
        head = f"{plain.dtype}{tuple(plain.shape)}\0".encode()
        return head + (plain.reshape(-1).view(torch.uint8).numpy().tobytes() if plain.numel() else b"")
    if isinstance(item, str | bytes | bool | int | float | None):
        return f"{type(item).__name__}\0".encode() + (item if isinstance(item, bytes) else str(item).encode())
    if isinstance(item, Mapping):
        parts = [(str(name).encode(), _bytes(value)) for name, value in sorted(item.items(), key=lambda p: str(p[0]))]
    elif isinstance(item, list | tuple):
        parts = [(b"", _bytes(value)) for value in item]
    else:
        return None
    if any(value is None for _, value in parts):
        return None
    kind = b"map" if isinstance(item, Mapping) else b"list"
    return kind + b"".join(
        len(name).to_bytes(8) + name + len(value).to_bytes(8) + value for name, value in parts if value is not None
    )


def _setup(args: Any, module: Any) -> bytes:  # noqa: ANN401 - transformers has no types
    """How it was trained, as canonical JSON: the arguments that say no place and no secret, and the model's shape."""
    said = {
        name: value if isinstance(value, bool | int | str | None) else repr(value)
        for name, value in args.to_dict().items()
        if isinstance(value, bool | int | float | str | None) and not any(part in name for part in _PLACES)
    }
    config = getattr(module, "config", None)
    shape = json.loads(config.to_json_string()) if config is not None else {}
    shape.pop("_name_or_path", None)
    return json.dumps({"arguments": said, "model": shape}, sort_keys=True, separators=(",", ":")).encode()
