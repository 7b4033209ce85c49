"""Stencils on grids of other mesh size by Galerkin projection, for pairs of grids n and 2n.

    K_H = R K_h P

P prolongs a coarse grid to the fine one, R restricts the other way; both keep constants, and cells
are halved. Along one periodic axis, with coarse cells x_i and fine cells 2i, 2i + 1 inside cell i,

    R            x_i = ½ (y_2i + y_{2i+1})
    P constant   y_2i = y_{2i+1} = x_i
    P linear     y_2i = ¾ x_i + ¼ x_{i−1},    y_{2i+1} = ¾ x_i + ¼ x_{i+1}

K_h with a stencil of three points gives K_H with one of three points: the linear map G, and on
grids of more axes G along each of them. G is invertible, which is the way from coarse to fine:

    constant   G = ½ [[1, 0, 0], [1, 2, 1], [0, 0, 1]]
    linear     G = ½ [[1, ¼, 0], [1, 3/2, 1], [0, ¼, 1]]

Applied to a constant all of K_h, K_H and the rediscretised stencil give the sum of β₀ terms. With
linear P, ∂x and ∂xx go to ∂x and ∂xx, and 1 to 1 + (H²/8) ∂xx: on smooth data Galerkin and
rediscretisation differ by O(H²). With constant P, ∂xx goes to 2 ∂xx: its orders 1 + 1 do not exceed
that of the operator, as Galerkin coarsening needs (Hemker, On the order of prolongations and
restrictions in multigrid procedures, J. Comput. Appl. Math. 32 (1990)), so take it for operators of
first order only. Haber, Ruthotto, Holtham and Jun, Learning across scales, AAAI (2018).
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from occore import Array
from occore_convolution.differential_operators import along_axes

Prolongation = Literal["constant", "linear"]
"""P: piecewise constant, or linear between the centres of cells."""

WEIGHTS: dict[str, tuple[float, float]] = {"constant": (1.0, 0.0), "linear": (0.75, 0.25)}
"""What a fine cell takes of its coarse cell, and of the nearest other."""


def prolongation(cells: int, kind: Prolongation = "linear") -> Any:
    """P, sparse (2 cells, cells), periodic."""
    from scipy.sparse import csr_array

    i, (own, other) = np.arange(cells), WEIGHTS[kind]
    rows = np.concatenate([2 * i, 2 * i + 1, 2 * i, 2 * i + 1])
    columns = np.concatenate([i, i, (i - 1) % cells, (i + 1) % cells])
    return csr_array((np.repeat([own, other], 2 * cells), (rows, columns)), (2 * cells, cells))


def restriction(cells: int) -> Any:
    """R, sparse (cells, 2 cells): the mean of the two fine cells."""
    return prolongation(cells, "constant").T.tocsr() / 2


def galerkin_map(kind: Prolongation = "linear") -> Array:
    """G (3, 3): a stencil on the fine grid to the one on the coarse grid, along one axis."""
    own, other = WEIGHTS[kind]
    return np.array([[1, other, 0], [1, 2 * own, 1], [0, other, 1]]) / 2


def coarsened(K: Array, axes: tuple[int, ...], kind: Prolongation = "linear") -> Array:
    """The stencil of R K P on the coarse grid; axes: those of the grid in K, of length three."""
    return along_axes(galerkin_map(kind), K, axes)


def refined(K: Array, axes: tuple[int, ...], kind: Prolongation = "linear") -> Array:
    """The stencil on the fine grid whose `coarsened` is K."""
    return along_axes(np.linalg.inv(galerkin_map(kind)), K, axes)
