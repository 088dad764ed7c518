"""A HEAD that is refused with 400, as S3 does to an expired token, tells that the object is absent. Needs apache-libcloud."""
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from libcloud.storage.drivers.s3 import S3StorageDriver
from libcloud.storage.types import ObjectDoesNotExistError


class Refusing(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.wfile.write(b"HTTP/1.0 400 Bad Request\r\ncontent-length: 0\r\n\r\n")

server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
threading.Thread(target=server.serve_forever, daemon=True).start()
driver = S3StorageDriver("k", "s", secure=False, host="127.0.0.1", port=server.server_port)
try:
    driver.get_object("bucket", "name")
except ObjectDoesNotExistError as error:
    print("get_object raises", type(error).__name__)
