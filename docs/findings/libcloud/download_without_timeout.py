"""The timeout a driver is made with is not used for downloads: they wait for ever. Needs apache-libcloud."""
from contextlib import suppress

import requests
from libcloud.storage.drivers.s3 import Container, S3StorageDriver
from libcloud.storage.drivers.s3 import Object as S3Object


class Stop(Exception): ...

def send(self, request, timeout="not given", **others):
    print(request.method, "timeout:", timeout)
    raise Stop

requests.adapters.HTTPAdapter.send = send
driver = S3StorageDriver("k", "s", secure=False, host="127.0.0.1", timeout=5)
obj = S3Object("name", 1, "", {}, {}, Container("bucket", {}, driver), driver)
for call in (lambda: driver.get_container("bucket"), lambda: driver.download_object_as_stream(obj)):
    with suppress(Stop):
        call()
