"""Every sentence that an error can say, read out of the source: what reaches its thing, its reason and its remedy.

A sentence is a template: literal text, and places that are filled at run time. An expression is followed through
conditions, sums, names, parameters, constants of other modules, and what functions return, as far as it is text; what
lies further (a path, a name that somebody gave) is a place.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import gongfen
from gongfen.reports.words import catalogue

Sentence = tuple[str | None, ...]
"""Literal text, and ``None`` for each place."""
Found = list[Sentence]
ROOT = Path(gongfen.__file__).parent
DEEPEST = 8
PARTS = {"Finding": 1, "_problem": 0}
"""What holds the three parts before an error is made of them, and after how many others."""
PAIRS = ("gongfen.facts.rules", "gongfen.facts.shapes", "gongfen.storage.postgres_link")
"""Files in which every pair of texts is a reason and a remedy."""
SHAPED = ("format", "rstrip", "replace")
"""What is done to a text that says the same after it."""


class Module:
    """One file: its functions, constants, imports, and in which function each expression stands."""

    def __init__(self, path: Path) -> None:
        self.tree = ast.parse(path.read_text("utf-8"))
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}
        self.functions = {n.name: n for n in ast.walk(self.tree) if isinstance(n, ast.FunctionDef)}
        self.constants: dict[str, ast.expr] = {}
        self.imports: dict[str, tuple[str, str]] = {}
        for node in self.tree.body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                if isinstance(target, ast.Name):
                    self.constants[target.id] = node.value
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                self.imports |= {one.asname or one.name: (node.module or "", one.name) for one in node.names}

    def function_around(self, node: ast.AST) -> ast.FunctionDef | None:
        """The function that a node stands in."""
        while (above := self.parents.get(node)) is not None:
            if isinstance(above, ast.FunctionDef):
                return above
            node = above
        return None


class Source:
    """All files of the program."""

    def __init__(self) -> None:
        paths = sorted(ROOT.rglob("*.py"))
        names = [".".join(("gongfen", *path.relative_to(ROOT).with_suffix("").parts)) for path in paths]
        self.modules = {name.removesuffix(".__init__"): Module(path) for name, path in zip(names, paths, strict=True)}
        self.calls: dict[str, list[tuple[Module, ast.Call]]] = defaultdict(list)
        for module in self.modules.values():
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Call):
                    self.calls[_called(node)].append((module, node))

    def imported(self, module: Module, name: str) -> tuple[Module, str] | None:
        """Where a name comes from."""
        place, known = module.imports.get(name, ("", ""))
        return (self.modules[place], known) if place in self.modules else None


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Name):
        return call.func.id
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


class Reader:
    """Follows expressions through the source."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.inner: set[Sentence] = set()
        """Text that fills a place of other text."""

    def read(self, module: Module, node: ast.expr, seen: frozenset[int] = frozenset()) -> Found:
        """What an expression can be as text; nothing: it is no text that stands in the source."""
        if len(seen) > DEEPEST or id(node) in seen:
            return []
        seen |= {id(node)}
        match node:
            case ast.Constant(value=str(text)):
                return [(text,)]
            case ast.JoinedStr(values=values):
                return self._joined(module, values, seen)
            case ast.IfExp(body=one, orelse=other):
                return self.read(module, one, seen) + self.read(module, other, seen)
            case ast.BoolOp(values=values):
                return [text for value in values for text in self.read(module, value, seen)]
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                before, after = self.read(module, left, seen), self.read(module, right, seen)
                both = before or after
                return [one + two for one in before or [(None,)] for two in after or [(None,)]] if both else []
            case ast.Name(id=name):
                return self._named(module, node, name, seen)
            case ast.Attribute(value=ast.Name(id=place), attr=name) if place in module.imports:
                home = self.source.modules.get(".".join(module.imports[place]))
                return self.read(home, home.constants[name], seen) if home and name in home.constants else []
            case ast.Subscript(value=ast.Name(id=name)):
                home, table = self._constant(module, name)
                values = table.values if isinstance(table, ast.Dict) else []
                return [text for value in values for text in self.read(home, value, seen)]
            case ast.Call(func=ast.Name(id=name)):
                return self._returned(module, name, seen)
            case ast.Call(func=ast.Attribute(value=text, attr=done)) if done in SHAPED:
                return self.read(module, text, seen)
            case ast.Call(func=ast.Attribute(value=ast.Name() as table, attr="get"), args=[_, *others]):
                known = ast.Subscript(value=table, slice=table)
                return [text for one in (known, *others) for text in self.read(module, one, seen)]
        return []

    def _joined(self, module: Module, values: list[ast.expr], seen: frozenset[int]) -> Found:
        parts: list[str | None] = []
        for value in values:
            if isinstance(value, ast.Constant):
                parts.append(str(value.value))
                continue
            assert isinstance(value, ast.FormattedValue)
            if value.conversion == -1 and value.format_spec is None and not isinstance(value.value, ast.Constant):
                self.inner |= set(self.read(module, value.value, seen))
            parts.append(None)
        return [tuple(parts)]

    def _constant(self, module: Module, name: str) -> tuple[Module, ast.expr | None]:
        if name in module.constants:
            return module, module.constants[name]
        home, known = self.source.imported(module, name) or (module, name)
        return home, home.constants.get(known)

    def _named(self, module: Module, node: ast.expr, name: str, seen: frozenset[int]) -> Found:
        around = module.function_around(node)
        while around is not None:
            given = list(_given(around, name))
            if given:
                texts = [text for value in given for text in self.read(module, value, seen)]
                more = [text for value in _added(around, name) for text in self.read(module, value, seen)]
                return texts + [one + two for one in texts for two in more]
            if any(one.arg == name for one in _parameters(around)):
                return self._passed(module, around, name, seen)
            around = module.function_around(around)
        home, value = self._constant(module, name)
        return self.read(home, value, seen) if value is not None else []

    def _passed(self, module: Module, function: ast.FunctionDef, name: str, seen: frozenset[int]) -> Found:
        """What is given as a parameter, wherever the function is called."""
        positions = [one.arg for one in function.args.posonlyargs + function.args.args]
        method = isinstance(module.parents.get(function), ast.ClassDef)
        around = module.parents[function]
        called = around.name if function.name == "__init__" and isinstance(around, ast.ClassDef) else function.name
        place = positions.index(name) - method if name in positions else None
        texts = [text for value in _defaults(function, name) for text in self.read(module, value, seen)]
        for home, call in self.source.calls[called]:
            known = home is module or self.source.imported(home, called) == (module, called)
            if not known and (not method or called.startswith("_")):
                continue
            value = next((one.value for one in call.keywords if one.arg == name), None)
            if value is None and place is not None and 0 <= place < len(call.args):
                value = call.args[place]
            if value is not None:
                texts += self.read(home, value, seen)
        return texts

    def _returned(self, module: Module, name: str, seen: frozenset[int]) -> Found:
        home, known = (module, name) if name in module.functions else self.source.imported(module, name) or (module, "")
        function = home.functions.get(known)
        returns = (n for n in ast.walk(function) if isinstance(n, ast.Return)) if function else ()
        return [text for one in returns if one.value is not None for text in self.read(home, one.value, seen)]


def _parameters(function: ast.FunctionDef) -> list[ast.arg]:
    return function.args.posonlyargs + function.args.args + function.args.kwonlyargs


def _defaults(function: ast.FunctionDef, name: str) -> Iterator[ast.expr]:
    given = function.args.posonlyargs + function.args.args
    yield from (
        value for one, value in zip(reversed(given), reversed(function.args.defaults), strict=False) if one.arg == name
    )
    yield from (
        value
        for one, value in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
        if one.arg == name and value is not None
    )


def _given(function: ast.FunctionDef, name: str) -> Iterator[ast.expr]:
    """What is assigned to a name in a function: alone, or as one of several."""
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=known)], value=value) if known == name:
                yield value
            case ast.NamedExpr(target=ast.Name(id=known), value=value) if known == name:
                yield value
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                yield from (v for n, v in zip(names, values, strict=True) if isinstance(n, ast.Name) and n.id == name)
            case ast.For(target=ast.Tuple(elts=names), iter=ast.Tuple(elts=rows)):
                place = next((i for i, n in enumerate(names) if isinstance(n, ast.Name) and n.id == name), None)
                if place is not None:
                    yield from (row.elts[place] for row in rows if isinstance(row, ast.Tuple))


def _added(function: ast.FunctionDef, name: str) -> Iterator[ast.expr]:
    """What is added to the text under a name."""
    added = (node for node in ast.walk(function) if isinstance(node, ast.AugAssign))
    yield from (node.value for node in added if isinstance(node.target, ast.Name) and node.target.id == name)


@cache
def sentences() -> set[Sentence]:
    """Every sentence, as literal text and places, that has a letter of its own."""
    source = Source()
    errors, reader, found = _errors(source), Reader(source), set[Sentence]()
    for name, module in source.modules.items():
        for node in ast.walk(module.tree):
            for part in _parts(node, errors, pairs=name in PAIRS):
                found |= set(reader.read(module, part))
    return {plain for one in found | reader.inner if any(map(_telling, plain := _plain(one)))}


def _errors(source: Source) -> set[str]:
    """Names of the classes of errors, those that stand elsewhere too."""
    classes = [n for m in source.modules.values() for n in ast.walk(m.tree) if isinstance(n, ast.ClassDef)]
    errors = {"GongfenError"}
    while more := {c.name for c in classes if errors & {b.id for b in c.bases if isinstance(b, ast.Name)}} - errors:
        errors |= more
    return errors


def _parts(node: ast.AST, errors: set[str], *, pairs: bool) -> Sequence[ast.expr]:
    """What a node says of an error: its three parts, a reason and a remedy, or what is left behind."""
    match node:
        case ast.Call(args=args) if _called(node) in errors or _called(node) in PARTS:
            first = PARTS.get(_called(node), 0)
            return args[first : first + 3]
        case ast.Tuple(elts=[reason, remedy]) if pairs:
            return reason, remedy
        case ast.Assign(targets=[ast.Attribute(attr="left")], value=value):
            return (value,)
    return ()


def _telling(part: str | None) -> bool:
    return part is not None and any(letter.isalpha() for letter in part)


def _plain(sentence: Sentence) -> Sentence:
    """Neighbouring literals as one, and places that ``format`` fills as places."""
    parts: list[str | None] = []
    for part in (piece for one in sentence for piece in _pieces(one)):
        if part is not None and parts and parts[-1] is not None:
            parts[-1] += part
        else:
            parts.append(part)
    return tuple(parts)


def as_one(sentence: Sentence) -> Sentence:
    """A sentence in which places beside each other are one: a thing and its reason, told within another error."""
    parts: list[str | None] = []
    for part in sentence:
        if part is None and parts[-2:] == [None, " "]:
            parts.pop()
        else:
            parts.append(part)
    return tuple(parts)


def _pieces(part: str | None) -> list[str | None]:
    if part is None:
        return [None]
    return [None if at % 2 else piece for at, piece in enumerate(re.split(r"(\{\w+\})", part)) if piece]


def translations(package: str) -> dict[str, str]:
    """What the Chinese catalogue of a package says, by the English."""
    found = catalogue("zh-Hans", package)
    assert found is not None
    return {str(message.id): str(message.string) for message in found if message.id}
