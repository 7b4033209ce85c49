"""Gradients of neural ODEs and a step of a residual net beside PyTorch, torchdiffeq, JAX, diffrax.

    dx/dt = W tanh(K x + b) + c,  steps of the classical Runge–Kutta method, J = ½ mean ‖x(1) − y‖²

Sizes are (samples, state, hidden, steps). The residual net is 784 → 64 (tanh), 16 forward Euler
steps of tanh(K x + b) with controls of their own, 64 → 10, softmax cross-entropy, 512 samples; a
step is value, gradient and θ ← θ − η g. All in float32, with two threads, in turns of several
calls. JAX and diffrax compile everything as one function; the others are eager. torchdiffeq's `rk4`
is the 3/8 rule, and so is ours beside it; diffrax is given the tableau of the classical method.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import occore
from benchmarks.harness import Row, compare, installed
from occore_classification.softmax_cross_entropy import SoftmaxCrossEntropy
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.control_spaces.piecewise_constant import PiecewiseConstant
from occore_continuous.discretizations.forward_euler import ForwardEuler
from occore_continuous.discretizations.rk4 import RK4
from occore_continuous.discretizations.rk38 import RK38
from occore_continuous.neural_field import NeuralField
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.linear import Linear
from occore_single_layer.dense import Dense

THREADS = 2
REPEATS, CALLS = 9, 5
SIZES = ((1024, 2, 64, 16), (4096, 64, 64, 8), (1024, 784, 128, 4))
LAYERS, RATE = 16, 0.1

Parameters = list[np.ndarray]
Gradient = Callable[[], tuple[Any, Any]]
"""Value and gradient, the latter by parameter in one order."""


def measure() -> tuple[list[Row], list[str]]:
    """A row for each size and peer, then those of the residual net."""
    rows: list[Row] = []
    for size in SIZES:
        rows += _flow_rows(*size)
    rows += _residual_rows()
    packages = {
        "torch": "PyTorch",
        "torchdiffeq": "torchdiffeq",
        "jax": "JAX",
        "diffrax": "diffrax",
    }
    return rows, [name for package, name in packages.items() if not installed(package)]


def _flow_rows(samples: int, width: int, hidden: int, steps: int) -> list[Row]:
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal((samples, width), dtype=np.float32) for _ in range(2))
    shapes = (hidden, width), (hidden,), (width, hidden), (width,)
    theta = [rng.standard_normal(s, dtype=np.float32) / np.float32(s[-1] ** 0.5) for s in shapes]
    work = f"({samples}, {width}, {hidden}, {steps})"
    peers: dict[str, tuple[type, Gradient]] = {}
    if installed("torch"):
        peers["PyTorch"] = RK4, _torch_flow(x, y, theta, steps)
    if installed("torchdiffeq"):
        peers["torchdiffeq rk4 (3/8 rule)"] = RK38, _torch_flow(x, y, theta, steps, "torchdiffeq")
    if installed("jax"):
        peers["JAX"] = RK4, _jax_flow(x, y, theta, steps)
    if installed("diffrax"):
        peers["diffrax"] = RK4, _jax_flow(x, y, theta, steps, _by_diffrax)
    return [
        _row(work, peer, _flow(x, y, theta, steps, method()), gradient)
        for peer, (method, gradient) in peers.items()
    ]


def _row(work: str, peer: str, ours: Gradient, theirs: Gradient) -> Row:
    """The comparison, once value and gradient agree."""
    (value, gradient), (other, expected) = ours(), theirs()
    np.testing.assert_allclose(value, np.asarray(other), rtol=1e-5)
    for mine, given in zip(gradient, expected, strict=True):
        error = np.linalg.norm(mine - np.asarray(given)) / np.linalg.norm(mine)
        if not error < 1e-4:
            raise AssertionError(f"{work}: our gradient and that of {peer} differ by {error:.1e}")
    agreement = "value to 1e-5, gradient to 1e-4"
    return compare(work, peer, ours, theirs, agreement, REPEATS, calls=CALLS)


def _flow(
    x: np.ndarray, y: np.ndarray, theta: Parameters, steps: int, method: occore.Discretization
) -> Gradient:
    width, hidden = x.shape[1], len(theta[1])
    field = NeuralField((width,), (hidden,))
    phase = occore.Phase("flow", field, method, steps=steps, space=Constant())
    data = occore.Data(x, y)
    problem = occore.Problem((phase,), LeastSquares("mean"), data)
    return partial(_gradient, problem, np.concatenate([a.ravel() for a in theta]))


def _gradient(problem: occore.Problem, theta: np.ndarray) -> tuple[Any, Parameters]:
    value, gradient = problem.value_and_gradient(theta)
    return value, list(problem.layout.unflatten(gradient).values())


def _torch_flow(
    x: np.ndarray, y: np.ndarray, theta: Parameters, steps: int, library: str = ""
) -> Gradient:
    import torch  # pyright: ignore[reportMissingImports]

    torch.set_num_threads(THREADS)
    start, target = torch.tensor(x), torch.tensor(y)
    K, b, W, c = parameters = [torch.tensor(a, requires_grad=True) for a in theta]
    linear = torch.nn.functional.linear

    def field(t: Any, x: Any) -> Any:
        return linear(torch.tanh(linear(x, K, b)), W, c)

    def end() -> Any:
        if library == "torchdiffeq":
            import torchdiffeq  # pyright: ignore[reportMissingImports]

            times = torch.tensor([0.0, 1.0])
            options = {"step_size": 1 / steps}
            return torchdiffeq.odeint(field, start, times, method="rk4", options=options)[-1]
        return _march(field, start, steps)

    def gradient() -> tuple[Any, Any]:
        value = ((end() - target) ** 2).sum() / (2 * len(x))
        return value.item(), torch.autograd.grad(value, parameters)

    return gradient


def _march(field: Callable[[Any, Any], Any], x: Any, steps: int) -> Any:
    """Steps of the classical Runge–Kutta method to t = 1."""
    for _ in range(steps):
        x = _step(field, x, 1 / steps)
    return x


def _step(field: Callable[[Any, Any], Any], x: Any, h: float) -> Any:
    """One of them, of a field that does not see the time."""
    k1 = field(0, x)
    k2 = field(0, x + h / 2 * k1)
    k3 = field(0, x + h / 2 * k2)
    k4 = field(0, x + h * k3)
    return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


Solver = Callable[[Callable[[Any, Any, Any], Any], Any, Any, int], Any]
"""From the field f(t, x, θ), the start, θ and the number of steps to the end."""


def _by_scan(field: Callable[[Any, Any, Any], Any], x: Any, theta: Any, steps: int) -> Any:
    import jax  # pyright: ignore[reportMissingImports]

    def step(x: Any, _: Any) -> Any:
        return _step(lambda t, x: field(t, x, theta), x, 1 / steps), None

    return jax.lax.scan(step, x, None, steps)[0]


def _by_diffrax(field: Callable[[Any, Any, Any], Any], x: Any, theta: Any, steps: int) -> Any:
    import diffrax  # pyright: ignore[reportMissingImports]

    class Classical(diffrax.AbstractERK):
        tableau = diffrax.ButcherTableau(
            c=np.array([0.5, 0.5, 1.0]),
            b_sol=np.array([1, 2, 2, 1]) / 6,
            b_error=np.zeros(4),
            a_lower=(np.array([0.5]), np.array([0.0, 0.5]), np.array([0.0, 0.0, 1.0])),
        )
        interpolation_cls = diffrax.ThirdOrderHermitePolynomialInterpolation.from_k

        def order(self, terms: Any) -> int:
            return 4

    term = diffrax.ODETerm(field)
    solution = diffrax.diffeqsolve(
        term, Classical(), 0.0, 1.0, 1 / steps, x, args=theta, max_steps=steps + 1
    )
    return solution.ys[-1]


def _jax_flow(
    x: np.ndarray, y: np.ndarray, theta: Parameters, steps: int, solver: Solver = _by_scan
) -> Gradient:
    import jax.numpy as jnp  # pyright: ignore[reportMissingImports]

    def field(t: Any, x: Any, theta: Any) -> Any:
        K, b, W, c = theta
        return jnp.tanh(x @ K.T + b) @ W.T + c

    def loss(theta: Any, x: Any, y: Any) -> Any:
        return ((solver(field, x, theta, steps) - y) ** 2).sum() / (2 * len(x))

    return _compiled(loss, theta, x, y)


def _compiled(loss: Callable[..., Any], *given: Any) -> Gradient:
    import jax  # pyright: ignore[reportMissingImports]

    value_and_gradient = jax.jit(jax.value_and_grad(loss))
    arrays = jax.tree.map(jax.numpy.asarray, given)
    return lambda: jax.block_until_ready(value_and_gradient(*arrays))


def _residual_rows() -> list[Row]:
    """The step of a residual net."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((512, 784), dtype=np.float32)
    labels = rng.integers(0, 10, 512)
    shapes = [(64, 784), (64,), (LAYERS, 64, 64), (LAYERS, 64), (10, 64), (10,)]
    theta = [rng.standard_normal(s, dtype=np.float32) / np.float32(s[-1] ** 0.5) for s in shapes]
    ours = _residual_net(x, labels, theta)
    peers: dict[str, Gradient] = {}
    if installed("torch"):
        peers["PyTorch"] = _torch_net(x, labels, theta)
    if installed("jax"):
        peers["JAX"] = _jax_net(x, labels, theta)
    work = f"residual net, 784 → 64, {LAYERS} Euler layers, batch {len(x)}"
    return [_row(work, peer, ours, gradient) for peer, gradient in peers.items()]


def _residual_net(x: np.ndarray, labels: np.ndarray, theta: Parameters) -> Gradient:
    layer = Dense((64,), 64)
    phases = (
        occore.Phase("opening", Dense((784,), 64)),
        occore.Phase("hidden", layer, ForwardEuler(), steps=LAYERS, space=PiecewiseConstant()),
        occore.Phase("classes", Linear((64,), 10)),
    )
    data = occore.Data(x, np.eye(10, dtype=np.float32)[labels])
    problem = occore.Problem(phases, SoftmaxCrossEntropy(), data)
    at = np.concatenate([a.ravel() for a in theta])

    def step() -> tuple[Any, Any]:
        value, gradient = _gradient(problem, at)
        _ = [a - RATE * g for a, g in zip(theta, gradient, strict=True)]
        return value, gradient

    return step


def _torch_net(x: np.ndarray, labels: np.ndarray, theta: Parameters) -> Gradient:
    import torch  # pyright: ignore[reportMissingImports]

    torch.set_num_threads(THREADS)
    inputs, classes = torch.tensor(x), torch.tensor(labels)
    parameters = [torch.tensor(a, requires_grad=True) for a in theta]
    linear, entropy = torch.nn.functional.linear, torch.nn.functional.cross_entropy

    def step() -> tuple[Any, Any]:
        M, m, K, b, W, c = parameters
        y = torch.tanh(linear(inputs, M, m))
        for layer in range(LAYERS):
            y = y + torch.tanh(linear(y, K[layer], b[layer])) / LAYERS
        value = entropy(linear(y, W, c), classes)
        gradient = torch.autograd.grad(value, parameters)
        with torch.no_grad():
            _ = [a - RATE * g for a, g in zip(parameters, gradient, strict=True)]
        return value.item(), gradient

    return step


def _jax_net(x: np.ndarray, labels: np.ndarray, theta: Parameters) -> Gradient:
    import jax  # pyright: ignore[reportMissingImports]
    import jax.numpy as jnp  # pyright: ignore[reportMissingImports]

    def loss(theta: Any, x: Any, labels: Any) -> Any:
        M, m, K, b, W, c = theta

        def layer(y: Any, controls: Any) -> Any:
            K, b = controls
            return y + jnp.tanh(y @ K.T + b) / LAYERS, None

        y, _ = jax.lax.scan(layer, jnp.tanh(x @ M.T + m), (K, b))
        log = jax.nn.log_softmax(y @ W.T + c)
        return -jnp.mean(jnp.take_along_axis(log, labels[:, None], axis=1))

    gradient = _compiled(loss, theta, x, labels)

    def step() -> tuple[Any, Any]:
        value, found = gradient()
        jax.block_until_ready([a - RATE * g for a, g in zip(theta, found, strict=True)])
        return value, found

    return step
