"""Two writers of one name both succeed: a condition goes with uploads from files alone. Needs apache-libcloud, moto[server]."""
from libcloud.common.types import LibcloudError
from libcloud.storage.drivers.s3 import S3StorageDriver
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
host, port = server.get_host_and_port()
driver = S3StorageDriver("k", "s", secure=False, host=host, port=port)
container = driver.create_container("bucket")
condition = {"If-None-Match": "*"}
for content in (b"first", b"second"):
    driver.upload_object_via_stream(iter([content]), container, "name", headers=condition)
    print("object:", b"".join(driver.download_object_as_stream(driver.get_object("bucket", "name"))))
try:
    driver.upload_object(__file__, container, "name", headers=condition)
except LibcloudError as error:
    print("from a file:", error.value)
