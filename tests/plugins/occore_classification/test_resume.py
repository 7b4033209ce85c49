"""Runs that go on from a checkpoint end as those that were never stopped, bit for bit."""

import numpy as np
import pytest

import occore

CASE = {
    "title": "t",
    "data": {"kind": "iris", "held_out": 0.2},
    "phase": [{"name": "fit", "dynamics": {"kind": "linear", "width": 3}}],
}
RIDGE, SPARSE = (
    {"kind": "softmax_cross_entropy", "penalty": [{"kind": kind, "weight": 1e-3}]}
    for kind in ("tikhonov", "l1")
)


@pytest.mark.parametrize("stop", [3])
@pytest.mark.parametrize(
    ("objective", "optimizer"),
    [
        (RIDGE, {"kind": "newton_cg", "tolerance": 1e-9}),
        (RIDGE, {"kind": "newton_cg", "tolerance": 1e-9, "preconditioner": "gram"}),
        (RIDGE, {"kind": "newton_cg", "globalization": "line_search", "preconditioner": "gram"}),
        (RIDGE, {"kind": "lbfgs", "memory": 3, "max_iterations": 12}),
        (RIDGE, {"kind": "gradient_descent", "max_iterations": 8}),
        (RIDGE, {"kind": "nesterov", "max_iterations": 8}),
        (SPARSE, {"kind": "fista", "max_iterations": 12}),
        (SPARSE, {"kind": "proximal_gradient", "max_iterations": 8}),
    ],
    ids=lambda value: "-".join(map(str, value.values()))[:40],
)
def test_resumed_runs_end_alike(objective, optimizer, stop, tmp_path):
    def run(name, *settings):
        tables = CASE | {"objective": objective, "optimizer": optimizer}
        case = occore.load_case(tables, settings=list(settings))
        return occore.run(case, tmp_path / name, checks=False), case.resolved()["optimizer"]

    whole, options = run("whole.h5")
    stopped, _ = run("part.h5", f"optimizer.max_iterations={stop}")
    assert stopped.status == "iteration_limit"
    most = options["max_iterations"]
    resumed = occore.resume(tmp_path / "part.h5", settings=[f"optimizer.max_iterations={most}"])
    assert resumed.status == whole.status
    for name in ("objective", "gradient_norm", "step_length", "control_norm", "work"):
        assert np.array_equal(resumed.history[name], whole.history[name], equal_nan=True), name
    for name, values in whole.controls["fit"].items():
        assert np.array_equal(resumed.controls["fit"][name], values)
