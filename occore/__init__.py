"""occore: learning as optimal control.

Public names are loaded on first use, so that `import occore` is quick; `__init__.pyi` lists them.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
