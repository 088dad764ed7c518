"""Importing fsspec reads ~/.config/fsspec, and what stands there changes what file systems do."""

import os
import pathlib
import tempfile

folder = pathlib.Path(tempfile.mkdtemp(), ".config", "fsspec")
folder.mkdir(parents=True)
(folder / "conf.json").write_text('{"file": {"auto_mkdir": true}}')
os.environ["HOME"] = str(folder.parent.parent)
import fsspec  # noqa: E402

print("auto_mkdir of the local file system, from the home directory:", fsspec.filesystem("file").auto_mkdir)
