"""An object that is being written is seen half, and stays half where its source fails. Needs apache-libcloud and fasteners."""
import tempfile

from libcloud.storage.drivers.local import LocalStorageDriver

driver = LocalStorageDriver(tempfile.mkdtemp())
container = driver.create_container("container")

def source():
    yield b"x" * 100_000
    print("while it is written:", [(one.name, one.size > 0) for one in container.list_objects()])
    raise ValueError("the source failed")
try:
    driver.upload_object_via_stream(source(), container, "name")
except ValueError:
    print("after it failed:", [(one.name, one.size) for one in container.list_objects()])
