"""An upload whose source fails is aborted while a part is on its way, and its threads stay. Needs minio."""
import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from minio import Minio


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n<R><Bucket>b</Bucket><Key>k</Key><UploadId>u</UploadId></R>")
    def do_PUT(self): seen.is_set() or print("aborted before the part was answered:", aborted.wait(10)) or seen.set()
    def do_DELETE(self): self.wfile.write(b"HTTP/1.0 204 No Content\r\n\r\n") and aborted.set()
aborted, seen, server = threading.Event(), threading.Event(), ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = Minio(f"127.0.0.1:{server.server_port}", "k", "s", secure=False, region="us-east-1")
try:
    client.put_object("bucket", "key", io.BytesIO(bytes(6 * 1024**2)), 2**23, part_size=5 * 1024**2)
except OSError:
    print("threads that wait for ever:", seen.wait(20) and sum(type(one).__name__ == "Worker" for one in threading.enumerate()))
