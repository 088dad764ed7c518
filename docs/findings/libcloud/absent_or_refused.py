"""A HEAD refused with 400, as S3 does to an expired token, means absence; of a POST the reason is lost. Needs libcloud."""
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from libcloud.common.types import LibcloudError
from libcloud.storage.drivers.s3 import S3StorageDriver


class Refusing(BaseHTTPRequestHandler):
    def do_HEAD(self): self.wfile.write(b"HTTP/1.0 400 Bad Request\r\n\r\n<Error><Code>ExpiredToken</Code></Error>")
    do_POST = do_HEAD
server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
threading.Thread(target=server.serve_forever, daemon=True).start()
driver = S3StorageDriver("k", "s", secure=False, host="127.0.0.1", port=server.server_port)
upload = (driver.upload_object_via_stream, [iter([b"x"]), driver.get_container("bucket"), "name"])
for call, given in (driver.get_object, ["bucket", "name"]), upload:
    try:
        call(*given)
    except LibcloudError as error:
        print(call.__name__, type(error).__name__, error.value)
