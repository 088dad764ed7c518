"""All that the cluster holds, for leak checks, and what of it is nobody's leftover.

Entries: ``vdi`` (a working VDI), ``snapshot``, ``attribute``. Five things are left out, because no command of dog can find
them or take them away, so that no driver could be blamed for them:

- tombstones: a deleted VDI keeps its number and its emptied inode for ever, and so does a deleted attribute its object;
- VDIs without data that a halted cluster marked as deleted and did not delete: they are in no listing any more.
- VDIs that got data between the two halves of their deletion from a request that came late, when nobody waited for it any more:
  the deletion reports success and leaves them, and they are in no listing either.
- lost objects: data objects that no inode names. They come about when dog is killed between an object and its inode, when
  two dogs work on one VDI, or when a node dies between the two inodes of a clone: never by a command that ended.
- locks: dog takes none. One that another client left does not keep dog from anything.
"""

from __future__ import annotations

from storcert.simulators.device import CensusEntry
from storcert.simulators.sheepdog.requests import shown
from storcert.simulators.sheepdog.sheep import Sheep


def census(sheep: Sheep, *, came_late: bool = False) -> tuple[CensusEntry, ...]:
    """The entries, sorted. ``detail``: tag of a snapshot, or key of an attribute. ``came_late``: whether any request did."""
    entries = []
    for vid in sheep.vdis.numbers():
        inode = sheep.vdis.inodes[vid]
        if vid in sheep.vdis.unlisted and (inode.is_empty or came_late):
            continue
        kind = "snapshot" if inode.snapped_s else "vdi"
        entries.append(CensusEntry(kind, shown(inode.name), shown(inode.tag) if inode.snapped_s else "", inode.size_bytes))
    for name, tag, _, key in sheep.attributes.all_keys():
        entries.append(CensusEntry("attribute", shown(name), shown(tag + b"/" + key if tag else key), 0))
    return tuple(sorted(entries))


def lost_objects(sheep: Sheep) -> list[tuple[int, int]]:
    """Owner and index of every data object that no inode names."""
    named: set[tuple[int, int]] = set()
    for inode in sheep.vdis.inodes.values():
        named.update((owner, index) for index, owner in inode.owners.items())
    return [one for one in sheep.objects.ids() if one not in named]
