"""A File that is dropped publishes nothing, but its temporary file stays for ever. There is no abort to call."""

import os
import tempfile

import opendal

scratch = tempfile.mkdtemp()
operator = opendal.Operator("fs", root=tempfile.mkdtemp(), atomic_write_dir=scratch)
file = operator.open("object", "wb", if_not_exists=True)
file.write(b"x" * 1_000_000)
print("methods:", [name for name in ("abort", "close", "cancel") if hasattr(file, name)])
del file
print("object:", operator.exists("object"))
operator.delete("object")
operator.write("object", b"y")
print("temporary files:", len(os.listdir(scratch)))
