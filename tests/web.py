"""A web server for tests, that has nothing to say of clients that go away."""

from http.server import ThreadingHTTPServer
from typing import Any


class WebServer(ThreadingHTTPServer):
    """The standard library's prints a traceback for each of them, into whatever another test looks at just then."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""
