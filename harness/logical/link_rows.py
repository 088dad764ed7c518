"""Rows of links, the URLs that clients were given, and of where bytes move, inside one transaction. Keys are secrets: no fact
holds one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from storcert.harness.logical.records import LinkKind, LinkRecord
from storcert.harness.logical.rows import Rows

_LINK = "id, kind, uri, device, location, boot, url, key, expires_ns, job, wanted"


class LinkRows(Rows):
    """Links."""

    __slots__ = ()

    def add_link(self, kind: LinkKind, uri: str, device: str, key: str, expires_ns: int, job: int) -> LinkRecord:
        """A new link, at no location yet; ``job`` gives it, and takes it back when it ends unless it is kept."""
        row = self._connection.execute(
            f"INSERT INTO links ({_LINK.removeprefix('id, ')}) VALUES (?, ?, ?, '', '', '', ?, ?, ?, 1)",
            (kind, uri, device, key, expires_ns, job),
        )
        assert row.lastrowid is not None
        found = LinkRecord(row.lastrowid, kind, uri, device, "", "", "", key, expires_ns, job)
        self._note_link(found, "taken")
        return found

    def place_link(self, link: LinkRecord, location: str, boot: str, url: str) -> LinkRecord:
        """The link leads to that location's agent, as it runs now."""
        self._connection.execute(
            "UPDATE links SET location = ?, boot = ?, url = ? WHERE id = ?", (location, boot, url, link.id)
        )
        placed = replace(link, location=location, boot=boot, url=url)
        self._note_link(placed, "placed")
        return placed

    def keep_link(self, link: LinkRecord) -> None:
        """It stays when the job that gave it ends, until it is released."""
        self._connection.execute("UPDATE links SET job = NULL WHERE id = ?", (link.id,))

    def disown_link(self, link: LinkRecord) -> None:
        """Nobody wants it any more: no job holds it, nothing is protected for it, and it goes once its door is shut."""
        self._connection.execute("UPDATE links SET job = NULL, wanted = 0 WHERE id = ?", (link.id,))
        self._note_link(replace(link, job=None), "unwanted")

    def release_link(self, link: LinkRecord) -> None:
        """It is no more. Repeating does nothing."""
        if self._connection.execute("DELETE FROM links WHERE id = ?", (link.id,)).rowcount:
            self._note_link(link, "released")

    def release_links_of(self, job: int) -> None:
        """What an ended job gave and did not keep is no more."""
        for row in self._rows(f"SELECT {_LINK} FROM links WHERE job = ? ORDER BY id", job):
            self.release_link(_link(row))

    def link_of(self, job: int) -> LinkRecord | None:
        """What that unfinished job gave."""
        row = self._row(f"SELECT {_LINK} FROM links WHERE job = ?", job)
        return None if row is None else _link(row)

    def find_link(self, number: int) -> LinkRecord | None:
        """The link of that number."""
        row = self._row(f"SELECT {_LINK} FROM links WHERE id = ?", number)
        return None if row is None else _link(row)

    def links_to(self, uri: str, device: str) -> list[LinkRecord]:
        """Those through which an object is read on a device, and that somebody wants."""
        rows = self._rows(
            f"SELECT {_LINK} FROM links WHERE uri = ? AND device = ? AND kind = ? AND wanted ORDER BY id", uri, device,
            LinkKind.DOWNLOAD,
        )
        return [_link(row) for row in rows]

    def links(self) -> list[LinkRecord]:
        """Every link, oldest first."""
        return [_link(row) for row in self._rows(f"SELECT {_LINK} FROM links ORDER BY id")]

    # -- commands that move many bytes

    def set_under_way(self, job: int, command: str, location: str, due_bytes: int) -> None:
        """Where the bytes of a job are moving now, for whoever asks how far it is."""
        self._connection.execute(
            "INSERT OR REPLACE INTO under_way (job, command, location, due_bytes) VALUES (?, ?, ?, ?)",
            (job, command, location, due_bytes),
        )

    def under_way(self, job: int) -> tuple[str, str, int] | None:
        """Command, location and bytes due of what that job was moving last."""
        row = self._row("SELECT command, location, due_bytes FROM under_way WHERE job = ?", job)
        return None if row is None else (row[0], row[1], row[2])

    def forget_under_way(self) -> None:
        """Of jobs that have ended."""
        self._connection.execute("DELETE FROM under_way WHERE job NOT IN (SELECT id FROM jobs WHERE state = 'running')")

    def _note_link(self, link: LinkRecord, event: str) -> None:
        self._note(
            "link", id=link.id, event=event, kind=str(link.kind), uri=link.uri, device=link.device, at=link.location,
            boot=link.boot, expires_ns=link.expires_ns, job=link.job,
        )


def _link(row: Iterable[Any]) -> LinkRecord:
    number, kind, uri, device, location, boot, url, key, expires_ns, job, wanted = row
    return LinkRecord(number, LinkKind(kind), uri, device, location, boot, url, key, expires_ns, job, bool(wanted))
