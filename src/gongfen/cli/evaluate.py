"""``gongfen trace evaluate``: is a way of tracing good enough to pay by? And the verbs below ``gongfen trace``."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text
from typer.core import TyperGroup

import gongfen
from gongfen.cli.app import AsJson, BookPath, app, progress, show, words
from gongfen.errors import GongfenError
from gongfen.reports.evaluation import Planned
from gongfen.reports.text import evaluation as text_evaluation

STOPPED = 130
"""Exit code of a command that a person stopped, as shells have it."""
NOT_A_VERB = "targets"


class _OutputsByDefault(TyperGroup):
    """What is not the name of a verb is an output; one that is called like a verb comes after two dashes."""

    allow_interspersed_args = True

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's context, of no public type
        """Read the options before a verb and leave the rest to it; without a verb, read outputs and options."""
        if not self._names_verb(args):
            return super().parse_args(ctx, args)
        ctx.allow_interspersed_args = False  # what follows the verb is the verb's
        ctx.meta[NOT_A_VERB] = True
        ctx.params[NOT_A_VERB] = []
        return super().parse_args(ctx, args)

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401
        """Outputs are no parameter where a verb stands in their place."""
        return [one for one in super().get_params(ctx) if one.name != NOT_A_VERB or NOT_A_VERB not in ctx.meta]

    def _names_verb(self, args: list[str]) -> bool:
        """Whether the first word that is neither an option nor an option's value names a verb."""
        valued = {name for one in self.params for name in one.opts if not getattr(one, "is_flag", True)}
        words_ = iter(args)
        for word in words_:
            if word == "--" or not word.startswith("-"):
                return word in self.commands
            if word in valued:
                next(words_, None)
        return False


trace_app = typer.Typer(
    cls=_OutputsByDefault,
    name="trace",
    invoke_without_command=True,
    no_args_is_help=True,
    subcommand_metavar="| evaluate MODEL",
    rich_markup_mode=None,
)
app.add_typer(trace_app)


@trace_app.command()
def evaluate(
    model: Annotated[str, typer.Argument(help="A model that was trained in this book.")],
    outputs: Annotated[
        list[str],
        typer.Option(help="Outputs that are traced: by name, repeated; or so many of the newest.", show_default="8"),
    ] = ["8"],  # noqa: B006 - typer's default; never changed
    subsets: Annotated[int, typer.Option(help="Random halves of the works to train on; 3 or more.")] = 40,
    seeds: Annotated[
        int, typer.Option(min=1, help="Train each half so often; 2 tell what could be scored at all.")
    ] = 1,
    drop: Annotated[
        list[str],
        typer.Option(
            help="Train without so many of the strongest works of each output, too; repeated; 0: do not.",
            show_default="1%, 5%",
        ),
    ] = ["1%", "5%"],  # noqa: B006
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how much there is to do, and do nothing.")] = False,
    cache: Annotated[Path | None, typer.Option(envvar="GONGFEN_CACHE", help="Where base models are kept.")] = None,
    book: BookPath = None,
    as_json: AsJson = False,
) -> None:
    """Hold every way of tracing against real retrainings: is one good enough to pay by, or is plain likeness as good.

    Retrainings are kept beside the model's run: a stopped command goes on, and several at once share the work.
    """
    speak = words()
    begun: list[Planned] = []

    def announce(planned: Planned) -> None:
        begun.append(planned)
        if not as_json and not dry_run:
            sys.stderr.write(f"{text_evaluation.planned(planned, speak)}\n")

    try:
        with gongfen.open(book) as opened, progress(speak.gettext("retraining"), quiet=as_json) as move:
            found = opened.evaluate_trace(
                model, outputs=_outputs(opened, outputs), subsets=subsets, seeds=seeds, drop=drop, dry_run=dry_run,
                cache=cache, announce=announce, progress=move,
            )  # fmt: skip
            sample = opened.log.sample
    except GongfenError as error:
        if begun:
            error.left = "what was retrained is kept"
        raise
    except KeyboardInterrupt:
        said = speak.gettext("Stopped. What was retrained is kept: the same command goes on from there.")
        sys.stderr.write(f"{said}\n")
        raise typer.Exit(STOPPED) from None
    if dry_run:
        planned = f"\n{text_evaluation.planned(found.planned, speak)}"
        text = speak.say("dry run, nothing was written: %(what)s", what=planned)
        show(found.planned, as_json=as_json, draw=lambda: Text(text))
    else:
        show(found, as_json=as_json, draw=lambda: text_evaluation.evaluated(found, speak), sample=sample)


def _outputs(book: gongfen.Book, said: list[str]) -> list[str] | int:
    """Names, or a number of the newest; a number that names an output is its name."""
    if len(said) == 1 and said[0].isdecimal() and book.log.state.works.get(said[0]) is None:
        return int(said[0])
    return said
