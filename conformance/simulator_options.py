"""Which keys ``[simulator]`` may have is the device's affair: this asks its options and names the line in the file."""

from __future__ import annotations

from dataclasses import fields
from typing import get_args, get_type_hints

from storcert.conformance.configuration import ConfigFile
from storcert.conformance.usage import InvalidUsage
from storcert.simulators.registry import options_class


def check_simulator_options(file: ConfigFile, device: str) -> None:
    """Raises :class:`InvalidUsage`, with file and line, for a key or value the device does not have."""
    options = options_class(device)
    file.refuse_unknown_simulator_keys([field.name for field in fields(options)])
    hints = get_type_hints(options)
    for key, value in file.simulator.items():
        choices = get_args(hints[key])
        if choices and value not in choices:
            raise InvalidUsage(f"{file.place('simulator', key)}: {key} is one of {', '.join(map(str, choices))}")
        try:
            options.from_mapping({key: value})
        except ValueError as error:
            raise InvalidUsage(f"{file.place('simulator', key)}: {error}") from None
