"""A deferred file of the local file system lives in the system's temporary folder, and stays there when it is dropped."""

import os
import tempfile

import fsspec

fs = fsspec.filesystem("file", skip_instance_cache=True)
fs.start_transaction()
scratch = fs.open(tempfile.mkdtemp() + "/object", "wb").temp
print("in the temporary folder:", os.path.dirname(scratch) == tempfile.gettempdir())
del fs
print("still there after the file system object is gone:", os.path.exists(scratch))
