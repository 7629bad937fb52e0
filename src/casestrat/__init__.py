"""Risk stratification, waiting-list ranking and caseload analytics for case management.

Importing this package loads neither pandas nor numpy: each public name is loaded when it is first used. The names and
where they live are in ``__init__.pyi``.
"""

import lazy_loader as _lazy

from casestrat._version import __version__ as __version__

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
__all__ += ["__version__"]
