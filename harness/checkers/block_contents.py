"""Contents of volumes by name: what was stored whole, and the blocks written over since. Pure functions of text.

``t0s1`` is a volume as one write made it; ``t0s1|2=t1s0`` the same with its block 2 written over by ``t1s0``. One content
has one name, so that states compare.
"""

from __future__ import annotations

from functools import lru_cache

_SEPARATOR = "|"


@lru_cache(maxsize=4096)
def _parts(content: str) -> tuple[str, dict[int, str]]:
    base, *patches = content.split(_SEPARATOR)
    return base, {int(block): value for block, _, value in (patch.partition("=") for patch in patches)}


def block_value(content: str, block: int) -> str:
    """Whose bytes the block holds."""
    base, patches = _parts(content)
    return patches.get(block, base)


def with_block(content: str, block: int, value: str) -> str:
    """``content`` with one block of another value."""
    base, patches = _parts(content)
    now = {**patches, block: value}
    if value == base:
        del now[block]
    return _SEPARATOR.join((base, *(f"{number}={now[number]}" for number in sorted(now))))
