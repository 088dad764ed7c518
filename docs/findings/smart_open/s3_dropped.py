"""A writer on S3 that is dropped without close() publishes what it has: io.IOBase closes it. Needs moto."""

import boto3
import moto
import smart_open

with moto.mock_aws():
    client = boto3.client("s3", "us-east-1", aws_access_key_id="k", aws_secret_access_key="s")
    client.create_bucket(Bucket="bucket")
    writer = smart_open.open("s3://bucket/object", "wb", transport_params={"client": client})
    writer.write(b"half of it")
    del writer
    print("object:", client.get_object(Bucket="bucket", Key="object")["Body"].read())
