"""Every proof that the page leans on, once, with the places that lean on it."""

from dataclasses import dataclass, field

from gongfen.reports.story import Proof, Story


@dataclass(slots=True)
class Receipt:
    """A proof with the places on the page that lean on it."""

    n: int
    proof: Proof
    uses: list[tuple[str, int]] = field(default_factory=list)


def receipts_of(story: Story) -> dict[tuple[int, str], Receipt]:
    """Every proof on the page once, by place in the log, with what leans on it (output 0: the settlement)."""
    found: dict[tuple[int, str], set[tuple[str, int]]] = {}
    proofs: dict[tuple[int, str], Proof] = {}

    def lean(proof: Proof, kind: str, n: int) -> None:
        place = (proof.seq, proof.leaf)
        proofs[place] = proof
        found.setdefault(place, set()).add((kind, n))

    if story.settlement is not None:
        lean(story.settlement.proof, "settlement", 0)
    for n, output in enumerate(story.outputs, 1):
        sources = (*output.sources, *(source for s in output.sentences for source in s.sources))
        quoted = (*output.quotes, *output.near_copies)
        for proof in (*output.proofs, *(one.proof for one in sources), *(one.proof for one in quoted)):
            lean(proof, "output", n)
    return {place: Receipt(n, proofs[place], sorted(found[place])) for n, place in enumerate(sorted(found), 1)}
