"""Two streams are open on one new name: neither is refused, and the bytes of both end up in one object."""

import tempfile

from pyarrow import fs

path = tempfile.mkdtemp() + "/object"
local = fs.LocalFileSystem()
first = local.open_output_stream(path, compression=None)
first.write(b"the first writer's bytes")
second = local.open_output_stream(path, compression=None)
second.write(b"SECOND")
second.close()
first.write(b", and more")
first.close()
print(local.open_input_file(path).read())
