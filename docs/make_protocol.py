"""Compiles harness/protocol/driver.proto into the Python module and its types beside it. Run it after a change of the file:

    python docs/make_protocol.py

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


def main() -> None:
    """Write both modules."""
    with tempfile.TemporaryDirectory() as folder:
        compiled(Path(folder), "--python_out=.", "--pyi_out=.")
        for name in MADE:
            text = (Path(folder) / Path(NAME).parent / name).read_text(encoding="utf-8")
            (FOLDER / name).write_text(DOCSTRING + text, encoding="utf-8")


if __name__ == "__main__":
    main()
