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
whole, part = driver.download_object_as_stream, driver.download_object_range_as_stream
for call in (lambda: driver.get_container("bucket"), lambda: whole(obj), lambda: part(obj, 0)):
    with suppress(Stop):
        call()
