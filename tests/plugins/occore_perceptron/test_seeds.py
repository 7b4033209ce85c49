"""The distribution over seeds: the same runs as one by one, what is solved, the command."""

import json
from pathlib import Path

import numpy as np
import pytest

import occore
from occore.cli import main
from occore_perceptron.seeds import SeedRun, SeedStudy, run_seed, run_study

XOR = Path("cases/06_perceptron/xor.toml")
SHORT = ("optimizer.max_iterations=300",)


def command(*words):
    with pytest.raises(SystemExit) as caught:
        main(["seeds", *map(str, words)])
    return caught.value.code


def test_a_seed_is_the_run_of_the_case_with_it(tmp_path):
    (found,) = run_study(XOR, [3], settings=SHORT)
    case = occore.load_case(XOR, settings=[*SHORT, "seed=3"])
    run = occore.run(case, tmp_path / "run.h5", checks=False)
    assert found.seed == 3
    assert found.status == run.status == "iteration_limit"
    assert not found.solved
    assert np.array_equal(found.objective, run.history["objective"])
    assert found.metrics["objective"] == run.result["objective"]
    assert found.metrics["train_rmse"] == run.result["metrics"]["train"]["rmse"]


def test_a_run_ends_where_every_output_is_close_enough():
    case = occore.load_case(XOR, settings=["seed=0"])
    found = run_seed(case, within=0.5)
    assert found.solved
    assert found.status == "solved"
    problem = case.build().problem

    def far(iterations):
        settings = ["seed=0", f"optimizer.max_iterations={iterations}"]
        theta = run_seed(occore.load_case(XOR, settings=settings)).theta
        return np.abs(problem.output(theta) - problem.data.targets).max()

    assert far(found.iterations) <= 0.5 < far(found.iterations - 1)
    assert np.array_equal(run_seed(case, within=0.5).theta, found.theta)


def test_processes_change_nothing():
    one, two = (list(run_study(XOR, range(2), settings=SHORT, jobs=jobs)) for jobs in (1, 2))
    for a, b in zip(one, two, strict=True):
        assert a.seed == b.seed
        assert np.array_equal(a.theta, b.theta)


def test_a_run_that_leaves_the_numbers_is_a_failure():
    path = Path("cases/02_least_squares/diabetes.toml")
    diverging = ["optimizer={kind='sgd', batch=1000, learning_rate=1e200}"]
    (found,) = run_study(path, [0], settings=diverging)
    assert found.status == "failed"
    assert not found.solved


def test_held_out_samples_have_metrics_of_their_own():
    path = Path("cases/04_single_layer/elm_sinc.toml")
    (found,) = run_study(path, [0], within=0.2)
    assert found.solved == (found.metrics["train_share_within"] == 1)
    assert found.metrics["held_out_rmse"] < 0.02


def test_quantities_and_band():
    def run(seed, solved, *objective):
        return SeedRun(seed, solved, "solved", np.array(objective), {"train_rmse": seed}, None)

    study = SeedStudy((run(0, True, 4.0, 2.0), run(1, False, 4.0, 3.0, 3.0), run(2, True, 4.0)))
    found = study.quantities()
    assert found["iterations to solve"].tolist() == [1, 0]
    assert found["train_rmse"].tolist() == [0, 1, 2]
    x, low, middle, high = study.band(0.0, 1.0)
    assert x.tolist() == [0, 1, 2]
    assert low.tolist() == [4, 2, 2]
    assert middle.tolist() == [4, 3, 3]
    assert high.tolist() == [4, 4, 4]


def test_the_command_prints_a_table_and_draws(tmp_path, capsys):
    png = tmp_path / "seeds.png"
    assert command(XOR, "--seeds", 4, "--within", 0.5, "--plot", png) == 0
    text = capsys.readouterr().out
    assert "XOR" in text
    assert "4 solved" in text
    assert "iterations to solve" in text
    assert png.read_bytes().startswith(b"\x89PNG")


def test_the_command_prints_json(capsys):
    assert command(XOR, "--seeds", 2, "--first", 5, "--within", 0.5, "--json") == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["seed"] for row in rows] == [5, 6]
    assert set(rows[0]) > {"solved", "status", "iterations", "objective", "train_rmse"}


def test_wrong_input_is_refused(capsys, tmp_path):
    assert command("nowhere.toml") == 2
    assert command(XOR, "--seeds", 0) == 2
    assert command("cases/08_continuous/lqr.toml", "--seeds", 1, "--within", 0.1) == 2
    assert "no targets" in capsys.readouterr().err
