"""Case files: reading, checking, building."""

from occore.case.case import Case, load_case

__all__ = ["Case", "load_case"]
