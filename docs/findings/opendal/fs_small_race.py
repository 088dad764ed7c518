"""Three threads write one small file with if_not_exists and atomic writes: more than one is told that it made it."""

import tempfile
from concurrent.futures import ThreadPoolExecutor

import opendal

operator = opendal.Operator("fs", root=tempfile.mkdtemp(), atomic_write_dir=tempfile.mkdtemp())
threads = ThreadPoolExecutor(3)
most = 0
for attempt in range(500):
    tries = [threads.submit(operator.write, f"object-{attempt}", b"small", if_not_exists=True) for _ in range(3)]
    most = max(most, sum(one.exception() is None for one in tries))
print("made more than once:", most > 1)
