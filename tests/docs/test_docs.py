"""Docs and README cannot drift: their code runs, and what exists is written down."""

import inspect
import re
import shlex
import tomllib
from pathlib import Path

import numpy as np
import pytest

import occore
from occore.case.model import (
    CaseTable,
    DataTable,
    DiscretizationTable,
    ObjectiveTable,
    ObserverTable,
    PenaltyTable,
    PhaseTable,
    RunTable,
)
from occore.cli import COMMANDS, main
from occore.plugins import HookSpecifications

DOCS = {path.name: path.read_text() for path in [*Path("docs").glob("*.md"), Path("README.md")]}
EXAMPLE = Path("docs/examples/polynomial.py")


def blocks(language):
    return [
        pytest.param(block, id=f"{name}-{number}")
        for name, text in DOCS.items()
        for number, block in enumerate(re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL))
    ]


@pytest.mark.parametrize("name", [name for name, text in DOCS.items() if "```python" in text])
def test_python_blocks_run(name, tmp_path, monkeypatch):
    """Those of a page one after the other, as a reader would run them."""
    namespace, here = {"__name__": "page"}, Path.cwd()
    monkeypatch.chdir(tmp_path)
    for block in re.findall(r"```python\n(.*?)```", DOCS[name], re.DOTALL):
        block = block.replace('"cases/', f'"{here}/cases/')
        exec(compile(block, name, "exec"), namespace)  # noqa: S102


@pytest.mark.parametrize("block", blocks("sh"))
def test_commands_work(block, tmp_path, monkeypatch, capsys):
    """Each line that calls occore, in order, in a folder where cases and docs are at hand."""
    for name in ("cases", "docs"):
        (tmp_path / name).symlink_to(Path(name).resolve())
    monkeypatch.chdir(tmp_path)
    for line in block.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["occore"]:
            with pytest.raises(SystemExit) as caught:
                main(words[1:])
            assert caught.value.code == 0, (line, capsys.readouterr().err)


@pytest.mark.parametrize("block", blocks("toml"))
def test_toml_blocks_are_toml(block):
    assert tomllib.loads(block)


def test_the_case_of_the_docs_is_a_case(host):
    text = re.findall(r"```toml\n(.*?)```", DOCS["case-files.md"], re.DOTALL)[0]
    occore.load_case(tomllib.loads(text), host=host).build()


def test_the_events_of_the_docs_are_those_of_a_phase(host):
    texts = re.findall(r"```toml\n(.*?)```", DOCS["case-files.md"], re.DOTALL)
    (phase,) = (text for text in texts if "phase.event" in text)
    rest = """
        title = "A ball"
        optimizer = { kind = "lbfgs" }
        objective = { kind = "bolza", terminal = "x" }
    """
    problem = occore.load_case(tomllib.loads(rest + phase), host=host).build().problem
    ball = problem.phases[0]
    hits = ball.happened(problem.data.inputs, {"e": np.array(0.8), "start": np.array([5.0, 0.0])})
    assert {hit.event.name for hit in hits[0]} == {"bounce"}


def test_the_plugin_of_the_docs_is_short_and_the_same_everywhere():
    text = EXAMPLE.read_text()
    assert len(text.splitlines()) <= 25
    assert text.strip() in DOCS["README.md"]


def test_the_plugin_of_the_docs_fits_the_parabola(tmp_path):
    """R's lm(dist ~ speed + I(speed^2), cars): 2.47014, 0.91329, 0.09996."""
    host = occore.load_host((EXAMPLE,))
    run = occore.run(occore.load_case("docs/examples/cars.toml", host=host), tmp_path / "cars.h5")
    np.testing.assert_allclose(run["controls/fit/c"][0], [2.47014, 0.91329, 0.09996], atol=5e-6)
    assert all(row["verdict"] != "FAIL" for row in run.checks)


HOOKS = {
    name: [p for p in inspect.signature(function).parameters if p != "self"]
    for name, function in vars(HookSpecifications).items()
    if name.startswith("occore_")
}


@pytest.mark.parametrize("hook", HOOKS)
def test_hooks_are_documented(hook):
    assert f"### `{hook}({', '.join(HOOKS[hook])})`" in DOCS["plugins.md"]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_documented(command):
    assert f"`{command}`" in DOCS["README.md"]


TABLES = (
    CaseTable,
    DataTable,
    PhaseTable,
    DiscretizationTable,
    ObjectiveTable,
    ObserverTable,
    PenaltyTable,
    RunTable,
)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_case_keys_are_documented(table):
    for key in table.model_fields:
        assert f"`{key}`" in DOCS["case-files.md"] or f"[{key}]" in DOCS["case-files.md"], key


def test_registered_names_are_documented(host):
    """Every name of a bundled plugin stands in the README of the plugin."""
    for entry in host.registry.items.values():
        readme = Path(f"plugins/occore_{entry.plugin}/README.md").read_text()
        assert f"`{entry.name}`" in readme, entry


def test_the_groups_of_a_run_file_are_documented(tmp_path):
    settings = ["run.record=['controls','trajectory']"]
    case = occore.load_case("cases/02_least_squares/digits.toml", settings=settings)
    run = occore.run(case, tmp_path / "run.h5")
    for row in run.tree():
        group = row.path.split("/")[0]
        assert f"`/{group}" in DOCS["run-files.md"], row
    for column in run.history:
        assert f"`{column}`" in DOCS["run-files.md"], column


def test_links_lead_somewhere():
    for name, text in DOCS.items():
        folder = Path() if name == "README.md" else Path("docs")
        for target in re.findall(r"\]\((?!http)([^)#]+)", text):
            assert (folder / target).exists(), (name, target)
