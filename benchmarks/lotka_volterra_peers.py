"""The gradient of the sum over a Lotka–Volterra trajectory, by other ODE libraries."""

from collections.abc import Callable

import numpy as np
from scipy.integrate import solve_ivp

THETA = np.array([1.5, 1.0, 3.0, 1.0, 1.0, 1.0])
TIMES = np.arange(101) / 10
"""(a, b, c, d, x0, y0), and the times of the sum."""


def by_scipy(rtol: float, method: str) -> Callable[[], np.ndarray]:
    """The variational equations beside the state."""

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
        options = {"method": method, "rtol": rtol, "atol": rtol / 100, "t_eval": TIMES}
        return solve_ivp(rates, (0, 10), z, **options).y[2:].reshape(2, 6, -1).sum(axis=(0, 2))

    return gradient


def by_diffrax(rtol: float, method: str) -> Callable[[], np.ndarray]:
    """Jitted, with its default adjoint, which backpropagates from binomial checkpoints."""
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
            getattr(diffrax, method)(),
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


def by_torchdiffeq(rtol: float, function: str) -> Callable[[], np.ndarray]:
    """dopri5, by backpropagation or its adjoint; its dopri8 interpolates too coarsely for 1e-8."""
    import torch  # pyright: ignore[reportMissingImports]
    import torchdiffeq  # pyright: ignore[reportMissingImports]

    torch.set_default_dtype(torch.float64)
    times = torch.tensor(TIMES)

    class Rates(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.abcd = torch.nn.Parameter(torch.tensor(THETA[:4]))

        def forward(self, t, y):
            a, b, c, d = self.abcd
            return torch.stack([a * y[0] - b * y[0] * y[1], -c * y[1] + d * y[0] * y[1]])

    def gradient() -> np.ndarray:
        rates, start = Rates(), torch.tensor(THETA[4:], requires_grad=True)
        options = {"rtol": rtol, "atol": rtol / 100, "method": "dopri5"}
        getattr(torchdiffeq, function)(rates, start, times, **options).sum().backward()
        return np.concatenate([rates.abcd.grad.numpy(), start.grad.numpy()])

    return gradient


PEERS = {
    "SciPy LSODA, variational equations": ("scipy", by_scipy, "LSODA"),
    "SciPy DOP853, variational equations": ("scipy", by_scipy, "DOP853"),
    "diffrax Dopri8, jitted": ("diffrax", by_diffrax, "Dopri8"),
    "diffrax Tsit5, jitted": ("diffrax", by_diffrax, "Tsit5"),
    "torchdiffeq dopri5, backpropagation": ("torchdiffeq", by_torchdiffeq, "odeint"),
    "torchdiffeq dopri5, adjoint": ("torchdiffeq", by_torchdiffeq, "odeint_adjoint"),
}
"""By name: the package, the function of a tolerance and a method, and the method."""
