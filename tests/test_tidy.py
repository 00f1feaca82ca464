"""House rules that no off-the-shelf linter knows. Each failure names the file and the rule."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parent.parent / "src" / "gongfen"
INTEGER_ROOMS = ("facts", "accounts", "shares", "proof", "value", "storage")
REFUSE_FLOATS = ("notation.py", "envelope.py")
"""These two name the type in order to refuse it."""
VAGUE = {"utils", "util", "helpers", "common", "misc", "base", "manager", "core"}
SCREEN = 60
FILES = sorted(SRC.rglob("*.py"))


def broken_rules(path: Path, text: str) -> Iterator[str]:
    tree = ast.parse(text)
    docstring = ast.get_docstring(tree) or ""
    if not docstring or not docstring.splitlines()[0].rstrip().endswith((".", "?", "!", ":")):
        yield "a module says in its first line what it is for, in a sentence"
    if path.stem in VAGUE:
        yield "a module is named after what it holds"
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - line >= SCREEN:
            yield f"{line}: {node.name} does not fit a screen ({SCREEN} lines)"
        if isinstance(node, ast.ExceptHandler) and all(isinstance(step, ast.Pass) for step in node.body):
            yield f"{line}: a silent except"
        if path.parent.name in INTEGER_ROOMS and (
            (isinstance(node, ast.Constant) and isinstance(node.value, float))
            or isinstance(node, ast.Div)
            or (isinstance(node, ast.Name) and node.id == "float" and path.name not in REFUSE_FLOATS)
        ):
            yield f"{line}: amounts are whole numbers"
    if len(text.splitlines()) > 700:
        yield "a file holds one idea: 700 lines hold several"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SRC)))
def test_tidy(path: Path) -> None:
    assert not list(broken_rules(path, path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "text",
    ["x = 1", '"""D."""\nx = 1.5', '"""D."""\nx = 1 / 2', '"""D."""\ntry:\n    x\nexcept E:\n    pass',
     '"""D."""\ndef f():\n' + "    x\n" * 70],
)  # fmt: skip
def test_tidy_notices(text: str) -> None:
    assert list(broken_rules(SRC / "facts" / "x.py", text))


def test_every_module_is_used() -> None:
    """A file that nobody imports is dead, unless it is where the program starts."""
    imported = {"gongfen", "gongfen.__main__", "gongfen.cli.main", "gongfen.book.trainer_callback"}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                imported |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            elif isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
    files = [path for path in FILES if path.name != "__init__.py"]
    modules = {".".join(path.relative_to(SRC.parent).with_suffix("").parts) for path in files}
    assert sorted(modules - imported) == []
