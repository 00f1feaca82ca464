"""What an export does not say: who its users are, and what their labour is in the books."""

from typing import Literal

import msgspec


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What an export does not say: who its users are, and what their labour is in the books."""

    makers: dict[str, str] = {}
    """The tool's users → makers; ``*`` stands for everybody else."""
    enrol: bool = False
    """Enrol whoever is not known: users under a name made from theirs, mapped makers under the name given."""
    maker: str | None = None
    """Whose labour it is, where the file names nobody."""
    work: str | None = None
    """The one work that all of it was for; else each task or project is a work of its own."""
    kind: int | None = None
    """Which of the eight labours."""
    phase: Literal["training", "inference", "operation"] = "training"
    standing: Literal["employed", "crowd", "on-demand", "unpaid"] = "employed"
    skill: str = "simple"
    task: str | None = None
    """A task whose social average the standard may know; each entry is one unit of it."""
    licence: str | None = None
    """Of works that are not in the book yet."""
    source: str | None = None
    """Where such works came from; else the tool and its own name for them."""
    machine: str | None = None
    device: str | None = None
    instance: str = ""
    """Tells two servers of one tool apart, whose numbers would meet."""
    sample: bool = False
