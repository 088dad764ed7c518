"""The simulated object store as a device: model, wire, face and faults put together. Fault model: ``legal_faults``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from storcert.harness.contract import JsonValue
from storcert.harness.record.fault import Fault
from storcert.simulators.device import CensusEntry, DeviceLimits, FaultKind, OperatorMove, Request
from storcert.simulators.network.wire import Wire
from storcert.simulators.object_store.boto3_doors import CLIENT_SERVICE, SESSION_SERVICE
from storcert.simulators.object_store.census import census
from storcert.simulators.object_store.dialect import Dialect
from storcert.simulators.object_store.face_http import HttpFace
from storcert.simulators.object_store.legal_faults import LATER_FAULTS, LEGAL_FAULTS
from storcert.simulators.object_store.model import Bucket, Store
from storcert.simulators.object_store.options import ObjectStoreOptions
from storcert.simulators.object_store.server import Credentials, Server
from storcert.simulators.object_store.session import STORES_SERVICE, NativeFace

if TYPE_CHECKING:
    from storcert.harness.kernel.location import Location
    from storcert.harness.kernel.loop import Kernel


_SUSPEND = OperatorMove("versioning-suspended", "versioning of the bucket is suspended", {"versioning": True})
_ENABLE = OperatorMove("versioning-enabled", "versioning of the bucket, which had none, is enabled", {})
_STATUS = {_SUSPEND.name: "Suspended", _ENABLE.name: "Enabled"}


class ObjectStore:
    """A :class:`SimulatedDevice`. ``options``: an :class:`ObjectStoreOptions`, or the table it is made from."""

    legal_faults: tuple[FaultKind, ...] = LEGAL_FAULTS
    later_faults: tuple[FaultKind, ...] = LATER_FAULTS
    operator_moves: tuple[OperatorMove, ...] = (_SUSPEND, _ENABLE)

    def __init__(self, kernel: Kernel, options: ObjectStoreOptions | Mapping[str, Any] | None = None) -> None:
        if not isinstance(options, ObjectStoreOptions):
            options = ObjectStoreOptions.from_mapping(options)
        self.options = options
        self.name = options.name
        limits = options.limits()
        self.limits = DeviceLimits(
            part_size_bytes=limits.part_size_min_bytes, page_size=limits.page_size,
            max_object_size_bytes=limits.object_max_bytes, name_bytes_max=limits.key_bytes_max,
        )
        self._store = Store(Dialect(options.dialect), limits, kernel.stream(f"{self.name}/ids"), options.region_name)
        self.server = Server(
            self._store, Credentials(options.access_key, options.secret_key), kernel.stream(f"{self.name}/races"))
        self.wire = Wire(
            kernel, self.name, link=options.link(), legal_faults=(*LEGAL_FAULTS, *LATER_FAULTS), on_fault=self.server.on_fault)
        self._face: Any
        self._moto: Any = None
        if options.face == "moto":
            self._face, self._moto = self._make_moto_face(kernel)
            self.operator_moves = ()  # moto takes a suspended bucket for one that never had versions
        else:
            self._face = NativeFace(self.wire, self.server, options.endpoint_url)
            bucket = Bucket(options.bucket, kernel.now_ns, None)
            bucket.versioning = "Enabled" if options.versioning else "Suspended" if options.versioning_suspended else None
            self._store.buckets[options.bucket] = bucket
        carry_out = None if self._moto is None else self._face.serve_http
        self._http = HttpFace(self.wire, self.server, options.endpoint_url, carry_out)

    def _make_moto_face(self, kernel: Kernel) -> tuple[Any, Any]:
        # Imported only when asked for: moto costs half a second.
        from storcert.simulators.object_store.face_moto import MotoFace
        from storcert.simulators.object_store.face_moto_server import MotoServer

        options = self.options
        moto = MotoServer(
            kernel.stream(f"{self.name}/moto"), lambda: kernel.now_ns, part_size_min_bytes=options.part_size_min_bytes,
            page_size=options.page_size,
        )
        moto.create_bucket(options.bucket, region=options.region_name, versioning=options.versioning)
        face = MotoFace(self.wire, self.server, moto, options.endpoint_url)
        self.wire.on_fault = face.on_fault
        return face, moto

    # -- what the kit sees

    @property
    def requests(self) -> list[Request]:
        """Every request so far."""
        return self.wire.requests

    @property
    def fired(self) -> list[Fault]:
        """The armed faults that struck."""
        return self.wire.plan.fired

    def configuration(self) -> dict[str, JsonValue]:
        """A driver's default configuration."""
        options = self.options
        return {
            "endpoint_url": options.endpoint_url, "bucket": options.bucket, "prefix": "",
            "region_name": options.region_name,
        }

    def attach(self, location: Location) -> None:
        """``boto3`` and whatever stands on urllib3 reach this store from there; its credentials stand in the environment."""
        location.environ["AWS_ACCESS_KEY_ID"] = self.options.access_key
        location.environ["AWS_SECRET_ACCESS_KEY"] = self.options.secret_key
        location.services.setdefault(STORES_SERVICE, {})[self.options.endpoint_url.lower()] = self._face
        location.services[CLIENT_SERVICE] = partial(self._face.client, location)
        location.services[SESSION_SERVICE] = partial(self._face.session, location)
        self._http.attach(location)

    def census(self) -> tuple[CensusEntry, ...]:
        """All it holds."""
        if self._moto is not None:
            from storcert.simulators.object_store.face_moto_server import moto_census

            entries: tuple[CensusEntry, ...] = moto_census(self._moto)
            return entries
        return census(self._store)

    def operate(self, move: str) -> None:
        """Versioning is suspended: older versions stay, new ones are called ``null`` and take each other's place. Or enabled:
        what is there is called ``null`` from then on, and stays as a version when it is deleted."""
        if move not in {one.name for one in self.operator_moves}:
            raise KeyError(move)
        self._store.buckets[self.options.bucket].versioning = _STATUS[move]

    def arm(self, faults: Sequence[Fault]) -> None:
        """Replace the fault schedule."""
        self.wire.plan.arm(faults)

    def heal(self) -> None:
        """No faults, server up, space free."""
        self.wire.heal()
        self._store.full = False

    def close(self) -> None:
        """Give back what the moto face holds; nothing to do for the native one."""
        if self._moto is not None:
            self._moto.close()
