"""``rados.Rados`` as the 16.2 binding offers it: configuring, connecting, pools, commands to the monitor."""

from __future__ import annotations

import errno
import json
from typing import TYPE_CHECKING, Any, Literal

from storcert.harness.kernel.context import current_location
from storcert.simulators.device import NotModelled
from storcert.simulators.rbd import monitor
from storcert.simulators.rbd.arguments import only_bytes, only_str
from storcert.simulators.rbd.client import Client
from storcert.simulators.rbd.conf import ClientConf
from storcert.simulators.rbd.ioctx import Ioctx
from storcert.simulators.rbd.model import Pool
from storcert.simulators.rbd.rados_errors import (
    Error,
    InvalidArgumentError,
    ObjectNotFound,
    RadosStateError,
    TimedOut,
    make_ex,
)
from storcert.simulators.rbd.refusal import Refusal

if TYPE_CHECKING:
    from storcert.simulators.rbd.cluster import RbdCluster

CLUSTER_SERVICE = "rbd.clusters"
"""The clusters a location reaches, by the path of their configuration file."""


def device_here(conffile: str | int | None = None) -> RbdCluster:
    """The cluster of that configuration file, or the first one that the calling location reaches. The simulated modules are of
    no use anywhere else."""
    location = current_location()
    if location is None:
        raise RuntimeError(
            "rados and rbd are simulated in this process: they work at a simulated location that reaches an RBD cluster, "
            "nowhere else"
        )
    clusters: dict[str, RbdCluster] = location.services.get(CLUSTER_SERVICE, {})
    if not clusters:
        raise RuntimeError(f"location {location.name!r} reaches no simulated RBD cluster")
    named = clusters.get(conffile) if isinstance(conffile, str) else None
    return named or next(iter(clusters.values()))


class Version:
    """Version information."""

    def __init__(self, major: int, minor: int, extra: int) -> None:
        self.major, self.minor, self.extra = major, minor, extra

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.extra}"


class Rados:
    """A handle of a cluster."""

    DEFAULT_CONF_FILES = -2
    NO_CONF_FILE = -1

    def __init__(
        self, rados_id: str | None = None, name: str | None = None, clustername: str | None = None,
        conf_defaults: dict[str, str] | None = None, conffile: str | int | None = NO_CONF_FILE,
        conf: dict[str, str] | None = None, flags: int = 0, context: object = None,
    ) -> None:
        device = device_here(conffile)
        location = current_location()
        assert location is not None
        self._device = device
        self._location = location
        self.state = "uninitialized"
        self.monitor_callback = self.monitor_callback2 = None
        self.parsed_args: list[str] = []
        self.conf_defaults = conf_defaults
        if context is not None:
            raise NotModelled("rados.Rados(context=)")
        if rados_id and name:
            raise Error("Rados(): can't supply both rados_id and name")
        self.rados_id = rados_id
        self.name = f"client.{rados_id}" if rados_id else name or "client.admin"
        self.conffile = conffile
        self._conf = ClientConf({})
        self._client: Client | None = None
        self.state = "configuring"
        for option, value in (conf_defaults or {}).items():
            self.conf_set(option, value)
        if conffile in (self.DEFAULT_CONF_FILES, None):
            self.conf_read_file(None)
        elif conffile != self.NO_CONF_FILE:
            self.conf_read_file(conffile)  # type: ignore[arg-type]
        for option, value in (conf or {}).items():
            self.conf_set(option, value)

    def require_state(self, *args: str) -> None:
        """Raises RadosStateError unless the state is one of these."""
        if self.state not in args:
            raise RadosStateError(f"You cannot perform that operation on a Rados object in state {self.state}.")

    def shutdown(self) -> None:
        """Disconnect. Handles made from this one are useless afterwards."""
        if self.state not in ("shutdown", "uninitialized"):
            if self._client is not None:
                self._client.leave()
            self.state = "shutdown"

    def __enter__(self) -> Rados:
        self.connect()
        return self

    def __exit__(self, type_: object, value: object, traceback: object) -> Literal[False]:
        self.shutdown()
        return False

    def version(self) -> Version:
        """Of librados, not of the cluster."""
        return Version(3, 0, 0)

    # -- configuration

    def conf_read_file(self, path: str | None = None) -> None:
        """The one file the simulated cluster knows. Nothing is read; it says where the cluster is."""
        self.require_state("configuring", "connected")
        if path is None:
            path = self._device.options.conf
        if path != self._device.options.conf:
            raise ObjectNotFound("error calling conf_read_file", errno.ENOENT)
        for option, value in self._device.client_defaults():
            self._conf.set(option, value)

    def conf_parse_argv(self, args: Any) -> None:
        """Options as on a command line."""
        raise NotModelled("rados.Rados.conf_parse_argv")

    def conf_parse_env(self, var: str | None = "CEPH_ARGS") -> None:
        """Options from the environment; it must be empty."""
        if self._location.environ.get(var or "CEPH_ARGS"):
            raise NotModelled("rados.Rados.conf_parse_env with something in it")

    def conf_get(self, option: str) -> str | None:
        """An option's value, or ``None``."""
        self.require_state("configuring", "connected")
        return self._conf.get(only_str(option, "option"))

    def conf_set(self, option: str, val: str) -> None:
        """Set an option."""
        self.require_state("configuring", "connected")
        try:
            self._conf.set(only_str(option, "option"), only_str(val, "val"))
        except Refusal as refusal:
            raise make_ex(refusal.number, "error calling conf_set") from None

    # -- connection

    def connect(self, timeout: int = 0) -> None:
        """Connect; ``timeout`` is of no use, as in the real one: ``client_mount_timeout`` counts."""
        self.require_state("configuring")
        device = self._device
        if not self._conf.get("mon_host"):
            raise ObjectNotFound("error connecting to the cluster", errno.ENOENT)
        if self._conf.get("mon_host") != device.mon_host:
            device.kernel.sleep_ns(self._conf.seconds_ns("client_mount_timeout"))
            raise TimedOut("error connecting to the cluster", errno.ETIMEDOUT)
        client = device.new_client(self._location, self.name)
        try:
            client.request(
                "connect", self.name, lambda: monitor.authenticate(device, self.name), monitor=True,
                timeout_ns=self._conf.seconds_ns("client_mount_timeout"),
            )
        except Refusal as refusal:
            raise make_ex(refusal.number, "error connecting to the cluster") from None
        client.osd_timeout_ns = self._conf.seconds_ns("rados_osd_op_timeout")
        client.mon_timeout_ns = self._conf.seconds_ns("rados_mon_op_timeout")
        client.stay()
        self._client = client
        self.state = "connected"

    @property
    def client(self) -> Client:
        """The connection, for the modules of this package."""
        self.require_state("connected")
        assert self._client is not None
        return self._client

    @property
    def conf(self) -> ClientConf:
        """The options, for the modules of this package."""
        return self._conf

    def get_instance_id(self) -> int:
        """The client's number."""
        return self.client.instance.number

    def get_addrs(self) -> str:
        """Where this client is, as the cluster sees it."""
        return self.client.instance.address

    def get_fsid(self) -> str:
        """The cluster's id."""
        self.require_state("connected")
        return self._device.model.fsid

    def wait_for_latest_osdmap(self) -> int:
        """There is one map, and everybody has it."""
        self.require_state("connected")
        return 0

    def get_cluster_stats(self) -> dict[str, int]:
        """Zeros: there is no manager that would count."""
        self._mon("mon_command", "df", lambda: None, "error getting cluster stats")
        return {"kb": 0, "kb_used": 0, "kb_avail": 0, "num_objects": 0}

    # -- pools

    def _mon(self, operation: str, target: str, effect: Any, message: str) -> Any:
        try:
            return self.client.monitor(operation, target, effect)
        except Refusal as refusal:
            raise make_ex(refusal.number, message) from None

    def _pool(self, name: str) -> Pool | None:
        return self._device.model.pools.get(name)

    def pool_exists(self, pool_name: str) -> bool:
        """Whether there is a pool of that name."""
        self.require_state("connected")
        return self._pool(only_str(pool_name, "pool_name")) is not None

    def pool_lookup(self, pool_name: str) -> int | None:
        """Its number, or ``None``."""
        self.require_state("connected")
        found = self._pool(only_str(pool_name, "pool_name"))
        return None if found is None else found.pool_id

    def pool_reverse_lookup(self, pool_id: int) -> str | None:
        """Its name, or ``None``."""
        self.require_state("connected")
        found = self._device.model.pools_by_id.get(pool_id)
        return None if found is None else found.name

    def list_pools(self) -> list[str]:
        """All names, oldest first."""
        self.require_state("connected")
        return [pool.name for _, pool in sorted(self._device.model.pools_by_id.items())]

    def create_pool(self, pool_name: str, crush_rule: int | None = None, auid: int | None = None) -> None:
        """Make a pool."""
        self.require_state("connected")
        name = only_str(pool_name, "pool_name")
        model = self._device.model
        self._mon("pool_create", name, lambda: monitor.create_pool(model, name), f"error creating pool '{name}'")

    def delete_pool(self, pool_name: str) -> None:
        """Delete a pool and all that is in it, whoever has it open."""
        self.require_state("connected")
        name = only_str(pool_name, "pool_name")
        model = self._device.model
        self._mon("pool_delete", name, lambda: monitor.delete_pool(model, name), f"error deleting pool '{name}'")

    def open_ioctx(self, ioctx_name: str) -> Ioctx:
        """A context for one pool, by name."""
        self.require_state("connected")
        name = only_str(ioctx_name, "ioctx_name")
        pool = self._pool(name)
        if pool is None:
            raise ObjectNotFound(f"error opening pool '{name}'", errno.ENOENT)
        return Ioctx(self, self.client, pool)

    def open_ioctx2(self, pool_id: int) -> Ioctx:
        """A context for one pool, by number."""
        self.require_state("connected")
        pool = self._device.model.pools_by_id.get(pool_id)
        if pool is None:
            raise ObjectNotFound(f"error opening pool id '{pool_id}'", errno.ENOENT)
        return Ioctx(self, self.client, pool)

    # -- commands

    def mon_command(
        self, cmd: str, inbuf: bytes, timeout: int = 0, target: str | int | None = None,
    ) -> tuple[int, bytes, str]:
        """The few commands drivers use; the others are not modelled."""
        self.require_state("connected")
        text = only_str(cmd, "cmd")
        only_bytes(inbuf, "inbuf")
        try:
            parsed = json.loads(text)
        except ValueError:
            return -errno.EINVAL, b"", "command not known"
        device = self._device
        try:
            answer: tuple[int, bytes, str] = self.client.request(
                "mon_command", str(parsed.get("prefix", "")), lambda: monitor.command(device, parsed), monitor=True,
                timeout_ns=timeout * 1_000_000_000 or None,
            )
        except Refusal as refusal:
            if refusal.number == errno.EINVAL:
                raise InvalidArgumentError("error calling mon_command", errno.EINVAL) from None
            return -refusal.number, b"", ""
        return answer

    def blocklist_add(self, client_address: str, expire_seconds: int = 0) -> None:
        """Shut a client out, by its address."""
        self.require_state("connected")
        address = only_str(client_address, "client_address")
        device = self._device
        self._mon(
            "mon_command", f"osd blocklist {address}", lambda: monitor.blocklist(device, address, expire_seconds or 3600),
            f"error blocklisting client '{address}'",
        )

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"'rados.Rados' object has no attribute '{name}'")
