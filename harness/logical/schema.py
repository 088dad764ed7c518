"""Tables of the catalogue. Times are nanoseconds, sizes bytes, JSON is text with sorted keys."""

VERSION = 3

SCHEMA = """
CREATE TABLE objects (
    uri TEXT PRIMARY KEY, size_bytes INTEGER, digest TEXT, origin TEXT NOT NULL, created_ns INTEGER NOT NULL,
    version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX objects_by_origin ON objects (origin) WHERE origin <> '';

CREATE TABLE devices (
    name TEXT PRIMARY KEY, travel TEXT NOT NULL, capabilities TEXT NOT NULL, capacity_bytes INTEGER NOT NULL,
    provider TEXT NOT NULL, state TEXT NOT NULL, reserved_bytes INTEGER NOT NULL, role TEXT NOT NULL, zone TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX devices_by_role ON devices (role, zone, name);

CREATE TABLE placements (
    uri TEXT NOT NULL, device TEXT NOT NULL, state TEXT NOT NULL, purpose TEXT NOT NULL, job INTEGER,
    reserved_bytes INTEGER NOT NULL, used_ns INTEGER NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (uri, device)
) WITHOUT ROWID;
CREATE INDEX placements_by_device ON placements (device, uri);
CREATE INDEX placements_unsettled ON placements (state, uri, device) WHERE state <> 'ready';
CREATE INDEX placements_staged ON placements (used_ns, uri, device) WHERE purpose = 'staged';

CREATE TABLE pins (
    uri TEXT NOT NULL, device TEXT NOT NULL, job INTEGER NOT NULL, PRIMARY KEY (uri, device, job)
) WITHOUT ROWID;
CREATE INDEX pins_by_job ON pins (job);

CREATE TABLE jobs (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, arguments TEXT NOT NULL, state TEXT NOT NULL,
    owner TEXT NOT NULL, created_ns INTEGER NOT NULL, plan TEXT NOT NULL, result TEXT NOT NULL,
    attempts INTEGER NOT NULL, version INTEGER NOT NULL, cancelled INTEGER NOT NULL
);
CREATE UNIQUE INDEX jobs_unfinished ON jobs (key) WHERE state = 'running';
CREATE INDEX jobs_running ON jobs (id) WHERE state = 'running';

CREATE TABLE censuses (device TEXT PRIMARY KEY, begun_ns INTEGER NOT NULL, objects INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE servers (owner TEXT PRIMARY KEY, beat_ns INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE grants (
    volume TEXT NOT NULL, host TEXT NOT NULL, boot TEXT NOT NULL, granted_ns INTEGER NOT NULL, PRIMARY KEY (volume, host)
) WITHOUT ROWID;
CREATE INDEX grants_by_host ON grants (host, volume);

CREATE TABLE fences (host TEXT NOT NULL, boot TEXT NOT NULL, PRIMARY KEY (host, boot)) WITHOUT ROWID;

CREATE TABLE links (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, uri TEXT NOT NULL, device TEXT NOT NULL, location TEXT NOT NULL,
    boot TEXT NOT NULL, url TEXT NOT NULL, key TEXT NOT NULL, expires_ns INTEGER NOT NULL, job INTEGER, wanted INTEGER NOT NULL
);
CREATE INDEX links_by_object ON links (uri, device);
CREATE INDEX links_by_job ON links (job) WHERE job IS NOT NULL;

CREATE TABLE under_way (job INTEGER PRIMARY KEY, command TEXT NOT NULL, location TEXT NOT NULL, due_bytes INTEGER NOT NULL);
"""
