"""The plugin host: hook specifications, discovery, and the isolation of broken plugins.

A plugin is a module found through the entry-point group `occore`, or a single file given on the
command line with `--plugin`. It registers what it brings by calling what the hook was handed. One
broken plugin does not stop the host: it is listed with its error.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from occore.errors import PluginError
from occore.registry import BrokenPlugin, Registrar, Registry

hookspec = pluggy.HookspecMarker("occore")
hookimpl = pluggy.HookimplMarker("occore")


class HookSpecifications:
    """What a plugin may implement."""

    @hookspec
    def occore_register(self, registry: Registrar) -> None:
        """Register what the plugin brings, as in `registry.dynamics("dense", Dense)`.

        Called once, when names are first needed. Import slow modules inside it.
        """

    @hookspec
    def occore_commands(self, cli: Any) -> None:
        """Add commands to the click group `cli`. Called at every start of the command line."""

    @hookspec
    def occore_run_started(self, case: Any, problem: Any) -> None:
        """A run starts or is resumed; called after the problem is built, before any work on it."""

    @hookspec
    def occore_iteration(self, record: dict[str, float], theta: Any) -> None:
        """An iteration ended: its row of the history, and the controls (not to be changed)."""

    @hookspec
    def occore_run_finished(self, case: Any, result: dict[str, Any]) -> None:
        """A run ended, also by an interruption; `result` is the group of the run file."""

    @hookspec(firstresult=True)
    def occore_figure(self, run: Any) -> Any:
        """How to draw what is particular to a run, or `None`.

        A function that takes a panel (a matplotlib figure or subfigure) and draws there. The first
        plugin that has one wins; the history of the run stands beside it.
        """


class Host:
    """Loads plugins and calls their hooks; a plugin that fails is put among the broken ones."""

    def __init__(self) -> None:
        self.manager = pluggy.PluginManager("occore")
        self.manager.add_hookspecs(HookSpecifications)
        self.registry = Registry()

    def discover(self) -> None:
        """Load every installed plugin: those of occore first, the others by name."""
        points = importlib.metadata.entry_points(group="occore")

        def order(point: importlib.metadata.EntryPoint) -> tuple[bool, str]:
            return (_distribution(point)[0] != "occore", point.name)

        for point in sorted(points, key=order):
            name, version = _distribution(point)
            with self._isolated(point.name, name):
                self.add(point.name, point.load(), f"{name} {version}")

    def load_file(self, path: Path) -> None:
        """Load a plugin from one file that the user names. Raises PluginError."""
        name = f"occore_plugin_{path.stem}"
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None or not path.is_file():
            raise PluginError(f"--plugin {path}: no such Python file; give the path of a .py file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
            self.add(path.name, module, str(path.name))
            self._register(path.name)
        except Exception as error:
            raise PluginError(f"--plugin {path}: {_line(error)}") from error

    def add(self, name: str, plugin: ModuleType, distribution: str) -> None:
        """Add a loaded module to the host. Raises PluginError for a misspelt or wrong hook."""
        if name in self.registry.plugins:
            raise PluginError(f"two plugins have the name {name!r}")
        for attribute, value in vars(plugin).items():
            if attribute.startswith("occore_") and inspect.isfunction(value):
                if not hasattr(value, "occore_impl"):
                    raise PluginError(
                        f"{attribute} is no hook yet: write @occore.hookimpl above it"
                    )
        try:
            self.manager.register(plugin, name)
            self.manager.check_pending()
        except pluggy.PluginValidationError as error:
            if self.manager.has_plugin(name):
                self.manager.unregister(name=name)
            raise PluginError(str(error)) from error
        self.registry.plugins[name] = distribution

    def register_all(self) -> None:
        """Call `occore_register` of every loaded plugin."""
        for name, distribution in list(self.registry.plugins.items()):
            with self._isolated(name, distribution):
                self._register(name)

    def observers(self) -> Any:
        """The hook relay, to tell plugins of a run."""
        return self.manager.hook

    def _register(self, name: str) -> None:
        registrar = Registrar(name, self.registry.items)
        for hook in self.manager.hook.occore_register.get_hookimpls():
            if hook.plugin_name == name:
                hook.function(registrar)
        self.registry.items.update(registrar.entries)

    def _isolated(self, name: str, distribution: str) -> _Isolated:
        return _Isolated(self, name, distribution)


class _Isolated:
    """A block in which a plugin may fail: it is then taken out and listed as broken."""

    def __init__(self, host: Host, name: str, distribution: str) -> None:
        self.host, self.name, self.distribution = host, name, distribution

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> bool:
        if not isinstance(error, Exception):
            return False
        host = self.host
        host.registry.broken.append(BrokenPlugin(self.name, self.distribution, _line(error)))
        host.registry.plugins.pop(self.name, None)
        if host.manager.has_plugin(self.name):
            host.manager.unregister(name=self.name)
        return True


def _distribution(point: importlib.metadata.EntryPoint) -> tuple[str, str]:
    return (point.dist.name, point.dist.version) if point.dist else ("unknown", "")


def _line(error: BaseException) -> str:
    """An error in one line."""
    text = " ".join(str(error).split())
    return text if isinstance(error, PluginError) else f"{type(error).__name__}: {text}"


def load_host(files: tuple[Path, ...] = ()) -> Host:
    """The host with every installed plugin and the given files, all registered."""
    host = Host()
    host.discover()
    host.register_all()
    for path in files:
        host.load_file(path)
    return host
