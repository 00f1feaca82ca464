"""What outputs are worth: labour transferred and labour living, against their price (``economics.md``, section 1).

``V = T + L``. L is living labour of the inference and operation phases: prompting, review, running the service. T is
everything that was objectified before: training labour, machines, bought data. Rent is price less value, under the two
theories that the field disputes: ``R_avg = p − μ(T + L)`` and ``R_repro = p − μL``; their difference is ``μT``.
"""

import msgspec

from gongfen.accounts.chart import Living, read_source
from gongfen.accounts.state import State
from gongfen.errors import MissingAssumptionError, UnknownWorkError
from gongfen.facts.amounts import USLH_PER_HOUR, round_half_up

TRAINING = "training"


class Worth(msgspec.Struct, frozen=True, kw_only=True):
    """The value of one or more outputs. Labour in micro-SLH, money in micro-units of ``currency``."""

    outputs: tuple[str, ...]
    quantity: int
    transferred_uslh: int
    """T."""
    living_uslh: int
    """L."""
    unmeasured: bool
    """Labour behind them was never measured: T + L is a lower bound, and rent an upper bound."""
    by_kind: dict[str, int]
    """Living labour, of all phases, by the eight kinds."""
    by_phase: dict[str, int]
    by_standing: dict[str, int]
    by_quality: dict[str, int]
    """How the labour is known: measured, clipped, imputed; ``external`` for machines, energy and bought data."""
    by_maker: dict[str, int]
    by_external: dict[str, int]
    standard: str
    currency: str
    melt_micro: int
    value_micro: int
    price_micro: int | None
    """``None``: nothing was sold yet, which is not a price of zero."""
    rent_avg_micro: int | None
    rent_repro_micro: int | None

    @property
    def uslh(self) -> int:
        """T + L."""
        return self.transferred_uslh + self.living_uslh


def worth(state: State, outputs: tuple[str, ...], price_micro: int | None) -> Worth:
    """The value of ``outputs`` together, under the standard in force.

    Raises UnknownWorkError, or MissingAssumptionError when no standard has been published.
    """
    standard = state.standards.get("*")
    if standard is None:
        raise MissingAssumptionError("the standard", "is not published", "publish it: gongfen record standard …")
    living: dict[Living, int] = {}
    external: dict[str, int] = {}
    unmeasured, quantity = False, 0
    for output in outputs:
        stock, known = state.stocks.get(output), state.works.get(output)
        if stock is None or known is None:
            raise UnknownWorkError(output, "is not in this book", "see what is: gongfen log --kind output")
        unmeasured, quantity = unmeasured or stock.is_lower_bound, quantity + known.quantity
        for key, amount in stock.content.items():
            source = read_source(key)
            if isinstance(source, Living):
                living[source] = living.get(source, 0) + amount
            else:
                external[f"{source.source}:{source.name}"] = external.get(f"{source.source}:{source.name}", 0) + amount
    now = sum(amount for source, amount in living.items() if source.phase != TRAINING)
    past = sum(living.values()) - now + sum(external.values())
    melt = standard.melt_micro
    return Worth(
        outputs=outputs,
        quantity=quantity,
        transferred_uslh=past,
        living_uslh=now,
        unmeasured=unmeasured,
        by_kind=_by(living, "labour_kind"),
        by_phase=_by(living, "phase"),
        by_standing=_by(living, "standing"),
        by_quality=_by(living, "quality") | ({"external": sum(external.values())} if external else {}),
        by_maker=_by(living, "maker"),
        by_external=dict(sorted(external.items())),
        standard=standard.standard,
        currency=standard.currency,
        melt_micro=melt,
        value_micro=money(past + now, melt),
        price_micro=price_micro,
        rent_avg_micro=None if price_micro is None else price_micro - money(past + now, melt),
        rent_repro_micro=None if price_micro is None else price_micro - money(now, melt),
    )


def money(uslh: int, melt_micro: int) -> int:
    """Labour in money, through μ alone (invariant I6); micro-units, halves up."""
    return round_half_up(uslh * melt_micro, USLH_PER_HOUR)


def _by(living: dict[Living, int], field: str) -> dict[str, int]:
    sums: dict[str, int] = {}
    for source, amount in living.items():
        name = str(getattr(source, field))
        sums[name] = sums.get(name, 0) + amount
    return dict(sorted(sums.items()))
