"""A file that is open for reading belongs to nobody yet: what is read is whatever has the name when read() comes."""

import tempfile

import opendal

for scheme, options in (("memory", {}), ("fs", {"root": tempfile.mkdtemp()})):
    operator = opendal.Operator(scheme, **options)
    operator.write("object", b"the first object")
    reader = operator.open("object", "rb")
    operator.delete("object")
    operator.write("object", b"another one.....")
    print(scheme, "reads", reader.read(16))
