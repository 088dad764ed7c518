"""A file that is open for reading on S3 reads on in whatever has its name meanwhile. Needs moto[server]."""

import boto3
from moto.server import ThreadedMotoServer
from pyarrow import fs

server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
address = "{}:{}".format(*server.get_host_and_port())
keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "us-east-1"}
client = boto3.client("s3", endpoint_url="http://" + address, **keys)
client.create_bucket(Bucket="bucket")
client.put_object(Bucket="bucket", Key="object", Body=b"1" * 2000)
s3 = fs.S3FileSystem(access_key="k", secret_key="s", endpoint_override=address, scheme="http", region="us-east-1")
reader = s3.open_input_file("bucket/object")
begin = reader.read(1000)
client.put_object(Bucket="bucket", Key="object", Body=b"2" * 2000)
print("read:", begin[:1] + reader.read(1000)[:1])
