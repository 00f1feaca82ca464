"""``python -m gongfen``: the command line."""

from gongfen.cli.main import run

run()
