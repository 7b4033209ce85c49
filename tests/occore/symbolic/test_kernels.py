import array_api_strict
import numba
import numpy as np
import pytest
import sympy

from occore.symbolic import array_kernel
from occore.symbolic.kernels import generate
from occore.symbolic.printing import array_source

t = sympy.Symbol("t", real=True)
x = list(sympy.symbols("x0 x1", real=True))
u = list(sympy.symbols("u0 u1 u2", real=True))

OUTPUTS = [
    x[0] * (u[0] - x[1]) + sympy.sin(t) * u[2] + sympy.Rational(1, 10),
    sympy.Piecewise((sympy.sqrt(x[0]), x[0] > 0), (-x[0], True)) * x[1] - sympy.atan2(u[1], 2),
    sympy.Piecewise((1, sympy.And(x[0] > x[1], sympy.Ne(u[0], 0))), (sympy.asinh(x[1]), True)),
    sympy.Integer(2),
]

KINDS = ["value", "time_derivative", "jvp", "vjp", "curvature", "jacobian", "hessian"]


def inputs(kind, rng, samples=5, dtype=np.float64, outputs=4):
    """Arguments of a kernel; the controls are shared."""
    shapes = {"jvp": [(samples, 2), (3,)], "vjp": [(samples, outputs)],
              "hessian": [(samples, outputs)],
              "curvature": [(samples, outputs), (samples, 2), (3,)]}.get(kind, [])  # fmt: skip
    return [0.7, *(rng.standard_normal(s).astype(dtype) for s in [(samples, 2), (3,), *shapes])]


def by_sample(kernel, arguments):
    """One evaluation for each sample."""
    t, x, u, *rest = arguments
    return np.stack([
        kernel(t, x[i], u, *(r[i] if r.ndim == 2 else r for r in rest)) for i in range(len(x))
    ])  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_samples_do_not_mix(kind, rng):
    kernel, arguments = getattr(generate(t, x, u, OUTPUTS), kind), inputs(kind, rng)
    result = kernel(*arguments)
    # the vector loops of NumPy's functions may differ from the scalar ones in the last place
    np.testing.assert_allclose(result, by_sample(kernel, arguments), rtol=1e-15, atol=1e-16)
    assert result.shape == (5, len(kernel.tape.outputs))


def test_blocks(monkeypatch, rng):
    kernel, arguments = generate(t, x, u, OUTPUTS).jacobian, inputs("jacobian", rng, samples=100)
    expected = kernel(*arguments)
    monkeypatch.setattr(array_kernel, "BLOCK", 32)
    np.testing.assert_allclose(kernel(*arguments), expected, rtol=1e-15)


def test_order_of_memory_does_not_matter(rng):
    kernel, (time, x_, u_) = generate(t, x, u, OUTPUTS).value, inputs("value", rng, samples=1001)
    expected = kernel(time, x_, u_)
    assert expected.flags.f_contiguous
    np.testing.assert_array_equal(kernel(time, np.asfortranarray(x_), u_), expected)
    padded = np.zeros((1001, 4))
    padded[:, ::2] = x_
    np.testing.assert_array_equal(kernel(time, padded[:, ::2], u_), expected)


@pytest.mark.parametrize("compiler", ["numpy", "numba"])
def test_controls_and_times_of_each_sample(compiler, rng):
    kernel = generate(t, x, u, OUTPUTS, compiler).value
    times, states, controls = rng.random(5), rng.standard_normal((5, 2)), rng.random((5, 3))
    expected = [kernel(*point) for point in zip(times, states, controls, strict=True)]
    np.testing.assert_allclose(kernel(times, states, controls), expected, rtol=1e-15)


@pytest.mark.parametrize("kind", KINDS)
def test_float32_stays(kind, rng):
    kernel = getattr(generate(t, x, u, OUTPUTS), kind)
    arguments = inputs(kind, rng, dtype=np.float32)
    result = kernel(*arguments)
    assert result.dtype == np.float32
    doubles = [np.asarray(a, np.float64) if isinstance(a, np.ndarray) else a for a in arguments]
    np.testing.assert_allclose(result, kernel(*doubles), rtol=2e-5, atol=2e-6)
    columns = [np.float32(0.7), *(a.T for a in arguments[1:])]
    with np.errstate(invalid="ignore"):  # the branch that is not taken
        values = kernel.function(np, np.float32, *columns)
    # nothing was computed in double on the way; what is a number of Python is a constant
    assert {v.dtype for v in values if not isinstance(v, float)} == {np.dtype("f4")}


def test_complex_numbers_pass(rng):
    kernel, (time, x_, u_) = generate(t, x, u, OUTPUTS[:1]).value, inputs("value", rng)
    assert kernel(time, x_, u_.astype(complex)).dtype == np.complex128
    assert kernel(time, x_.astype(np.complex64), u_.astype("f4")).dtype == np.complex64


@pytest.mark.parametrize("kind", KINDS)
def test_any_array_library(kind, rng):
    kernel, arguments = getattr(generate(t, x, u, OUTPUTS), kind), inputs(kind, rng)
    strict = [array_api_strict.asarray(a) if isinstance(a, np.ndarray) else a for a in arguments]
    result = kernel(*strict)
    assert isinstance(result, type(strict[1]))
    np.testing.assert_allclose(np.asarray(result), kernel(*arguments), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("kind", ["value", "vjp", "jacobian"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_numba_agrees(kind, dtype, rng):
    arrays, compiled = (getattr(generate(t, x, u, OUTPUTS, c), kind) for c in ("numpy", "numba"))
    arguments = inputs(kind, rng, dtype=dtype)
    expected, result = arrays(*arguments), compiled(*arguments)
    assert result.dtype == dtype
    assert result.flags.c_contiguous
    eps = np.finfo(dtype).eps  # elementary functions of two libraries: some units each
    np.testing.assert_allclose(result, expected, rtol=20 * eps, atol=10 * eps)


def test_numba_leaves_other_numbers_to_numpy(rng):
    compiled, (time, x_, u_) = generate(t, x, u, OUTPUTS[:1], "numba").value, inputs("value", rng)
    arrays = compiled.arrays
    stepped = u_ + 1e-30j
    np.testing.assert_array_equal(compiled(time, x_, stepped), arrays(time, x_, stepped))
    assert compiled(time, x_.astype("f4"), u_.astype("f4")).dtype == np.float32


def test_a_compiled_time_loop(rng):
    """The door for compiled integrators: `point` is called from compiled code."""
    kernels = generate(t, x, u, OUTPUTS[:2], "numba")
    point = kernels.value.point()

    @numba.njit
    def euler(f, x, u, h, steps):
        slope = np.empty(2)
        for k in range(steps):
            f(k * h, x, u, slope)
            x = x + h * slope
        return x

    start, controls = np.array([0.3, 0.5]), rng.random(3)
    expected, value = start, generate(t, x, u, OUTPUTS[:2]).value
    for k in range(10):
        expected = expected + 0.1 * value(k * 0.1, expected, controls)
    np.testing.assert_allclose(euler(point, start, controls, 0.1, 10), expected, rtol=1e-13)


def test_compiled_code_is_kept(cache_folder, rng):
    kernels = generate(t, x, u, [x[0] * u[0], x[1] + sympy.Rational(1, 3)], "numba")
    kernels.value(*inputs("value", rng))
    (file,) = cache_folder.glob("kernel_*.py")
    assert list((cache_folder / "__pycache__").glob("kernel_*.nbi"))
    assert "x0" not in file.read_text()  # no name from outside


def test_a_planted_source_file_is_overwritten_and_not_run(cache_folder, rng):
    outputs = [x[0] * u[0], x[1] + sympy.Rational(1, 7)]
    arguments = inputs("value", rng)
    expected = generate(t, x, u, outputs)
    from occore.symbolic import compiled_kernel

    compiled = generate(t, x, u, outputs, "numba").value
    compiled_kernel._compile(compiled.tape, "float64", (True, False, True))
    (file,) = cache_folder.glob("kernel_*.py")
    text = file.read_text()
    file.write_text("raise SystemExit('planted')")
    compiled_kernel._compile.cache_clear()
    np.testing.assert_allclose(compiled(*arguments), expected.value(*arguments), rtol=1e-15)
    assert file.read_text() == text


def test_source_holds_no_names():
    evil = sympy.Symbol("__import__('os').system('x')", real=True)
    source = array_source(generate(t, [evil], u, [evil * u[0]]).value.tape)
    assert source == (
        "def kernel(xp, constant, g0, g1, g2):\n"
        "    a1_0 = g1[0]\n    a2_0 = g2[0]\n    r0 = a1_0 * a2_0\n    return [r0]\n"
    )
