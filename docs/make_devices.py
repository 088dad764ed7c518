"""Writes docs/devices.md: what each simulated device hands a driver, and what ``[simulator]`` may say. What can go wrong there
is ``make_faults``'.

    python docs/make_devices.py
"""

from __future__ import annotations

import inspect
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from storcert.harness.contract.device import load_driver_class
from storcert.harness.kernel import Kernel
from storcert.simulators.registry import SIMULATED, DeviceKind, make_device, options_class

PAGE = Path(__file__).resolve().parent / "devices.md"
HEAD = """# Devices

Made by `python docs/make_devices.py`, do not edit.

`storcert certify DRIVER --device NAME` runs a driver against one of these. `--config FILE.toml` adds to the configuration that
the driver is given (table `[configuration]`) and to the options of the simulated device (table `[simulator]`). What can go
wrong on each, and what is not modelled, stands in [faults](faults/README.md).

`--device live:...` is a real system that storcert starts itself, `--device live` one that somebody else has started: see
[real systems](live.md).
"""


def page() -> str:
    """The page, of the devices as they are now."""
    return HEAD + "".join(_device(kind) for kind in SIMULATED.values())


def _device(kind: DeviceKind) -> str:
    kernel = Kernel(0)
    device = make_device(kind.name, kernel, {})
    options = options_class(kind.name)
    configuration = json.dumps(device.configuration())
    lines = [f"\n## {kind.name}\n\n{kind.text[0].upper()}{kind.text[1:]}.\n\nA driver is given `{configuration}`.\n\n"]
    lines += [f"The bundled driver `{kind.driver}`. {_said(load_driver_class(kind.driver))}\n\n"]
    lines += [f"The simulator's options. {_said(options)}\n\n| option | default |\n|---|---|\n"]
    lines += [f"| `{field.name}` | `{json.dumps(_plain(field.default))}` |\n" for field in fields(options)]
    lines += [f"\n[What can go wrong](faults/{kind.name}.md).\n"]
    kernel.close()
    return "".join(lines)


def _said(thing: Any) -> str:
    """Its docstring, as one paragraph."""
    return " ".join((inspect.getdoc(thing) or "").split())


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
