"""A stream that is dropped publishes on S3 too. In a process of its own, whose GIL the destructor keeps. Needs moto[server]."""
import subprocess
import sys

import boto3
from moto.server import ThreadedMotoServer

WRITER = """
import sys
from pyarrow import fs
s3 = fs.S3FileSystem(access_key="k", secret_key="s", endpoint_override=sys.argv[1], scheme="http", region="us-east-1")
s3.open_output_stream("bucket/object").write(b"half of it")
"""
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
address = "{}:{}".format(*server.get_host_and_port())
client = boto3.client("s3", "us-east-1", endpoint_url="http://" + address, aws_access_key_id="k", aws_secret_access_key="s")
client.create_bucket(Bucket="bucket")
subprocess.run([sys.executable, "-c", WRITER, address], check=True)
print("dropped:", client.get_object(Bucket="bucket", Key="object")["Body"].read())
