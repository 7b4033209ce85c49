"""A linear-quadratic problem on finer and finer grids: the tables of the README of `continuous`.

    minimise ½ ∫ (x² + u²) dt over [0, 1],  dx/dt = u,  x(0) = 1

Riccati: p = s x, −ds/dt = 1 − s², s(1) = 0, so that s = tanh(1 − t), J = ½ tanh 1,
x = cosh(1 − t)/cosh 1, u = −sinh(1 − t)/cosh 1 and H = ½ (x² − u²) = ½/cosh² 1.

Run with: python docs/examples/discrete_optima.py    (some seconds)
"""

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg

from occore import Data, Phase, Problem, courses, load_host
from occore.symbolic.bolza import Bolza
from occore.symbolic.expression_dynamics import ExpressionDynamics
from occore_continuous.pontryagin import Pontryagin

FIELD = ExpressionDynamics(("x",), ("u",), {"x": "u"})
METHODS = (
    ("forward_euler", "piecewise_constant"),
    ("midpoint", "piecewise_constant"),
    ("heun", "piecewise_linear"),
    ("trapezoid", "piecewise_linear"),
    ("bosh3", "piecewise_linear"),
    ("rk4", "piecewise_linear"),
    ("rk4", "cubic_spline"),
    ("gauss4", "cubic_spline"),
)
COLUMNS = ("objective", "end state", "costate", "control", "H_u", "drift of H", "H")


def problem(method, space, steps):
    """The problem with so many steps and as many intervals of the control."""
    registry = load_host().registry
    intervals = {} if space == "piecewise_constant" else {"intervals": steps}
    controls = registry["control_space", space].cls(**intervals)
    phase = Phase(
        "regulate", FIELD, registry["discretization", method].cls(), steps, space=controls
    )
    objective = Bolza(running="0.5*(x**2 + u**2)").for_phases((phase,))
    return Problem((phase,), objective, Data(np.ones((1, 1))))


def optimum(problem):
    """The minimiser, by one step of Newton; of the Hessian products are enough."""
    here, size = problem.at(np.zeros(problem.size)), problem.size
    hessian = LinearOperator((size, size), matvec=here.hessian_product, dtype=float)
    return cg(hessian, -here.gradient(), rtol=1e-14, maxiter=200)[0]


def errors(problem, theta):
    """Of the discrete optimum, in the order of COLUMNS; the costate is that at the start."""
    (course,) = courses(problem, theta)
    (phase,) = problem.phases
    t = phase.space.nodes(phase.steps)
    seen = Pontryagin().observe(problem, theta, 0)
    cosh = np.cosh(1.0)
    return (
        problem.value(theta) - np.tanh(1.0) / 2,
        course.states[-1][0, 0] - 1 / cosh,
        course.costates[0][0, 0] - np.tanh(1.0),
        np.max(np.abs(problem.unflatten(theta)["regulate"]["u"] + np.sinh(1 - t) / cosh)),
        seen["regulate/stationarity"],
        seen["regulate/drift"],
        seen["regulate/hamiltonian"] - 0.5 / cosh**2,
    )


def orders(method, space, counts=(10, 20, 40)):
    """Errors by the number of steps, and the observed orders, from the last two."""
    found = []
    for steps in counts:
        made = problem(method, space, steps)
        found.append(errors(made, optimum(made)))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.array(found), np.log2(np.abs(np.divide(*np.array(found)[-2:])))


if __name__ == "__main__":
    print("| method | controls | steps | " + " | ".join(COLUMNS) + " |")
    print("| --- " * (3 + len(COLUMNS)) + "|")
    for method, space in METHODS:
        found, slopes = orders(method, space)
        numbers = " | ".join(f"{abs(v):.1e}" for v in found[-1])
        print(f"| `{method}` | {space.replace('_', ' ')} | 40 | {numbers} |")
        print("| | | order | " + " | ".join(f"{v:.1f}" for v in slopes) + " |", flush=True)
