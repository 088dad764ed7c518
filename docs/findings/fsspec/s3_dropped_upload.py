"""A file that is dropped within a transaction leaves an upload, which deleting the object does not remove. Needs s3fs, moto."""

import boto3
import fsspec
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
address = "http://{}:{}".format(*server.get_host_and_port())
fs = fsspec.filesystem("s3", key="k", secret="s", endpoint_url=address, use_listings_cache=False)
fs.mkdir("bucket")
fs.start_transaction()
fs.open("bucket/object", "xb").write(b"x" * 5000)
fs.transaction.files.clear()
fs.rm_file("bucket/object")
client = boto3.client("s3", endpoint_url=address, aws_access_key_id="k", aws_secret_access_key="s", region_name="us-east-1")
print("uploads left:", [upload["Key"] for upload in client.list_multipart_uploads(Bucket="bucket").get("Uploads", [])])
