"""Of three that put or copy to one name at once, all succeed. Needs minio and moto[server]."""
import io
from concurrent.futures import ThreadPoolExecutor

from minio import Minio
from minio.commonconfig import CopySource
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
client = Minio("{}:{}".format(*server.get_host_and_port()), "k", "s", secure=False, region="us-east-1")
client.make_bucket("bucket")
with ThreadPoolExecutor(3) as pool:
    puts = [pool.submit(client.put_object, "bucket", "new", io.BytesIO(b"%d" % n), 1) for n in range(3)]
    print("puts that succeeded:", len([one.result() for one in puts]))
    copies = [pool.submit(client.copy_object, "bucket", "copy", CopySource("bucket", "new")) for _ in range(3)]
    print("copies that succeeded:", len([one.result() for one in copies]))
