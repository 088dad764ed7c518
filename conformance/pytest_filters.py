"""A certificate is of the whole profile: which options of pytest would leave something out, and how that is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from storcert.conformance.usage import InvalidUsage

#: Destination of an option of pytest, and how a person writes it.
FILTERS = {
    "keyword": "-k",
    "markexpr": "-m",
    "deselect": "--deselect",
    "maxfail": "-x or --maxfail",
    "lf": "--lf",
    "stepwise": "--stepwise",
    "stepwise_skip": "--stepwise-skip",
    "ignore": "--ignore",
    "ignore_glob": "--ignore-glob",
}


def refuse_filters(config: pytest.Config, said: Mapping[str, Any]) -> None:
    """Raises :class:`InvalidUsage` for the first thing that would leave a check out of a certificate."""
    for name, written in FILTERS.items():
        if getattr(config.option, name, None):
            raise InvalidUsage(f"{written} leaves checks out, and a certificate is of all; drop it or --storcert-certify")
    for name, written in (("rule", "--storcert-rule"), ("allow_unknown", "--storcert-allow-unknown")):
        if said[name]:
            raise InvalidUsage(f"{written} and --storcert-certify exclude each other: a certificate is of all checks")
    if said["profile"] == "core":
        raise InvalidUsage("profile core is a quick look and no certificate; say standard or deep, or drop --storcert-certify")
    chosen = [argument for argument in config.args if "::" in argument]
    if chosen:
        raise InvalidUsage(f"{chosen[0]} is one check, and a certificate is of all of them; drop --storcert-certify")
