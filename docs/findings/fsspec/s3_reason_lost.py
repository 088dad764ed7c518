"""A bucket over its quota, and a token that has expired, come out as numbers that say neither. Needs s3fs."""
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import fsspec


class Refusing(BaseHTTPRequestHandler):
    def do_PUT(self):
        self.wfile.write(b"HTTP/1.0 403 Forbidden\r\n\r\n<Error><Code>QuotaExceeded</Code><Message>over</Message></Error>")
    def do_HEAD(self): self.wfile.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
threading.Thread(target=server.serve_forever, daemon=True).start()
fs = fsspec.filesystem("s3", key="k", secret="s", endpoint_url=f"http://127.0.0.1:{server.server_port}")
for call in (lambda: fs.pipe_file("bucket/object", b"x"), lambda: fs.info("bucket/object")):
    try:
        call()
    except OSError as error:
        print(type(error).__name__, error.errno, "-", error.__cause__)
