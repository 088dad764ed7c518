"""A local file is written in place: visible in part, under its name, and so it stays when its writer is dropped."""

import pathlib
import tempfile

import smart_open

path = pathlib.Path(tempfile.mkdtemp(), "object")
writer = smart_open.open(str(path), "xb", compression="disable")
print("opened:", path.exists())
writer.write(b"half of it")
writer.flush()
print("flushed:", path.read_bytes())
del writer
print("dropped:", path.read_bytes())
