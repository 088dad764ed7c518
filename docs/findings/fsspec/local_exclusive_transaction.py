"""Exclusive mode inside a transaction of the local file system: visible at once, and then it cannot be committed."""

import tempfile

import fsspec

path = tempfile.mkdtemp() + "/object"
fs = fsspec.filesystem("file", skip_instance_cache=True)
fs.start_transaction()
fs.open(path, "xb").write(b"data")
print("before the commit it exists:", fs.exists(path))
try:
    fs.end_transaction()
except AttributeError as error:
    print("the commit raises AttributeError:", error)
