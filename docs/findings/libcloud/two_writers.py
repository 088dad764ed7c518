"""Two writers of one name both succeed: no condition can be given to an upload. Needs apache-libcloud and moto[server]."""
from libcloud.storage.drivers.s3 import S3StorageDriver
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
host, port = server.get_host_and_port()
driver = S3StorageDriver("k", "s", secure=False, host=host, port=port)
container = driver.create_container("bucket")
for content in (b"first", b"second"):
    driver.upload_object_via_stream(iter([content]), container, "name")
    print("object:", b"".join(driver.download_object_as_stream(driver.get_object("bucket", "name"))))
