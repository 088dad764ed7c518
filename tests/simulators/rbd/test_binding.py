"""The simulated modules have every name the 16.2 bindings have: what is not modelled says so and counts as the kit's error."""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Mapping
from typing import Any

import pytest

from storcert.harness.kernel.interpose.install import installed
from storcert.simulators.device import NOT_MODELLED, NotModelled
from storcert.simulators.rbd import binding_names
from storcert.simulators.rbd.doors import modules
from tests.simulators.rbd.conftest import RbdWorld, Session

CLASSES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "rados": binding_names.RADOS_CLASSES, "rbd": binding_names.RBD_CLASSES,
}
ALL = [(module, name, method) for module, names in CLASSES.items() for name, found in names.items() for method in found]


def test_every_method_of_every_class_is_there() -> None:
    assert len(ALL) > 300
    for module, name, method in ALL:
        assert callable(getattr(getattr(importlib.import_module(module), name), method)), (module, name, method)


def test_every_exception_has_the_tree_of_the_binding() -> None:
    rados, rbd = modules()
    for name in binding_names.RBD_EXCEPTIONS:
        cls = getattr(rbd, name)
        assert cls.__module__ == "rbd"
        assert name == "Error" or issubclass(cls, rbd.OSError)
    beside = {"Error", "InvalidArgumentError", "ExtendMismatch", "InProgress", "IsConnected", "LogicError"}
    for name in binding_names.RADOS_EXCEPTIONS:
        cls = getattr(rados, name)
        assert cls.__module__ == "rados"
        assert issubclass(cls, rados.Error)
        assert issubclass(cls, rados.OSError) is (name not in beside and not name.endswith("StateError"))


def test_an_exception_says_what_the_real_one_says_and_survives_pickling() -> None:
    _, rbd = modules()
    error = rbd.ImageNotFound("error opening image", 2)
    assert str(error) == "[errno 2] RBD image not found (error opening image)"
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.errno, type(again)) == (str(error), 2, rbd.ImageNotFound)


@pytest.mark.parametrize("call", [
    lambda s: s.image().aio_read(0, 1, lambda *_: None),
    lambda s: s.images.mirror_image_info_list(s.io),
    lambda s: s.rbd.Group(s.io, "g"),
    lambda s: s.io.watch("o", lambda *_: None),
    lambda s: s.images.create(s.io, "f", 1000, features=64 | 4),
    lambda s: s.cluster.mon_command('{"prefix": "osd tree"}', b""),
    lambda s: s.cluster.conf_set("rbd_readahead_max_bytes", "0"),
], ids=["aio", "mirror", "group", "watch", "journaling", "command", "option"])
def test_what_is_not_modelled_is_noted_even_where_the_driver_swallows_it(world: RbdWorld, call: Any) -> None:
    def program(s: Session) -> None:
        s.images.create(s.io, "a", 4096)
        with pytest.raises(NotModelled):
            call(s)

    world.run(program)
    assert [found.kind for found in world.here.findings] == [NOT_MODELLED]


def test_a_module_is_not_of_use_at_a_location_without_a_cluster(world: RbdWorld) -> None:
    elsewhere = world.kernel.location("elsewhere")

    def program() -> None:
        with pytest.raises(RuntimeError, match="reaches no simulated RBD cluster"):
            importlib.import_module("rados").Rados()

    with installed():
        task = world.kernel.spawn(program, location=elsewhere)
        world.kernel.run_until_done(task)
    assert task.error is None
