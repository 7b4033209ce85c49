"""Linear regressions of NIST's Statistical Reference Datasets, with their certified coefficients.

NIST/ITL StRD, linear regression, https://www.itl.nist.gov/div898/strd/lls/lls.shtml; works of the
United States government, in the public domain. Certified to 15 digits by arithmetic of 500 digits.
"""

from fractions import Fraction

import numpy as np
import pytest

from occore_least_squares.cgls import CGLS
from occore_least_squares.lsmr import LSMR
from occore_least_squares.lsqr import LSQR
from occore_least_squares.normal_equations import NormalEquations
from occore_least_squares.qr import QR
from occore_least_squares.svd import SVD

# employment; prices, gross national product, unemployment, armed forces, population, year
LONGLEY = """
60323  83.0 234289 2356 1590 107608 1947
61122  88.5 259426 2325 1456 108632 1948
60171  88.2 258054 3682 1616 109773 1949
61187  89.5 284599 3351 1650 110929 1950
63221  96.2 328975 2099 3099 112075 1951
63639  98.1 346999 1932 3594 113270 1952
64989  99.0 365385 1870 3547 115094 1953
63761 100.0 363112 3578 3350 116219 1954
66019 101.2 397469 2904 3048 117388 1955
67857 104.6 419180 2822 2857 118734 1956
68169 108.4 442769 2936 2798 120445 1957
66513 110.8 444546 4681 2637 121950 1958
68655 112.6 482704 3813 2552 123366 1959
69564 114.2 502601 3931 2514 125368 1960
69331 115.7 518173 4806 2572 127852 1961
70551 116.9 554894 4007 2827 130081 1962
"""
LONGLEY_COEFFICIENTS = """
-3482258.63459582 15.0618722713733 -0.358191792925910E-01 -2.02022980381683 -1.03322686717359
-0.511041056535807E-01 1829.15146461355
"""

# ozone by the customer's instrument, and by NIST's
NORRIS = """
0.1 0.2  338.8 337.4  118.1 118.2  888.0 884.6  9.2 10.1  228.1 226.5  668.5 666.3  998.5 996.3
449.1 448.6  778.9 777.0  559.2 558.2  0.3 0.4  0.1 0.6  778.1 775.5  668.8 666.9  339.3 338.0
448.9 447.5  10.8 11.6  557.7 556.0  228.3 228.1  998.0 995.8  888.8 887.6  119.6 120.2  0.3 0.3
0.6 0.3  557.6 556.8  339.3 339.1  888.0 887.2  998.5 999.0  778.9 779.0  10.2 11.1  117.6 118.3
228.9 229.2  668.4 669.1  449.2 448.9  0.2 0.5
"""
NORRIS_COEFFICIENTS = "-0.262323073774029 1.00211681802045"


def numbers(text):
    return [Fraction(word) for word in text.split()]


def longley():
    table = np.array(numbers(LONGLEY)).reshape(16, 7)
    return table[:, 1:], table[:, 0], numbers(LONGLEY_COEFFICIENTS)


def norris():
    table = np.array(numbers(NORRIS)).reshape(36, 2)
    return table[:, 1:], table[:, 0], numbers(NORRIS_COEFFICIENTS)


def wampler(number):
    """y = Σ c^k x^k up to x⁵ at x = 0, …, 20, with c = 1 or 1/10; a fit without residual."""
    powers = np.array([[Fraction(x**k) for k in range(1, 6)] for x in range(21)])
    coefficients = [Fraction(1, 10 ** (k if number == 2 else 0)) for k in range(6)]
    return powers, coefficients[0] + powers @ coefficients[1:], coefficients


SETS = {
    "longley": longley,
    "norris": norris,
    "wampler1": lambda: wampler(1),
    "wampler2": lambda: wampler(2),
}


def exact(inputs, targets):
    """The solution of the normal equations in rational arithmetic, by elimination."""
    A = np.hstack([np.full((len(inputs), 1), Fraction(1)), inputs])
    n = A.shape[1]
    rows = np.hstack([A.T @ A, (A.T @ targets)[:, None]])
    for k in range(n):
        rows[k] = rows[k] / rows[k, k]
        for i in range(n):
            if i != k:
                rows[i] = rows[i] - rows[i, k] * rows[k]
    return rows[:, n]


def digits(name, optimizer, linear_problem, solve):
    """Least number of certified digits that are right, over the coefficients."""
    inputs, targets, certified = SETS[name]()
    problem = linear_problem(inputs.astype(float), targets.astype(float)[:, None], bias=True)
    theta, _, _ = solve(optimizer, problem)
    u = problem.unflatten(theta)["fit"]
    found = np.append(u["b"], u["W"][0])
    expected = np.array(certified, float)
    errors = np.abs(found - expected) / np.abs(expected)
    return float(np.min(-np.log10(np.maximum(errors, 1e-15))))


@pytest.mark.parametrize("name", SETS)
def test_data_and_certified_values_belong_together(name):
    """Whatever was typed wrongly would show: the exact solution has the 15 certified digits."""
    inputs, targets, certified = SETS[name]()
    found = exact(inputs, targets)
    for a, b in zip(found, certified, strict=True):
        assert abs(a - b) <= abs(b) * Fraction(1, 10**14)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("optimizer", [QR(), SVD()], ids=["qr", "svd"])
def test_nine_certified_digits(name, optimizer, linear_problem, solve):
    assert digits(name, optimizer, linear_problem, solve) >= 9


def test_the_normal_equations_lose_them(linear_problem, solve):
    """Five of twelve, measured: the condition of Longley's equilibrated columns is 4e4 for QR."""
    bad = digits("longley", NormalEquations(), linear_problem, solve)
    assert bad < digits("longley", QR(), linear_problem, solve) - 3


@pytest.mark.parametrize("cls", [CGLS, LSQR, LSMR])
def test_iterations_on_equilibrated_columns(cls, linear_problem, solve):
    """Norris has condition 1e3 with its columns equilibrated: the iterations reach nine digits."""
    optimizer = cls(postconditioner="columns", tolerance=1e-15, max_iterations=50)
    assert digits("norris", optimizer, linear_problem, solve) >= 9
