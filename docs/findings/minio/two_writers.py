"""Two writers of one name both succeed: no condition can be given to a put. Needs minio and moto[server]."""

import io

from minio import Minio
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
client = Minio("{}:{}".format(*server.get_host_and_port()), "k", "s", secure=False, region="us-east-1")
client.make_bucket("bucket")
for content in (b"first", b"second", b"third"):
    metadata = {"If-None-Match": "*"} if content == b"third" else None
    client.put_object("bucket", "name", io.BytesIO(content), len(content), metadata=metadata)
    print("object:", client.get_object("bucket", "name").read())
sent = client.stat_object("bucket", "name").metadata
print("what looks like a condition was sent as", [name for name in sent if "match" in name.lower()])
