"""CopyObject fails in the body of its 200, as S3 documents: no error of the library comes of it. Needs minio."""
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from minio import Minio
from minio.commonconfig import CopySource


class Failing(BaseHTTPRequestHandler):
    def do_PUT(self):
        self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n<Error><Code>InternalError</Code></Error>")
    do_HEAD = do_PUT

server = ThreadingHTTPServer(("127.0.0.1", 0), Failing)
threading.Thread(target=server.serve_forever, daemon=True).start()
try:
    client = Minio(f"127.0.0.1:{server.server_port}", "k", "s", secure=False, region="us-east-1")
    client.copy_object("bucket", "copy", CopySource("bucket", "name"))
except ValueError as error:
    print("ValueError:", error)
