"""Every error that occore raises on purpose, by what the user can do about it.

`InputError` and its kin say that what was given is wrong (exit status 2); `ComputationError` and
its kin say that a computation on good input failed (exit status 1). Anything else is a bug.
"""

import difflib
import importlib
import threading
from collections.abc import Iterable
from types import ModuleType


class OccoreError(Exception):
    """Base of all errors of occore; `exit_status` is what the command line returns."""

    exit_status = 2


class InputError(OccoreError):
    """What was given is wrong; the message says where, what was expected and what to do."""


class ComputationError(OccoreError):
    """The input is sound but the computation failed."""

    exit_status = 1


class NonFiniteError(ComputationError):
    """A NaN or an infinity appeared; the message names the phase, the step and the quantity."""


class UnknownKind(InputError):
    """A name that no plugin registers."""


class StructureError(InputError):
    """An optimizer needs a structure that the problem lacks."""


class MissingExtra(InputError):
    """An optional package is needed; the message gives the command that installs it."""


class PluginError(InputError):
    """A plugin cannot be loaded or breaks the rules of registration."""


class DataError(InputError):
    """A data set is missing, damaged, or not of the promised form."""


class RunFileError(InputError):
    """A run file cannot be read or written."""


def nearest(name: str, known: Iterable[str]) -> str:
    """' Did you mean …?' for the known name that is nearest to `name`, or the empty string."""
    folded = {other.casefold(): other for other in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=1)
    return f" Did you mean {folded[near[0]]!r}?" if near else ""


def unknown_kind(family: str, name: str, known: Iterable[str]) -> UnknownKind:
    """The error for a `name` that is not among the `known` names of a family."""
    known = sorted(known)
    hint = nearest(name, known)
    return UnknownKind(f"unknown {family} {name!r}.{hint} Known: {', '.join(known) or 'none'}.")


_importing = threading.RLock()  # two threads that import Numba at once see it half imported


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import an optional module where it is used, or say which extra brings it."""
    try:
        with _importing:
            return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise MissingExtra(
            f"{package} is needed {purpose}. Install it with: pip install 'occore[{extra}]'"
        ) from error
