"""The fence: at a simulated location every door of Python to the outside world is virtual, recorded or shut.

``with installed(): ...`` replaces the doors process-wide; code that does not run at a location passes through them
unchanged. Each group of doors has its own module; what none of them can replace is met by :mod:`.audit`.
"""

from storcert.harness.kernel.interpose.install import Interposition, installed, register, rescan

__all__ = ["Interposition", "installed", "register", "rescan"]
