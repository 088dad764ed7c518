"""Rows of jobs, of the servers that run them, and of grants, inside one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from storcert.harness.logical.link_rows import LinkRows
from storcert.harness.logical.records import GrantRecord, JobRecord, JobState
from storcert.harness.logical.rows import StaleRecord, as_json
from storcert.harness.record.address import shown

_JOB = "id, kind, key, arguments, state, owner, created_ns, plan, result, attempts, version, cancelled"
_RUNNING = str(JobState.RUNNING)
_GRANT = "volume, host, boot, granted_ns"


class JobRows(LinkRows):
    """Jobs, servers and grants."""

    __slots__ = ()

    def unpin(self, job: int) -> None:
        """``job`` needs nothing any more."""
        if self._connection.execute("DELETE FROM pins WHERE job = ?", (job,)).rowcount:
            self._note("unpin", job=job)

    # -- jobs

    def add_job(self, kind: str, key: str, arguments: Mapping[str, Any], owner: str, now_ns: int) -> JobRecord:
        """A new running job; ``sqlite3.IntegrityError`` where an unfinished one has the key."""
        row = self._connection.execute(
            f"INSERT INTO jobs ({_JOB.removeprefix('id, ')}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, 0, 0)",
            (kind, key, as_json(arguments), JobState.RUNNING, owner, now_ns, "{}", "{}"),
        )
        assert row.lastrowid is not None
        self._note("job", id=row.lastrowid, event="begun", kind=kind, key=key, arguments=_told(arguments), owner=owner)
        return JobRecord(row.lastrowid, kind, key, arguments, JobState.RUNNING, owner, now_ns)

    def find_job(self, job: int) -> JobRecord | None:
        """The job of that number."""
        row = self._row(f"SELECT {_JOB} FROM jobs WHERE id = ?", job)
        return None if row is None else _job(row)

    def unfinished_job(self, key: str) -> JobRecord | None:
        """The running job with that key."""
        row = self._row(f"SELECT {_JOB} FROM jobs WHERE key = ? AND state = 'running'", key)
        return None if row is None else _job(row)

    def jobs(self) -> list[JobRecord]:
        """All jobs, oldest first."""
        return [_job(row) for row in self._rows(f"SELECT {_JOB} FROM jobs ORDER BY id")]

    def running_jobs(self) -> list[JobRecord]:
        """Jobs that have not ended, oldest first."""
        return [_job(row) for row in self._rows(f"SELECT {_JOB} FROM jobs WHERE state = 'running' ORDER BY id")]

    def beat(self, owner: str, now_ns: int) -> None:
        """That server is alive."""
        self._connection.execute("INSERT OR REPLACE INTO servers (owner, beat_ns) VALUES (?, ?)", (owner, now_ns))

    def forget_servers(self, before_ns: int) -> None:
        """Drop servers that were last heard of before that moment."""
        self._connection.execute("DELETE FROM servers WHERE beat_ns < ?", (before_ns,))

    def orphaned_jobs(self, before_ns: int) -> list[JobRecord]:
        """Running jobs whose owners were last heard of before that moment, oldest first."""
        rows = self._rows(
            f"SELECT {_JOB} FROM jobs WHERE state = 'running' AND owner NOT IN "
            "(SELECT owner FROM servers WHERE beat_ns >= ?) ORDER BY id", before_ns,
        )
        return [_job(row) for row in rows]

    def take_over(self, job: JobRecord, owner: str) -> JobRecord:
        """Another server has the job from now on. Raises :class:`StaleRecord`."""
        self._change(
            "UPDATE jobs SET owner = ?, attempts = attempts + 1, version = version + 1 "
            "WHERE id = ? AND state = 'running' AND version = ?",
            owner, job.id, job.version,
        )
        self._note("job", id=job.id, event="taken-over", owner=owner)
        found = self.find_job(job.id)
        assert found is not None
        return found

    def hold(self, job: JobRecord) -> JobRecord:
        """The job, if it is still whose it was, and whether it was cancelled meanwhile. Raises :class:`StaleRecord`."""
        found = self._row("SELECT state, version, cancelled FROM jobs WHERE id = ?", job.id)
        if found is None or found[0] != _RUNNING or found[1] != job.version:
            raise StaleRecord(f"job {job.id}")
        return replace(job, cancelled=bool(found[2])) if found[2] != job.cancelled else job

    def set_plan(self, job: int, plan: Mapping[str, Any]) -> None:
        """What was decided for a job."""
        self._connection.execute("UPDATE jobs SET plan = ? WHERE id = ?", (as_json(plan), job))
        self._note("plan", job=job, plan=dict(plan))

    def cancel_job(self, job: int) -> None:
        """Somebody wants the job to end early."""
        self._connection.execute("UPDATE jobs SET cancelled = 1 WHERE id = ? AND state = 'running'", (job,))

    def finish_job(self, job: JobRecord, state: JobState, result: Mapping[str, Any]) -> None:
        """The job has ended, once and for all; its pins go, and the links it gave. Raises :class:`StaleRecord`."""
        self._change(
            "UPDATE jobs SET state = ?, result = ?, version = version + 1 WHERE id = ? AND state = 'running' AND version = ?",
            state, as_json(result), job.id, job.version,
        )
        self._note("job", id=job.id, event=str(state), result=dict(result))
        self.unpin(job.id)
        self.release_links_of(job.id)

    def forget_jobs(self, before_ns: int, jobs_max: int) -> None:
        """Drop ended jobs that began before that moment, and all but the last ``jobs_max``; never one that a placement in
        between still speaks of."""
        (last,) = self._row("SELECT max(id) FROM jobs")
        # Jobs begin in the order of their numbers, so what is old comes first, and no more than that is looked at.
        young = self._row("SELECT id FROM jobs WHERE created_ns >= ? ORDER BY id LIMIT 1", before_ns)
        end = max((last or 0) + 1 - jobs_max, young[0] if young is not None else (last or 0) + 1)
        self._connection.execute(
            "DELETE FROM jobs WHERE state <> 'running' AND id < ? AND id NOT IN "
            "(SELECT job FROM placements WHERE state <> 'ready' AND job IS NOT NULL)", (end,),
        )

    # -- grants

    def grant(self, record: GrantRecord) -> None:
        """A host may use a volume; the newest boot of the host counts."""
        self._connection.execute(
            f"INSERT OR REPLACE INTO grants ({_GRANT}) VALUES (?, ?, ?, ?)",
            (record.volume, record.host, record.boot, record.granted_ns),
        )
        self._note("grant", volume=record.volume, host=record.host, boot=record.boot)

    def revoke(self, volume: str, host: str) -> None:
        """It may no more."""
        if self._connection.execute("DELETE FROM grants WHERE volume = ? AND host = ?", (volume, host)).rowcount:
            self._note("revoke", volume=volume, host=host)

    def grants_of(self, volume: str) -> list[GrantRecord]:
        """Who may use a volume, by host."""
        rows = self._rows(f"SELECT {_GRANT} FROM grants WHERE volume = ? ORDER BY host", volume)
        return [GrantRecord(*row) for row in rows]

    def grants_to(self, host: str) -> list[GrantRecord]:
        """What a host may use, by volume."""
        rows = self._rows(f"SELECT {_GRANT} FROM grants WHERE host = ? ORDER BY volume", host)
        return [GrantRecord(*row) for row in rows]

    def fence(self, host: str, boot: str) -> None:
        """That run of the host's agent may use nothing any more."""
        self._connection.execute("INSERT OR IGNORE INTO fences (host, boot) VALUES (?, ?)", (host, boot))
        self._note("fence", host=host, boot=boot)

    def unfence(self, host: str, boot: str) -> None:
        """It is known to use nothing."""
        if self._connection.execute("DELETE FROM fences WHERE host = ? AND boot = ?", (host, boot)).rowcount:
            self._note("unfence", host=host, boot=boot)

    def fences(self) -> list[tuple[str, str]]:
        """Every host and run that is fenced; sorted."""
        return [(host, boot) for host, boot in self._rows("SELECT host, boot FROM fences ORDER BY host, boot")]

    def granted_boots(self) -> list[tuple[str, str]]:
        """Every host that may use something, with the boot it was granted to; sorted."""
        return [(host, boot) for host, boot in self._rows("SELECT DISTINCT host, boot FROM grants ORDER BY host, boot")]


def _told(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What a job was asked for, as it may be told: a URL may hold secrets."""
    return {name: shown(value) if name == "url" else value for name, value in arguments.items()}


def _job(row: Iterable[Any]) -> JobRecord:
    number, kind, key, arguments, state, owner, created_ns, plan, result, attempts, version, cancelled = row
    return JobRecord(
        number, kind, key, json.loads(arguments), JobState(state), owner, created_ns, json.loads(plan),
        json.loads(result), attempts, version, bool(cancelled),
    )
