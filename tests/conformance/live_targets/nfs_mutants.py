"""NFS drivers with one planted bug each: of requests that are sent again, and of what is left on the mount."""

from __future__ import annotations

import os

from storcert.harness.contract import DataObjectUri, DeviceUnavailable, ObjectExists, Outcome
from storcert.harness.drivers.nfs import NfsDriver
from storcert.harness.drivers.nfs_mount import OBJECTS, Patience
from storcert.harness.drivers.nfs_names import object_name
from storcert.harness.drivers.nfs_publish import Pending


class TakesItsEchoForAnother(NfsDriver):
    """Its own ``link`` was done and sent again: it takes the ``EEXIST`` for somebody else's object."""

    def create(self, uri: DataObjectUri, size: int) -> None:
        if self._has_size(uri, size):
            return
        pending = Pending(self._mount, uri)
        pending.stretch(size)
        try:
            pending._link()
        except FileExistsError:
            raise ObjectExists("the name is taken", uri) from None
        except OSError as error:
            raise DeviceUnavailable(str(error), uri, Outcome.UNKNOWN) from error
        finally:
            pending.discard(Patience(60.0))


class TakesItsEchoForAbsence(NfsDriver):
    """Its own ``unlink`` was done and sent again: it says that it could not delete what somebody else has deleted."""

    def delete(self, uri: DataObjectUri) -> None:
        with self._mount.folder(OBJECTS) as objects:
            there = objects is not None and object_name(uri) in os.listdir(objects)
        if not there:
            return super().delete(uri)
        with self._mount.folder(OBJECTS) as objects:
            try:
                os.unlink(object_name(uri), dir_fd=objects)
            except FileNotFoundError:
                raise DeviceUnavailable("somebody else was at it", uri, Outcome.NOT_DONE) from None
            except OSError as error:
                raise DeviceUnavailable(str(error), uri, Outcome.UNKNOWN) from error
        return super().delete(uri)


class LeavesANote(NfsDriver):
    """Keeps a note of everything it deletes, which nobody ever takes away."""

    def delete(self, uri: DataObjectUri) -> None:
        super().delete(uri)
        note = os.path.join(self._mount.settings.mount, f"deleted-{uri.account}-{uri.object_id}"[:100])
        os.close(os.open(note, os.O_CREAT | os.O_WRONLY))
