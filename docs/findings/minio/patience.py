"""How long minio-py waits for a server that accepts and never answers. Needs minio."""

from minio import Minio

settings = Minio("127.0.0.1:1")._http.connection_pool_kw
print(settings["timeout"], "tries:", settings["retries"].total + 1)
