"""Compiled code of several processes meets in one, and each function still calls its own."""

import subprocess
import sys

import pytest

pytest.importorskip("numba")

SCRIPT = """
import sys
from dataclasses import replace
import numpy as np
from occore.phase import Phase
from occore.symbolic.expression_dynamics import ExpressionDynamics
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.discretizations.dopri8 import Dopri8
fields = {"orbit": {"x": "y", "y": "-x*cos(t)"}, "growth": {"x": "sin(t) + x*y", "y": "x - y"}}
for name in sys.argv[1:]:
    compiled = ExpressionDynamics(("x", "y"), (), fields[name], compiler="numba")
    general = replace(compiled, compiler="numpy")
    x = np.array([[0.5, 0.5], [1.0, 2.0]])
    phase = Phase("flow", compiled, Dopri8(), 2, 1.0, space=Constant())
    y, z = phase(x, {}), replace(phase, dynamics=general)(x, {})
    np.testing.assert_allclose(y, z, rtol=1e-13)
"""


def test_code_of_two_processes_in_a_third(tmp_path, monkeypatch):
    """Numba numbers functions from one on in every process; here the numbers meet."""
    monkeypatch.setenv("OCCORE_CACHE", str(tmp_path))
    for names in (["orbit"], ["growth"], ["orbit", "growth"]):
        subprocess.run([sys.executable, "-c", SCRIPT, *names], check=True)
