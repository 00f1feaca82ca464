"""Whatever a cooperative has recorded, in whatever order: every verb answers, or says why it does not."""

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import gongfen
from gongfen.cli.main import app
from gongfen.errors import GongfenError
from tests.histories import STEPS, Step, facts_of, history

POLICY = "record policy policy=p statement=t utility=u pool_ppm=500000 beta_ppm={} currency=EUR"
SOLD = "record sale sale=abroad output=work-3 price_micro=9.00 currency=USD day=2026-01-04"
ENDS = (
    POLICY.format(0), POLICY.format(400_000), "settle 2026-01", "settle 2026", "books close 2026-01", "books close 2026",
    SOLD,
    "record rate rate=r currency=USD into=EUR num=9 den=10 day=2026-01-01 source=t",
    "record rent rent=r owned=site owner=cy amount_micro=3.00 currency=EUR day=2026-01-05",
    "record wage wage=w maker=ada amount_micro=2.00 currency=EUR day=2026-01-05",
    "correct 8 --reason wrong", "pay ada",
)  # fmt: skip
"""What ends a month; most of it is refused where it does not fit."""
QUESTIONS = (
    "who work-3", "worth work-3", "owed", "owed ada", "books", "books accounts", "books flow", "books models",
    "books loop", "books indicators", "books indicators 2026-01", "log", "verify", "report {}/r.html", "audit {}/a.zip",
    "export beancount --out {}/b", "export hledger --out {}/h", "export csv --out {}/c", "export prov --out {}/p",
    "export statement --out {}/s", "export statement --maker ada --out {}/a",
)  # fmt: skip


def ask(line: str, folder: str, lang: str) -> int:
    """Its exit code, 2 for an error of ours, as ``run`` makes of it. Anything but an answer or such an error comes out."""
    env = {"GONGFEN_BOOK": f"{folder}/book.db", "GONGFEN_LANG": lang, "COLUMNS": "60"}
    found = CliRunner().invoke(app, [word.replace("{}", folder) for word in line.split(" ")], env=env)
    if isinstance(found.exception, GongfenError):
        return 2
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code


@settings(max_examples=8, deadline=None)
@given(STEPS, st.lists(st.sampled_from(ENDS), max_size=8, unique=True), st.sampled_from(["en", "zh"]))
@example([], [SOLD, "books close 2026-01"], "en")  # once a closed month of labour was read as one of a currency
def test_every_verb_answers(steps: list[Step], ends: list[str], lang: str) -> None:
    with TemporaryDirectory() as folder:
        with gongfen.create(Path(folder) / "book.db", origin="example.org/any", by="t") as book:
            for fact in facts_of(history(steps)):
                with suppress(GongfenError):
                    book.record(fact)
        for line in ends:
            assert ask(line, folder, lang) in (0, 2), line
        for line in QUESTIONS:
            assert ask(line, folder, lang) in (0, 2), line
        assert ask("verify", folder, lang) == 0
