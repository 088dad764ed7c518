"""Freezes the checks of this kit as the requirement set of its contract version: ``python -m storcert.conformance.freeze``.

For a new version: raise ``CONTRACT_VERSION`` in ``harness/contract``, then run this. Nothing that was released is frozen again.
"""

from __future__ import annotations

import argparse
import sys

import storcert.conformance.requirements  # noqa: F401  (fills the registry)
from storcert.conformance.frozen import FOLDER, RequirementSet, frozen_set, path_of


def main(arguments: list[str] | None = None) -> int:
    """Write the set. Exit code 0 written, 1 nothing to write, 4 refused because that version is frozen."""
    parser = argparse.ArgumentParser(prog="python -m storcert.conformance.freeze", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--again", action="store_true", help="although the version is frozen; only before it was released")
    wants_again = parser.parse_args(arguments).again
    now = RequirementSet.registered()
    path = path_of(now.contract)
    before = frozen_set(now.contract)
    if before is not None and before == now:
        print(f"contract {now.contract} is frozen with these {len(now.requirements)} checks already")
        return 1
    if before is not None and not wants_again:
        new = sorted(set(now.requirements) - set(before.requirements))
        for line in before.broken_by(now) + [f"{name} is new: it runs, and is not scored" for name in new]:
            print(line, file=sys.stderr)
        print(f"contract {now.contract} is frozen. Raise CONTRACT_VERSION, or say --again before a release", file=sys.stderr)
        return 4
    FOLDER.mkdir(exist_ok=True)
    path.write_text(now.to_text(), encoding="utf-8")
    frozen_set.cache_clear()
    print(f"contract {now.contract}: {len(now.requirements)} checks, {now.digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
