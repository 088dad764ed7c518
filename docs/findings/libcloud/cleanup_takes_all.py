"""What interrupted uploads left can be removed only with those that are under way. Needs apache-libcloud and moto[server]."""
from libcloud.common.types import LibcloudError
from libcloud.storage.drivers.s3 import S3StorageDriver
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
host, port = server.get_host_and_port()
driver = S3StorageDriver("k", "s", secure=False, host=host, port=port)
container = driver.create_container("bucket")
print("methods for them:", [name for name in dir(driver) if name.startswith("ex_") and "multipart" in name])
def pieces():
    driver.ex_cleanup_all_multipart_uploads(container, prefix="name")
    yield b"x"
try:
    driver.upload_object_via_stream(pieces(), container, "name")
except LibcloudError:
    print("the upload under way was removed")
