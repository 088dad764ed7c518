"""How much memory a device model takes per small object, and for very large ones. Prints tables and JSON.

    python benchmarks/memory.py [--objects N] [--device NAME] [--json FILE]

Each row is a process of its own that fills one model with N objects of 32 distinct bytes each (a million unless told
otherwise), through the server's own operations, without wire and client: what counts is the model, not the log of
requests. The number is the growth of the process's resident memory, names and contents included, divided by N. The aim
is 400 bytes.

Large objects are a volume of 1 TiB of zeros and an object of 1 GiB of one repeated pattern; the aim is that neither
is felt. Nothing here is a test.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from storcert.harness.kernel.loop import Kernel

AIM_BYTES = 400
AIM_LARGE_BYTES = 16 << 20
BODY_BYTES = 32
KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40
PATTERN = bytes(range(256)) * 16


def body_of(number: int) -> bytes:
    """Bytes no other object has."""
    return b"%032d" % number


def name_of(number: int) -> str:
    """A name as drivers make them."""
    return f"volume/1/{number:08}"


# -- one function per row: fills the model and gives it back, so that it lives while memory is read


def object_store(objects: int) -> Any:
    """Objects of one bucket."""
    from storcert.simulators.object_store import ObjectStore

    store = ObjectStore(Kernel(1))
    server = store.server
    for number in range(objects):
        params = {"Bucket": "storcert", "Key": name_of(number)}
        answer = server.handle("PutObject", params, body_of(number), server.credentials, number * 10**9)
        assert answer.code == "ok"
    return store


def object_store_metadata(objects: int) -> Any:
    """Objects of one bucket, each with metadata, as the bundled driver writes them."""
    from storcert.simulators.object_store import ObjectStore

    store = ObjectStore(Kernel(1))
    server = store.server
    for number in range(objects):
        params = {"Bucket": "storcert", "Key": name_of(number), "Metadata": {"storcert-write": f"{number:032x}"}}
        answer = server.handle("PutObject", params, body_of(number), server.credentials, number * 10**9)
        assert answer.code == "ok"
    return store


def nfs(objects: int) -> Any:
    """Files, a thousand to a directory."""
    from storcert.simulators.nfs import NfsExport
    from storcert.simulators.nfs.arguments import CreateArguments, MkdirArguments, WriteArguments
    from storcert.simulators.nfs.status import NfsStatus, Procedure, Stable

    export = NfsExport(Kernel(1))

    def do(procedure: Procedure, arguments: Any) -> Any:
        reply = export.server.handle(procedure, arguments, uid=0, gid=0, now_ns=1_700_000_000 * 10**9)
        assert reply.status is NfsStatus.NFS3_OK
        return reply.result

    directory = export.root
    for number in range(objects):
        if number % 1000 == 0:
            directory = do(Procedure.MKDIR, MkdirArguments(export.root, b"%06d" % (number // 1000))).handle
        made = do(Procedure.CREATE, CreateArguments(directory, name_of(number).replace("/", ".").encode())).handle
        do(Procedure.WRITE, WriteArguments(made, 0, body_of(number), Stable.FILE_SYNC))
    return export


def rbd_data(objects: int) -> Any:
    """Data objects of one image, each written to."""
    from storcert.simulators.rbd import image_store

    cluster, pool, header = _rbd_image("volume", 1 << 62)
    for number in range(objects):
        image_store.write(cluster.model, pool, header, number * 4 * MIB, body_of(number))
    return cluster


def rbd_images(objects: int) -> Any:
    """Images without data: id, directory entry and header."""
    from storcert.simulators.rbd import records
    from storcert.simulators.rbd.model import HeaderState

    cluster, pool, header = _rbd_image("first", 0)
    features = header.state.features
    for number in range(objects):
        name, image_id = name_of(number), f"1004{number:08x}"
        records.create_id(pool, name, image_id)
        records.add_to_directory(pool, name, image_id)
        records.create_header(pool, image_id, HeaderState(GIB, 22, features), number)
    return cluster


def rbd_plain(objects: int) -> Any:
    """RADOS objects that belong to no image."""
    from storcert.simulators.rbd.plain_objects import RadosObject

    cluster, pool, _ = _rbd_image("first", 0)
    for number in range(objects):
        made = pool.objects[name_of(number)] = RadosObject(number)
        made.replace(body_of(number))
    return cluster


def _rbd_image(name: str, size_bytes: int) -> tuple[Any, Any, Any]:
    from storcert.simulators.rbd import RbdCluster, records
    from storcert.simulators.rbd.model import HeaderState

    cluster = RbdCluster(Kernel(1))
    pool = cluster.model.pools["storcert"]
    records.create_id(pool, name, "1003abc")
    records.add_to_directory(pool, name, "1003abc")
    records.create_header(pool, "1003abc", HeaderState(size_bytes, 22, 61), 0)
    return cluster, pool, pool.headers["1003abc"]


def sheepdog_data(objects: int) -> Any:
    """Data objects of large VDIs, each written to."""
    from storcert.simulators.sheepdog import SheepdogCluster
    from storcert.simulators.sheepdog.sheep import ObjectWrite

    cluster = SheepdogCluster(Kernel(1))
    sheep = cluster.sheep
    vid = sheep.new_vdi(b"volume", 4 * TIB, 0, snapshot=False)
    for number in range(objects):
        sheep.write_objects([ObjectWrite(vid, number, 0, body_of(number), True, 0)])
        sheep.write_owners(vid, [(number, vid)])
    return cluster


def sheepdog_vdis(objects: int) -> Any:
    """VDIs without data."""
    from storcert.simulators.sheepdog import SheepdogCluster

    cluster = SheepdogCluster(Kernel(1))
    for number in range(objects):
        cluster.sheep.new_vdi(name_of(number).encode(), GIB, 0, snapshot=False)
    return cluster


# -- large contents


def object_store_zeros(_: int) -> Any:
    """1 TiB of zeros, uploaded in parts of 128 MiB."""
    return _object_store_parts(TIB, 128 * MIB, bytes(128 * MIB))


def object_store_pattern(_: int) -> Any:
    """1 GiB of a pattern, uploaded in parts of 8 MiB."""
    return _object_store_parts(GIB, 8 * MIB, PATTERN * (8 * MIB // len(PATTERN)))


def _object_store_parts(size_bytes: int, part_bytes: int, part: bytes) -> Any:
    from storcert.simulators.object_store import ObjectStore

    store = ObjectStore(Kernel(1))
    server = store.server

    def do(operation: str, body: bytes = b"", **params: Any) -> Any:
        answer = server.handle(
            operation, {"Bucket": "storcert", "Key": "volume/1/1", **params}, body, server.credentials, 0)
        assert answer.code == "ok", answer
        return answer.result.result

    upload = do("CreateMultipartUpload")["UploadId"]
    parts = []
    for number in range(1, size_bytes // part_bytes + 1):
        answered = do("UploadPart", part, UploadId=upload, PartNumber=number)
        parts.append({"PartNumber": number, "ETag": answered["ETag"]})
    do("CompleteMultipartUpload", UploadId=upload, MultipartUpload={"Parts": parts})
    return store


def nfs_zeros(_: int) -> Any:
    """1 TiB of zeros: a file grown with SETATTR."""
    return _nfs_file(TIB, None)


def nfs_pattern(_: int) -> Any:
    """1 GiB of a pattern, in writes of 1 MiB."""
    return _nfs_file(GIB, PATTERN)


def _nfs_file(size_bytes: int, unit: bytes | None) -> Any:
    from storcert.simulators.nfs import NfsExport
    from storcert.simulators.nfs.arguments import CreateArguments, SetattrArguments, WriteArguments
    from storcert.simulators.nfs.attributes import SetAttributes
    from storcert.simulators.nfs.status import NfsStatus, Procedure, Stable

    export = NfsExport(Kernel(1))

    def do(procedure: Procedure, arguments: Any) -> Any:
        reply = export.server.handle(procedure, arguments, uid=0, gid=0, now_ns=0)
        assert reply.status is NfsStatus.NFS3_OK, reply
        return reply.result

    made = do(Procedure.CREATE, CreateArguments(export.root, b"volume")).handle
    if unit is None:
        do(Procedure.SETATTR, SetattrArguments(made, SetAttributes(size_bytes=size_bytes)))
        return export
    for offset in range(0, size_bytes, MIB):
        do(Procedure.WRITE, WriteArguments(made, offset, unit * (MIB // len(unit)), Stable.FILE_SYNC))
    return export


def rbd_zeros(_: int) -> Any:
    """1 TiB of zeros: an image nobody wrote to."""
    return _rbd_image("volume", TIB)


def rbd_pattern(_: int) -> Any:
    """1 GiB of a pattern, in writes of 4 MiB."""
    from storcert.simulators.rbd import image_store

    cluster, pool, header = _rbd_image("volume", GIB)
    for offset in range(0, GIB, 4 * MIB):
        image_store.write(cluster.model, pool, header, offset, PATTERN * (4 * MIB // len(PATTERN)))
    return cluster


def sheepdog_zeros(_: int) -> Any:
    """1 TiB of zeros: a VDI nobody wrote to."""
    from storcert.simulators.sheepdog import SheepdogCluster

    cluster = SheepdogCluster(Kernel(1))
    cluster.sheep.new_vdi(b"volume", TIB, 0, snapshot=False)
    return cluster


def sheepdog_pattern(_: int) -> Any:
    """1 GiB of a pattern, object by object."""
    from storcert.simulators.sheepdog import SheepdogCluster
    from storcert.simulators.sheepdog.sheep import ObjectWrite

    cluster = SheepdogCluster(Kernel(1))
    sheep = cluster.sheep
    vid = sheep.new_vdi(b"volume", GIB, 0, snapshot=False)
    for index in range(GIB // sheep.object_bytes):
        data = PATTERN * (sheep.object_bytes // len(PATTERN))
        sheep.write_objects([ObjectWrite(vid, index, 0, data, True, 0)])
        sheep.write_owners(vid, [(index, vid)])
    return cluster


def http_zeros(_: int) -> Any:
    """1 TiB of zeros behind a URL."""
    return _http_file("zeros", TIB)


def http_pattern(_: int) -> Any:
    """1 GiB of a pattern behind a URL."""
    return _http_file("pattern", GIB)


def _http_file(kind: str, size_bytes: int) -> Any:
    from storcert.simulators.http_source import HttpSource, pattern, zeros

    source = HttpSource(Kernel(1))
    source.put("http://templates.sim/a", zeros(size_bytes) if kind == "zeros" else pattern(PATTERN, size_bytes))
    return source


SMALL: Mapping[str, Callable[[int], Any]] = {
    "object-store": object_store, "object-store, metadata": object_store_metadata, "nfs file": nfs,
    "rbd data object": rbd_data, "rbd image": rbd_images, "rados object": rbd_plain,
    "sheepdog data object": sheepdog_data, "sheepdog VDI": sheepdog_vdis,
}
LARGE: Mapping[str, Callable[[int], Any]] = {
    "object-store, 1 TiB of zeros": object_store_zeros, "object-store, 1 GiB pattern": object_store_pattern,
    "nfs, 1 TiB of zeros": nfs_zeros, "nfs, 1 GiB pattern": nfs_pattern,
    "rbd, 1 TiB of zeros": rbd_zeros, "rbd, 1 GiB pattern": rbd_pattern,
    "sheepdog, 1 TiB of zeros": sheepdog_zeros, "sheepdog, 1 GiB pattern": sheepdog_pattern,
    "http-source, 1 TiB of zeros": http_zeros, "http-source, 1 GiB pattern": http_pattern,
}


def resident_bytes() -> int:
    """What the process holds in memory now."""
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def measure(row: str, objects: int) -> dict[str, float]:
    """In this process: fill, and say by how much it grew and how long that took."""
    fill = SMALL.get(row) or LARGE[row]
    fill(min(objects, 10))  # imports and caches are no objects
    gc.disable()
    before = resident_bytes()
    start = time.process_time()
    kept = fill(objects)
    seconds = time.process_time() - start
    grown = resident_bytes() - before
    del kept
    return {"grown_bytes": grown, "seconds": seconds}


def in_a_process_of_its_own(row: str, objects: int) -> dict[str, float]:
    """The same, where nothing else was."""
    done = subprocess.run(
        [sys.executable, __file__, "--row", row, "--objects", str(objects)], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--objects", type=int, default=1_000_000)
    arguments.add_argument("--device", default="", help="only rows that begin so")
    arguments.add_argument("--row", default="", help=argparse.SUPPRESS)
    arguments.add_argument("--json", default="")
    given = arguments.parse_args()
    if given.row:
        print(json.dumps(measure(given.row, given.objects)))
        return
    small: dict[str, dict[str, float]] = {}
    print(f"{given.objects} small objects of {BODY_BYTES} bytes each, contents and names included; aim {AIM_BYTES} bytes")
    print(f"{'':30} {'bytes/object':>13} {'CPU s':>8}")
    for row in (row for row in SMALL if row.startswith(given.device)):
        found = small[row] = in_a_process_of_its_own(row, given.objects)
        each = found["bytes_per_object"] = found["grown_bytes"] / given.objects
        print(f"{row:30} {each:13.0f} {found['seconds']:8.1f} {'' if each <= AIM_BYTES else 'missed'}")
    large: dict[str, dict[str, float]] = {}
    print(f"\n{'large objects':30} {'KiB':>13} {'CPU s':>8}")
    for row in (row for row in LARGE if row.startswith(given.device)):
        found = large[row] = in_a_process_of_its_own(row, 1)
        missed = "" if found["grown_bytes"] <= AIM_LARGE_BYTES else "missed"
        print(f"{row:30} {found['grown_bytes'] / KIB:13.0f} {found['seconds']:8.1f} {missed}")
    result = {
        "python": platform.python_version(), "objects": given.objects, "aim_bytes": AIM_BYTES, "small": small, "large": large,
    }
    if given.json:
        with open(given.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    main()
