"""A download is opened when its first piece is asked for: what it reads may be another object. Needs libcloud, fasteners."""
import tempfile

from libcloud.storage.drivers.local import LocalStorageDriver

driver = LocalStorageDriver(tempfile.mkdtemp())
container = driver.create_container("container")
driver.upload_object_via_stream(iter([b"the old one"]), container, "name")
old = driver.get_object("container", "name")
stream = driver.download_object_as_stream(old)
driver.delete_object(old)
driver.upload_object_via_stream(iter([b"a new one"]), container, "name")
print("of", old.size, "bytes it reads", b"".join(stream))
