"""What is being written to a local file is visible at once, under its final name, in part."""

import tempfile

from pyarrow import fs

path = tempfile.mkdtemp() + "/object"
local = fs.LocalFileSystem()
stream = local.open_output_stream(path, compression=None)
print("opened:", local.get_file_info(path).size, "bytes are visible")
stream.write(b"half of it")
print("written:", local.get_file_info(path).size, "bytes are visible")
