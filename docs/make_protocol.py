"""Compiles harness/protocol/driver.proto into the Python module and its types beside it, and writes docs/driver-protocol.md.

    python docs/make_protocol.py         # after a change of the file
    python docs/make_protocol.py page    # the page alone

Needs ``grpcio-tools``. Code made by a newer compiler asks for a newer protobuf of every user: use the oldest compiler that is
still supported, 1.76 today, and not whatever is there.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "harness" / "protocol"
# The name by which every language's registry knows the file; `driver.proto` alone would meet other people's.
NAME = "storcert/driver/v1/driver.proto"
MADE = ("driver_pb2.py", "driver_pb2.pyi")
DOCSTRING = '"""Made from driver.proto by docs/make_protocol.py, not to be edited: the messages of the driver protocol."""\n'


def compiled(folder: Path, *options: str) -> None:
    """Run the compiler on the file under its full name, with its outputs in ``folder``."""
    source = folder / "source" / NAME
    source.parent.mkdir(parents=True)
    shutil.copy(FOLDER / "driver.proto", source)
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder / 'source'}", *options, NAME]
    subprocess.run(command, cwd=folder, check=True)


def descriptor() -> bytes:
    """The file as a serialised ``FileDescriptorSet``: what any compiler makes of it."""
    with tempfile.TemporaryDirectory() as folder:
        compiled(Path(folder), "--descriptor_set_out=set.binpb")
        return (Path(folder) / "set.binpb").read_bytes()


PAGE = Path(__file__).resolve().parent / "driver-protocol.md"
#: Methods that belong to a capability.
CAPABILITY = {
    "Copy": "on_device_copy", "ListObjects": "enumerate", "OpenVolume": "random_access", "TakeSnapshot": "snapshots",
    "Revert": "revert", "Clone": "clone",
}  # fmt: skip


def page() -> str:
    """The page, made from the file and from what both ends know."""
    import grpc

    from storcert.harness.contract.errors import ERRORS
    from storcert.harness.protocol import PROTOCOL_VERSIONS, failures, limits, methods
    from storcert.harness.protocol import driver_pb2 as pb

    codes = {code.value[0]: code.name for code in grpc.StatusCode}
    streams_of = {(False, False): "", (False, True): "answers", (True, True): "both ways"}
    rows = []
    for method in methods.METHODS.values():
        streams = streams_of[method.streams_in, method.streams_out]
        rows.append(f"| `{method.name}` | {streams} | {CAPABILITY.get(method.name, 'every driver')} |")
    errors = []
    for name, code in failures.CODES.items():
        number = failures.error_message(ERRORS[name]()).error
        outcome = ERRORS[name].default_outcome
        errors.append(f"| `{pb.ErrorClass.Name(number)}` | `{name}` | {outcome} | {codes[code]} |")
    return "\n".join([
        "# The driver protocol",
        "",
        f"Version {PROTOCOL_VERSIONS[-1]}, service `{methods.SERVICE}`. Made by `docs/make_protocol.py` from the file that is",
        "published with storcert, `storcert/harness/protocol/driver.proto`, and from what both ends know.",
        "[Drivers in any language](any-language.md) says how to use it.",
        "",
        "| method | streams | needed by |",
        "|---|---|---|",
        *rows,
        "",
        "| error | class of the contract | outcome where none is said | status that goes well with it |",
        "|---|---|---|---|",
        *errors,
        "",
        "| number | |",
        "|---|---|",
        f"| {limits.CHUNK_BYTES_DEFAULT:,} bytes | in one message where the server says nothing else |",
        f"| {limits.CHUNK_BYTES_MAX:,} bytes | at most that a server may say |",
        f"| {limits.ANSWER_WITHIN_S:g} s | an answer is waited for; `grpc_answer_within_s` in the configuration changes it |",
        f"| {limits.CALL_LIMIT_S:g} s | limit of the contract (C-BUDGET): waited for so long, a late answer is a finding |",
        f"| {limits.STREAMS_MIN} | streams and calls side by side that a server bears |",
        "",
        "```proto",
        (FOLDER / "driver.proto").read_text(encoding="utf-8").rstrip(),
        "```",
        "",
    ])  # fmt: skip


def main() -> None:
    """Write the page, and both modules first unless it is all that was asked for."""
    if sys.argv[1:] != ["page"]:
        write_modules()
    PAGE.write_text(page(), encoding="utf-8")


def write_modules() -> None:
    """The messages as Python."""
    with tempfile.TemporaryDirectory() as folder:
        compiled(Path(folder), "--python_out=.", "--pyi_out=.")
        for name in MADE:
            text = (Path(folder) / Path(NAME).parent / name).read_text(encoding="utf-8")
            (FOLDER / name).write_text(DOCSTRING + text, encoding="utf-8")


if __name__ == "__main__":
    main()
