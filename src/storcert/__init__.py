"""storcert: simulation and conformance test harness for cloud storage drivers.

The five rooms of the house are sub-packages: ``harness`` (contract, kernel, drivers, checkers), ``simulators`` (device
models), ``conformance`` (the kit and the command line), ``scenarios`` and ``reports``. Nothing lives in this module but
the version, read late because looking it up costs tens of milliseconds.
"""


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import version

        return version("storcert")
    raise AttributeError(f"module 'storcert' has no attribute {name!r}")
