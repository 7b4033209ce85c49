"""Stencils of three points an axis as differential operators, and back.

    1-D    Σ_k β_k D_k,           D_0 = 1,  D_1 = ∂x,  D_2 = ∂xx
    2-D    Σ_kl β_kl D_k ⊗ D_l,   nine terms from 1 to ∂xx∂yy; and so on

or of them only those along one axis at a time: 1, ∂x, ∂xx, ∂y, ∂yy, the stencil of five points,

on a mesh of size h, with central differences,

    D_0 = (0, 1, 0),    D_1 = (−1, 0, 1)/(2h),    D_2 = (1, −2, 1)/h²

symbol   code           shape                         meaning
β        beta           (3, …, 3, *channels)          coefficients, an axis of three for each axis
                                                      of the grid
K        K              like beta                     stencil, as the convolution operator takes it
M        basis(h)       (3, 3)                        columns D_0, D_1, D_2: K = M β along each axis
A        axial_basis    (3^d, 1 + 2 d)                columns 1, ∂x, ∂xx, ∂y, ∂yy, … on d axes

A stencil is applied as a correlation, y_i = Σ_j K_j x_{i+j−1}, so that D_1 is +∂x; of a true
convolution β_1 changes sign. M is invertible: a stencil on one mesh size is a differential
operator, which has a stencil on any other. L. Ruthotto and E. Haber, Deep neural networks motivated
by partial differential equations, J. Math. Imaging Vis. 62 (2020);
E. Haber, L. Ruthotto, E. Holtham and S.-H. Jun, Learning across scales, AAAI (2018).
"""

from __future__ import annotations

from functools import reduce

import numpy as np

from occore import Array, array_namespace

POINTS = 3
"""Points of a stencil along each axis, and terms for each axis."""


def basis(h: float) -> Array:
    """M (3, 3): its columns are the stencils of 1, ∂x and ∂xx on mesh size h."""
    return np.array(
        [
            [0.0, -1 / (2 * h), 1 / h**2],
            [1.0, 0.0, -2 / h**2],
            [0.0, 1 / (2 * h), 1 / h**2],
        ]
    )


def inverse_basis(h: float) -> Array:
    """M⁻¹ (3, 3): the sum, h times half the difference and h²/2 times the sum of the outer two."""
    return np.array([[1.0, 1.0, 1.0], [-h, 0.0, h], [h**2 / 2, 0.0, h**2 / 2]])


def stencil_of(beta: Array, h: float, axes: tuple[int, ...]) -> Array:
    """The stencil on mesh size h of the operator with these coefficients.

    axes: those of the grid in beta, each of length three.
    """
    return along_axes(basis(h), beta, axes)


def coefficients_of(K: Array, h: float, axes: tuple[int, ...]) -> Array:
    """β of a stencil on mesh size h; the inverse of `stencil_of`."""
    return along_axes(inverse_basis(h), K, axes)


def rediscretise(K: Array, h: float, onto: float, axes: tuple[int, ...]) -> Array:
    """The stencil on mesh size `onto` of the operator that K is on mesh size h."""
    return stencil_of(coefficients_of(K, h, axes), onto, axes)


def axial_basis(h: float, axes: int) -> Array:
    """A (3^axes, 1 + 2 · axes): its columns are the stencils of 1, ∂x, ∂xx, ∂y, ∂yy, …, flat."""
    one, *derivatives = basis(h).T
    columns = [reduce(np.multiply.outer, [one] * axes)]
    for axis in range(axes):
        for derivative in derivatives:
            factors = [derivative if k == axis else one for k in range(axes)]
            columns.append(reduce(np.multiply.outer, factors))
    return np.stack([column.ravel() for column in columns], axis=1)


def axial_stencil_of(beta: Array, h: float, axes: int) -> Array:
    """K = A β (3, …, 3, *channels) of β (1 + 2 · axes, *channels)."""
    xp = array_namespace(beta)
    A = xp.asarray(axial_basis(h, axes), dtype=beta.dtype)
    K = xp.tensordot(A, beta, axes=((1,), (0,)))
    return xp.reshape(K, (POINTS,) * axes + beta.shape[1:])


def axial_adjoint(K: Array, h: float, axes: int) -> Array:
    """Aᵀ K, like β: dot(axial_stencil_of(β), K) == dot(β, axial_adjoint(K))."""
    xp = array_namespace(K)
    A = xp.asarray(axial_basis(h, axes), dtype=K.dtype)
    return xp.tensordot(A.T, xp.reshape(K, (POINTS**axes, *K.shape[axes:])), axes=((1,), (0,)))


def axial_coefficients_of(K: Array, h: float, axes: int) -> Array:
    """β of the taps of K on the axes; the others are left out."""
    pseudoinverse = np.linalg.pinv(axial_basis(h, axes))
    return np.tensordot(pseudoinverse, K.reshape(POINTS**axes, *K.shape[axes:]), axes=1)


def along_axes(matrix: Array, a: Array, axes: tuple[int, ...]) -> Array:
    """The (3, 3) matrix times `a` along each of the axes, in the type of `a`."""
    xp = array_namespace(a)
    M = xp.asarray(matrix, dtype=a.dtype)
    for axis in axes:
        a = xp.moveaxis(xp.tensordot(M, a, axes=((1,), (axis,))), 0, axis)
    return a
