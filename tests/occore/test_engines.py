"""Shards of the samples: the numbers of one piece, the same bits in any number of threads."""

import itertools
import threading
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from threadpoolctl import threadpool_info, threadpool_limits

import occore
from occore import Data, Dynamics, Layout, Phase, Problem, Products, shards
from occore.checkpointing import Cost, Slots, States
from occore.engines import Serial, Threads
from occore.testing.models import Tanh
from occore.threads import in_order, inside_shard
from occore_classification.softmax_cross_entropy import SoftmaxCrossEntropy
from occore_continuous.control_spaces.piecewise_constant import PiecewiseConstant
from occore_continuous.discretizations.forward_euler import ForwardEuler
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.linear import Linear
from occore_least_squares.tikhonov import Tikhonov

ENGINES = (Serial(), Threads(1), Threads(2), Threads(4))
PRODUCTS = ("gauss_newton_product", "hessian_product")
DIGITS = {
    "title": "Digits",
    "data": {"kind": "digits"},
    "phase": [{"name": "fit", "dynamics": {"kind": "linear", "width": 10}}],
    "objective": {"kind": "least_squares"},
    "optimizer": {"kind": "lsqr"},
}


def hidden(**options):
    space = PiecewiseConstant(intervals=2)
    return Phase("hidden", Tanh((4,), 4), ForwardEuler(), 4, 2.0, space=space, **options)


def chain(rng, samples=50, objective=None, memory=None):
    phases = (
        Phase("opening", Tanh((3,), 4)),
        hidden(cost=Cost(), **({} if memory is None else {"memory": memory})),
        Phase("closing", Linear((4,), 2)),
    )
    data = Data(rng.standard_normal((samples, 3)), rng.standard_normal((samples, 2)))
    return Problem(phases, objective or LeastSquares("mean") + 0.3 * Tikhonov(), data)


@pytest.fixture
def small_shards(monkeypatch):
    """Eight shards of 50 samples with states of 32 bytes."""
    monkeypatch.setattr(shards, "SHARD_BYTES", 224)


def products(problem, theta, v):
    """Everything that an evaluation hands out."""
    at = problem.at(theta)
    w = np.linspace(-1.0, 1.0, at.residual().size)
    return {
        "plain value": np.array(problem.value(theta)),
        "value": np.array(at.value),
        "plain output": problem.output(theta),
        "output": at.output,
        "gradient": at.gradient(),
        "residual": at.residual(),
        "residual_jvp": at.residual_jvp(v),
        "residual_vjp": at.residual_vjp(w),
        **{name: getattr(at, name)(v) for name in PRODUCTS},
    }


def counted(problem):
    counts = problem.counts
    return counts.forward, counts.tangent, counts.adjoint


@pytest.mark.parametrize("memory", [None, States(), Slots(2)])
@pytest.mark.parametrize("kept", [2**30, 0, 6000])
def test_shards_have_the_products_of_one_piece(rng, monkeypatch, memory, kept):
    whole = chain(rng, memory=memory)
    theta, v = rng.standard_normal((2, whole.size))
    expected, counts = products(whole, theta, v), counted(whole)
    monkeypatch.setattr(shards, "SHARD_BYTES", 224)
    monkeypatch.setattr(shards, "KEPT_BYTES", kept)
    problem = replace(whole, counts=type(whole.counts)())
    found = products(problem, theta, v)
    for name, value in expected.items():
        assert_allclose(found[name], value, rtol=1e-12, atol=1e-13, err_msg=name)
    assert counted(problem) == counts


@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize("kept", [2**30, 0])
def test_every_engine_gives_the_same_bits(rng, monkeypatch, kept):
    monkeypatch.setattr(shards, "KEPT_BYTES", kept)
    problem = chain(rng, samples=150)
    theta, v = rng.standard_normal((2, problem.size))
    bits = set()
    for engine, _ in itertools.product(ENGINES, range(2)):
        found = products(replace(problem, engine=engine), theta, v)
        bits.add(b"".join(np.asarray(value).tobytes() for value in found.values()))
    assert len(bits) == 1


@pytest.mark.usefixtures("small_shards")
def test_a_running_cost_goes_through_the_shards(rng, monkeypatch):
    case = {
        "title": "Quadratic cost of many starts",
        "phase": [
            {
                "name": "move",
                "dynamics": {
                    "kind": "symbolic",
                    "states": ["x"],
                    "controls": ["u"],
                    "unknowns": [],
                    "rates": {"x": "u*x"},
                },
                "discretization": {"kind": "rk4", "steps": 5},
                "start": {"x": 1.0},
            }
        ],
        "objective": {"kind": "bolza", "running": "x**2 + u**2", "terminal": "0"},
        "optimizer": {"kind": "lbfgs"},
    }
    problem = occore.load_case(case).build().problem
    problem = replace(problem, data=Data(rng.standard_normal((200, 1))))
    theta, v = rng.standard_normal((2, problem.size))
    found = problem.value(theta), problem.at(theta).gradient(), problem.hessian_product(theta, v)
    monkeypatch.setattr(shards, "SHARD_BYTES", 2**20)
    whole = problem.value(theta), problem.at(theta).gradient(), problem.hessian_product(theta, v)
    for one, other in zip(found, whole, strict=True):
        assert_allclose(one, other, rtol=1e-12)


def test_the_cuts_follow_from_the_data():
    even = shards.cuts(128, [(28, 28, 1), (28, 28, 8), (10,)], 4)
    assert [shard.stop - shard.start for shard in even] == [32] * 4
    many = shards.cuts(60_000, [(28, 28, 8)], 4)
    sizes = [shard.stop - shard.start for shard in many]
    assert sum(sizes) == 60_000
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) * 28 * 28 * 8 * 4 <= shards.SHARD_BYTES
    assert shards.cuts(100, [(2,)], 8) == (slice(0, 100),)
    assert len(shards.cuts(4096, [(64,)], 4)) == shards.FEW  # each is worth its calls
    assert len(shards.cuts(3, [(2**22,)], 8)) == 3
    assert shards.cuts(0, [(2,)], 8) == (slice(0, 0),)


class Centred(Dynamics):
    """x − the mean over the samples."""

    controls = Layout({})
    couples_samples = True

    def __call__(self, t, x, u):
        return x - x.mean(axis=0)

    def linearize(self, t, x, u):
        return self(t, x, u), Products(
            lambda dx, du: self(t, dx, du), lambda py: (self(t, py, u), {})
        )


@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize(
    "links",
    [
        (Phase("one", Tanh((3,), 4)),),
        (Phase("one", Tanh((3,), 4)), Phase("two", Centred())),
        (
            Phase("one", Tanh((3,), 4)),
            replace(hidden(), tolerances=occore.adaptive.Tolerances(1e-3, 1e-6)),
        ),
        (Phase("one", Tanh((3,), 4)), replace(hidden(), observations=(1.0, 2.0))),
    ],
    ids=["one layer", "coupled samples", "adaptive", "observed"],
)
def test_what_cannot_be_cut_stays_in_one_piece(rng, links):
    assert not shards.can_be_cut(links, rng.standard_normal((50, 3)))


@pytest.mark.usefixtures("small_shards")
def test_coupled_samples_see_each_other(rng):
    data = Data(rng.standard_normal((50, 3)), rng.standard_normal((50, 4)))
    phases = (Phase("one", Tanh((3,), 4)), Phase("two", Centred()))
    problem = Problem(phases, LeastSquares(), data)
    output = problem.output(rng.standard_normal(problem.size))
    assert_allclose(output.mean(axis=0), 0, atol=1e-15)


@pytest.mark.usefixtures("small_shards")
def test_steps_count_once_and_bytes_of_all_shards(rng):
    problem, one_piece = chain(rng), chain(rng)
    theta = rng.standard_normal(problem.size)
    problem.at(theta).gradient()
    cost = problem.phases[1].cost
    assert cost.steps == 4
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "SHARD_BYTES", 2**20)
        one_piece.at(theta).gradient()
    assert cost.peak_bytes >= one_piece.phases[1].cost.peak_bytes
    assert cost.stored == 0


class Failing(Dynamics):
    """Raises where a sample is negative, or waits."""

    controls = Layout({})

    def __call__(self, t, x, u):
        if np.any(x < 0):
            raise occore.ComputationError("a negative state")
        return x

    def linearize(self, t, x, u):
        return self(t, x, u), Products(lambda dx, du: dx, lambda py: (py, {}))


@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_an_exception_in_a_shard_comes_out_as_it_is(rng, engine):
    x = np.ones((50, 3))
    x[30] = -1.0
    phases = (Phase("one", Failing()), Phase("two", Linear((3,), 4)))
    problem = Problem(phases, LeastSquares(), Data(x, np.zeros((50, 4))), engine=engine)
    for call in (problem.value, problem.at):
        with pytest.raises(occore.ComputationError, match="a negative state"):
            call(np.zeros(problem.size))
    problem = replace(problem, data=Data(np.abs(x), np.zeros((50, 4))))
    assert problem.value(np.zeros(problem.size)) == 0


def test_an_interruption_leaves_what_has_not_begun():
    done, go_on = [], threading.Event()

    def work(k):
        if k:
            go_on.wait(10)
        done.append(k)

    results = in_order(work, range(100), threads=2)
    next(results)
    with pytest.raises(KeyboardInterrupt):
        results.throw(KeyboardInterrupt())
    go_on.set()
    list(in_order(done.append, range(1), threads=2))
    assert len(done) < 10


def test_within_a_shard_there_are_no_more_threads():
    def threads_of(_):
        inner = set(in_order(lambda _: threading.get_ident(), range(20), threads=4))
        return inside_shard() and inner == {threading.get_ident()}

    for engine in ENGINES:
        assert list(engine.map(threads_of, range(8))) == [True] * 8
    assert not inside_shard()


@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_blas_has_one_thread_in_shards_and_its_own_number_again_behind(rng, engine):
    def numbers():
        return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]

    with threadpool_limits(2, user_api="blas"):
        before = numbers()
        assert set(before) == {2}
        within = list(engine.map(lambda _: numbers(), range(4)))
        assert within == [[1] * len(before)] * 4
        assert numbers() == before


def test_overflow_is_handled_in_threads_as_around_them():
    with np.errstate(all="ignore"):
        found = list(in_order(lambda x: np.float64(x) / np.float64(0), range(1, 5), threads=2))
    assert found == [np.inf] * 4


def test_a_value_keeps_no_linearizations(rng):
    """20,000 samples with hidden states of 100 numbers: 16 MB; a shard has 1 MiB of them."""
    phases = (Phase("opening", Tanh((3,), 100)), Phase("closing", Linear((100,), 3)))
    targets = np.eye(3)[rng.integers(3, size=20_000)]
    data = Data(rng.standard_normal((20_000, 3)), targets)
    problem = Problem(phases, SoftmaxCrossEntropy(), data, engine=Threads(2))
    theta = rng.standard_normal(problem.size)
    problem.value(theta)

    def peak(call):
        tracemalloc.start()
        call(theta)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    ends = problem.output(theta).nbytes
    assert peak(problem.value) < 8 * ends + 8 * shards.SHARD_BYTES < 16e6
    assert peak(problem.at) > 16e6


def test_a_gradient_needs_no_more_than_the_linearizations_that_may_be_kept(rng, monkeypatch):
    phases = (Phase("opening", Tanh((3,), 100)), Phase("closing", Linear((100,), 3)))
    data = Data(rng.standard_normal((40_000, 3)), rng.standard_normal((40_000, 3)))
    problem = Problem(phases, LeastSquares(), data, engine=Threads(2))
    theta = rng.standard_normal(problem.size)
    expected = problem.at(theta).gradient()
    monkeypatch.setattr(shards, "KEPT_BYTES", 4 * 2**20)
    tracemalloc.start()
    gradient = problem.at(theta).gradient()
    size = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.array_equal(gradient, expected)
    assert size < 4 * 2**20 + 10 * data.inputs.nbytes + 12 * shards.SHARD_BYTES < 32e6


@pytest.mark.parametrize(
    ("engine", "expected"),
    [
        (None, Threads()),
        ({"kind": "threads"}, Threads()),
        ({"kind": "threads", "count": 3}, Threads(3)),
        ({"kind": "serial"}, Serial()),
    ],
)
def test_a_case_names_its_engine(engine, expected):
    loaded = occore.load_case(DIGITS | ({"run": {"engine": engine}} if engine else {}))
    assert loaded.build().problem.engine == expected
    again = occore.load_case(loaded.resolved())
    assert again.build().problem.engine == expected


@pytest.mark.parametrize(
    ("engine", "message"),
    [
        ({"kind": "thread"}, "run.engine.kind: expected 'threads' or 'serial', got 'thread'"),
        ({"kind": "threads", "count": 0}, "run.engine.count: expected greater than 0, got 0"),
        ({"kind": "serial", "count": 2}, "run.engine: value error, a serial engine has no count"),
        ({"threads": 2}, "run.engine.threads: unknown key. Known: count, kind"),
    ],
)
def test_a_wrong_engine_is_one_error(engine, message):
    with pytest.raises(occore.InputError) as caught:
        occore.load_case(DIGITS | {"run": {"engine": engine}})
    assert message in str(caught.value)


class Untouched(Dynamics):
    """Twice the state; its derivative is not to be asked for."""

    controls = Layout({})

    def __call__(self, t, x, u):
        return 2 * x

    def linearize(self, t, x, u):
        raise AssertionError("a state without controls before it is held")


@pytest.mark.parametrize("shard_bytes", [2**20, 224])
def test_layers_before_the_first_controls_are_not_linearized(rng, monkeypatch, shard_bytes):
    monkeypatch.setattr(shards, "SHARD_BYTES", shard_bytes)
    plain = chain(rng)
    doubled = replace(plain, phases=(Phase("twice", Untouched()), *plain.phases))
    plain = replace(plain, data=replace(plain.data, inputs=2 * plain.data.inputs))
    theta, v = rng.standard_normal((2, plain.size))
    for name, value in products(plain, theta, v).items():
        assert_allclose(products(doubled, theta, v)[name], value, rtol=1e-12, atol=1e-13)
