"""An operator of a folder that is not there makes it: a missing mount becomes a folder of the local disk."""

import os
import tempfile

import opendal

mount = tempfile.mkdtemp() + "/mnt/not-mounted"
opendal.Operator("fs", root=mount)
print("made by the constructor:", os.path.isdir(mount))
