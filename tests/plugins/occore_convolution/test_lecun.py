"""Sizes of LeCun's networks, from their case files: COURSE.md, topic 5."""

import struct

import numpy as np
import pytest

import occore

PARAMETERS = {
    "lecun_1990": {"H1": 104, "H2": 8, "H3": 512, "H4": 24, "output": 1_930},
    "lecun_1989": {"H1": 1_068, "H2": 2_592, "H3": 5_790, "output": 310},
}
TOTAL = {"lecun_1990": 2_578, "lecun_1989": 9_760}
CONNECTIONS = {"H1": 59_904, "H2": 2_880, "H3": 32_768, "H4": 960, "output": 1_930}


@pytest.fixture
def problem(tmp_path, monkeypatch):
    """problem(name): that of a case, on ten blank pictures in place of MNIST."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    pictures = struct.pack(">4B3I", 0, 0, 8, 3, 10, 28, 28) + bytes(10 * 28 * 28)
    (folder / "train-images-idx3-ubyte.gz").write_bytes(pictures)
    labels = struct.pack(">4BI", 0, 0, 8, 1, 10) + bytes(range(10))
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(labels)
    monkeypatch.setenv("OCCORE_DATA", str(tmp_path))

    def build(name):
        path, settings = f"cases/05_convolution/{name}.toml", ["data.source.samples=10"]
        return occore.load_case(path, settings=settings).build().problem

    return build


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(problem, name):
    built = problem(name)
    sizes = {phase.name: phase.layout.size for phase in built.phases if phase.layout.size}
    assert sizes == PARAMETERS[name]
    assert built.size == TOTAL[name] == sum(sizes.values())


def test_connections_of_1990(problem):
    """Entries of a layer's Jacobian that are not zero, and one bias for each of its units."""
    count, shape = {}, (784,)
    for phase in problem("lecun_1990").phases:
        layer, n = phase.dynamics, int(np.prod(shape))
        if phase.layout.size:
            count[phase.name] = connections(layer, shape, n)
        shape = layer.output_shape
    assert count == CONNECTIONS
    assert sum(count.values()) == 98_442


def connections(layer, shape, n):
    """Inputs and biases that the units of a layer take in, with every control one."""
    u = {name: np.ones(size) for name, size in layer.controls.shapes.items()}
    entries = 0
    for inputs in np.array_split(np.eye(n), -(-n // 200)):
        at = layer.linearize(0.0, np.zeros((len(inputs), *shape)), u)[1]
        dy = at.jvp(inputs.reshape(-1, *shape), layer.controls.zeros())
        entries += np.count_nonzero(dy)
    return entries + int(np.prod(layer.output_shape))


def test_each_map_of_1989_sees_eight(problem):
    seen = problem("lecun_1989").phases[2].dynamics.table
    assert [len(set(row)) for row in seen] == [8] * 12
    assert {i for row in seen for i in row} == set(range(12))
