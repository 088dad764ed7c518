"""What a sheep answers with and what ``dog`` exits with: names, texts and numbers.

Source: include/sheepdog_proto.h, sheep.h and exits.h.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Result(StrEnum):
    """The answer of a sheep, as the request log shows it."""

    SUCCESS = "ok"
    NO_OBJ = "NO_OBJ"
    EIO = "EIO"
    VDI_EXIST = "VDI_EXIST"
    INVALID_PARMS = "INVALID_PARMS"
    VDI_LOCKED = "VDI_LOCKED"
    NO_VDI = "NO_VDI"
    NO_BASE_VDI = "NO_BASE_VDI"
    VDI_WRITE = "VDI_WRITE"
    BASE_VDI_READ = "BASE_VDI_READ"
    BASE_VDI_WRITE = "BASE_VDI_WRITE"
    NO_TAG = "NO_TAG"
    FULL_VDI = "FULL_VDI"
    NO_SPACE = "NO_SPACE"
    WAIT_FOR_FORMAT = "WAIT_FOR_FORMAT"
    WAIT_FOR_JOIN = "WAIT_FOR_JOIN"
    HALT = "HALT"
    READONLY = "READONLY"
    FROZEN = "FROZEN"


TEXTS: dict[Result, str] = {
    Result.SUCCESS: "Success",
    Result.NO_OBJ: "No object found",
    Result.EIO: "I/O error",
    Result.VDI_EXIST: "VDI exists already",
    Result.INVALID_PARMS: "Invalid parameters",
    Result.VDI_LOCKED: "VDI is already locked",
    Result.NO_VDI: "No VDI found",
    Result.NO_BASE_VDI: "No base VDI found",
    Result.VDI_WRITE: "Failed to write to requested VDI",
    Result.BASE_VDI_READ: "Failed to read from base VDI",
    Result.BASE_VDI_WRITE: "Failed to write to base VDI",
    Result.NO_TAG: "Failed to find requested tag",
    Result.FULL_VDI: "Maximum number of VDIs reached",
    Result.NO_SPACE: "Server has no space for new objects",
    Result.WAIT_FOR_FORMAT: "Waiting for cluster to be formatted",
    Result.WAIT_FOR_JOIN: "Waiting for other nodes to join cluster",
    Result.HALT: "IO has halted as there are not enough living nodes",
    Result.READONLY: "Object is read-only",
}


class Refused(Exception):
    """A sheep answers with ``result`` instead of doing it."""

    def __init__(self, result: Result) -> None:
        super().__init__(TEXTS.get(result, str(result)))
        self.result = result


class Exit(IntEnum):
    """Exit statuses of ``dog``."""

    SUCCESS = 0
    FAILURE = 1
    SYSFAIL = 2
    EXISTS = 3
    FULL = 4
    MISSING = 5
    USAGE = 64
