"""Order conditions by rooted trees, dense output, and the adjoint as a Runge–Kutta method."""

from fractions import Fraction
from functools import cache
from itertools import product
from math import prod

import numpy as np
import pytest
import sympy

from occore.symbolic.array import SymbolicArray, exact
from occore_continuous.discretizations.successive_stages import SuccessiveLinearization


@cache
def trees(order):
    """Rooted trees with so many vertices; a tree is the sorted tuple of its branches."""
    if order == 1:
        return ((),)
    return tuple(sorted({forest for forest in forests(order - 1)}))


@cache
def forests(vertices):
    """Multisets of trees with so many vertices together, each once."""
    found = {()} if vertices == 0 else set()
    for first in range(1, vertices + 1):
        for tree in trees(first):
            found |= {tuple(sorted((tree, *rest))) for rest in forests(vertices - first)}
    return tuple(sorted(found))


def size(tree):
    return 1 + sum(map(size, tree))


def density(tree):
    return size(tree) * prod(map(density, tree))


def stage_weights(tableau, tree):
    """Φ_i of the tree: products over the branches of Σ_j a_ij Φ_j."""
    branches = [stage_weights(tableau, branch) for branch in tree]
    sums = [
        [sum(a * w for a, w in zip(row, b, strict=True)) for row in tableau.a] for b in branches
    ]
    return [prod((s[i] for s in sums), start=Fraction(1)) for i in range(len(tableau.b))]


def tolerance(tableau):
    """Zero for fractions, rounding for floats, the last digits for decimals."""
    numbers = [x for row in (*tableau.a, tableau.b) for x in row]
    if any(isinstance(x, float) for x in numbers):
        return 1e-14
    return 0 if max(Fraction(x).denominator for x in numbers) < 10**12 else 1e-25


def defect(tableau, weights, order, s=Fraction(1)):
    """The largest defect of Σ b_i Φ_i = s^|τ| / γ(τ) over the trees τ up to the order."""
    return max(
        abs(
            sum(w * phi for w, phi in zip(weights, stage_weights(tableau, tree), strict=False))
            - s**n / density(tree)
        )
        for n in range(1, order + 1)
        for tree in trees(n)
    )


def test_the_trees_are_all_there():
    # Hairer, Nørsett and Wanner I, table II.2.1
    assert [len(trees(n)) for n in range(1, 9)] == [1, 1, 2, 4, 9, 20, 48, 115]


def test_order_conditions(tableau_entry):
    method = tableau_entry.cls
    tableau, order = method.tableau, method.order
    if tableau.fields:
        pytest.skip("two fields: trees of two colours, below")
    assert defect(tableau, tableau.b, order) <= tolerance(tableau)
    assert defect(tableau, tableau.b, order + 1) > 1e-7  # and the order is no higher
    for c, row in zip(tableau.c, tableau.a, strict=True):
        assert abs(c - sum(row)) <= tolerance(tableau)


def test_embedded_order_conditions(tableau_entry):
    """The estimate is as good as the best embedded method; e₅²/e₃ of dopri8 is of order 7."""
    method = tableau_entry.cls
    tableau = method.tableau
    if not tableau.embedded:
        pytest.skip("no embedded method in the tableau")
    orders = {1: (method.error_order,), 2: (5, 3)}[len(tableau.embedded)]
    for weights, order in zip(tableau.embedded, orders, strict=True):
        assert defect(tableau, weights, order) <= tolerance(tableau)
        assert defect(tableau, weights, order + 1) > 1e-7


def test_dense_order_conditions(tableau_entry):
    method = tableau_entry.cls
    if method.tableau.dense is None:
        pytest.skip("no dense output")
    tableau = method.tableau
    bound = 1000 * tolerance(tableau)  # the weights of dense output are some hundreds
    for s in (Fraction(1, 3), Fraction(4, 5)):
        assert defect(tableau, tableau.dense(s), method.dense_order, s) <= bound
    ends = zip(tableau.dense(Fraction(1)), tableau.b, strict=False)
    assert max(abs(w - b) for w, b in ends) <= bound
    assert max(map(abs, tableau.dense(Fraction(0)))) <= bound


class SymbolicStage:
    """A stage whose adjoint f_xᵀ pk is the symbol g; it keeps the pk that it is asked for."""

    def __init__(self, g):
        self.g, self.pk = g, None

    def vjp(self, pk):
        self.pk = pk.entries[0, 0]
        return self.g, {}


def test_the_adjoint_is_a_runge_kutta_method(tableau_entry):
    """Proof on symbols, run through `vjp` itself, of every explicit tableau.

    With g_j = h b_j ℓ_j, where ℓ_j = f_xᵀ p_j, and p₀ = p₁ + Σ g_j, stage i of the adjoint, that is
    p_i = pk_i / (h b_i), is that of a Runge–Kutta method on dp/dt = −f_xᵀ p: p_i = p₀ − h Σ_j ā_ij
    ℓ_j, ā_ij = b_j − b_j a_ji / b_i (Hager 2000). Where b_i = 0 there is no p_i; the statement
    without division holds for every i: pk_i = h b_i p₀ − h Σ_j (b_i − a_ji) g_j. Since f_x is any
    matrix the g_j are free. Coefficients are the floats of the step, taken as fractions.
    """
    tableau = tableau_entry.cls.tableau
    if tableau.fields or not tableau.triangular or any(np.diag(tableau.matrix)):
        pytest.skip("not explicit")
    n = tableau.active
    b = [exact(float(x)) for x in tableau.b[:n]]
    a = [[exact(x) for x in row[:n]] for row in tableau.matrix[:n]]
    h, p1, *g = sympy.symbols(f"h p1 g0:{n}")
    stages = [SymbolicStage(array(symbol)) for symbol in g]
    part = SuccessiveLinearization(tableau, SymbolicArray(np.array(h, dtype=object)), tuple(stages))
    px, _ = part.vjp(array(p1))
    p0 = px.entries[0, 0]
    assert sympy.expand(p0 - p1 - sum(g)) == 0
    for i, stage in enumerate(stages):
        general = h * b[i] * p0 - h * sum((b[i] - a[j][i]) * g[j] for j in range(n))
        assert sympy.expand(stage.pk - general) == 0
        if b[i] != 0:
            # h ā_ij ℓ_j = ā_ij / b_j g_j, where b_j cancels
            shifts = sum((1 - a[j][i] / b[i]) * g[j] for j in range(n))
            assert sympy.expand(stage.pk / (h * b[i]) - (p0 - shifts)) == 0


def array(symbol):
    return SymbolicArray(np.array([[symbol]], dtype=object))


def test_vjp_is_that_method(tableau_entry, make_general, point):
    """The implemented adjoint solves the scheme with ā, where every b_i ≠ 0."""
    method = tableau_entry.cls()
    tableau, n = method.tableau, method.tableau.active
    b, a = np.array(tableau.b, float)[:n], np.array(tableau.a, float)[:n, :n]
    if tableau.fields or np.any(b == 0) or np.any(np.triu(a) != 0):
        pytest.skip("not explicit, or with a stage of weight zero")
    x, u = point(method.abscissae)
    field, t, h, p1 = make_general(), 0.3, 0.2, x[::-1].copy()
    parts, k = [], np.zeros((n, *x.shape))
    for i in range(n):
        control = {name: value[tableau.places[i]] for name, value in u.items()}
        X = x + h * np.tensordot(a[i], k, 1)
        k[i], part = field.linearize(t + float(tableau.c[i]) * h, X, control)
        parts.append(part)
    slopes = np.zeros_like(k)
    p = np.zeros_like(k)
    for i in reversed(range(n)):
        p[i] = p1 + h * np.tensordot(b * a[:, i] / b[i], slopes, 1)
        slopes[i], _ = parts[i].vjp(p[i])
    p0, _ = method.linearize_step(field, t, h, x, u)[1].vjp(p1)
    abar = b[None, :] - b[None, :] * a.T / b[:, None]
    np.testing.assert_allclose(p, p0 - h * np.tensordot(abar, slopes, 1), rtol=1e-12, atol=1e-13)


def colourings(tree):
    """The tree with each vertex in one of two colours: (colour, branches)."""
    branches = [tuple(colourings(branch)) for branch in tree]
    return [(colour, chosen) for colour in (0, 1) for chosen in product(*branches)]


def coloured_weights(tableau, tree):
    """As `stage_weights`, where a vertex of a colour stands for the stages of that field."""
    _, branches = tree
    inner = [(branch[0], coloured_weights(tableau, branch)) for branch in branches]
    stages = range(len(tableau.b))
    sums = [
        [sum(row[j] * phi[j] for j in stages if tableau.fields[j] == colour) for row in tableau.a]
        for colour, phi in inner
    ]
    return [prod((s[i] for s in sums), start=1) for i in stages]


def test_order_conditions_of_additive_methods(tableau_entry):
    """Every colouring of every tree: Ascher, Ruuth and Spiteri (1997), section 2."""
    method = tableau_entry.cls
    tableau = method.tableau
    if not tableau.fields:
        pytest.skip("one field")
    for order in range(1, method.order + 1):
        for tree in trees(order):
            for coloured in colourings(tree):
                phi = coloured_weights(tableau, coloured)
                stages = [j for j, part in enumerate(tableau.fields) if part == coloured[0]]
                total = sum(tableau.b[j] * phi[j] for j in stages)
                assert abs(total - Fraction(1, density(tree))) <= 1e-14
