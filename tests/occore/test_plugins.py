"""The plugin host: discovery, isolation of what is broken, duplicate names, misspelt hooks."""

import textwrap
from types import ModuleType

import pytest

from occore.errors import PluginError, UnknownKind
from occore.plugins import Host, hookimpl


def module(source: str, name: str = "some_plugin") -> ModuleType:
    made = ModuleType(name)
    exec(compile(textwrap.dedent(source), name, "exec"), made.__dict__)  # noqa: S102
    return made


REGISTERS = """
    import occore
    class Thing: "A thing."
    @occore.hookimpl
    def occore_register(registry):
        registry.dynamics({name!r}, Thing)
"""


def test_the_bundled_plugins_are_found(host):
    assert host.registry.broken == []
    assert {"least_squares", "continuous"} <= set(host.registry.plugins)
    assert host.registry["optimizer", "cgls"].plugin == "least_squares"


def test_a_plugin_registers():
    host = Host()
    host.add("a", module(REGISTERS.format(name="thing")), "a 1.0")
    host.register_all()
    assert [str(entry) for entry in host.registry.entries("dynamics")] == ["dynamics-thing"]


def test_a_name_registered_twice_names_both_and_the_first_stays():
    host = Host()
    host.add("first", module(REGISTERS.format(name="thing")), "first 1.0")
    host.add("second", module(REGISTERS.format(name="thing")), "second 1.0")
    host.register_all()
    assert host.registry["dynamics", "thing"].plugin == "first"
    (broken,) = host.registry.broken
    assert broken.name == "second"
    assert broken.error == "dynamics 'thing' is registered twice: by 'first' and by 'second'"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import occore\n@occore.hookimpl\ndef occore_registr(registry): 0", "occore_registr"),
        ("import occore\n@occore.hookimpl\ndef occore_register(registri): 0", "registri"),
        ("def occore_register(registry): 0", "write @occore.hookimpl above it"),
    ],
    ids=["misspelt", "wrong argument", "unmarked"],
)
def test_a_wrong_hook_is_an_error(source, message):
    host = Host()
    with pytest.raises(PluginError, match=message):
        host.add("wrong", module(source), "wrong 1.0")
    assert host.manager.get_plugins() == set()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise RuntimeError('no luck')", "RuntimeError: no luck"),
        ("registry.dynamics('no name', int)", "is no identifier"),
        ("registry.dynamics('name', 3)", "a class is expected"),
    ],
    ids=["raises", "no identifier", "no class"],
)
def test_a_plugin_that_fails_to_register_leaves_nothing(body, message):
    source = f"""
    import occore
    @occore.hookimpl
    def occore_register(registry):
        registry.dynamics("early", int)
        {body}
    """
    host = Host()
    host.add("bad", module(source), "bad 1.0")
    host.add("good", module(REGISTERS.format(name="thing")), "good 1.0")
    host.register_all()
    (broken,) = host.registry.broken
    assert (broken.name, broken.distribution) == ("bad", "bad 1.0")
    assert message in broken.error
    assert [entry.name for entry in host.registry.entries("dynamics")] == ["thing"]


def test_a_plugin_that_fails_to_import_is_listed(monkeypatch):
    class Point:
        name, dist = "sick", None

        def load(self):
            raise ImportError("no module named 'elsewhere'")

    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [Point()])
    host = Host()
    host.discover()
    (broken,) = host.registry.broken
    assert (broken.name, broken.error) == ("sick", "ImportError: no module named 'elsewhere'")


def test_a_plugin_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(textwrap.dedent(REGISTERS.format(name="mine")))
    host = Host()
    host.load_file(path)
    assert host.registry["dynamics", "mine"].plugin == "mine.py"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 +", "SyntaxError"),
        ("import nowhere_at_all", "ModuleNotFoundError"),
        (textwrap.dedent(REGISTERS.format(name="no name")), "is no identifier"),
        (None, "no such Python file"),
    ],
    ids=["syntax", "import", "name", "missing"],
)
def test_a_wrong_plugin_file_is_an_error_at_once(tmp_path, text, message):
    path = tmp_path / "mine.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(PluginError, match=message):
        Host().load_file(path)


def test_an_unknown_kind_has_the_nearest_name(host):
    with pytest.raises(UnknownKind, match=r"unknown optimizer 'cgsl'\. Did you mean 'cgls'"):
        host.registry["optimizer", "cgsl"]


def test_hookimpl_is_public():
    import occore

    assert occore.hookimpl is hookimpl
