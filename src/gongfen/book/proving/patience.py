"""How long a server listens to a client, and to how much: who sends too slowly, or too much, is not heard out."""

import io
import select
import socket
from collections.abc import Callable
from http.client import HTTPException
from time import monotonic
from typing import Any

STEP_MS = 500
"""How often somebody who listens looks whether others wait."""


class Patience(io.RawIOBase):
    """A connection to read from, within limits that ``listen`` sets anew for each part of a request.

    Raises TimeoutError when a limit of time is over, HTTPException when too much was sent.
    """

    def __init__(
        self, connection: socket.socket, stall_s: float, pressed_s: float, pressed: Callable[[], bool]
    ) -> None:
        self._connection = connection
        self._stall_s = stall_s
        self._pressed_s = pressed_s
        self._pressed = pressed
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)
        self.listen(0, 0)

    def listen(self, longest_s: float, most_bytes: int) -> None:
        """From now on so long and so much; while other clients wait for their turn, ``pressed_s`` at most."""
        self._begun = monotonic()
        self._ends = self._begun + longest_s
        self._left = most_bytes

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - anything that bytes can be written to
        """What has come, as far as it fits; 0 when the client sends no more."""
        if self._left <= 0:
            raise HTTPException("more was sent than a request may have")
        silent_from = monotonic()
        while not self._poll.poll(STEP_MS):
            self._check(silent_from)
        self._check(silent_from)
        count = self._connection.recv_into(buffer)
        self._left -= count
        return count

    def _check(self, silent_from: float) -> None:
        ends = min(self._ends, silent_from + self._stall_s)
        if self._pressed():
            ends = min(ends, self._begun + self._pressed_s)
        if monotonic() > ends:
            raise TimeoutError
