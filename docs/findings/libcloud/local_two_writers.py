"""Two writers of one name both succeed, with the local provider as well. Needs apache-libcloud and fasteners."""
import tempfile

from libcloud.storage.drivers.local import LocalStorageDriver

driver = LocalStorageDriver(tempfile.mkdtemp())
container = driver.create_container("container")
for content in (b"first", b"second"):
    driver.upload_object_via_stream(iter([content]), container, "name")
    print("object:", b"".join(driver.download_object_as_stream(driver.get_object("container", "name"))))
