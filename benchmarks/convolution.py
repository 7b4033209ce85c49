"""A 3 × 3 convolution and its adjoints beside PyTorch and JAX on the processor, with two threads.

One row for each size of layer: forward, then both adjoints (for a picture of one channel only that
in K), in turns of several calls. Batches of 128, float32. PyTorch is given channels first and
channels last, and the faster of the two is its time; JAX is given NHWC and compiles everything as
one function.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Row, compare, installed
from occore_convolution.operator import ConvolutionOperator

THREADS = 2
SAMPLES = 128
REPEATS, CALLS = 15, 10
LAYERS = (
    ConvolutionOperator((28, 28), (3, 3), 16, 16),
    ConvolutionOperator((28, 28), (3, 3), 1, 8),
    ConvolutionOperator((28, 28), (5, 5), 1, 8),
    ConvolutionOperator((14, 14), (3, 3), 8, 16),
    ConvolutionOperator((28, 28), (3, 3), 8, 16, stride=2),
)
"""The first is the one whose time is a target; the others are layers of a network for MNIST."""

Products = Callable[[], tuple[Any, ...]]
"""y, pK and, but for pictures, px."""


def _ours(operator: ConvolutionOperator, x: Any, K: Any, p: Any) -> Products:
    def products() -> tuple[Any, ...]:
        y, pK = operator.forward(x, K), operator.stencil_gradient(x, p)
        return (y, pK) if operator.channels_in == 1 else (y, pK, operator.adjoint(p, K))

    return products


def _torch(operator: ConvolutionOperator, x: Any, K: Any, p: Any, last: bool) -> Products:
    import torch  # pyright: ignore[reportMissingImports]

    torch.set_num_threads(THREADS)
    order = torch.channels_last if last else torch.contiguous_format

    def given(a: Any, axes: tuple[int, ...]) -> Any:
        return torch.tensor(a).permute(axes).contiguous(memory_format=order)

    X, P, W = given(x, (0, 3, 1, 2)), given(p, (0, 3, 1, 2)), given(K, (3, 2, 0, 1))
    wanted = (W,) if operator.channels_in == 1 else (W, X)
    for argument in wanted:
        argument.requires_grad_()

    def products() -> tuple[Any, ...]:
        y = torch.nn.functional.conv2d(
            X, W, stride=operator.stride, padding=operator.stencil[0] // 2
        )
        return y, *torch.autograd.grad(y, wanted, P)

    return products


def _of_torch(y: Any, pK: Any, *px: Any) -> tuple[Any, ...]:
    """In the order of axes that is ours."""
    pictures = [a.detach().permute(0, 2, 3, 1).numpy() for a in (y, *px)]
    return pictures[0], pK.permute(2, 3, 1, 0).numpy(), *pictures[1:]


def _jax(operator: ConvolutionOperator, x: Any, K: Any, p: Any) -> Products:
    import jax  # pyright: ignore[reportMissingImports]

    half, strides = operator.stencil[0] // 2, (operator.stride,) * 2

    def convolution(K: Any, x: Any) -> Any:
        return jax.lax.conv_general_dilated(
            x, K, strides, [(half, half)] * 2, dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    @jax.jit
    def all_products(x: Any, K: Any, p: Any) -> tuple[Any, ...]:
        if operator.channels_in == 1:
            y, vjp = jax.vjp(lambda K: convolution(K, x), K)
        else:
            y, vjp = jax.vjp(convolution, K, x)
        return y, *vjp(p)

    given = tuple(map(jax.numpy.asarray, (x, K, p)))
    return lambda: jax.block_until_ready(all_products(*given))


def _assert_equal(ours: tuple[Any, ...], theirs: tuple[Any, ...]) -> None:
    for mine, other in zip(ours, theirs, strict=True):
        error = np.max(np.abs(mine - np.asarray(other))) / np.max(np.abs(mine))
        if not error < 1e-5:
            raise AssertionError(f"ours and the peer's differ by {error:.1e}")


def _fastest(candidates: list[Products]) -> Products:
    def seconds(products: Products) -> float:
        begin = time.perf_counter()
        products()
        return time.perf_counter() - begin

    return min(candidates, key=lambda products: min(seconds(products) for _ in range(7)))


def measure() -> tuple[list[Row], list[str]]:
    """One row for each layer and peer."""
    rows = []
    for operator in LAYERS:
        rng = np.random.default_rng(0)
        x, p = (
            rng.standard_normal((SAMPLES, *shape), dtype=np.float32)
            for shape in (operator.input_shape, operator.output_shape)
        )
        K = rng.standard_normal(operator.stencil_shape, dtype=np.float32)
        ours = _ours(operator, x, K, p)
        peers: dict[str, Products] = {}
        if installed("torch"):
            both = [_torch(operator, x, K, p, last) for last in (False, True)]
            for candidate in both:
                _assert_equal(ours(), _of_torch(*candidate()))
            peers["PyTorch"] = _fastest(both)
        if installed("jax"):
            peers["JAX"] = _jax(operator, x, K, p)
            _assert_equal(ours(), peers["JAX"]())
        k, c, d = operator.stencil[0], operator.channels_in, operator.channels_out
        stride = f", stride {operator.stride}" * (operator.stride > 1)
        work = f"{k} × {k}, {c} → {d} channels, {operator.grid[0]} × {operator.grid[1]}{stride}"
        rows += [
            compare(work, peer, ours, theirs, "all products to 1e-5", REPEATS, calls=CALLS)
            for peer, theirs in peers.items()
        ]
    names = {"torch": "PyTorch", "jax": "JAX"}
    return rows, [name for package, name in names.items() if not installed(package)]
