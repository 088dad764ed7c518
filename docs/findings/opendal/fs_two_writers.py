"""Two files are open on one new name, both with if_not_exists and larger than the buffer: both are closed without an error."""

import tempfile

import opendal

for options in ({}, {"atomic_write_dir": tempfile.mkdtemp()}):
    operator = opendal.Operator("fs", root=tempfile.mkdtemp(), **options)
    first = operator.open("object", "wb", if_not_exists=True)
    second = operator.open("object", "wb", if_not_exists=True)
    try:
        first.write(b"1" * 1_000_000)
        second.write(b"2" * 1_000_000)
        first.close()
        second.close()
        print("atomic" if options else "plain", "- both closed, the object begins with", operator.read("object")[:1])
    except OSError as error:
        print("atomic" if options else "plain", "- refused:", str(error).partition(" at ")[0])
