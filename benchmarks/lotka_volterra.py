"""The gradient of a sum over a Lotka–Volterra trajectory to 1e-8, beside other ODE libraries.

L = Σ x(t) + y(t) over t = 0, 0.1, …, 10, with respect to four parameters and two start values. Each
side uses the fastest setting that reaches 1e-8 in every entry, which is asserted before the clocks.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.integrate import solve_ivp

import occore
from benchmarks.harness import Row, compare, installed
from occore.symbolic.expression_dynamics import ExpressionDynamics
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.discretizations.dopri8 import Dopri8

EXACT = np.array(  # Taylor series in 50 digits
    [
        8.305362662316553255,
        -159.4842927151386363,
        75.20350821377277249,
        -339.1950927660609070,
        -39.12754122266809437,
        -8.787780218992642678,
    ]
)
THETA = np.array([1.5, 1.0, 3.0, 1.0, 1.0, 1.0])
TIMES = np.arange(101) / 10
DIGITS = 1e-8


@dataclass(frozen=True)
class Total(occore.TerminalObjective):
    """The sum of all observed states."""

    def __call__(self, x: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Σ x."""
        return np.sum(x)

    def linearize(
        self, x: np.ndarray, target: np.ndarray
    ) -> tuple[np.ndarray, occore.ObjectiveLinearization]:
        """Σ x and its derivatives."""
        return np.sum(x), TotalLinearization(np.ones_like(x))


@dataclass(frozen=True)
class TotalLinearization(occore.ObjectiveLinearization):
    """Gradient one, Hessian zero."""

    ones: np.ndarray

    def gradient(self) -> np.ndarray:
        """One everywhere."""
        return self.ones

    def hessian_product(self, d: np.ndarray) -> np.ndarray:
        """Zero."""
        return 0 * d

    def gauss_newton_product(self, d: np.ndarray) -> np.ndarray:
        """Zero."""
        return 0 * d


def ours() -> Callable[[], np.ndarray]:
    """dopri8 with a step for every observation, compiled."""
    rates = {"x": "a*x - b*x*y", "y": "-c*y + d*x*y"}
    dynamics = ExpressionDynamics(("x", "y"), (), rates, tuple("abcd"), compiler="numba")
    phase = occore.Phase(
        "flow",
        dynamics,
        Dopri8(),
        200,
        10.0,
        space=Constant(),
        free_start=np.ones(2, bool),
        observations=tuple(TIMES),
    )
    data = occore.Data(np.zeros((1, 2)), np.zeros(1))
    problem = occore.Problem((phase,), Total(), data)
    return lambda: problem.value_and_gradient(THETA)[1]


def by_scipy(rtol: float) -> Callable[[], np.ndarray]:
    """The variational equations beside the state, by LSODA."""

    def rates(t: float, z: np.ndarray) -> np.ndarray:
        a, b, c, d = THETA[:4]
        (x, y), S = z[:2], z[2:].reshape(2, 6)
        J = np.array([[a - b * y, -b * x], [d * y, d * x - c]])
        F = np.array([[x, -x * y, 0, 0, 0, 0], [0, 0, -y, x * y, 0, 0]])
        return np.concatenate([[a * x - b * x * y, -c * y + d * x * y], (J @ S + F).ravel()])

    start = np.zeros((2, 6))
    start[0, 4] = start[1, 5] = 1
    z = np.concatenate([THETA[4:], start.ravel()])

    def gradient() -> np.ndarray:
        options = {"method": "LSODA", "rtol": rtol, "atol": rtol / 100, "t_eval": TIMES}
        return solve_ivp(rates, (0, 10), z, **options).y[2:].reshape(2, 6, -1).sum(axis=(0, 2))

    return gradient


def by_diffrax(rtol: float) -> Callable[[], np.ndarray]:
    """Dopri8, jitted, with its default adjoint."""
    import diffrax  # pyright: ignore[reportMissingImports]
    import jax  # pyright: ignore[reportMissingImports]

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp  # pyright: ignore[reportMissingImports]

    def rates(t, y, args):
        a, b, c, d = args
        return jnp.array([a * y[0] - b * y[0] * y[1], -c * y[1] + d * y[0] * y[1]])

    def loss(theta):
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(rates),
            diffrax.Dopri8(),
            0.0,
            10.0,
            None,
            theta[4:],
            args=theta[:4],
            saveat=diffrax.SaveAt(ts=jnp.asarray(TIMES)),
            stepsize_controller=diffrax.PIDController(rtol=rtol, atol=rtol / 100),
            max_steps=4096,
        )
        return jnp.sum(solution.ys)

    gradient = jax.jit(jax.grad(loss))
    theta = jnp.asarray(THETA)
    return lambda: np.asarray(gradient(theta).block_until_ready())


def by_torchdiffeq(rtol: float) -> Callable[[], np.ndarray]:
    """dopri5 with backpropagation through the solver; its dopri8 interpolates too coarsely."""
    import torch  # pyright: ignore[reportMissingImports]
    from torchdiffeq import odeint  # pyright: ignore[reportMissingImports]

    torch.set_default_dtype(torch.float64)
    times = torch.tensor(TIMES)

    def gradient() -> np.ndarray:
        theta = torch.tensor(THETA, requires_grad=True)
        a, b, c, d = theta[:4]

        def rates(t, y):
            return torch.stack([a * y[0] - b * y[0] * y[1], -c * y[1] + d * y[0] * y[1]])

        options = {"rtol": rtol, "atol": rtol / 100, "method": "dopri5"}
        odeint(rates, theta[4:], times, **options).sum().backward()
        return theta.grad.numpy()

    return gradient


PEERS = (
    ("SciPy LSODA, variational equations", "scipy", by_scipy),
    ("diffrax Dopri8, jitted", "diffrax", by_diffrax),
    ("torchdiffeq dopri5, backpropagation", "torchdiffeq", by_torchdiffeq),
)
TOLERANCES = 10.0 ** -np.arange(7.0, 14.0)


def error(gradient: np.ndarray) -> float:
    """The worst relative error of an entry."""
    return float(np.max(np.abs(gradient / EXACT - 1)))


def loosest(make: Callable[[float], Callable[[], np.ndarray]]) -> float:
    """The loosest tolerance at which a peer reaches the digits."""
    return next(float(rtol) for rtol in TOLERANCES if error(make(float(rtol))()) <= DIGITS)


def _first_call(make: Callable[[], Callable[[], np.ndarray]]) -> tuple[Callable, float]:
    begin = time.perf_counter()
    gradient = make()
    gradient()
    return gradient, time.perf_counter() - begin


def measure() -> tuple[list[Row], list[str]]:
    """One gradient of each peer and of ours in turn, and the time of the first call."""
    mine, setup = _first_call(ours)
    assert error(mine()) <= DIGITS  # noqa: S101 - accuracy comes before the clocks
    rows, skipped = [], []
    for name, package, make in PEERS:
        if not installed(package):
            skipped.append(package)
            continue
        rtol = loosest(make)
        peer, theirs = _first_call(lambda make=make, rtol=rtol: make(rtol))
        assert error(peer()) <= DIGITS  # noqa: S101
        work = "Lotka–Volterra gradient to 1e-8"
        agreement = f"1e-8; first call {setup:.2g} s and {theirs:.2g} s"
        rows.append(compare(work, name, mine, peer, agreement, repeats=5))
    return rows, skipped
