"""Labels of a few nodes tell those of the others: every solver, and the course's anchors."""

from dataclasses import replace

import numpy as np
import pytest

from occore import StructureError, sparse_quadratic
from occore_least_squares.cgls import CGLS
from occore_least_squares.lsqr import LSQR
from occore_semisupervised.annuli import Annuli
from occore_semisupervised.cg import CG
from occore_semisupervised.drawn_labels import drawn_labels
from occore_semisupervised.eigenbasis import Eigenbasis
from occore_semisupervised.label_fit import LabelFit
from occore_semisupervised.sparse_lu import SparseLU


def error_rate(problem, theta):
    return LabelFit().metrics(problem.output(theta), problem.data)["unlabelled_error_rate"]


def relabelled(data, per_class, rng):
    """The same graph with labels on other nodes."""
    given, fitted = drawn_labels(data.truth, data.names, per_class, 0.0, rng)
    return replace(data, inputs=given[None], targets=fitted[None])


@pytest.mark.parametrize("seed", range(5))
def test_annuli_with_three_labels_a_class(annuli, fitted, minimise, seed):
    """The course: at least 99 % right."""
    problem = fitted(annuli(seed), 1e-2)
    assert error_rate(problem, minimise(SparseLU(), problem)[0]) <= 0.01


def test_digits_with_ten_labels_a_class(digits, fitted, minimise):
    """At most 4.5 % error on unlabelled digits, on average over 20 seeds."""
    errors = []
    for seed in range(20):
        data = relabelled(digits, 10, np.random.default_rng(seed))
        problem = fitted(data, 0.1)
        errors.append(error_rate(problem, minimise(CG(tolerance=1e-5), problem)[0]))
    assert np.mean(errors) <= 0.045


def solvers():
    return {
        "cg": CG(preconditioner="none", tolerance=1e-12),
        "jacobi": CG(preconditioner="jacobi", tolerance=1e-12),
        "amg": CG(preconditioner="amg", tolerance=1e-12),
        "sparse_lu": SparseLU(),
        "eigenbasis": Eigenbasis(count=90, method="dense"),
        "cgls": CGLS(tolerance=1e-12),
        "lsqr": LSQR(tolerance=1e-12),
    }


@pytest.mark.parametrize("name", solvers())
@pytest.mark.parametrize("kind", ["combinatorial", "symmetric"])
def test_every_solver_finds_the_same_field(annuli, fitted, minimise, name, kind):
    """Against a dense solve, to 1e-8: condition numbers are about 1e4, residuals 1e-12."""
    if name == "amg":
        pytest.importorskip("pyamg")
    data = annuli(0, neighbours=12, laplacian=kind, source=Annuli(points=30))
    problem = fitted(data, 0.5)
    H = np.diag(data.targets[0].sum(axis=1)) + 0.5 * data.laplacian.toarray()
    expected = np.linalg.solve(H, data.targets[0])
    theta, state, _ = minimise(solvers()[name], problem)
    np.testing.assert_allclose(theta.reshape(90, 3), expected, atol=1e-8)
    assert state.value == pytest.approx(problem.value(theta), rel=1e-8)


def test_preconditioners_save_iterations(digits, fitted, minimise):
    pytest.importorskip("pyamg")
    problem = fitted(digits, 1.0)
    taken = {
        kind: minimise(CG(preconditioner=kind), problem)[1].iteration
        for kind in ("none", "jacobi", "amg")
    }
    assert taken["amg"] < taken["jacobi"] < taken["none"]


@pytest.mark.parametrize("optimizer", [CG(), SparseLU(), Eigenbasis(count=30)], ids=repr)
def test_what_no_label_reaches_stays_zero(annuli, fitted, minimise, optimizer):
    """Three rings in parts of their own, labels in the first two only."""
    data = annuli(2, neighbours=4)
    targets = data.targets.copy()
    targets[..., 2] = 0
    problem = fitted(replace(data, inputs=targets, targets=targets))
    theta, _, status = minimise(optimizer, problem)
    field = theta.reshape(900, 3)
    assert not status.failed
    assert np.max(np.abs(field[:, 2])) < 1e-12
    metrics = LabelFit().metrics(problem.output(theta), problem.data)
    assert np.all(np.isfinite(field))
    assert metrics["labelled_error_rate"] == 0.0


def test_the_eigenbasis_approximates_from_above(digits, fitted, minimise):
    problem = fitted(digits, 0.1)
    least = minimise(SparseLU(), problem)[1].value
    values = [minimise(Eigenbasis(count=k), problem)[1].value for k in (5, 20, 80)]
    assert values[0] > values[1] > values[2] > least


def test_single_precision(annuli, fitted, minimise):
    data = annuli(0)
    low = fitted(data.astype(np.dtype(np.float32)))
    for optimizer in (CG(tolerance=1e-5), SparseLU()):
        theta, _, _ = minimise(optimizer, low)
        assert theta.dtype == np.float32
        assert error_rate(low, theta) <= 0.01


def test_other_problems_are_refused_with_the_reason():
    from occore_least_squares.direct import line

    with pytest.raises(StructureError, match=r"'fit' \(Linear\) is not a field on nodes"):
        sparse_quadratic(line(CG()).problem)
