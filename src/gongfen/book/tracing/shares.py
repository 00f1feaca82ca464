"""How far makers' shares of an influence are known: found when it is measured, for it takes what is not recorded."""

from collections.abc import Sequence

import torch
from torch import Tensor

from gongfen.book.answers import SHARES_NOTED, shares_noted
from gongfen.book.recording.record import Record
from gongfen.facts import kinds as k
from gongfen.facts.amounts import PPM
from gongfen.trace.interval import shares_over_checkpoints, shares_over_seeds


def share_notes(record: Record, works: Sequence[str], each: Tensor, *, seeds: bool) -> tuple[k.Note, ...]:
    """Both ends of makers' shares, by effects [C, N] of these works at each checkpoint, or with each seed."""
    owners: dict[str, Tensor] = {}
    for number, work in enumerate(works):
        known = record.state.works.get(work)
        for part in known.makers if known else ():
            owners.setdefault(part.maker, torch.zeros(len(works), dtype=torch.float64))[number] += part.ppm / PPM
    if not owners:
        return ()
    ends = (shares_over_seeds if seeds else shares_over_checkpoints)(each.double(), torch.stack([*owners.values()]))
    if ends is None:
        return ()
    rows = sorted(zip(owners, *(end.tolist() for end in ends), strict=True), key=lambda row: (-row[2], row[0]))
    return tuple(shares_noted(maker, round(low * PPM), round(high * PPM)) for maker, low, high in rows[:SHARES_NOTED])
