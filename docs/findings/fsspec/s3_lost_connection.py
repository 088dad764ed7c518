"""A server that cannot be reached is an exception of botocore, which is no OSError. Needs s3fs."""

import fsspec

once = {"retries": {"total_max_attempts": 1}}
fs = fsspec.filesystem("s3", key="k", secret="s", endpoint_url="http://127.0.0.1:1", config_kwargs=once)
fs.retries = 1
try:
    fs.info("bucket/object")
except Exception as error:  # noqa: BLE001
    print(type(error).__module__, type(error).__name__, "- an OSError:", isinstance(error, OSError))
