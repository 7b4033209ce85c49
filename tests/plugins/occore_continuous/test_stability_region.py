"""Stability regions against known boundaries, and their picture."""

import numpy as np
import pytest

from occore import InputError
from occore.cli import main
from occore_continuous.stability_region import amplification


def of(host, name, *z):
    return amplification(host.registry["discretization", name].cls(), np.array(z))


POLYNOMIALS = {"forward_euler": 1, "midpoint": 2, "heun": 2, "bosh3": 3, "rk4": 4, "rk38": 4}


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_explicit_methods_have_the_truncated_exponential(host, name):
    z = np.array([[0.3 - 0.7j, -1.9 + 2.1j], [2.0, -3.0j]])
    order = POLYNOMIALS[name]
    terms = [z**k / np.prod(np.arange(1, k + 1)) for k in range(order + 1)]
    assert np.allclose(of(host, name, *z), abs(sum(terms)), rtol=1e-13)


def test_boundaries(host):
    """A5: thresholds on the axes; A-stable methods on the whole left half plane."""
    assert np.allclose(of(host, "forward_euler", -1 + np.exp(0.4j), -2.0), 1)
    assert np.allclose(of(host, "bosh3", 3**0.5 * 1j), 1)
    assert np.allclose(of(host, "rk4", 8**0.5 * 1j), 1)
    for name in ("trapezoid", "implicit_midpoint", "gauss4"):
        assert np.allclose(of(host, name, 0.1j, 5j, 300j), 1)
        assert np.all(of(host, name, -1 + 2j, -300.0, -0.01 + 40j) < 1)


@pytest.mark.parametrize("name", ["rosenbrock", "sdirk2"])
def test_without_a_tableau_a_step_is_made(host, name):
    """Both have R(z) = (1 + (1 − 2γ) z) / (1 − γ z)², Verwer et al. (1999)."""
    g, z = 1 - 2**-0.5, np.array([0.7j, -0.4 + 2j, -5.0, 1.0 - 3j])
    assert np.allclose(of(host, name, *z), abs((1 + (1 - 2 * g) * z) / (1 - g * z) ** 2))


@pytest.mark.parametrize("name", ["leapfrog", "imex_euler", "etdrk4"])
def test_methods_that_split_have_no_region(host, name):
    with pytest.raises(InputError):
        of(host, name, 1j)


def draw(*words):
    with pytest.raises(SystemExit) as ended:
        main(["stability-region", *map(str, words)])
    return ended.value.code


def test_the_picture(tmp_path):
    png = tmp_path / "regions.png"
    assert draw("rk4", "rosenbrock", "leapfrog", png) == 0
    assert png.read_bytes()[:4] == b"\x89PNG"


def test_an_unknown_method_is_named(tmp_path, capsys):
    assert draw("rk5", tmp_path / "x.png") != 0
    assert "Did you mean 'rk4'" in capsys.readouterr().err
