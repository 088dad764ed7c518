"""CompleteMultipartUpload fails in the body of its 200, as S3 documents: no error of the library. Needs apache-libcloud."""
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from libcloud.storage.drivers.s3 import Container, S3StorageDriver


class Failing(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = f"<R xmlns='{S3}'><UploadId>1</UploadId></R>" if "uploads" in self.path else "<Error></Error>"
        self.wfile.write(f"HTTP/1.0 {204 if self.command == 'DELETE' else 200} OK\r\nETag: 1\r\n\r\n{body}".encode())
    do_PUT = do_DELETE = do_POST
S3 = "http://s3.amazonaws.com/doc/2006-03-01/"
server = ThreadingHTTPServer(("127.0.0.1", 0), Failing)
threading.Thread(target=server.serve_forever, daemon=True).start()
driver = S3StorageDriver("k", "s", secure=False, host="127.0.0.1", port=server.server_port)
try: driver.upload_object_via_stream(iter([b"x"]), Container("bucket", {}, driver), "name")  # noqa: E701
except AttributeError as error: print("AttributeError:", error)  # noqa: E701
