"""A witness on the network: a small HTTP server that answers ``add-checkpoint`` (c2sp.org/tlog-witness).

``POST /add-checkpoint`` is the specification's. Two more are ours, for there is no standard yet by which a witness
shows what it knows: ``GET /checkpoint/<SHA-256 of the origin>`` is the last head that it cosigned of a log, and
``GET /`` says whose witness this is and which logs it knows. All three are public: signatures are what counts.
"""

import io
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from gongfen.book.clock import now
from gongfen.book.proving.patience import Patience
from gongfen.book.proving.witness import Cosigned, Witness
from gongfen.errors import BookPlaceError, GongfenError
from gongfen.proof.witness import MOST_BYTES, TEXT_TYPE, Refusal

MOST_CONNECTIONS = 64
"""Served at once; others wait in the queue of the operating system."""
STALL_S = 10
"""Longest silence of a client, also between two requests on one connection."""
HEAD_S = BODY_S = 30
"""Longest time for what stands before one request's body, and for the body."""
PRESSED_S = 3
"""Longest time for each of them while others wait: whoever sends a byte now and then must not shut them out."""
MOST_HEAD_BYTES = 1 << 17
"""Of what stands before a body; the library takes lines of 64 KiB, one hundred of them."""
MOST_UNREAD_BYTES = 1 << 23
"""Of a body that is too long or at the wrong address, heard so that the refusal can be read."""
HEAD = "/checkpoint/"

Say = Callable[[str], None]
"""Called with each line of the server's log."""


class WitnessServer(ThreadingHTTPServer):
    """Listens when it is made, answers from ``serve_forever`` until ``stop``. Raises BookPlaceError if it cannot."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, witness: Witness, host: str, port: int, say: Say) -> None:
        self.witness = witness
        self.say = say
        self._slots = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        self._stopping = False
        self._waiting = threading.Event()
        """Whether the last client that came found no free slot."""
        if ":" in host:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            remedy = "choose another: --host HOST --port PORT; port 0 takes a free one"
            raise BookPlaceError(f"{host}:{port}", f"cannot be listened on: {error}", remedy) from None

    @property
    def address(self) -> str:
        """Where it listens."""
        host, port = str(self.server_address[0]), int(self.server_address[1])
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def pressed(self) -> bool:
        """Whether others wait for their turn, or did when the last one came."""
        return self._waiting.is_set()

    def stop(self) -> None:
        """Answer what has been asked, take no more. Returns at once; may be called from a signal handler."""
        threading.Thread(target=self._stop).start()

    def _stop(self) -> None:
        self._stopping = True
        self.shutdown()
        with self._open_lock:
            for one in self._open:
                # A connection that waits for its next request ends; one that is being answered still gets its answer.
                try:
                    one.shutdown(socket.SHUT_RD)
                except OSError as error:
                    self.say(f"{now()} a connection had ended: {error}")

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Serve a connection in a thread of its own, once one of the slots is free."""
        assert isinstance(request, socket.socket), "TCP"
        if self._slots.acquire(blocking=False):
            self._waiting.clear()
        else:
            self._waiting.set()  # until somebody comes who need not wait
            while not self._slots.acquire(timeout=1):
                if self._stopping:
                    self.shutdown_request(request)
                    return
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """End a connection and free its slot."""
        assert isinstance(request, socket.socket), "TCP"
        with self._open_lock:
            served = request in self._open
            self._open.discard(request)
        super().shutdown_request(request)
        if served:
            self._slots.release()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - as the library calls it
        """Say that a connection failed, in a line: a client that goes away is not an error of this server."""
        self.say(f"{now()} {_client(client_address)} connection lost")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = STALL_S
    server_version = "gongfen-witness"
    sys_version = ""
    error_message_format = "%(message)s\n"
    error_content_type = TEXT_TYPE
    server: WitnessServer

    def setup(self) -> None:
        """Listen to the client within limits."""
        super().setup()
        self.rfile.close()
        self._patience = Patience(self.connection, STALL_S, PRESSED_S, self.server.pressed)
        self.rfile = io.BufferedReader(self._patience)

    def handle_one_request(self) -> None:
        """Hear a request, and answer it."""
        self._patience.listen(HEAD_S, MOST_HEAD_BYTES)
        super().handle_one_request()

    def do_POST(self) -> None:
        """Cosign a head, or say why not."""
        if self.path != "/add-checkpoint":
            self._answer(404, "only POST /add-checkpoint is here\n", end=True)
            return
        body = self._body()
        if body is None:
            return
        try:
            found = self.server.witness.answer(body.decode())
        except UnicodeDecodeError:
            self._answer(400, "the request is not text\n")
        except GongfenError as error:
            # The sender learns nothing about this machine; its owner reads why.
            self._answer(500, "this witness cannot answer now\n", why=str(error))
        else:
            self._reply(found)

    def do_GET(self) -> None:
        """Whose witness this is; or the last head of a log."""
        try:
            if self.path == "/":
                self._answer(200, self._about())
            elif self.path.startswith(HEAD) and (note := self.server.witness.head(self.path.removeprefix(HEAD))):
                self._answer(200, note)
            else:
                self._answer(404, "not here\n")
        except GongfenError as error:
            self._answer(500, "this witness cannot answer now\n", why=str(error))

    def _reply(self, found: Cosigned | Refusal) -> None:
        if isinstance(found, Cosigned):
            self._answer(200, found.lines, why=f"cosigned {found.size} entries of {found.origin}")
            return
        why = str(found.fork) if found.fork else found.reason
        self._answer(found.status, found.body(), kind=found.content_type(), why=why)

    def _about(self) -> str:
        witness = self.server.witness
        logs = "".join(f"{log.origin} {log.size}\n" for log in witness.logs())
        return f"A witness of transparency logs (c2sp.org/tlog-witness).\n{witness.key}\n\n{logs}"

    def _body(self) -> bytes | None:
        """The whole body of a request; ``None`` when it was refused."""
        (length, *others) = self.headers.get_all("Content-Length", [""])
        plain = length.isascii() and length.isdecimal() and len(length) < 10
        if others or not plain or "Transfer-Encoding" in self.headers:
            self._answer(411, "say the length of the request\n", end=True)
            return None
        left = int(length)
        if left > MOST_BYTES:
            self._answer(413, f"a request has {MOST_BYTES} bytes at most\n", end=True)
            return None
        found = bytearray()
        self._patience.listen(BODY_S, left + io.DEFAULT_BUFFER_SIZE)  # the next request may have come with it
        with suppress(TimeoutError):
            while left and (part := self.rfile.read1(left)):
                found += part
                left -= len(part)
        if left:
            self._answer(408, "the request was not sent to its end\n", end=True)
            return None
        return bytes(found)

    def _answer(self, status: int, text: str, *, kind: str = TEXT_TYPE, why: str = "", end: bool = False) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        # A body that was not read would be taken for the next request, perhaps of somebody else behind a web server.
        unread = self.command == "GET" and ("Content-Length" in self.headers or "Transfer-Encoding" in self.headers)
        if end or unread or self.server._stopping:  # noqa: SLF001 - the same file
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(data)
        if end:
            self._hear_out()
        line = f"{now()} {_client(self.client_address)} {self.command} {self.path[:100]} → {status} {why}"
        self.server.say("".join(c if c.isprintable() else "?" for c in line).rstrip())

    def _hear_out(self) -> None:
        """Let a client finish, within limits: who is cut off while sending does not get to read the answer."""
        self._patience.listen(PRESSED_S, MOST_UNREAD_BYTES)
        with suppress(OSError, HTTPException):
            self.connection.shutdown(socket.SHUT_WR)
            while self.rfile.read1(io.DEFAULT_BUFFER_SIZE):
                continue

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Every answer has its line already."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say what the library has to say of a request that it refuses itself."""
        line = f"{now()} {_client(self.client_address)} {format % args}"
        self.server.say("".join(c if c.isprintable() else "?" for c in line))


def _client(address: object) -> str:
    return str(address[0]) if isinstance(address, tuple) else "somebody"
