"""CompleteMultipartUpload fails in the body of its 200, as S3 documents: minio-py takes it for success. Needs minio."""
import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from minio import Minio


class Failing(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = "<R><UploadId>1</UploadId></R>" if "uploads" in self.path else "<Error><Code>InternalError</Code></Error>"
        self.wfile.write(f"HTTP/1.0 200 OK\r\nETag: 1\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())
    do_PUT = do_POST

server = ThreadingHTTPServer(("127.0.0.1", 0), Failing)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = Minio(f"127.0.0.1:{server.server_port}", "k", "s", secure=False, region="us-east-1")
done = client.put_object("bucket", "name", io.BytesIO(b"x" * (6 << 20)), -1, part_size=5 << 20)
print("put_object returned without an error; its etag:", done.etag)
