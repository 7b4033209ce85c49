"""The model problem of the course."""

import numpy as np
import pytest

from occore_least_squares.datasets.ill_conditioned import SOLUTION, IllConditioned


def test_without_noise_the_solution_is_the_one_of_the_course(load):
    data = load(IllConditioned(a=0.5, noise=0.0))
    assert data.inputs.tolist() == [[1, 1.5], [1, 2], [1, 2.5]]
    # 1 + 1.2 · (1.5, 2, 2.5), by hand; two operations of rounding each
    assert np.allclose(data.targets, [[2.8], [3.4], [4.0]], rtol=1e-15)
    assert SOLUTION == (1, 1.2)


def test_noise_has_the_deviation_asked_for(load):
    exact = load(IllConditioned(noise=0.0)).targets
    noise = np.array([load(IllConditioned(noise=0.1), s).targets - exact for s in range(2000)])
    # the deviation of 6000 normal numbers is known to 1/√12000 = 0.9 %; five times that
    assert abs(noise.std() / 0.1 - 1) < 0.046
    assert abs(noise.mean()) < 5 * 0.1 / np.sqrt(6000)


def test_the_generator_decides(load):
    first, second = load(IllConditioned(), 1), load(IllConditioned(), 2)
    assert np.array_equal(first.targets, load(IllConditioned(), 1).targets)
    assert not np.array_equal(first.targets, second.targets)
    assert first.digest != second.digest


@pytest.mark.parametrize(("a", "condition"), [(1.0, 13), (1e-2, 2.5e2), (1e-5, 2.4e5)])
def test_condition_number(load, a, condition):
    found = np.linalg.cond(load(IllConditioned(a=a)).inputs)
    assert abs(found / condition - 1) < 0.05  # two digits are written in the docstring
