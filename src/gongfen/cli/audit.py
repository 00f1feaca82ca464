"""``gongfen audit``: the bundle that an outsider verifies."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import gongfen
from gongfen.book.files import write_file
from gongfen.cli.app import AsJson, BookPath, app, show, words
from gongfen.cli.mistakes import brief_keys


@app.command()
def audit(
    out: Annotated[Path, typer.Argument(help="The zip file to write.")] = Path("audit.zip"),
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Write the log with its proofs into one zip that verifies without this book."""
    with gongfen.open(book) as opened:
        data, keys = opened.audit(), list(map(str, opened.log.verifiers))
    write_file(out, data)
    answer = {"file": str(out), "bytes": len(data), "key": "\n".join(keys)}
    said = {"file": out, "n": words().number(len(data))}
    if len(keys) == 1:
        line = words().say("%(file)s: %(n)s bytes. Check it anywhere: gongfen verify %(file)s --key '%(key)s'",
                           **said, key=keys[0])  # fmt: skip
    else:
        line = words().say(
            "%(file)s: %(n)s bytes, signed with %(count)s keys, all of which must hold:\n%(keys)s\n"
            "gongfen log key --out key.txt writes them to a file. "
            "Check it anywhere: gongfen verify %(file)s --key key.txt",
            **said, count=len(keys), keys="\n".join(f"  {brief_keys(key)}" for key in keys)
        )  # fmt: skip
    show(answer, as_json=as_json, draw=lambda: Text(line))
