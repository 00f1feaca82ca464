"""A work as a few thousand small numbers: its gradient, whitened and projected layer by layer, without being formed.

For a layer with factors A and G (:mod:`gongfen.trace.covariance`) and a gradient Σ_t g_t a_tᵀ, what is kept is

    φ = Σ_t (P_g g_t)(P_a a_t)ᵀ      P_a = R_a (A + d_a I)^-½      P_g = R_g (G + d_g I)^-½

with R_a, R_g random with orthonormal rows, scaled so that lengths are kept in the mean (Johnson–Lindenstrauss). Then
φ_work · φ_output estimates the K-FAC influence g_outputᵀ (A⊗G + damping)^-1 g_work (LoGra's factorised projection, Choe
et al. 2024, whitened by K-FAC beforehand). Damping: d_a = √δ · mean eigenvalue of A, and alike for G.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Generator, Tensor
from torch.nn.functional import pad

from gongfen.trace.covariance import Factors
from gongfen.trace.layers import Layer

COLUMNS = 16
"""As many fp32 numbers as a vector register or a cache line of today's processors holds."""


@dataclass(frozen=True, eq=False)
class Projection:
    """``left`` P_g [o, r] and ``right`` P_a [i, r] of one layer, transposed for rows from the right."""

    left: Tensor
    right: Tensor
    bias: Tensor | None
    """The row of P_a for the bias, [r]."""

    @property
    def size(self) -> int:
        """How many numbers of a work this layer keeps."""
        return self.left.shape[1] * self.right.shape[1]


def projections_of(
    layers: Sequence[Layer], factors: Sequence[Factors], rank: int, damping: float, seed: int
) -> tuple[Projection, ...]:
    """The projection of every layer to rank × rank numbers, or fewer where it has fewer."""
    found: list[Projection] = []
    for number, (layer, factor) in enumerate(zip(layers, factors, strict=True)):
        source = Generator().manual_seed(seed * 1_000_003 + number)
        right = _projected(factor.inputs, rank, damping, source)
        left = _projected(factor.gradients, rank, damping, source)
        ones = right[-1] if layer.bias else None
        found.append(Projection(left.contiguous(), (right[:-1] if layer.bias else right).contiguous(), ones))
    return tuple(found)


def levelled(projections: Sequence[Projection], rows: Tensor) -> tuple[Projection, ...]:
    """The projections, each divided by the root mean square of its part of some works' rows [n, D].

    A row is rounded to whole numbers by its largest one. Layers of one level lose as little by that; how much each of
    them counts is for the curvature to say. A layer that says nothing stays as it is.
    """
    found: list[Projection] = []
    for projection, part in zip(projections, torch.split(rows, [p.size for p in projections], 1), strict=True):
        level = float(part.square().mean().sqrt())
        found.append(Projection(projection.left / level, projection.right, projection.bias) if level else projection)
    return tuple(found)


def project(projection: Projection, entered: Tensor, gradient: Tensor) -> Tensor:
    """φ of a batch: activations [B, T, inputs] and gradients [B, T, outputs] → [B, r·r]."""
    rows = _times(entered, projection.right)
    if projection.bias is not None:
        rows += projection.bias
    return (_times(gradient, projection.left).mT @ rows).flatten(1)


def _times(values: Tensor, matrix: Tensor) -> Tensor:
    """``values @ matrix``, padded to whole multiples of COLUMNS: kernels take up to three times longer for others."""
    columns = matrix.shape[1]
    return (values @ pad(matrix, (0, -columns % COLUMNS)))[..., :columns]


def _projected(covariance: Tensor, rank: int, damping: float, source: Generator) -> Tensor:
    """(C + dI)^-½ Rᵀ, [features, r]; whole where there are no more features than ``rank``.

    Of a layer through which nothing flows, such as LoRA's A while its B is zero, it is zero: that layer says nothing.
    """
    values, vectors = torch.linalg.eigh(covariance)
    values = values.clamp_min(0)
    if not values.any():
        return covariance.new_zeros(len(covariance), min(rank, len(covariance)))
    # The symmetric root: eigenvectors may turn or change sign by a rounding of the covariance, their product does not.
    whitened: Tensor = vectors / (values + sqrt(damping) * values.mean()).sqrt() @ vectors.T
    features = len(covariance)
    if rank < features:
        drawn: Tensor = torch.linalg.qr(torch.randn(features, rank, generator=source))[0]
        whitened = whitened @ drawn * sqrt(features / rank)
    return whitened
