"""What the monitor does: lets clients in, keeps pools and the blocklist, gives out snapshot ids, answers commands."""

from __future__ import annotations

import errno
import json
from typing import TYPE_CHECKING, Any

from storcert.simulators.device import NotModelled
from storcert.simulators.rbd.model import Cluster, Pool
from storcert.simulators.rbd.refusal import Refusal

if TYPE_CHECKING:
    from storcert.simulators.rbd.cluster import RbdCluster

NS_PER_S = 1_000_000_000


def authenticate(device: RbdCluster, name: str) -> None:
    """Known clients only; an unknown one is refused as a wrong key is."""
    if name not in ("client.admin", f"client.{device.options.user}"):
        raise Refusal(errno.EACCES)


def create_pool(model: Cluster, name: str) -> None:
    """A new pool."""
    if not name:
        raise Refusal(errno.EINVAL)
    if name in model.pools:
        raise Refusal(errno.EEXIST)
    model.create_pool(name)


def delete_pool(model: Cluster, name: str) -> None:
    """The pool and all in it."""
    pool = model.pools.pop(name, None)
    if pool is None:
        raise Refusal(errno.ENOENT)
    del model.pools_by_id[pool.pool_id]
    empty = Pool(pool.pool_id, pool.name)
    vars(pool).update(vars(empty))
    pool.deleted = True


def new_snapshot_id(model: Cluster) -> int:
    """Growing, never used again."""
    model.next_snap_id += 1
    return model.next_snap_id - 1


def blocklist(device: RbdCluster, address: str, duration_s: int) -> str:
    """That address is shut out for a while."""
    now_ns = device.kernel.now_ns
    device.model.blocklist[address] = now_ns + duration_s * NS_PER_S
    for instance in device.instances.get(address, ()):
        instance.blocklisted = True
    return f"blocklisting {address} until ({duration_s} sec)"


def _blocklist_command(device: RbdCluster, parsed: dict[str, Any]) -> tuple[int, bytes, str]:
    address = str(parsed.get("addr", ""))
    if parsed.get("blocklistop", "add") == "add":
        return 0, b"", blocklist(device, address, int(float(parsed.get("expire", 3600))))
    if device.model.blocklist.pop(address, None) is None:
        return 0, b"", f"{address} isn't blocklisted"
    # A client that was shut out stays out: it has lost its session and its locks.
    return 0, b"", f"un-blocklisting {address}"


def _df(device: RbdCluster, parsed: dict[str, Any]) -> tuple[int, bytes, str]:
    if parsed.get("format") != "json":
        raise NotModelled("mon_command df in another format than json")
    zeros = {"total_bytes": 0, "total_avail_bytes": 0, "total_used_bytes": 0, "total_used_raw_bytes": 0}
    return 0, json.dumps({"stats": zeros, "stats_by_class": {}, "pools": []}).encode() + b"\n", ""


def _set_quota(device: RbdCluster, parsed: dict[str, Any]) -> tuple[int, bytes, str]:
    name, field = str(parsed.get("pool", "")), parsed.get("field")
    pool = device.model.pools.get(name)
    if pool is None:
        return -errno.ENOENT, b"", f"unrecognized pool '{name}'"
    if field != "max_bytes":
        raise NotModelled(f"mon_command osd pool set-quota {field}")
    pool.quota_bytes = int(parsed.get("val", "0"))
    return 0, b"", f"set-quota max_bytes = {pool.quota_bytes} for pool {name}"


_COMMANDS = {
    "osd blocklist": _blocklist_command, "osd blacklist": _blocklist_command, "df": _df, "osd pool set-quota": _set_quota,
}


def command(device: RbdCluster, parsed: dict[str, Any]) -> tuple[int, bytes, str]:
    """Return value, output, status text."""
    prefix = str(parsed.get("prefix", ""))
    known = _COMMANDS.get(prefix)
    if known is None:
        raise NotModelled(f"mon_command {prefix!r}")
    return known(device, parsed)
