"""With which seeds planted bugs are looked for: one in the usual run, as many as ``STORCERT_MUTANT_SEEDS`` says otherwise."""

from __future__ import annotations

import os


def mutant_seeds() -> range:
    """From 0 on, so that the kill matrix is about the first of them."""
    return range(int(os.environ.get("STORCERT_MUTANT_SEEDS", "1")))
