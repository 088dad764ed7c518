"""What broke, with names and numbers taken out: two runs that break a rule in the same way say the same."""

from __future__ import annotations

import re

from storcert.scenarios.format.references import places
from storcert.scenarios.format.scenario import Scenario

_OBJECT = re.compile(r"/(volume|template|snapshot|iso)/[A-Za-z0-9._~%-]+/[A-Za-z0-9._~%-]+")
_SHORT = re.compile(r"\b(volume|template|snapshot|iso)/[A-Za-z0-9._~%-]+")
_HEX = re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b")
_NUMBER = re.compile(r"\d+")
_WORDS = {"management": "<server>", "storage-vm": "<storage VM>", "host": "<host>"}
KEY_MAX = 240


class Normal:
    """For one scenario, whose devices and locations it knows by name."""

    def __init__(self, scenario: Scenario) -> None:
        self._names = {device.name: f"<{device.kind}>" for device in scenario.device}
        self._names |= {name: _WORDS[kind] for name, kind in places(scenario).items()}
        longest_first = sorted(self._names, key=lambda name: (-len(name), name))
        self._name = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, longest_first))})(?![\w-])")

    def key(self, text: str) -> str:
        """The text without what differs from run to run."""
        text = _OBJECT.sub(lambda found: f"<{found[1]}>", text)
        text = _SHORT.sub(lambda found: f"<{found[1]}>", text)
        text = self._name.sub(lambda found: self._names[found[1]], text)
        return " ".join(_NUMBER.sub("#", _HEX.sub("#", text)).split())[:KEY_MAX]
