"""Two streams are open on one new name on S3; both are closed without an error. Needs moto[server]."""

import boto3
from moto.server import ThreadedMotoServer
from pyarrow import fs

server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
address = "{}:{}".format(*server.get_host_and_port())
keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "us-east-1"}
boto3.client("s3", endpoint_url="http://" + address, **keys).create_bucket(Bucket="bucket")
s3 = fs.S3FileSystem(access_key="k", secret_key="s", endpoint_override=address, scheme="http", region="us-east-1")
first, second = s3.open_output_stream("bucket/object"), s3.open_output_stream("bucket/object")
first.write(b"first")
second.write(b"second")
first.close()
second.close()
print("after both:", s3.open_input_file("bucket/object").read())
