"""A process that dies while it writes leaves an upload that neither a later writer nor a delete takes away. Needs moto."""

import boto3
import moto
import smart_open

with moto.mock_aws():
    client = boto3.client("s3", "us-east-1", aws_access_key_id="k", aws_secret_access_key="s")
    client.create_bucket(Bucket="bucket")
    options = {"client": client, "min_part_size": 5 * 2**20}
    dead = smart_open.open("s3://bucket/object", "wb", transport_params=options)
    dead.write(b"1" * 6 * 2**20)  # and never again: its process is gone
    with smart_open.open("s3://bucket/object", "wb", transport_params=options) as writer:
        writer.write(b"2")
    client.delete_object(Bucket="bucket", Key="object")
    uploads = client.list_multipart_uploads(Bucket="bucket")["Uploads"]
    print("uploads left:", [upload["Key"] for upload in uploads])
    dead.terminate()
