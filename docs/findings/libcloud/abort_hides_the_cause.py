"""Why an upload failed is lost where it cannot be aborted any more. Needs apache-libcloud and moto[server]."""
from libcloud.common.types import LibcloudError
from libcloud.storage.drivers.s3 import S3StorageDriver
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
host, port = server.get_host_and_port()
driver = S3StorageDriver("k", "s", secure=False, host=host, port=port)
container = driver.create_container("bucket")

def pieces():
    yield b"x"
    driver.ex_cleanup_all_multipart_uploads(container)
    raise ValueError("what really happened")

try:
    driver.upload_object_via_stream(pieces(), container, "name")
except (LibcloudError, ValueError) as error:
    print(type(error).__name__, error.value)
