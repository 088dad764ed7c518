"""Two readers of one object of the memory file system are the same object, with one position."""

import fsspec

fs = fsspec.filesystem("memory")
fs.pipe_file("/shared/cursor", b"abcdef")
one = fs.open("/shared/cursor", "rb")
two = fs.open("/shared/cursor", "rb")
print("one reads", one.read(3), "- two reads", two.read(3), "- the same object:", one is two)
