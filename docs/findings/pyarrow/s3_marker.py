"""Deleting the last object of a folder on S3 puts an empty object there, which stays. Needs moto[server]."""

import boto3
from moto.server import ThreadedMotoServer
from pyarrow import fs

server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
address = "{}:{}".format(*server.get_host_and_port())
keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "us-east-1"}
client = boto3.client("s3", endpoint_url="http://" + address, **keys)
client.create_bucket(Bucket="bucket")
client.put_object(Bucket="bucket", Key="volume/account/object", Body=b"x")
s3 = fs.S3FileSystem(access_key="k", secret_key="s", endpoint_override=address, scheme="http", region="us-east-1")
s3.delete_file("bucket/volume/account/object")
print("left:", [entry["Key"] for entry in client.list_objects_v2(Bucket="bucket")["Contents"]])
