"""What lies in outputs, source by source: the vector from which every answer about their worth is read.

Living labour of the inference and operation phases is L; everything that was objectified before is T, and so is what
an output took over from another one that it was made of. Without living labour the model is dead code: into an output
that no living labour entered at all, not even a prompt, nothing passes on, and its T counts as 0. Living labour that
entered a draft has entered, as past labour, what is made of it.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Literal

import msgspec

from gongfen.accounts.batches import stock_in
from gongfen.accounts.chart import External, Living, a_stock, read_source
from gongfen.accounts.state import State
from gongfen.accounts.stocks import Stock
from gongfen.errors import InputError, UnknownWorkError
from gongfen.facts.amounts import round_half_up
from gongfen.value.together import parts_of

WHOLE = Fraction(1)
LIVING_PHASES = ("inference", "operation")
PAST: Literal["T"] = "T"
NOW: Literal["L"] = "L"


class Lot(msgspec.Struct, frozen=True, kw_only=True):
    """One or more outputs together. Amounts in micro-SLH."""

    outputs: tuple[str, ...]
    quantity: int
    living: dict[Living, int]
    """Living labour of all phases."""
    external: dict[External, int]
    """Machines, energy, sites, bought data, what an older book held."""
    gated: tuple[str, ...]
    """Outputs that no living labour entered: what is booked on them is not in ``living`` and ``external``."""
    unmeasured: bool
    """Labour behind it was never measured: T + L is at least what is counted."""
    untimed: bool
    """Some of that is living labour of now: L is at least what is counted."""

    @property
    def now_uslh(self) -> int:
        """L."""
        return sum(amount for source, amount in self.living.items() if is_now(source))

    @property
    def past_uslh(self) -> int:
        """T."""
        return sum(self.living.values()) + sum(self.external.values()) - self.now_uslh


def is_now(source: Living) -> bool:
    """Whether living labour was spent on the output itself, and not before it."""
    return source.phase in LIVING_PHASES


def lot_of(state: State, outputs: tuple[str, ...], sold: Mapping[str, Fraction] | None = None) -> Lot:
    """The lot of ``outputs``; what one was made of another counts once.

    ``sold``: the part of each that was sold, and only what is in that, to the whole micro-SLH; ``None``: all.
    Raises UnknownWorkError, InputError for what is no output.
    """
    _refuse_what_is_no_output(state, outputs)
    living: dict[Living, int] = {}
    external: dict[External, int] = {}
    unmeasured, untimed, quantity, gated = False, False, 0, []
    stocks: dict[str, Stock] = {}
    for output in outputs:
        stock, known = stock_in(state, output), state.works.get(output)
        if stock is None or known is None:
            raise UnknownWorkError(output, "is not in this book", "see what is: gongfen log --kind output")
        unmeasured, untimed = unmeasured or stock.is_lower_bound, untimed or stock.lacks_living
        quantity += known.quantity
        stocks[output] = stock
        if not stock.lived:
            gated.append(output)
    for output, vector in parts_of(state, stocks).items():
        part = sold[output] if sold else WHOLE
        for key, whole in vector.items():
            amount = whole if part == 1 else round_half_up(whole * part.numerator, part.denominator)
            source = read_source(key)
            if isinstance(source, Living):
                living[source] = living.get(source, 0) + amount
            else:
                external[source] = external.get(source, 0) + amount
    return Lot(
        outputs=outputs,
        quantity=quantity,
        living=living,
        external=external,
        gated=tuple(gated),
        unmeasured=unmeasured,
        untimed=untimed,
    )


def _refuse_what_is_no_output(state: State, outputs: tuple[str, ...]) -> None:
    """A model or a text has no worth of its own here: what is in it passes on into outputs, and those are sold."""
    for name in outputs:
        if (known := state.works.get(name)) is not None and known.kind != "output":
            remedy = "name what was made with it; see what is: gongfen log --kind output"
            raise InputError(name, f"is {a_stock(known.kind)}, not an output", remedy)
