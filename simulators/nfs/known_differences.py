"""Where nfs-ganesha 4.3 (over ext4) answers otherwise than the simulator, as data; the live comparison reads it.

A row explains one difference in one field of the answers to one kind of call. A difference without a row fails the
comparison. Nothing but rows and their type lives here: what every real server does belongs into the model.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final, Literal


@dataclasses.dataclass(frozen=True, slots=True)
class KnownDifference:
    """``procedures``: names, or ``*``. ``field``: path in the outcome, a shell pattern. ``simulator`` and ``ganesha``: the
    values there as text, shell patterns. ``given``: what the call must be like: an argument, or ``uid`` after squashing,
    or ``type`` of the object in question, to the text it must have, a shell pattern. ``scope``: what is not compared
    further: the field, or the rest of the program because the two hold different things from here on."""

    name: str
    procedures: tuple[str, ...]
    field: str
    simulator: str
    ganesha: str
    reason: str
    given: Mapping[str, str] = dataclasses.field(default_factory=dict)
    scope: Literal["field", "program"] = "field"

    def explains(self, procedure: str, marks: Mapping[str, str], field: str, simulator: object, ganesha: object) -> bool:
        """Whether this row is about that difference; ``marks`` describe the call."""
        return (
            ("*" in self.procedures or procedure in self.procedures)
            and fnmatchcase(field, self.field)
            and fnmatchcase(str(simulator), self.simulator)
            and fnmatchcase(str(ganesha), self.ganesha)
            and all(fnmatchcase(marks.get(name, ""), pattern) for name, pattern in self.given.items())
        )


_OWNERS = "ganesha sets owner and group of what anybody makes as root; a Linux server ignores them unless root asks"

KNOWN_DIFFERENCES: Final[tuple[KnownDifference, ...]] = (
    KnownDifference("file-max", ("FSINFO",), "file_max_bytes", "*", str((1 << 63) - 1),
                    "ganesha names the largest offset there is; the file system refuses far smaller ones with FBIG"),
    KnownDifference("time-delta", ("FSINFO",), "time_delta_ns", "1", "100", "the grain of the clock is a constant in ganesha"),
    KnownDifference("link-max", ("PATHCONF",), "link_max", "65000", "8", "a constant in ganesha; ext4 takes 65000"),
    KnownDifference("name-max", ("PATHCONF",), "name_max", "255", "1024", "a constant in ganesha; 256 bytes already fail"),
    KnownDifference("commit-of-no-file", ("COMMIT",), "status", "NFS3ERR_I*", "*",
                    "ganesha opens whatever the handle names and trips over what is no regular file, or keeps it open",
                    scope="program"),
    KnownDifference("verifier-in-seconds", ("WRITE", "COMMIT"), "verifier", "changed", "same",
                    "ganesha's verifier is the second in which it started: two starts in one second have the same"),
    KnownDifference("times-of-a-link", ("*",), "*.mtime_ns", "*", "clock",
                    "ganesha sets no times of a symbolic link", {"type": "LNK"}),
    *(
        KnownDifference("slash-in-name", ("*",), "status", "NFS3ERR_*", "*",
                        "ganesha hands a name with a slash to the system, which walks it as a path",
                        {name: "*/*"}, "program")
        for name in ("name", "from_name", "to_name")
    ),
    KnownDifference("unchecked-through-symlink", ("CREATE",), "status", "NFS3ERR_BADTYPE", "*",
                    "ganesha follows a symbolic link of that name and creates or opens what it points to",
                    {"how": "0"}, "program"),
    KnownDifference("given-away", ("MKDIR", "SYMLINK", "MKNOD"), "attributes.uid", "*", "*", _OWNERS,
                    {"uid": "[1-9]*"}, "program"),
    KnownDifference("group-given-away", ("MKDIR", "SYMLINK", "MKNOD"), "attributes.gid", "*", "*", _OWNERS,
                    {"uid": "[1-9]*"}, "program"),
)
