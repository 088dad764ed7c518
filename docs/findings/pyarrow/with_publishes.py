"""An exception inside `with`, or a stream that is dropped, publishes what was written so far. There is no abort in Python."""

import tempfile

from pyarrow import fs

folder = tempfile.mkdtemp()
local = fs.LocalFileSystem()
try:
    with local.open_output_stream(folder + "/object", compression=None) as stream:
        stream.write(b"half of it")
        raise ConnectionError("the source broke off")
except ConnectionError:
    print("after the exception:", local.open_input_file(folder + "/object").read())
stream = local.open_output_stream(folder + "/dropped", compression=None)
stream.write(b"half of it")
print("methods:", [name for name in ("abort", "close") if hasattr(stream, name)])
del stream
print("dropped:", local.open_input_file(folder + "/dropped").read())
