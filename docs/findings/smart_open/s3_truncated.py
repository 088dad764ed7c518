"""A part is refused, the application closes its file as ever: a truncated object is published. Needs moto."""

import boto3
import moto
import smart_open

with moto.mock_aws():
    client = boto3.client("s3", "us-east-1", aws_access_key_id="k", aws_secret_access_key="s")
    client.create_bucket(Bucket="bucket")
    upload, parts = client.upload_part, iter([False, True])
    client.upload_part = lambda **part: 1 / 0 if next(parts, False) else upload(**part)  # the second one fails
    file = smart_open.open("s3://bucket/object", "wb", transport_params={"client": client, "min_part_size": 5 * 2**20})
    try:
        file.write(b"1" * 5 * 2**20)
        file.write(b"2" * 5 * 2**20)
    except ZeroDivisionError:
        print("the second part failed")
    file.close()
    print("published:", client.head_object(Bucket="bucket", Key="object")["ContentLength"], "of", 10 * 2**20, "bytes")
