"""Observers in a run: what the run file keeps, going on exactly, wrong cases, wrong observers."""

import json
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pytest
from pydantic import Field

import occore
from occore.cli import main
from occore.observing import Observations, Watch

CASE = {
    "title": "Two observers",
    "data": {"kind": "digits"},
    "phase": [
        {"name": "hidden", "dynamics": {"kind": "dense", "width": 3}},
        {"name": "fit", "dynamics": {"kind": "linear", "width": 10}},
    ],
    "objective": {"kind": "least_squares"},
    "optimizer": {"kind": "lbfgs", "max_iterations": 7},
    "observer": [
        {"kind": "layer_statistics", "every": 3, "samples": 20},
        {"kind": "layer_statistics", "name": "gradients", "jacobians": 0},
    ],
}
NAMES = {
    "mean",
    "deviation",
    "saturation",
    "gradient_rms",
    "singular_mean",
    "singular_largest",
    "singular_smallest",
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("observed") / "whole.h5"
    return occore.run(CASE, path, checks=False)


def test_each_observer_has_a_group_with_an_axis_of_its_iterations(whole):
    seen, often = (whole[f"observers/{name}"] for name in ("layer_statistics", "gradients"))
    np.testing.assert_array_equal(seen["iteration"], [0, 3, 6])
    np.testing.assert_array_equal(often["iteration"], np.arange(8))
    for phase in ("hidden", "fit"):
        assert set(seen[phase]) == {"iteration", *NAMES}
        assert seen[phase]["deviation"].shape == (3, 1)
        assert seen[phase]["gradient_rms"].shape == (3,)
        assert np.isfinite(seen[phase]["singular_mean"]).all()
        assert np.isnan(often[phase]["singular_mean"]).all()


def test_a_look_sees_the_controls_of_its_iteration(whole):
    """The states of the final controls, which are those of iteration 7, written out."""
    u = whole["controls"]
    x = occore.load_case(CASE).build().problem.data.inputs[:256]
    hidden = np.tanh(x @ u["hidden"]["K"].T + u["hidden"]["b"])
    found = whole["observers/gradients/hidden/deviation"][-1, 0]
    np.testing.assert_allclose(found, hidden.std(), rtol=1e-12)


def test_looks_are_no_work(whole, tmp_path):
    blind = occore.run(CASE | {"observer": []}, tmp_path / "blind.h5", checks=False)
    assert blind.result["counts"] == whole.result["counts"]
    np.testing.assert_array_equal(blind["checkpoint/theta"], whole["checkpoint/theta"])
    assert not any(row.path.startswith("observers") for row in blind.tree())


def test_a_run_that_goes_on_has_seen_the_same(whole, tmp_path):
    short = CASE | {"optimizer": {"kind": "lbfgs", "max_iterations": 4}}
    path = tmp_path / "short.h5"
    occore.run(short, path, checks=False)
    run = occore.resume(path, settings=["optimizer.max_iterations=7"])
    paths = [row.path for row in whole.tree() if row.path.startswith("observers")]
    assert paths == [row.path for row in run.tree() if row.path.startswith("observers")]
    for row in whole.tree():
        if row.path.startswith("observers") and row.shape is not None:
            np.testing.assert_array_equal(run[row.path], whole[row.path], err_msg=row.path)


def test_the_command_line_shows_looks_and_draws_them(whole, capsys, tmp_path):
    with pytest.raises(SystemExit):
        main(["inspect", str(whole.path)])
    text = capsys.readouterr().out
    assert "observed      layer_statistics: 3 looks" in text
    assert "observed      gradients: 8 looks" in text
    with pytest.raises(SystemExit) as caught:
        png = str(tmp_path / "rms.png")
        main(["inspect", str(whole.path), "observers/gradients/fit/gradient_rms", "--plot", png])
    assert caught.value.code == 0


def test_xarray_opens_the_group_of_a_phase(whole):
    xarray = pytest.importorskip("xarray")
    group = "/observers/layer_statistics/hidden"
    with xarray.open_dataset(whole.path, group=group, engine="h5netcdf") as dataset:
        assert dataset["gradient_rms"].dims == ("iteration",)
        assert dataset["deviation"].dims[0] == "iteration"


def test_two_observers_of_one_name_are_an_error():
    case = CASE | {"observer": [{"kind": "layer_statistics"}, {"kind": "layer_statistics"}]}
    with pytest.raises(occore.InputError, match="two observers have the name 'layer_statistics'"):
        occore.load_case(case)


@pytest.mark.parametrize(
    ("observer", "message"),
    [
        ({"kind": "layer_statistic"}, "Did you mean 'layer_statistics'"),
        ({"kind": "layer_statistics", "every": 0}, r"observer\[0\]\.every"),
        ({"kind": "layer_statistics", "sample": 3}, r"observer\[0\]\.sample: unknown key"),
        ({"kind": "layer_statistics", "name": "a/b"}, r"observer\[0\]\.name"),
    ],
)
def test_wrong_observers_are_refused_with_their_key(observer, message):
    with pytest.raises(occore.InputError, match=message):
        occore.load_case(CASE | {"observer": [observer]})


def test_the_schema_has_observers(capsys):
    with pytest.raises(SystemExit):
        main(["schema"])
    items = json.loads(capsys.readouterr().out)["properties"]["observer"]["items"]
    kinds = {kind["properties"]["kind"]["const"]: kind["properties"] for kind in items["oneOf"]}
    assert {"every", "name", "jacobians"} <= set(kinds["layer_statistics"])


@dataclass(frozen=True)
class Growing(occore.Observer):
    """As many numbers as iterations, which is against the rule."""

    first: Annotated[int, Field(description="numbers at the start")] = 1

    def observe(self, problem, theta, iteration):
        return {"numbers": np.zeros(self.first + iteration)}


def test_shapes_that_change_are_an_error_of_the_plugin():
    problem = occore.load_case(CASE).build().problem
    seen = Observations((Watch("growing", 2, Growing()),))
    seen.look(problem, np.zeros(problem.size), 0)
    seen.look(problem, np.zeros(problem.size), 1)
    with pytest.raises(
        occore.PluginError, match=r"'growing' gave arrays of the shapes .* iteration 2"
    ):
        seen.look(problem, np.zeros(problem.size), 2)
