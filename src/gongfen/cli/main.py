"""``gongfen``: the verbs, one file each, gathered into one command."""

from gongfen.cli import audit as _audit  # noqa: F401
from gongfen.cli import books as _books  # noqa: F401
from gongfen.cli import correct as _correct  # noqa: F401
from gongfen.cli import demo as _demo  # noqa: F401
from gongfen.cli import export as _export  # noqa: F401
from gongfen.cli import forget as _forget  # noqa: F401
from gongfen.cli import generate as _generate  # noqa: F401
from gongfen.cli import import_ as _import  # noqa: F401
from gongfen.cli import init as _init  # noqa: F401
from gongfen.cli import key as _key  # noqa: F401
from gongfen.cli import label as _label  # noqa: F401
from gongfen.cli import log as _log  # noqa: F401
from gongfen.cli import owed as _owed  # noqa: F401
from gongfen.cli import pay as _pay  # noqa: F401
from gongfen.cli import person as _person  # noqa: F401
from gongfen.cli import publish as _publish  # noqa: F401
from gongfen.cli import record as _record  # noqa: F401
from gongfen.cli import report as _report  # noqa: F401
from gongfen.cli import sectors as _sectors  # noqa: F401
from gongfen.cli import settle as _settle  # noqa: F401
from gongfen.cli import trace as _trace  # noqa: F401
from gongfen.cli import train as _train  # noqa: F401
from gongfen.cli import verify as _verify  # noqa: F401
from gongfen.cli import who as _who  # noqa: F401
from gongfen.cli import witness as _witness  # noqa: F401
from gongfen.cli import worth as _worth  # noqa: F401
from gongfen.cli.app import app, run

__all__ = ["app", "run"]
