"""The fields of a kind of fact, for who is about to record one: ``gongfen record KIND --help``."""

import ast
import inspect
import re
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import typer
from typer.core import TyperCommand

from gongfen.cli.help import words
from gongfen.facts import KINDS
from gongfen.facts import kinds as k
from gongfen.reports.words import Words

HELP = ("-h", "--help")
FORMS: dict[str, Any] = {
    "id": k.Id, "text": k.Text, "words": k.Named, "64 hexadecimal digits": k.Sha256, "YYYY-MM-DD": k.Day,
    "YYYY, YYYY-MM or YYYY-MM-DD": k.Period, "EUR, say": k.Currency, "whole number from 1": k.Count,
    "whole number from 0": k.Amount, "whole number": k.Signed, "0 to 1,000,000 ppm": k.Ppm, "true or false": bool,
    "public key in base64": k.PublicKey, "signature in base64": k.Ed25519,
}  # fmt: skip
"""What a field takes → the annotation in ``gongfen.facts.kinds``."""
LINE = "gongfen record %(kind)s field=value …"
EACH = "Each of the list of %(part)ss, in JSON: %(what)s"
REQUIRED = "required: %(form)s"
OPTIONAL = "optional: %(form)s"
TIME = ": 40s, 3m, 2h, or in microseconds"
MONEY = ": 12.50, or in millionths"
BETWEEN = "whole number from %(least)s to %(most)s"
OR = " or "
PARTS = "maker:ppm,maker:ppm,…"
LIST = "list of %(form)s"


class RecordCommand(TyperCommand):
    """``gongfen record``, which explains a kind of fact when one is named before ``--help``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's context, of no public type
        """As usual, unless help on a kind is asked for."""
        kind = next((word for word in args if word in KINDS), None)
        if kind is not None and not set(HELP).isdisjoint(args):
            typer.echo("\n".join(explain(kind, words())))
            ctx.exit()
        return list(super().parse_args(ctx, args))

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - typer's, of no public type
        """The kinds there are."""
        super().format_epilog(ctx, formatter)
        with formatter.section("Kinds (gongfen record KIND --help says their fields)"):
            formatter.write_text(", ".join(sorted(KINDS)))


def explain(kind: str, speak: Words) -> Iterator[str]:
    """What a kind of fact is, and each of its fields: how it is written, and what it means."""
    body = KINDS[kind]
    yield f"{speak.say(LINE, kind=kind)}\n"
    yield f"{speak.gettext(_flowing(body.__doc__ or ''))}\n"
    yield from _fields(body, speak)
    for part in _parts(body):
        name, what = speak.gettext(part.__name__.lower()), speak.gettext(_flowing(part.__doc__ or ""))
        yield f"\n{speak.say(EACH, part=name, what=what)}\n"
        yield from _fields(part, speak)


def _fields(struct: type[msgspec.Struct], speak: Words) -> Iterator[str]:
    hints, said = get_type_hints(struct, include_extras=True), _meanings(struct)
    rows = [
        (field.name, _form(hints[field.name], speak) + _unit(field.name, speak), field.required)
        for field in msgspec.structs.fields(struct)
    ]
    widest = max(len(name) for name, _, _ in rows)
    for name, form, required in rows:
        yield f"  {name:{widest}}  {speak.say(REQUIRED if required else OPTIONAL, form=form)}"
        if said.get(name):
            yield f"  {'':{widest}}    {speak.gettext(said[name])}"


def _unit(name: str, speak: Words) -> str:
    """In what it is counted, where the command line takes other units too."""
    if name.endswith("_us"):
        return speak.gettext(TIME)
    return speak.gettext(MONEY) if name.endswith("_micro") else ""


def _form(hint: Any, speak: Words) -> str:  # noqa: ANN401 - an annotation
    for name, annotation in FORMS.items():
        if hint == annotation:
            return speak.gettext(name)
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        meta = hint.__metadata__[0]
        return speak.say(BETWEEN, least=f"{meta.ge:,}", most=f"{meta.le:,}")
    if origin is Literal:
        return " | ".join(map(str, inner))
    if origin in (Union, UnionType):
        forms = ["none" if one is NoneType else _form(one, speak) for one in inner if one is not msgspec.UnsetType]
        return forms[0] if len(forms) == 1 else speak.gettext(OR).join(forms)
    if origin is tuple:
        return speak.gettext(PARTS) if inner[0] is k.Part else speak.say(LIST, form=_form(inner[0], speak))
    return speak.gettext(str(getattr(hint, "__name__", hint)).lower())


def _parts(struct: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    """The structures whose lists a kind holds."""
    for hint in get_type_hints(struct, include_extras=True).values():
        inner = get_args(hint)[0] if get_origin(hint) is tuple else None
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct) and inner is not k.Part:
            yield inner


def _meanings(struct: type) -> dict[str, str]:
    """Field → the text that stands below it in the source."""
    found: dict[str, str] = {}
    for node in ast.parse(inspect.getsource(struct)).body:
        assert isinstance(node, ast.ClassDef), "the source of a structure is a class"
        for field, below in zip(node.body, node.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                match below:
                    case ast.Expr(value=ast.Constant(value=str(text))):
                        found[field.target.id] = _flowing(text)
    return found


def _flowing(text: str) -> str:
    return re.sub(r":\w+:`([^`]+)`", r"\1", " ".join(text.split()).replace("``", ""))
