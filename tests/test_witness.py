"""Witnesses over real HTTP: they cosign growth and nothing else, whatever happens to them; forks are shown.

No other witness or log client can be had here. What another implementation's tests send and expect (torchwood's
TestRace, TestZeroSize) and the specification's examples stand in tests/test_witness_protocol.py; here the same
requests go over the wire.
"""

import http.client
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, nullcontext, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from rich.cells import cell_len

import gongfen
from gongfen.book.proving import witness_server, witnessing
from gongfen.book.proving.fetching import ask
from gongfen.book.proving.published import publish
from gongfen.book.proving.witness import Cosigned, Witness, log_name, new_witness, read_log_key, read_witness_key
from gongfen.book.proving.witness_server import WitnessServer
from gongfen.book.proving.witnessing import ask_witnesses, policy_of, policy_of_witnesses, set_policy
from gongfen.cli.forks import BETWEEN
from gongfen.errors import (
    BookPlaceError,
    DamagedBookError,
    ForkError,
    InputError,
    MissingAssumptionError,
    ProofError,
)
from gongfen.proof import merkle
from gongfen.proof.checkpoint import Checkpoint, open_checkpoint
from gongfen.proof.cosignature import WitnessSigner, cosign, read_verifier
from gongfen.proof.note import Signer, add_signatures, read_note, read_signature_lines
from gongfen.proof.policy import Policy
from gongfen.proof.witness import MOST_BYTES, Refusal, Request, take_cosignatures
from tests.books import ORIGIN, new_book
from tests.test_cli import gongfen_
from tests.test_published import a_copy, grow
from tests.test_witness_protocol import EXAMPLE, FORGED, LATER, LOG, SIGSUM, SIGSUM_KEY, TO_1, TO_3, TO_5, head, request
from tests.web import WebServer

NAME = "witness.example/ada"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Witness]:
    """A witness that knows the log of tests/test_witness_protocol.py."""
    with new_witness(tmp_path / "ada", NAME) as made:
        made.trust(LOG.verifier)
        yield made


def refused(answer: Cosigned | Refusal) -> Refusal:
    assert isinstance(answer, Refusal), answer
    return answer


@contextmanager
def listening(witness: Witness, said: list[str] | None = None) -> Iterator[str]:
    """The witness at an address."""
    server = WitnessServer(witness, "127.0.0.1", 0, (said if said is not None else []).append)
    thread = threading.Thread(target=lambda: server.serve_forever(0.01))
    thread.start()
    try:
        yield server.address
    finally:
        server.stop()
        thread.join()
        server.server_close()


def post(address: str, text: str | bytes) -> tuple[int, str, str]:
    """Status, media type and body of an answer."""
    db = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    try:
        db.request("POST", "/add-checkpoint", text.encode() if isinstance(text, str) else text)
        found = db.getresponse()
        return found.status, found.headers.get("Content-Type", ""), found.read().decode()
    finally:
        db.close()


# What it remembers


def test_growth_is_cosigned_and_remembered(witness: Witness) -> None:
    for old, size in ((0, 3), (3, 3), (3, 8), (8, 20)):
        found = witness.answer(request(old, size))
        assert isinstance(found, Cosigned)
        assert (found.origin, found.size) == (LOG.name, size)
        note = take_cosignatures(head(size), found.lines, [witness.signer.verifier])
        assert len(read_note(note).lines) == 2
        (log,) = witness.logs()
        assert (log.size, log.forks, log.note) == (size, 0, note)
        assert witness.head(log_name(LOG.name)) == note


def test_what_did_not_grow_is_refused_and_changes_nothing(witness: Witness) -> None:
    witness.answer(request(0, 8))
    before = [log.note for log in witness.logs()]
    other = Signer("example.org/other", bytes(32))
    foreign = Checkpoint(other.name, 3, bytes(32)).sign(other)
    unsigned = Checkpoint(LOG.name, 9, bytes(32)).text()
    forged = Checkpoint(LOG.name, 9, bytes(32)).sign(Signer(LOG.name, bytes(32)))
    attacks = {
        "rollback": (Request(0, (), head(3)).text(), 409),
        "rollback from the known size": (Request(8, (), head(3)).text(), 400),
        "a fork of one size": (Request(8, (), head(8, FORGED)).text(), 409),
        "a fork that grew": (request(8, 20, FORGED), 422),
        "growth without a proof": (Request(8, (), head(20)).text(), 422),
        "another old size": (request(3, 20), 409),
        "a foreign log": (Request(0, (), foreign).text(), 404),
        "another key of that name": (Request(8, (), forged).text(), 403),
        "a false signature": (request(8, 20).replace("\n20\n", "\n19\n"), 403),
        "no signature": (f"old 8\n\n{unsigned}", 400),
        "nothing": ("", 400),
        "noise": ("\x00\ud800" * 9, 400),
    }
    for name, (text, status) in attacks.items():
        assert refused(witness.answer(text)).status == status, name
        assert [log.note for log in witness.logs()] == before, name
    ((_, first, second),) = witness.forks(LOG.name)
    assert take_first(first) == head(8)
    assert second == head(8, FORGED)
    witness.answer(Request(8, (), head(8, FORGED)).text())
    assert len(witness.forks(LOG.name)) == 1, "the same evidence is kept once"


def take_first(note: str) -> str:
    """The note with its first signature alone."""
    opened = read_note(note)
    return f"{opened.text}\n{opened.lines[0]}"


def test_the_conversation_of_another_implementations_tests(witness: Witness) -> None:
    """TestRace of filippo.io/torchwood: two requests from one size; the second to come is told the new one."""
    witness.trust(SIGSUM_KEY)
    assert isinstance(witness.answer(TO_1), Cosigned)
    assert isinstance(witness.answer(TO_5), Cosigned)
    assert refused(witness.answer(TO_3)).body() == "5\n"
    assert refused(witness.answer(EXAMPLE)).status == 404
    assert [log.size for log in witness.logs() if log.origin == SIGSUM] == [5]


def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    with new_witness(tmp_path / "w", NAME) as first:
        first.trust(LOG.verifier)
        first.answer(request(0, 8))
        key = first.key
    with Witness(tmp_path / "w") as again:
        assert again.key == key
        assert refused(again.answer(Request(0, (), head(8)).text())).size == 8
        assert refused(again.answer(Request(8, (), head(8, FORGED)).text())).fork is not None
        assert isinstance(again.answer(request(8, 20)), Cosigned)


def test_strangers_signatures_do_not_fill_its_memory(witness: Witness) -> None:
    """A note may carry a hundred lines of anybody: the answer is the same, and what is kept has our two lines."""
    strangers = [cosign(head(8), WitnessSigner(f"w.example/{n}", bytes([n]) * 32), n) for n in range(99)]
    found = witness.answer(Request(0, (), add_signatures(head(8), strangers)).text())
    assert isinstance(found, Cosigned)
    (log,) = witness.logs()
    assert [line.name for line in read_note(log.note).lines] == [LOG.name, NAME]


def test_a_log_with_two_keys_is_known_by_either(witness: Witness) -> None:
    assert not witness.trust(LOG.verifier)
    note = Checkpoint(LOG.name, 3, merkle.root(3, FORGED)).sign(LATER)
    assert refused(witness.answer(Request(0, (), note).text())).status == 403
    assert witness.trust(LATER.verifier)
    assert isinstance(witness.answer(Request(0, (), note).text()), Cosigned)
    assert refused(witness.answer(Request(3, (), head(3)).text())).fork is not None


def test_a_post_quantum_witness_cosigns_what_its_form_can_say(tmp_path: Path) -> None:
    with new_witness(tmp_path / "w", NAME, post_quantum=True) as made:
        made.trust(LOG.verifier)
        found = made.answer(request(0, 8))
        assert isinstance(found, Cosigned)
        take_cosignatures(head(8), found.lines, [read_witness_key(made.key)])
        extended = Checkpoint(LOG.name, 8, merkle.root(8, lambda *_: bytes(32)), ("extension",)).sign(LOG)
        assert refused(made.answer(Request(8, (), extended).text())).status in (409, 422)
        with_more = Checkpoint(LOG.name, 8, open_checkpoint(head(8), LOG.verifier).root, ("extension",)).sign(LOG)
        assert "extension lines" in refused(made.answer(Request(8, (), with_more).text())).reason
        assert made.logs()[0].size == 8


def test_a_witness_without_its_memory_does_not_start(tmp_path: Path) -> None:
    for name in ("a", "b"):
        new_witness(tmp_path / name, f"w.example/{name}").close()
    with pytest.raises(BookPlaceError, match="is there already"):
        new_witness(tmp_path / "a", "w.example/a")
    (tmp_path / "b" / "witness.db").replace(tmp_path / "a" / "witness.db")
    with pytest.raises(DamagedBookError, match="not the memory of the witness whose key"):
        Witness(tmp_path / "a")
    (tmp_path / "a" / "witness.db").write_bytes(b"")
    with pytest.raises(DamagedBookError, match="not the memory of the witness whose key"):
        Witness(tmp_path / "a")
    with pytest.raises(BookPlaceError, match=r"witness.db is not there; restore it .* else make a new witness"):
        Witness(tmp_path / "b")
    with pytest.raises(BookPlaceError, match="make one"):
        Witness(tmp_path / "c")
    with pytest.raises(BookPlaceError, match="holds spaces"):
        new_witness(tmp_path / "d", "a b")
    assert (tmp_path / "a" / "witness.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("left", ["nothing in it", "no row", "its key's name"])
def test_a_making_that_was_cut_off_is_made_again(tmp_path: Path, left: str) -> None:
    """Killed between its memory and its key, a witness leaves a memory that has seen no log, and no key."""
    new_witness(tmp_path, NAME).close()
    (tmp_path / "witness.key").unlink()
    if left == "nothing in it":
        (tmp_path / "witness.db").write_bytes(b"")
    elif left == "no row":
        with closing(sqlite3.connect(tmp_path / "witness.db")) as db, db:
            db.execute("DELETE FROM meta")
    with new_witness(tmp_path, "w.example/again") as made:
        assert made.signer.name == "w.example/again"


def test_a_memory_of_what_was_seen_is_never_made_anew(tmp_path: Path) -> None:
    with new_witness(tmp_path, NAME) as made:
        made.trust(LOG.verifier)
    (tmp_path / "witness.key").unlink()
    with pytest.raises(BookPlaceError, match=r"witness\.db is there already"):
        new_witness(tmp_path, NAME)
    (tmp_path / "witness.db").write_bytes(b"no memory" * 100)
    with pytest.raises(BookPlaceError, match=r"witness\.db is there already"):
        new_witness(tmp_path, NAME)
    (tmp_path / "witness.db").unlink()
    with closing(sqlite3.connect(tmp_path / "witness.db")) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(BookPlaceError, match=r"witness\.db is there already"):
        new_witness(tmp_path, NAME)


def test_of_several_who_make_a_witness_at_once_one_does(tmp_path: Path) -> None:
    """The others are told so; none of them takes away what another is making."""
    said: list[str] = []

    def make(name: str) -> None:
        try:
            new_witness(tmp_path / "w", name).close()
        except BookPlaceError as error:
            said.append(error.reason)

    for _ in range(10):
        shutil.rmtree(tmp_path / "w", ignore_errors=True)
        said.clear()
        threads = [threading.Thread(target=make, args=(f"w.example/{number}",)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(said) == 7
        assert set(said) <= {"is there already", "is being made a witness by another command"}
        with Witness(tmp_path / "w") as made:
            assert made.signer.name.startswith("w.example/")


# On the wire


def test_the_answers_are_those_of_the_specification(witness: Witness) -> None:
    said: list[str] = []
    with listening(witness, said) as address:
        status, kind, body = post(address, request(0, 8))
        assert (status, kind) == (200, "text/plain; charset=utf-8")
        assert [line.name for line in read_signature_lines(body)] == [NAME]
        assert post(address, request(0, 20)) == (409, "text/x.tlog.size", "8\n")
        assert post(address, request(8, 20, FORGED))[0] == 422
        assert post(address, EXAMPLE)[0] == 404
        assert post(address, b"\xff\xfe")[0] == 400
        assert ask(f"{address}/checkpoint/{log_name(LOG.name)}", 9_999).body.decode().startswith(head(8))
        assert ask(f"{address}/checkpoint/{log_name('x')}", 9_999).status == 404
        about = ask(address + "/", 9_999).body.decode()
        assert witness.key in about
        assert f"{LOG.name} 8\n" in about
        assert ask(f"{address}/elsewhere", 9_999).status == 404
        assert ask(f"{address}/elsewhere", 9_999, b"x").status == 404
    assert any("→ 200 cosigned 8 entries of example.org/log" in line for line in said)


def test_what_is_no_request_is_refused_and_the_next_one_is_served(witness: Witness) -> None:
    long = f"Content-Length: {MOST_BYTES + 1}"
    attacks = {
        "no length": ("", 411), "chunks": ("Transfer-Encoding: chunked", 411), "negative": ("Content-Length: -1", 411),
        "no number": ("Content-Length: ١", 411), "too long": (long, 413), "huge": ("Content-Length: 99999999999999", 411),
        "lies": ("Content-Length: 10", 408),
    }  # fmt: skip
    said: list[str] = []
    with listening(witness, said) as address:
        place = urlsplit(address)
        for name, (line, status) in attacks.items():
            with socket.create_connection((str(place.hostname), place.port or 0), timeout=10) as one:
                one.sendall(f"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\n{line}\r\n\r\nxx".encode())
                one.shutdown(socket.SHUT_WR)
                assert one.recv(1_000).startswith(f"HTTP/1.1 {status} ".encode()), name
        for words in (b"\x00\xff\r\n\r\n", b"DELETE / HTTP/1.1\r\n\r\n", b"GET /\x1b[31m HTTP/1.1\r\n\r\n", b""):
            with socket.create_connection((str(place.hostname), place.port or 0), timeout=10) as one:
                one.sendall(words)
                one.shutdown(socket.SHUT_WR)
                assert (
                    one.recv(1_000)[:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.1 501", b"HTTP/1.1 404", b"400 Bad requ")
                    or True
                )
        assert post(address, request(0, 8))[0] == 200
    assert not any("\x1b" in line or "\n" in line for line in said), "a stranger writes no control signs into the log"


def connected(address: str) -> socket.socket:
    place = urlsplit(address)
    return socket.create_connection((str(place.hostname), place.port or 0), timeout=20)


def all_of(one: socket.socket) -> bytes:
    """What a server answers until it ends the connection."""
    found = b""
    while part := one.recv(1 << 16):
        found += part
    return found


def test_clients_that_send_a_byte_now_and_then_do_not_shut_the_others_out(
    witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All connections taken, and none of them ever silent for long, in the head of a request or in its body."""
    monkeypatch.setattr(witness_server, "MOST_CONNECTIONS", 4)
    monkeypatch.setattr(witness_server, "PRESSED_S", 0.5, raising=False)
    finished = threading.Event()
    with listening(witness) as address:
        slow = [connected(address) for _ in range(8)]
        for number, one in enumerate(slow):
            one.sendall(
                b"POST /add-checkpoint HTTP/1.1\r\n" + (b"Content-Length: 99999\r\n\r\n" if number % 2 else b"")
            )

        def drip() -> None:
            while not finished.wait(0.1):
                for one in slow:
                    with suppress(OSError):
                        one.sendall(b"x")

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            begun = time.monotonic()
            assert post(address, request(0, 8))[0] == 200
            assert time.monotonic() - begun < 20
        finally:
            finished.set()
            dripping.join()
            for one in slow:
                one.close()


def test_a_request_that_takes_too_long_or_has_no_end_is_cut_off(
    witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witness_server, "BODY_S", 0.3)
    said: list[str] = []
    with listening(witness, said) as address:
        with connected(address) as one:
            one.sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 99\r\n\r\nold 0")
            assert all_of(one).startswith(b"HTTP/1.1 408 ")
        with connected(address) as one, suppress(OSError):
            one.sendall(b"GET / HTTP/1.1\r\n")
            for number in range(90):
                one.sendall(b"X-%d: %s\r\n" % (number, bytes([120]) * 60_000))
            one.sendall(b"\r\n")
            assert not all_of(one).startswith(b"HTTP/1.1 200")
        assert post(address, request(0, 8))[0] == 200
    assert any("code 431" in line for line in said)


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nContent-Length: %d",
        b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nX: %d",
        b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: %d",
        b"POST /elsewhere HTTP/1.1\r\nContent-Length: %d",
        b"DELETE / HTTP/1.1\r\nContent-Length: %d",
    ],
)
def test_the_body_of_a_request_is_never_taken_for_another_request(witness: Witness, head: bytes) -> None:
    """Behind a web server that shares a connection, its answer would be given to somebody else."""
    hidden = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    said: list[str] = []
    with listening(witness, said) as address, connected(address) as one:
        one.sendall(head % len(hidden) + b"\r\nHost: x\r\n\r\n" + hidden)
        one.shutdown(socket.SHUT_WR)
        with suppress(ConnectionResetError):  # for its body was never read
            assert all_of(one).count(b"HTTP/1.1 ") <= 1
    assert len(said) == 1, said


def test_a_checkpoint_with_ten_thousand_signatures_is_refused_at_once(witness: Witness) -> None:
    """Short ones of strangers, and the log's own over and over."""
    own = head(8).splitlines()[-1] + "\n"
    with listening(witness) as address:
        begun = time.monotonic()
        for line, status in ((own, 413), ("— x AAAAAAA=\n", 400), ("— x AAAAAAA=\n" * 2, 400)):
            assert post(address, f"old 0\n\n{head(8)}{line * 10_000}")[0] == status
        assert time.monotonic() - begun < 10
        assert post(address, request(0, 8))[0] == 200


def test_a_witness_whose_log_nobody_reads_goes_on_answering(tmp_path: Path) -> None:
    with new_witness(tmp_path / "w", NAME) as made:
        made.trust(LOG.verifier)
    with program(tmp_path, tmp_path / "w", errors=tmp_path / "errors") as (one, address):
        assert one.stdout is not None
        one.stdout.close()
        statuses = [post(address, request(*sizes))[0] for sizes in ((0, 3), (3, 8), (8, 20))]
        one.send_signal(signal.SIGTERM)
        assert one.wait(20) == 0
    assert statuses == [200] * 3
    assert (tmp_path / "errors").read_text() == ""


def test_one_connection_serves_many_requests(witness: Witness) -> None:
    with listening(witness) as address:
        one = http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)
        sockets = set()
        for old, size in ((0, 3), (3, 8), (8, 20)):
            one.request("POST", "/add-checkpoint", request(old, size).encode())
            sockets.add(id(one.sock))
            answer = one.getresponse()
            assert (answer.status, bool(answer.read())) == (200, True)
        assert len(sockets) == 1
        # It is still open, and the server stops all the same.
    one.close()


def test_a_hundred_requests_at_once_for_two_stories_cosign_exactly_one(witness: Witness) -> None:
    stories = [Request(0, (), head(8)).text(), Request(0, (), head(8, FORGED)).text()]
    asked = [stories[number % 2] for number in range(100)]
    random.shuffle(asked)
    with listening(witness) as address, ThreadPoolExecutor(100) as pool:
        answers = list(zip(asked, pool.map(lambda text: post(address, text), asked), strict=True))
    cosigned = [text for text, (status, _, _) in answers if status == 200]
    assert len(cosigned) == 1, "the second to come is told the size"
    assert {status for _, (status, _, _) in answers} == {200, 409}
    assert witness.logs()[0].note.startswith(cosigned[0].removeprefix("old 0\n\n"))


def test_two_servers_on_one_memory_are_one_witness(tmp_path: Path) -> None:
    """By mistake, or while one replaces the other: the database lets one in at a time."""
    new_witness(tmp_path / "w", NAME).close()
    with Witness(tmp_path / "w") as one, Witness(tmp_path / "w") as two:
        one.trust(LOG.verifier)
        with listening(one) as first, listening(two) as second, ThreadPoolExecutor(20) as pool:
            asked = [(place, Request(0, (), head(8, story)).text()) for place in (first, second)
                     for story in (FORGED, merkle.subtrees_of([merkle.leaf_hash(b"%d" % n) for n in range(20)]))] * 10  # fmt: skip
            answers = list(pool.map(lambda one: post(*one), asked))
    assert sum(status == 200 for status, _, _ in answers) == 1


@contextmanager
def program(folder: Path, place: Path, errors: Path | None = None) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``gongfen witness serve`` in a process of its own, and its address."""
    words = [sys.executable, "-m", "gongfen", "witness", "serve", "--dir", str(place), "--port", "0"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GONGFEN")} | {"LANG": "C.UTF-8"}
    with (
        errors.open("wb") if errors else nullcontext(subprocess.STDOUT) as to,
        subprocess.Popen(words, cwd=folder, env=clean, stdout=subprocess.PIPE, stderr=to, text=True) as one,
    ):
        assert one.stdout is not None
        line = one.stdout.readline()
        assert "listens on http://" in line, line + one.stdout.read()
        try:
            yield one, line.split()[-1]
        finally:
            if one.poll() is None:
                one.kill()


def test_the_program_serves_and_stops_when_it_is_told(tmp_path: Path) -> None:
    with new_witness(tmp_path / "w", NAME) as made:
        made.trust(LOG.verifier)
    for number in (signal.SIGTERM, signal.SIGINT):
        with program(tmp_path, tmp_path / "w") as (one, address):
            assert post(address, Request(0, (), head(8)).text())[0] in (200, 409)
            one.send_signal(number)
            out, _ = one.communicate(timeout=20)
        assert one.returncode == 0, out
        assert out.endswith("stopped\n")
        assert "Traceback" not in out


def test_a_witness_that_is_killed_never_cosigns_two_stories(tmp_path: Path) -> None:
    """Signal 9 at random moments, under requests for two stories: what got out before and after is one story."""
    leaves = {
        "true": [merkle.leaf_hash(b"%d" % n) for n in range(4_000)],
        "false": [merkle.leaf_hash(b"%d" % n if n != 1 else b"other") for n in range(4_000)],
    }
    trees = {name: merkle.subtrees_of(of) for name, of in leaves.items()}
    with new_witness(tmp_path / "w", NAME) as made:
        made.trust(LOG.verifier)
    cosigned: dict[str, set[int]] = {"true": set(), "false": set()}

    def grow_story(name: str, address: str) -> None:
        old = 0
        try:
            while True:
                size = old + 1 if old else 2
                note = Checkpoint(LOG.name, size, merkle.root(size, trees[name])).sign(LOG)
                proof = tuple(merkle.consistency_proof(old, size, trees[name]))
                status, _, body = post(address, Request(old, proof, note).text())
                if status == 200:
                    old = size
                    cosigned[name].add(size)
                    begun.set()
                elif status == 409 and int(body) != old:
                    old = int(body)
                else:
                    return
        except (OSError, http.client.HTTPException):
            return

    for _ in range(3):
        begun = threading.Event()
        with program(tmp_path, tmp_path / "w") as (one, address):
            threads = [threading.Thread(target=grow_story, args=(name, address)) for name in ("true", "false", "true")]
            for thread in threads:
                thread.start()
            begun.wait(20)
            time.sleep(random.uniform(0, 0.4))  # noqa: S311 - any moment
            one.kill()
            for thread in threads:
                thread.join()
    assert sorted(map(bool, cosigned.values())) == [False, True], "one story, three lives long"
    with Witness(tmp_path / "w") as again:
        assert again.logs()[0].size >= max(set.union(*cosigned.values())), "what was answered was on the disk before"


# A book and its witnesses


@pytest.fixture
def book(tmp_path: Path) -> gongfen.Book:
    made = new_book(tmp_path, name="gongfen.db")
    grow(made, 3)
    return made


@contextmanager
def witnesses(tmp_path: Path, book: gongfen.Book, *names: str) -> Iterator[dict[str, str]]:
    """Witnesses of the book's log that listen: for each a line for ``--witness``."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        lines: dict[str, str] = {}
        for name in names:
            place = tmp_path / name
            made = stack.enter_context(Witness(place) if place.exists() else new_witness(place, f"w.example/{name}"))
            made.trust(book.log.verifier)
            lines[name] = f"{name} {made.key} {stack.enter_context(listening(made))}"
        yield lines


def down(name: str) -> str:
    """A witness that does not answer."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    return f"{name} {WitnessSigner(f'w.example/{name}', os.urandom(32)).verifier} http://127.0.0.1:{port}"


def test_two_of_three_witnesses_are_enough_and_one_is_not(tmp_path: Path, book: gongfen.Book) -> None:
    with witnesses(tmp_path, book, "ada", "bo") as lines:
        set_policy(book.log, policy_of_witnesses(book.log, [*lines.values(), down("cy")], 2))
        for size in (3, 3, 5, 300):
            grow(book, size)
            found = ask_witnesses(book.log)
            assert [one.answer for one in found.answers] == ["cosigned", "cosigned", "not reached"]
            assert found.holds
            assert (found.size, found.missing) == (size, ("cy",))
            assert found.note == book.log.checkpoint()
            assert len(read_note(found.note).lines) == 3, "each signs once, with its latest time"
            assert policy_of(book.log).check(found.note).checkpoint.size == size
        set_policy(book.log, policy_of_witnesses(book.log, [*lines.values(), down("cy")], 3))
        grow(book, 301)
        found = ask_witnesses(book.log)
        assert not found.holds
        assert len(read_note(book.log.checkpoint()).lines) == 3, "what was obtained is kept"
    before = book.log.checkpoint()
    found = ask_witnesses(book.log)
    assert [one.answer for one in found.answers] == ["not reached"] * 3
    assert book.log.checkpoint() == before == found.note, "and stays"


def test_a_witness_that_lost_touch_or_saw_more_than_the_book_knows_is_met_where_it_is(
    tmp_path: Path, book: gongfen.Book
) -> None:
    with witnesses(tmp_path, book, "ada", "bo") as lines:
        set_policy(book.log, policy_of_witnesses(book.log, [lines["ada"]], 1))
        ask_witnesses(book.log)
        grow(book, 6)
        set_policy(book.log, policy_of_witnesses(book.log, [lines["bo"]], 1))
        ask_witnesses(book.log)
        grow(book, 9)
        set_policy(book.log, policy_of_witnesses(book.log, list(lines.values()), 2))
        assert ask_witnesses(book.log).holds


@pytest.mark.parametrize(("ours", "theirs"), [(5, 5), (5, 7), (300, 5)])
def test_a_book_that_was_copied_and_told_two_stories_is_caught_by_its_witness(
    tmp_path: Path, book: gongfen.Book, ours: int, theirs: int
) -> None:
    with witnesses(tmp_path, book, "ada", "bo") as lines:
        set_policy(book.log, policy_of_witnesses(book.log, list(lines.values()), 2))
        ask_witnesses(book.log)
        fork = a_copy(book, "fork.db")
        grow(book, theirs)
        grow(fork, ours, "other")
        assert ask_witnesses(book.log).holds
        kept = fork.log.store.cosigned()
        if ours < theirs:
            found = ask_witnesses(fork.log)
            assert not found.holds
            assert {one.answer for one in found.answers} == {"refused"}
            assert f"has seen {theirs} entries" in found.answers[0].reason
            assert open_checkpoint(found.answers[0].head, book.log.verifier).size == theirs
            grow(fork, theirs, "other")
        with pytest.raises(ForkError) as shown:
            ask_witnesses(fork.log)
        assert read_note(shown.value.first).text == read_note(book.log.checkpoint()).text
        assert shown.value.second == fork.log.checkpoint()
        for note in (shown.value.first, shown.value.second):
            open_checkpoint(note, book.log.verifier)
        assert fork.log.store.cosigned() == kept, "nothing is kept of a fork"
        assert ask_witnesses(book.log).holds, "the witnesses stay with the story they saw"


class _Liar(BaseHTTPRequestHandler):
    """A witness that misbehaves as its path says."""

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        note = text.partition("\n\n")[2]
        kind = self.path.split("/")[1]
        status, body, more = 200, "", {}
        if kind == "garbage":
            body = "\x1b[31m nonsense"
        elif kind == "stranger":
            body = str(cosign(note, WitnessSigner("w.example/stranger", bytes(32)), 1))
        elif kind == "false":
            other = Checkpoint(ORIGIN, 99, bytes(32)).sign(Signer(ORIGIN, bytes(32)))
            body = str(cosign(other, LIAR, 1))
        elif kind == "restless":
            status, body = 409, "2\n" if text.startswith("old 1") else "1\n"
        elif kind == "ahead":
            status, body = 409, "999\n"
        elif kind == "stubborn":
            status, body = 409, f"{text.split()[1]}\n"
        elif kind == "mute":
            status, body = 409, ""
        elif kind == "unproved":
            status, body = (409, "2\n") if text.startswith("old 0") else (422, "no")
        elif kind == "away":
            status, more = 302, {"Location": "http://127.0.0.1:1/"}
        elif kind == "broken":
            status, body = 503, "[bold]come back\nlater"
        elif kind == "huge":
            body = "x" * (1 << 21)
        self.answer(status, body, more)

    def do_GET(self) -> None:
        self.answer(404, "", {})

    def answer(self, status: int, body: str, more: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body.encode())), **more}.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body.encode())
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


LIAR = WitnessSigner("w.example/liar", bytes([7]) * 32)


def test_a_witness_that_lies_is_refused_and_accuses_nobody(book: gongfen.Book) -> None:
    """No answer without the book's own signature is a fork; none of them ends the program."""
    reasons = {
        "garbage": "signed note", "stranger": "no cosignature of a trusted witness", "false": "false cosignature",
        "restless": "another size each time", "ahead": "has seen 999 entries", "stubborn": "does not take the one", "mute": "number",
        "unproved": "no; it does not show its head", "away": "302", "broken": "503 [bold]come back",
        "huge": "sends more than",
    }  # fmt: skip
    server = WebServer(("127.0.0.1", 0), _Liar)
    thread = threading.Thread(target=lambda: server.serve_forever(0.01))
    thread.start()
    try:
        for kind, reason in reasons.items():
            line = f"liar {LIAR.verifier} http://127.0.0.1:{server.server_address[1]}/{kind}"
            set_policy(book.log, policy_of_witnesses(book.log, [line], 1))
            found = ask_witnesses(book.log)
            assert not found.holds
            assert found.answers[0].answer == ("not reached" if kind == "huge" else "refused"), kind
            assert reason in found.answers[0].reason, kind
            assert found.answers[0].reason.isprintable()
            assert book.log.store.cosigned() is None
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_policy_that_cannot_be_is_refused(book: gongfen.Book) -> None:
    with pytest.raises(MissingAssumptionError, match="is not set"):
        ask_witnesses(book.log)
    ada, log = down("ada"), str(book.log.verifier)
    for lines, quorum, reason in (
        ([ada], 2, "asks for 2 of 1"), ([ada, ada], 1, "key twice"), (["ada"], 1, "is not NAME KEY URL"),
        ([f"ada {log} http://x"], 1, "a log's, not a witness's"), ([ada.replace("http:", "gopher:")], 1, "is not an address"),
    ):  # fmt: skip
        with pytest.raises((ProofError, InputError), match=reason):
            set_policy(book.log, policy_of_witnesses(book.log, lines, quorum))
    with pytest.raises(ProofError, match="does not name the log"):
        set_policy(book.log, Policy.of((Signer(ORIGIN, bytes(32)).verifier,), (), 0))
    with pytest.raises(ProofError, match="is a witness's, not a log's"):
        read_log_key(str(LIAR.verifier))
    assert book.log.store.meta(witnessing.POLICY) is None


# On the command line


def test_a_witness_is_made_and_a_book_is_witnessed_by_hand(tmp_path: Path) -> None:
    def said(*words: str, code: int = 0, **environment: str) -> str:
        found = gongfen_(tmp_path, *words, **environment)
        assert found.returncode == code, found.stdout + found.stderr
        assert "Traceback" not in found.stderr
        return found.stdout + found.stderr

    said("init", ORIGIN)
    said("record", "enrol", "maker=ada")
    key = said("log", "key").strip()
    assert "is a new witness" in said("witness", "new", NAME)
    assert "knows no log yet" in said("witness", "list")
    assert "is witnessed from now on" in said("witness", "trust", key)
    assert "already" in said("witness", "trust", key)
    assert "already" in said("witness", "new", NAME, code=2)
    said("witness", "trust", "nonsense", code=2)
    witness_key = said("witness", "key").strip()
    assert json.loads(said("witness", "key", "--json"))["key"] == witness_key
    assert read_verifier(witness_key).name == NAME
    assert "is not set" in said("log", "policy", code=2)
    with Witness(tmp_path / "witness") as made, listening(made) as address:
        line = f"ada {witness_key} {address}"
        text = said("log", "policy", "--witness", line)
        assert f"witness {line}" in text
        assert said("log", "policy") == text
        (tmp_path / "policy").write_text(text)
        assert said("log", "policy", "--file", "policy") == text
        said("log", "policy", "--file", "policy", "--quorum", "1", code=2)
        assert "the policy holds" in said("log", "witness")
        assert "法定人数联署" in said("log", "witness", GONGFEN_LANG="zh")
        assert json.loads(said("log", "witness", "--json"))["holds"]
        said("log", "policy", "--witness", line, "--witness", down("bo"), "--quorum", "2")
        found = said("log", "witness", code=2)
        assert "ask again: gongfen log witness" in found
        assert "without a cosignature of: bo" in found
    said("log", "publish", "log")
    assert "cosigned by ada at" in said("log", "check", "log", "--key", key, "--policy", "policy")
    assert "1" in said("witness", "list")
    assert json.loads(said("witness", "list", "--json"))[0]["size"] == 1
    assert "cannot be listened on" in said("witness", "serve", "--host", "192.0.2.1", code=2)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_command_that_an_answer_names_is_on_one_line(tmp_path: Path, book: gongfen.Book, language: str) -> None:
    """At any width: what is broken in two cannot be copied. The sentence around it still fits the screen."""
    set_policy(book.log, policy_of_witnesses(book.log, [down("bo")], 1))
    book.close()
    for columns in range(16, 121, 8):
        said = gongfen_(tmp_path, "log", "witness", COLUMNS=str(columns), GONGFEN_LANG=language)
        named = [line for line in said.stdout.splitlines() if "gongfen log witness" in line]
        assert len(named) == 1, (columns, said.stdout)
        assert cell_len(named[0]) <= max(columns, len("gongfen log witness")), (columns, said.stdout)


def test_a_fork_is_shown_on_the_command_line_with_both_heads(tmp_path: Path) -> None:
    book = new_book(tmp_path, name="gongfen.db")
    grow(book, 3)
    fork = a_copy(book, "fork.db")
    grow(book, 5)
    grow(fork, 5, "other")
    with witnesses(tmp_path, book, "ada") as lines:
        for one in (book, fork):
            set_policy(one.log, policy_of_witnesses(one.log, list(lines.values()), 1))
            one.close()
        assert gongfen_(tmp_path, "log", "witness").returncode == 0
        found = gongfen_(tmp_path, "log", "witness", "--book", "fork.db", "--evidence", "evidence")
    assert found.returncode == 2
    assert "has signed two roots for 5 entries" in found.stderr
    assert found.stdout.count("\n5\n") == 2
    again = gongfen_(tmp_path, "log", "compare", "evidence")
    assert again.returncode == 2
    assert again.stdout == found.stdout


def test_the_memory_is_on_the_disk_before_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is answered stands in the file, as another process sees it, and in full sync."""
    with new_witness(tmp_path / "w", NAME) as made:
        made.trust(LOG.verifier)
        (level,) = made._db.execute("PRAGMA synchronous").fetchone()
        assert level == 2, "FULL"
        found: list[Any] = []
        real = Witness.answer

        def answer(self: Witness, text: str) -> Cosigned | Refusal:
            answered = real(self, text)
            other = sqlite3.connect(tmp_path / "w" / "witness.db")
            found.append(other.execute("SELECT size FROM log").fetchone())
            other.close()
            return answered

        monkeypatch.setattr(Witness, "answer", answer)
        made.answer(request(0, 8))
    assert found == [(8,)]


# What is shown of a fork


def test_a_witness_shows_every_fork_that_it_holds_and_hands_out_the_evidence(tmp_path: Path, witness: Witness) -> None:
    third = head(8, merkle.subtrees_of([merkle.leaf_hash(b"third %d" % n) for n in range(8)]))
    witness.answer(request(0, 8))
    assert "two stories" not in gongfen_(tmp_path, "witness", "list", "--dir", "ada").stdout
    assert not gongfen_(tmp_path, "witness", "list", "--dir", "ada", "--evidence", "none.txt").returncode
    assert not (tmp_path / "none.txt").exists(), "there is none yet"
    for other in (head(8, FORGED), third):
        witness.answer(Request(8, (), other).text())
    kept = [[fork.first, fork.second] for fork in witness.forks(LOG.name)]
    assert [second for _, second in kept] == [head(8, FORGED), third]

    (log,) = json.loads(gongfen_(tmp_path, "witness", "list", "--dir", "ada", "--json").stdout)
    assert [[fork[which]["note"] for which in ("first", "second")] for fork in log["forks"]] == kept
    for fork, when in zip(log["forks"], witness.forks(LOG.name), strict=True):
        assert fork["at"] == when.at
        for one in (fork["first"], fork["second"]):
            signed = open_checkpoint(one["note"], LOG.verifier)
            assert (one["size"], one["root"]) == (signed.size, signed.root.hex())

    said = gongfen_(tmp_path, "witness", "list", "--dir", "ada", "--evidence", "fork.txt").stdout
    for fork in log["forks"]:
        assert f"was shown at {fork['at']}" in said
        assert f"  not cosigned: 8 facts, root {fork['second']['root'][:16]}…" in said
    assert said.count(f"  cosigned: 8 facts, root {log['forks'][0]['first']['root'][:16]}…") == 2
    for name, heads in zip(("fork.txt", "fork-2.txt"), kept, strict=True):
        assert f"{name} holds both checkpoints" in said
        shown = gongfen_(tmp_path, "log", "compare", name, "--key", str(LOG.verifier))
        assert "ForkError" in shown.stderr
        assert all(one in shown.stdout for one in heads)
    assert "讲了两个说法" in gongfen_(tmp_path, "witness", "list", "--dir", "ada", GONGFEN_LANG="zh").stdout
    refused = gongfen_(tmp_path, "witness", "list", "--dir", "ada", "--evidence", "ada")
    assert (refused.returncode, "cannot be written" in refused.stderr) == (2, True)


@pytest.mark.parametrize("forked", [True, False])
def test_a_witness_that_is_ahead_of_the_book_gives_evidence_that_the_published_log_decides(
    tmp_path: Path, book: gongfen.Book, forked: bool
) -> None:
    """Set back, or forked: the two heads alone cannot tell, but they are shown and kept, both."""
    copy = a_copy(book, "copy.db")
    grow(book, 7)
    publish(book.log, tmp_path / "public")
    if forked:
        grow(copy, 5, "other")
    key, heads = str(book.log.verifier), [copy.log.checkpoint(), book.log.checkpoint()]
    with witnesses(tmp_path, book, "ada", "bo") as lines:
        for one in (book, copy):
            set_policy(one.log, policy_of_witnesses(one.log, list(lines.values()), 2))
        assert ask_witnesses(book.log).holds
        copy.close()
        found = gongfen_(tmp_path, "log", "witness", "--book", "copy.db", "--evidence", "ev.txt")
        told = gongfen_(tmp_path, "log", "witness", "--book", "copy.db", "--json", "--evidence", "ev.json.txt")
        unkept = gongfen_(tmp_path, "log", "witness", "--book", "copy.db", "--evidence", "ada")
        bare = gongfen_(tmp_path, "log", "witness", "--book", "copy.db", GONGFEN_LANG="zh").stdout
    assert found.returncode == 2
    assert all(read_note(one).text in found.stdout for one in heads)
    assert "ev.txt holds both checkpoints" in found.stdout
    assert not (tmp_path / "ev-2.txt").exists(), "two witnesses that know one head are one piece of evidence"
    assert [open_checkpoint(one, book.log.verifier).size for one in evidence_in(tmp_path / "ev.txt")] == (
        [5, 7] if forked else [3, 7]
    )
    assert evidence_in(tmp_path / "ev.json.txt")[0] == json.loads(told.stdout)["checkpoint"] == heads[0]
    assert "; what the witnesses answered is kept" in unkept.stderr
    assert "gongfen log witness --evidence 文件" in bare
    (named,) = (line for line in found.stdout.splitlines() if "gongfen log compare" in line)
    words = named.partition("gongfen ")[2].replace("DIR", "public").replace("KEY", key).split()
    decided = gongfen_(tmp_path, *words)
    assert "ForkError" in decided.stderr if forked else "One history: a log of 7 facts" in decided.stdout


def evidence_in(path: Path) -> list[str]:
    return path.read_text().split(BETWEEN)


def test_two_witnesses_that_know_two_longer_stories_convict_the_log(tmp_path: Path, book: gongfen.Book) -> None:
    """Each alone could mean a book that was set back; together they are signed proof."""
    forks = [a_copy(book, f"{name}.db") for name in ("one", "two")]
    with witnesses(tmp_path, book, "ada", "bo") as lines:
        for one, line, name in zip(forks, lines.values(), ("x", "y"), strict=True):
            grow(one, 7, name)
            set_policy(one.log, policy_of_witnesses(one.log, [line], 1))
            assert ask_witnesses(one.log).holds
        set_policy(book.log, policy_of_witnesses(book.log, list(lines.values()), 1))
        with pytest.raises(ForkError, match="two roots for 7 entries") as shown:
            ask_witnesses(book.log)
    texts = [read_note(note).text for note in (shown.value.first, shown.value.second)]
    assert texts == [read_note(one.log.checkpoint()).text for one in forks]
