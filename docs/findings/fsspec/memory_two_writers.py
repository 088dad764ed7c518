"""Two exclusive files are open on one name of the memory file system; both are committed."""

import fsspec

first, second = (fsspec.filesystem("memory", skip_instance_cache=True) for _ in range(2))
for fs, data in ((first, b"first"), (second, b"second")):
    fs.start_transaction()
    fs.open("/two/writers", "xb").write(data)
first.end_transaction()
second.end_transaction()  # no FileExistsError
print("after both commits:", first.cat_file("/two/writers"))
