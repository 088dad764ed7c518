"""Two deferred files are open on one name of the local file system; both are committed."""

import tempfile

import fsspec

path = tempfile.mkdtemp() + "/object"
first, second = (fsspec.filesystem("file", skip_instance_cache=True) for _ in range(2))
for fs, data in ((first, b"first"), (second, b"second")):
    fs.start_transaction()
    fs.open(path, "wb").write(data)
first.end_transaction()
second.end_transaction()  # no FileExistsError
print("after both commits:", first.cat_file(path))
