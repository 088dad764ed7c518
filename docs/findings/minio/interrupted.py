"""An upload that was interrupted stays, and no public method finds it. Needs minio, boto3 and moto[server]."""
import boto3
from minio import Minio
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
host = "{}:{}".format(*server.get_host_and_port())
s3 = boto3.client("s3", "us-east-1", endpoint_url=f"http://{host}", aws_access_key_id="k", aws_secret_access_key="s")
client = Minio(host, "k", "s", secure=False, region="us-east-1")
client.make_bucket("bucket")
class Stopped:
    def read(self, size, left=[b"x", b"x" * (5 << 20)]):  # noqa: B006
        return left.pop() if left else exit()
try:
    client.put_object("bucket", "name", Stopped(), -1, part_size=5 << 20)
except SystemExit:
    client.remove_object("bucket", "name")
print("uploads left:", [one["Key"] for one in s3.list_multipart_uploads(Bucket="bucket")["Uploads"]])
print("methods for them:", [name for name in dir(client) if "multipart" in name or "incomplete" in name])
