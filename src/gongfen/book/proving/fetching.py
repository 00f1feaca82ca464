"""Bytes from other people's servers: over HTTP and nothing else, within limits of size and time.

A server may be slow, broken or hostile. It can make a command fail, with an error that names it; it cannot fill the
memory, hold the program for ever, or lead it to another scheme (a redirect to ``file:`` is refused).
"""

import zlib
from collections.abc import Mapping
from http.client import HTTPException, HTTPMessage, HTTPResponse
from time import monotonic
from typing import IO, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from gongfen.errors import InputError, UnreachableError

STALL_S = 30
"""Longest silence of a server, in seconds."""
LONGEST_S = 300
"""Longest time for one answer, in seconds."""
CHUNK_BYTES = 1 << 16
SCHEMES = ("http", "https")
TRY_LATER = "check the address, and try again later"


class Answer(NamedTuple):
    """What a server answered, whatever its status."""

    status: int
    body: bytes


class _Redirects(HTTPRedirectHandler):
    """Follows GET alone, to HTTP alone, and never from https to http."""

    max_redirections = 5

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """The next request, or ``None`` when the redirect is not followed."""
        scheme = urlsplit(newurl).scheme
        if req.get_method() != "GET" or scheme not in SCHEMES or (req.type == "https" and scheme != "https"):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def is_address(text: str) -> bool:
    """Whether a text names a server and not a folder."""
    return "://" in text


def check_address(text: str) -> str:
    """An http(s) address without a slash at its end; raises InputError for any other."""
    try:
        parts = urlsplit(text)
        fits = parts.scheme in SCHEMES and bool(parts.hostname) and not parts.query and not parts.fragment
    except ValueError:
        fits = False
    if not fits or not text.isascii() or not text.isprintable() or " " in text:
        reason = "is not an address that can be asked"
        raise InputError(text[:200], reason, "write http://… or https://…, without ? and #")
    return text.rstrip("/")


def ask(
    address: str,
    most_bytes: int,
    data: bytes | None = None,
    *,
    stall_s: int = STALL_S,
    longest_s: int = LONGEST_S,
) -> Answer:
    """The answer to GET, or to POST when there are ``data``; raises UnreachableError when there is none.

    A body above ``most_bytes`` is not read to its end and raises UnreachableError too.
    """
    headers: Mapping[str, str] = {"Accept-Encoding": "gzip, identity", "User-Agent": "gongfen"}
    request = Request(address, data=data, headers=dict(headers))  # noqa: S310 - the opener knows HTTP alone
    ends = monotonic() + longest_s
    try:
        with _opener().open(request, timeout=stall_s) as response:
            return Answer(response.status, _body(response, most_bytes, ends))
    except HTTPError as error:
        with error:
            return Answer(error.code, _said(error, min(most_bytes, CHUNK_BYTES), ends))
    except (OSError, HTTPException, ValueError, zlib.error) as error:
        reason = getattr(error, "reason", None) or error
        raise UnreachableError(address, f"does not answer: {str(reason)[:200]}", TRY_LATER) from None


def _opener() -> OpenerDirector:
    opener = OpenerDirector()
    kinds = (ProxyHandler, UnknownHandler, HTTPHandler, HTTPSHandler, HTTPDefaultErrorHandler, HTTPErrorProcessor)
    for kind in (*kinds, _Redirects):
        opener.add_handler(kind())
    return opener


def _said(error: HTTPError, most_bytes: int, ends: float) -> bytes:
    """The body of a refusal, or nothing when it cannot be read: the status says enough."""
    try:
        return _body(error, most_bytes, ends)
    except (OSError, HTTPException, ValueError, zlib.error):
        return b""


def _body(response: HTTPResponse | HTTPError, most_bytes: int, ends: float) -> bytes:
    """The whole body, unpacked; raises OSError or ValueError when it is cut short, late or too long."""
    found = bytearray()
    while chunk := response.read1(CHUNK_BYTES):
        found += chunk
        if len(found) > most_bytes:
            raise ValueError(f"it sends more than {most_bytes:,} bytes")
        if monotonic() > ends:
            raise TimeoutError("it takes too long")
    if response.length:
        raise ValueError(f"it stopped {response.length:,} bytes before the end")
    # c2sp.org/tlog-tiles, "Log entries": bundles may come packed without having been asked for so.
    return _unpacked(bytes(found), most_bytes) if response.headers.get("Content-Encoding") == "gzip" else bytes(found)


def _unpacked(data: bytes, most_bytes: int) -> bytes:
    unpacking = zlib.decompressobj(wbits=31)
    found = unpacking.decompress(data, most_bytes + 1)
    if len(found) > most_bytes:
        raise ValueError(f"it unpacks to more than {most_bytes:,} bytes")
    if not unpacking.eof or unpacking.unused_data:
        raise ValueError("what it sends is not one whole gzip stream")
    return found
