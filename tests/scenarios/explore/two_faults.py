"""A defect that needs three operations and two faults, each of which alone does no harm; and the scenario around which it is
looked for, in which nothing of that kind happens."""

from __future__ import annotations

from storcert.scenarios.defects.defect import Defect
from storcert.scenarios.format.read import loads

_BELIEVED = """\
            error, made = failure, {}
            if work.job.kind == 'migrate' and work.job.attempts > 1 and failure.retryable:
                if work.transact('look', lambda session: session.find_object(str(making.uri)).origin):
                    return {'size_bytes': making.size_bytes, 'digest': None}
"""
TWO_FAULTS = Defect(
    id="taken-over-and-believed", rule="L-SOURCE", story="", says="before it was seen on",
    sentence="whoever takes over the migration of a volume that was made from another takes the first error for a late success",
    edits=(("logical.making", _BELIEVED.splitlines(keepends=True)[0], _BELIEVED),),
)
AROUND = """\
title = "Volumes come and go"
zone = [{ name = "z1", hosts = 2 }]
device = [
  { name = "images", kind = "object-store", role = "image" },
  { name = "vols", kind = "nfs" },
  { name = "fast", kind = "rbd" },
]
step = [
  { do = "create", object = "volume/x", size = "64 KiB", device = "fast" },
  { do = "create", object = "volume/a", size = "64 KiB", device = "vols" },
  { do = "snapshot", object = "snapshot/s", volume = "volume/x", device = "images" },
  { do = "create-from", object = "volume/b", source = "volume/a", device = "vols" },
  { do = "migrate", object = "volume/b", device = "fast" },
  { do = "delete", object = "snapshot/s" },
]
"""
SCENARIO = loads(AROUND, name="two-faults")
FAULTS = """\
fault = [
  { place = "catalogue", fault = "answer_lost", phase = "after", operation = "migrate: begin" },
  { place = "fast", fault = "request_lost", operation = "dir_add_image", nth = 2 },
  { place = "images", fault = "slow", value = "2 s" },
]
"""
FAILING = loads(AROUND + FAULTS, name="two-faults-that-strike")
