"""A first S3 driver: it works on a good day. `storcert certify` says what happens on the others."""

import boto3
from botocore.exceptions import ClientError

from storcert.harness.contract import Capabilities, DataObjectDescription, DataObjectUri, ObjectNotFound, Unsupported


class FirstDriver:
    def __init__(self, configuration):
        self.bucket = configuration["bucket"]
        self.s3 = boto3.client("s3", endpoint_url=configuration["endpoint_url"])

    def capabilities(self):
        return Capabilities(enumerate=True)

    def create(self, uri, size):
        self.s3.put_object(Bucket=self.bucket, Key=str(uri), Body=bytes(size))

    def delete(self, uri):
        self.s3.delete_object(Bucket=self.bucket, Key=str(uri))

    def describe(self, uri):
        try:
            head = self.s3.head_object(Bucket=self.bucket, Key=str(uri))
        except ClientError:
            raise ObjectNotFound("no such object", uri) from None
        return DataObjectDescription(uri, head["ContentLength"])

    def open_input(self, uri, offset=0, length=None):
        if offset or length is not None:
            raise Unsupported("ranges", uri)
        self.describe(uri)
        return self.s3.get_object(Bucket=self.bucket, Key=str(uri))["Body"]

    def open_output(self, uri, size=None):
        return Upload(self, uri)

    def list_objects(self):
        page = self.s3.list_objects_v2(Bucket=self.bucket)
        return iter([DataObjectUri.parse(item["Key"]) for item in page.get("Contents", [])])


class Upload:
    def __init__(self, driver, uri):
        self.driver, self.uri, self.data = driver, uri, bytearray()

    def write(self, data):
        self.data += data
        return len(data)

    def commit(self):
        self.driver.s3.put_object(Bucket=self.driver.bucket, Key=str(self.uri), Body=bytes(self.data))
        return self.driver.describe(self.uri)

    def abort(self):
        self.data.clear()

    close = abort

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.commit()
