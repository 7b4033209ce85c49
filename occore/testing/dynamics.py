"""What every dynamics owes: its example, its layout, and what its class says of itself."""

from __future__ import annotations

import numpy as np

from occore.dynamics import Dynamics
from occore.example import Example
from occore.testing import compiled, dynamics_maps
from occore.testing.comparison import EXACT, close, identical, require
from occore.testing.dynamics_maps import TIMES, at_time
from occore.testing.points import Generator, arrays, moved
from occore.testing.target import draw
from occore.testing.variants import variants


def value(example: Example, rng: Generator) -> None:
    """f at the example is the reference number, with and without a linearization."""
    x, u = np.asarray(example.x, float), arrays(example.u)
    found = {"f": example.map(example.t, x, u)}
    found["f, linearized"] = example.map.linearize(example.t, x, u)[0]
    for what, y in found.items():
        close(
            f"{type(example.map).__name__}: {what} at the example", y, example.value, example.rtol
        )


def layout(example: Example, rng: Generator) -> None:
    """`output_shape` is that of the value, `constants` are controls, the example gives them all."""
    f: Dynamics = example.map
    require(
        set(f.controls) == set(example.u or {}),
        f"the example has the controls {sorted(example.u or {})}, f has {sorted(f.controls)}",
    )
    for other in variants(example):
        f, at = other.map, draw(at_time(other, TIMES[1]), rng)
        output = tuple(f.output_shape or np.shape(at.x)[1:])
        found = np.shape(at.y)[1:]
        require(found == output, f"f has the shape {found}, output_shape says {output}")
        unknown = sorted(f.constants - set(f.controls))
        require(not unknown, f"constants that are no controls: {unknown}")


def affine_in_controls(example: Example, rng: Generator) -> None:
    """f(u + s d) == f(u) + s f_u d for any s, where the class says so."""
    if not example.map.affine_in_controls:
        return
    f, t = example.map, TIMES[1]
    at = draw(at_time(example, t), rng)
    tangent = at.part.jvp(0 * at.x, at.d[1])
    for s in (-3.0, 5.0):
        far = f(t, at.x, moved(at.u, s, at.d[1]))
        close(f"affine_in_controls, s = {s:g}", far, at.y + s * tangent, EXACT)


def autonomous(example: Example, rng: Generator) -> None:
    """f is the same at all times, where it is said to be."""
    f = example.map
    if f.autonomous:
        at = draw(at_time(example, TIMES[1]), rng)
        identical("autonomous", {"f": f(TIMES[1] + 1.0, at.x, at.u)}, {"f": at.y})


def design(example: Example, rng: Generator) -> None:
    """f == Σ design(t, x)[name] @ u[name].reshape(outputs, columns).T."""
    if example.map.design is None:
        return
    for other in variants(example):
        at = draw(at_time(other, TIMES[1]), rng)
        matrices, outputs = other.map.design(TIMES[1], at.x), at.y.shape[1]
        require(set(matrices) == set(at.u), f"design has {sorted(matrices)}, u has {sorted(at.u)}")
        terms = (M @ at.u[name].reshape(outputs, M.shape[1]).T for name, M in matrices.items())
        close("sum of the design", sum(terms), at.y, EXACT)


def jacobian(example: Example, rng: Generator) -> None:
    """The matrices f_x, dense or one sparse block-diagonal one, give f_x dx of jvp."""
    if example.map.jacobian is None:
        return
    for other in variants(example):
        at = draw(at_time(other, TIMES[1]), rng)
        J = other.map.jacobian(TIMES[1], at.x, at.u)
        dx = at.d[0].reshape(len(at.x), -1)
        shaped = J @ dx.ravel() if J.ndim == 2 else np.einsum("sij,sj->si", J, dx)
        still = {name: 0 * value for name, value in at.u.items()}
        close("jacobian", shaped.reshape(at.y.shape), at.part.jvp(at.d[0], still), EXACT)


def spectrum(example: Example, rng: Generator) -> None:
    """The eigenvalues of f_x, assembled from jvp, lie where the class says, at several points."""
    for other in variants(example):
        if other.map.spectrum is None:
            continue
        for _ in range(5):
            at = draw(at_time(other, TIMES[1]), rng, samples=1)
            still = {name: 0 * value for name, value in at.u.items()}
            columns = np.eye(at.x.size).reshape(-1, *at.x.shape)
            J = np.stack([at.part.jvp(d, still).ravel() for d in columns], axis=1)
            found, (real, imaginary) = np.linalg.eigvals(J), other.map.spectrum(at.u)
            slack = 1e-7 * (np.abs(found).max() + real + imaginary)  # of multiple eigenvalues
            require(
                bool(np.all(found.real >= -real - slack))
                and bool(np.all(found.real <= slack))
                and bool(np.all(np.abs(found.imag) <= imaginary + slack)),
                f"spectrum says [−{real:g}, 0] and ±{imaginary:g} i, f_x has {np.round(found, 4)}",
            )


def row_design(example: Example, rng: Generator) -> None:
    """f, row by row, is the sparse matrix of `row_design` times the rows of the one control."""
    if example.map.row_design is None:
        return
    for other in variants(example):
        at = draw(at_time(other, TIMES[1]), rng)
        (u,) = at.u.values()
        columns = u.shape[-1]
        rows = other.map.row_design(TIMES[1], at.x) @ u.reshape(-1, columns)
        close("row_design", rows, at.y.reshape(-1, columns), EXACT)


CHECKS = (
    value,
    layout,
    affine_in_controls,
    autonomous,
    design,
    row_design,
    jacobian,
    spectrum,
    *dynamics_maps.CHECKS,
    *compiled.DYNAMICS_CHECKS,
)
