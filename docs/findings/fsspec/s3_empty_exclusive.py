"""An exclusive empty file replaces the object that somebody else committed meanwhile. Needs s3fs and moto[server]."""

import fsspec
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
address = "http://{}:{}".format(*server.get_host_and_port())
fs = fsspec.filesystem("s3", key="k", secret="s", endpoint_url=address, use_listings_cache=False)
fs.mkdir("bucket")
for late in (b"late", b""):
    fs.rm_file("bucket/object")
    file = fs.open("bucket/object", "xb")
    file.write(late)
    fs.pipe_file("bucket/object", b"somebody else's")
    try:
        print(late, "closed,", file.close())
    except FileExistsError:
        print(late, "refused,", end=" ")
    print("object:", fs.cat_file("bucket/object"))
