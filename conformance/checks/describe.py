"""C-DESCRIBE: kind, exact size, digest where declared."""

from __future__ import annotations

import hashlib

from storcert.conformance.bench import Bench
from storcert.conformance.observe import both, stored
from storcert.conformance.registry import check
from storcert.conformance.violation import require
from storcert.harness.contract import ObjectKind, ObjectNotFound

RULE = "C-DESCRIBE"


@check(RULE, core=lambda f: f.small_sizes, standard=lambda f: f.boundary_sizes)
def exact_size(b: Bench, size: int) -> None:
    """describe gives the exact size of a written, a created and a copied object."""
    here, there = both(b)
    stored(b, b.uri("written"), size)
    here.create(b.uri("created"), size)
    names = ["written", "created"]
    if b.facts.capabilities.on_device_copy:
        here.copy(b.uri("written"), b.uri("copied"))
        names.append("copied")
    for name in names:
        found = there.describe(b.uri(name)).size_bytes
        require(found == size, f"describe of the {name} object says {found} bytes of {size}")


@check(RULE, core=lambda f: sorted(f.capabilities.kinds))
def every_kind(b: Bench, kind: ObjectKind) -> None:
    """describe answers with the URI asked for, its kind included."""
    here, there = both(b)
    uri = b.uri(kind=ObjectKind(kind))
    size = b.facts.fit(33)
    here.create(uri, size)
    answer = there.describe(uri)
    require(answer.uri == uri and answer.size_bytes == size, f"describe {uri} answered {answer}")


@check(RULE)
def missing(b: Bench) -> None:
    """describe of a missing object raises ObjectNotFound."""
    here, there = both(b)
    b.expect(ObjectNotFound, lambda: here.describe(b.uri()))
    stored(b, b.uri("ab"), b.facts.fit(10))
    b.expect(ObjectNotFound, lambda: there.describe(b.uri("a")))
    b.expect(ObjectNotFound, lambda: there.describe(b.uri("abc")))


@check(RULE, core=lambda f: f.sizes(0, 1, 4097), standard=lambda f: f.boundary_sizes)
def digest(b: Bench, size: int) -> None:
    """The digest is that of the bytes where one is declared, for written, created and copied objects; else None."""
    here, there = both(b)
    algorithm = b.facts.capabilities.digest
    data = stored(b, b.uri("written"), size)
    here.create(b.uri("created"), size)
    expected = {"written": data, "created": bytes(size)}
    if b.facts.capabilities.on_device_copy:
        here.copy(b.uri("written"), b.uri("copied"))
        expected["copied"] = data
    for name, body in expected.items():
        found = there.describe(b.uri(name)).digest
        due = None if algorithm is None else f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"
        require(found == due, f"the digest of the {name} object is {found}, {due} was due")
