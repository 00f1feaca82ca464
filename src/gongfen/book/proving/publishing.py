"""What leaves the house: labelled files and audit bundles."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import msgspec

from gongfen.accounts.chart import a_stock
from gongfen.book.proving.witnessing import POLICY
from gongfen.book.recording.record import Record
from gongfen.errors import LabelError, UnknownWorkError
from gongfen.facts import Elsewhere, decode
from gongfen.facts import kinds as k
from gongfen.labels.gb45438 import Finding, HiddenLabel, first_label
from gongfen.labels.markdown import check_label, read_label, visible_line, write_label
from gongfen.proof.checkpoint import open_checkpoint
from gongfen.reports.bundle import write_bundle

RULE = "GB 45438-2025"


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """A labelled file that was written, read back and checked."""

    output: str
    file: str
    visible: str
    hidden: str
    file_sha256: str
    warnings: tuple[str, ...]
    seq: int


def text_of(record: Record, work: str) -> str:
    """The text of a work or output. Raises UnknownWorkError when the book does not have it."""
    known = record.state.works.get(work)
    if known is None:
        raise UnknownWorkError(work, "is not in this book", "see what is: gongfen log --kind output")
    blob = record.blob(known.sha256)
    if blob is None:
        raise UnknownWorkError(work, "is in this book by its hash alone, not by its text", "bring its text in again")
    return blob.decode()


def label(record: Record, output: str, folder: Path, producer: str | None = None) -> Published:
    """Write an output as a Markdown file with both labels, read it back, check it, and record that it left the house.

    ``producer``: the producer code of the configuration; without one the hidden label says that there is none.
    Raises LabelError, UnknownWorkError.
    """
    known = record.state.works.get(output)
    if known is not None and known.kind != "output":
        remedy = "label what the model made: gongfen log --kind output"
        raise LabelError(output, f"is {a_stock(known.kind)}, not an output", remedy)
    text = text_of(record, output)
    assert known is not None, "text_of has checked"
    hidden = first_label(f"sha256:{known.sha256}", producer)
    front = {"title": output, "book": record.origin, "fact": known.seq}
    data = write_label(text, hidden, front).encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabelError(
            str(folder), f"is no folder to write to: {error.strerror}", "choose another with --out"
        ) from None
    path = folder / (output.replace("%", "%25").replace("/", "%2F") + ".md")
    part = path.with_suffix(".part")
    try:
        part.write_bytes(data)
        findings = check_file(part, known.sha256)
        problems = [finding for finding in findings if finding.level == "problem"]
        if problems:
            raise LabelError(f"{path}: {problems[0].place}", problems[0].reason, problems[0].remedy)
        found = _recorded(record, output, hidden, path.name, data, findings, str(path))
        part.replace(path)
    except OSError as error:
        raise LabelError(
            str(path), f"cannot be written: {error.strerror}", "choose another folder with --out"
        ) from None
    finally:
        part.unlink(missing_ok=True)
    return found


def _recorded(
    record: Record, output: str, hidden: HiddenLabel, name: str, data: bytes, findings: list[Finding], file: str
) -> Published:
    digest = sha256(data).hexdigest()
    body = k.Label(
        output=output,
        rule=RULE,
        visible=visible_line(hidden.label),
        hidden=hidden.wrapped_json(),
        file=name,
        file_sha256=digest,
    )
    fact = record.new(body, fact_id=f"label:{output}:{digest[:16]}")
    there = record.find(fact.id)
    seq = there if there is not None else record.record([fact])[0]
    return Published(
        output=output,
        file=file,
        visible=body.visible,
        hidden=body.hidden,
        file_sha256=digest,
        warnings=tuple(str(finding) for finding in findings),
        seq=seq,
    )


def check_file(path: Path, expected_sha256: str | None = None) -> list[Finding]:
    """All that is wrong with a labelled file, read back from disk. Raises LabelError when it cannot be read."""
    try:
        written = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise LabelError(str(path), f"cannot be read: {error}", "label the output again: gongfen label") from None
    findings = check_label(written, expected_sha256)
    if not any(finding.level == "problem" for finding in findings):
        read_label(written)
    return findings


def audit(record: Record) -> bytes:
    """The audit bundle of the book as its newest checkpoint signs it, with the keys and witnesses that it names."""
    with record.reading():
        note = record.checkpoint()
        size = open_checkpoint(note, *record.verifiers).size
        names = dict.fromkeys([*_outputs(record), *_long_bodies(record, size)])
        blobs = (blob for name in names if (blob := record.blob(name)) is not None)
        facts = (entry.data for entry in record.store.entries(0, size))
        keys = "\n".join(map(str, record.verifiers))
        return write_bundle(facts, note, keys, blobs, record.store.meta(POLICY) or "")


def _outputs(record: Record) -> list[str]:
    return [fact.body.sha256 for _, fact in record.about("kind|output") if isinstance(fact.body, k.Output)]


def _long_bodies(record: Record, size: int) -> Iterator[str]:
    """The hashes under which the log holds bodies that are too long for it."""
    for entry in record.store.entries(0, size):
        if b'"body_sha256":' in entry.data and isinstance(body := decode(entry.data).body, Elsewhere):
            yield body.sha256
