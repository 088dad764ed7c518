"""An exception inside `with` publishes what was written so far: a File of the binding can be closed, not given up."""

import tempfile

import opendal

for scheme, options in (("memory", {}), ("fs", {"root": tempfile.mkdtemp()})):
    operator = opendal.Operator(scheme, **options)
    try:
        with operator.open("object", "wb") as file:
            file.write(b"half of it")
            raise ConnectionError("the source broke off")
    except ConnectionError:
        print(scheme, "has", operator.read("object"))
