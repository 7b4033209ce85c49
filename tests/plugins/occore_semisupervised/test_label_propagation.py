"""The fitted field as a function of α and σ: SymPy on four nodes, Taylor, and its use."""

import numpy as np
import pytest
import sympy

import occore
from occore_semisupervised.annuli import Annuli
from occore_semisupervised.graphs.edges import Edges
from occore_semisupervised.label_fit import LabelFit
from occore_semisupervised.label_propagation import LabelPropagation

PAIRS = [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)]
SQUARES = [0.5, 1.25, 0.75, 1.5, 0.25]
GIVEN = [1.0, 0.0, 0.0, 1.0]


@pytest.fixture
def layer():
    """Four nodes, five edges, labels on the first and the last."""
    i, j = np.array(PAIRS).T
    edges = Edges(4, i, j, np.array(SQUARES))
    return LabelPropagation(1.0, 1.0, edges, np.array(GIVEN))


@pytest.fixture(scope="module")
def symbolic():
    """f*(α, σ) by solving the 4 × 4 system symbolically, and its derivatives, as a function.

    All squared distances are multiples of 1/4, so f* is a rational function of α and e^(−1/4σ).
    """
    a, s, e = sympy.symbols("alpha sigma e", positive=True)
    A = sympy.diag(*map(int, GIVEN))
    for (i, j), D in zip(PAIRS, SQUARES, strict=True):
        w = a * e ** int(4 * D)
        for row, column, sign in ((i, i, 1), (j, j, 1), (i, j, -1), (j, i, -1)):
            A[row, column] += sign * w
    x = sympy.Matrix([1, 0, 0, 0])
    f = (A.adjugate() * x / A.det()).applyfunc(sympy.cancel).subs(e, sympy.exp(-1 / (4 * s)))
    parts = [f, f.diff(a), f.diff(s), f.diff(a, 2), f.diff(a, s), f.diff(s, 2)]
    return sympy.lambdify((a, s), parts, cse=True)


def controls(a, s):
    return {"log_alpha": np.array(np.log(a)), "log_width": np.array(np.log(s))}


LABELS = np.array([[[1.0], [0.0], [0.0], [0.0]]])


@pytest.mark.parametrize(("a", "s"), [(1.0, 1.0), (0.3, 0.7), (4.0, 2.5)])
def test_derivatives_by_adjoint_are_those_of_the_symbolic_solution(layer, symbolic, rng, a, s):
    """In α and σ themselves: d/da = (1/α) d/d log α, and so on; to 1e-12."""
    f, fa, fs, faa, fas, fss = (np.array(part, float) for part in symbolic(a, s))
    y, part = layer.linearize(0.0, LABELS, controls(a, s))
    zero, none = 0 * LABELS, {"log_alpha": 0.0, "log_width": 0.0}
    np.testing.assert_allclose(y[0], f, rtol=1e-12)
    da = part.jvp(zero, {**none, "log_alpha": 1 / a})
    ds = part.jvp(zero, {**none, "log_width": 1 / s})
    np.testing.assert_allclose(da[0], fa, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(ds[0], fs, rtol=1e-11, atol=1e-13)
    p = rng.standard_normal(y.shape)
    _, pu = part.vjp(p)
    assert pu["log_alpha"] / a == pytest.approx(np.sum(p[0] * fa), rel=1e-11)
    assert pu["log_width"] / s == pytest.approx(np.sum(p[0] * fs), rel=1e-11)
    # second derivatives in logarithms: α² f_αα + α f_α, α σ f_ασ, σ² f_σσ + σ f_σ
    _, along = part.curvature(p, zero, {**none, "log_alpha": 1.0})
    assert along["log_alpha"] == pytest.approx(np.sum(p[0] * (a**2 * faa + a * fa)), rel=1e-10)
    assert along["log_width"] == pytest.approx(np.sum(p[0] * a * s * fas), rel=1e-10)
    _, along = part.curvature(p, zero, {**none, "log_width": 1.0})
    assert along["log_width"] == pytest.approx(np.sum(p[0] * (s**2 * fss + s * fs)), rel=1e-10)


def test_the_fit_of_the_layer_is_that_of_the_field(annuli, fitted, minimise):
    """A⁻¹Mx at α is the minimiser of ½ Σ (f − c)² + α/2 fᵀLf."""
    from occore_semisupervised.sparse_lu import SparseLU

    data = annuli(0)
    layer = LabelPropagation(alpha=0.3).for_data(data)
    f = layer(0.0, data.inputs, controls(0.3, data.width))
    theta, _, _ = minimise(SparseLU(), fitted(data, 0.3))
    np.testing.assert_allclose(f[0].ravel(), theta, atol=1e-10)


def test_a_validation_loss_is_right_to_second_order(annuli, rng):
    """Taylor tests of the loss on labels that are fitted but not given, and of its layer."""
    from occore.checks import check_problem, raise_on_failure

    data = annuli(0, validation=0.34, neighbours=25, source=Annuli(points=40))
    phase = occore.Phase("fit", LabelPropagation().for_data(data))
    problem = occore.Problem((phase,), LabelFit(), data)
    theta = problem.initial_controls(rng)
    rows = check_problem(problem, theta, rng)
    raise_on_failure(rows)
    slopes = [r for r in rows if r.subject == "objective" and r.check.startswith("Taylor")]
    assert len(slopes) == 2 and all(r.verdict == "pass" for r in slopes)


def test_widths_that_make_weights_vanish_give_no_number(annuli):
    data = annuli(0)
    layer = LabelPropagation().for_data(data)
    assert np.all(np.isnan(layer(0.0, data.inputs, controls(1.0, 1e-3 * data.width))))


def test_what_no_label_reaches_stays_zero(layer, rng):
    i, j = np.array([*PAIRS, (4, 5)]).T
    edges = Edges(6, i, j, np.array([*SQUARES, 1.0]))
    longer = LabelPropagation(1.0, 1.0, edges, np.array([*GIVEN, 0.0, 0.0]))
    x = np.concatenate([LABELS, np.zeros((1, 2, 1))], axis=1)
    f = longer(0.0, x, controls(0.5, 1.0))
    assert not f[0, 4:].any()
    np.testing.assert_allclose(f[:, :4], layer(0.0, LABELS, controls(0.5, 1.0)), rtol=1e-13)


@pytest.mark.parametrize("options", [{"weights": "binary"}, {"laplacian": "symmetric"}])
def test_graphs_without_a_width_are_refused(annuli, options):
    with pytest.raises(occore.InputError, match='weights = "gaussian" and laplacian = "comb'):
        LabelPropagation().for_data(annuli(0, **options))
