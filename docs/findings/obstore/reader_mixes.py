"""open_reader() asks for one range after the other: what follows after the object was replaced is of the other one."""

import obstore
from obstore.store import MemoryStore

store = MemoryStore()
obstore.put(store, "object", b"1" * 2000)
reader = obstore.open_reader(store, "object", buffer_size=1000)
begin = bytes(reader.read(1000))
obstore.delete(store, "object")
obstore.put(store, "object", b"2" * 2000, mode="create")
print("open_reader:", begin[:1] + bytes(reader.read(1000))[:1])
pieces = obstore.get(store, "object").stream(min_chunk_size=1000)
obstore.delete(store, "object")
obstore.put(store, "object", b"3" * 2000, mode="create")
print("get().stream():", b"".join(bytes(piece) for piece in pieces)[::1000])
