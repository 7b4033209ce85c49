"""The figure of a residual network that observers have looked at, and of one that none has."""

import occore
from occore.plotting import figure_for
from occore_residual.figures import figure

CASE = {
    "title": "plane",
    "data": {"kind": "two_spirals", "samples": 60, "held_out": 0.2},
    "phase": [
        {"name": "opening", "dynamics": {"kind": "dense", "width": 4}},
        {"name": "pair", "dynamics": {"kind": "split_channels"}},
        {
            "name": "flow",
            "dynamics": {"kind": "hamiltonian_dense"},
            "discretization": {"kind": "verlet", "steps": 5},
            "horizon": 2.0,
            "controls": {"kind": "piecewise_constant"},
        },
        {"name": "joined", "dynamics": {"kind": "join_channels"}},
        {"name": "closing", "dynamics": {"kind": "linear", "width": 2}},
    ],
    "objective": {"kind": "softmax_cross_entropy"},
    "optimizer": {"kind": "lbfgs", "max_iterations": 2},
}


def test_regions_motion_and_spectra(tmp_path):
    observers = [{"kind": "motion", "every": 2}, {"kind": "stability", "every": 2}]
    run = occore.run(CASE | {"observer": observers}, tmp_path / "run.h5", checks=False)
    drawn = figure(run)
    assert run["observers/motion/flow/points"].shape == (2, 6, 48, 2)
    assert drawn.width == 4.8 + 3 * 4.6
    titles = [axes.get_title() for axes in figure_for(run).get_axes()]
    assert "decision (held-out samples ringed)" in titles
    assert "layer 5" in titles
    assert any(title.startswith("flow: h λ, growth") for title in titles)


def test_spectra_alone(tmp_path):
    case = CASE | {"observer": [{"kind": "stability", "name": "steps"}]}
    run = occore.run(case, tmp_path / "run.h5", checks=False)
    assert figure(run).width == 4.8 + 4.6
    figure_for(run)


def test_without_observers_the_figure_is_that_of_a_classification(tmp_path):
    run = occore.run(CASE, tmp_path / "run.h5", checks=False)
    assert figure(run) is None
