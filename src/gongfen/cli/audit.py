"""``gongfen audit``: the bundle that an outsider verifies."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import gongfen
from gongfen.cli.app import AsJson, BookPath, app, show, words


@app.command()
def audit(
    out: Annotated[Path, typer.Argument(help="The zip file to write.")] = Path("audit.zip"),
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Write the log with its proofs into one zip that verifies without this book."""
    with gongfen.open(book) as opened:
        data, key = opened.audit(), str(opened.log.verifier)
    out.write_bytes(data)
    answer = {"file": str(out), "bytes": len(data), "key": key}
    line = words().say("%(file)s: %(n)s bytes. Check it anywhere: gongfen verify %(file)s --key '%(key)s'",
                       file=out, n=words().number(len(data)), key=key)  # fmt: skip
    show(answer, as_json=as_json, draw=lambda: Text(line))
