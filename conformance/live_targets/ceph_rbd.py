"""``live:ceph-rbd``: pools of RBD images on a small Ceph cluster in memory, reached through ``rados`` and ``rbd``.

The two modules are the distribution's, built for its own Python, in a folder with old versions of much that is used here. So
that folder never comes on the path: the two are loaded by their files.
"""

from __future__ import annotations

import gc
import importlib
import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

from storcert.conformance.live_targets.ceph import Ceph, Layout, unavailable
from storcert.conformance.live_targets.target import Reached
from storcert.conformance.usage import InvalidUsage
from storcert.harness.contract import JsonValue
from storcert.simulators.device import CensusEntry

MODULES = ("rados", "rbd")
_OMAP_KEYS = 1000


def _dist_packages() -> Path:
    """Debian's; ``STORCERT_DIST_PACKAGES`` names another folder."""
    return Path(os.environ.get("STORCERT_DIST_PACKAGES", "/usr/lib/python3/dist-packages"))


def _module_file(name: str) -> Path | None:
    found = sorted(_dist_packages().glob(f"{name}.*.so"))
    suited = [one for one in found if one.name[len(name) :] in importlib.machinery.EXTENSION_SUFFIXES]
    return suited[0] if suited else None


def missing() -> str:
    """What to install."""
    return unavailable() or _missing_modules()


def _missing_modules() -> str:
    if all(importlib.util.find_spec(name) or _module_file(name) for name in MODULES):
        return ""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"there are no modules rados and rbd for Python {version} (Debian: python3-rados python3-rbd, for its own Python)"


def provide() -> None:
    """The modules can be imported; clients that nobody uses any more are ended. Raises :class:`InvalidUsage`."""
    if _missing_modules():
        raise InvalidUsage(f"--device live:ceph-rbd cannot be started here: {_missing_modules()}")
    for name in MODULES:
        file = _module_file(name)
        if name not in sys.modules and importlib.util.find_spec(name) is None and file is not None:
            spec = importlib.util.spec_from_file_location(name, file)
            if spec is None or spec.loader is None:
                raise InvalidUsage(f"{file.name} of the distribution is no module of Python's")
            sys.modules[name] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[name])
    rados: Any = importlib.import_module("rados")
    if rados.Rados.__name__ != _ENDED:
        rados.Rados = _that_ends(rados.Rados)


_ENDED = "RadosThatEnds"
_unused: list[Any] = []


def _that_ends(real: Any) -> Any:
    """The binding leaves a client of the cluster running when it is dropped, with a dozen threads; the kit makes a thousand.

    What is dropped is kept here, and ended when the next one connects: by then whatever went with it is gone too."""

    class RadosThatEnds(real):  # type: ignore[misc]
        def connect(self, timeout: int = 0) -> None:
            _end_unused()
            super().connect(timeout)

        def __del__(self) -> None:
            # When the interpreter ends, the list goes first, and the process takes its clients along.
            if _unused is not None and self.state == "connected":
                _unused.append(self)

    return RadosThatEnds


def _end_unused() -> None:
    while _unused:
        _unused.pop().shutdown()


def _end_clients() -> None:
    if MODULES[0] in sys.modules:
        gc.collect()  # those that nobody has any more
        _end_unused()


class Cluster:
    """One cluster without a gateway."""

    def __init__(self, folder: Path) -> None:
        self._ceph = Ceph(folder, Layout(gateway=False))

    def start(self) -> Reached:
        """Up and answering."""
        self._ceph.start()
        return Reached("live:ceph-rbd", {"conf": str(self._ceph.conf), "user": "admin"})

    def stop(self) -> None:
        """Every daemon ends and the folder goes; this process's clients first, which would look for their cluster for ever."""
        _end_clients()
        self._ceph.stop()


def server(folder: Path) -> Cluster:
    """One of its own."""
    return Cluster(folder)


class Pool:
    """A pool that was not there before, seen by a client of the kit's own."""

    def __init__(self, conf: str, user: str, name: str) -> None:
        provide()
        rados: Any = importlib.import_module("rados")
        rbd: Any = importlib.import_module("rbd")
        self._conf, self._user, self._name = conf, user, name
        self._cluster = rados.Rados(conffile=conf, rados_id=user)
        self._cluster.connect()
        self._cluster.create_pool(name)
        self._io = self._cluster.open_ioctx(name)
        rbd.RBD().pool_init(self._io, True)

    @property
    def configuration(self) -> dict[str, JsonValue]:
        """As the simulated cluster hands it out."""
        return {"conf": self._conf, "user": self._user, "pool": self._name}

    def census(self) -> tuple[CensusEntry, ...]:
        """Every object of the pool, whatever layer made it, and every key of its omap: images, trash and markers are both.

        What is listed and cannot be looked at is gone since, or has only a removed snapshot's bytes, which the cluster takes
        away in its own time: on a busy machine, minutes later."""
        rados: Any = importlib.import_module("rados")
        found = []
        for one in self._io.list_objects():
            try:
                (size, _), keys = self._io.stat(one.key), self._keys(one.key)
            except rados.ObjectNotFound:
                continue
            found.append(CensusEntry("object", one.key, "", size))
            found += [CensusEntry("omap-key", f"{one.key}:{key}", "", 0) for key in keys]
        return tuple(sorted(found))

    def _keys(self, name: str) -> list[str]:
        rados: Any = importlib.import_module("rados")
        with rados.ReadOpCtx() as asked:
            keys, _ = self._io.get_omap_vals(asked, "", "", _OMAP_KEYS)
            self._io.operate_read_op(asked, name)
            return [key for key, _ in keys]

    def remove(self) -> None:
        """It goes with the cluster: making and removing pools takes longer than what is done in them."""


def open_place(reached: Reached, name: str) -> Pool:
    """A pool of that name."""
    return Pool(str(reached.server["conf"]), str(reached.server["user"]), f"storcert-{name}")
