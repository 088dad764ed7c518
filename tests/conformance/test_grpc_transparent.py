"""The bridge is transparent: bundled drivers on real back ends get the same verdict, check by check, as without it."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from storcert.harness.record.run_record import RunRecord
from storcert.harness.record.verdict import RunVerdict, Verdict
from tests.conformance.kit import certify

pytestmark = pytest.mark.slow


@contextmanager
def process(command: Sequence[str | Path], **environment: str) -> Iterator[str]:
    """The address on the first line of a server's output; the server ends with the block."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}) as server:
        try:
            assert server.stdout is not None
            ready, _, _ = select.select([server.stdout], [], [], 60)
            yield server.stdout.readline().strip() if ready else ""
        finally:
            server.terminate()


def serve_driver(driver: str) -> Any:
    """``storcert serve-driver`` as a process of its own."""
    return process([sys.executable, "-m", "storcert.conformance.cli", "serve-driver", driver])


def told(record: RunRecord) -> dict[str, Verdict]:
    """What each check came to. Whether a driver may be imported twice is of no interest where it is in another process."""
    return {check.id: check.verdict for check in record.checks if check.id != "C-NOFS/whole-run"}


def same_verdicts(driver: str, configuration: dict[str, Any], *rules: str) -> None:
    directly = certify(driver, *rules, device="live", configuration=configuration)
    with serve_driver(driver) as address:
        through = certify(address, *rules, device="live", configuration=configuration)
    assert directly.verdict is RunVerdict.CONFORMANT, directly.reason
    assert through.verdict is RunVerdict.CONFORMANT, through.reason
    assert told(through) == told(directly)
    assert [(one.name, one.declared, one.audit) for one in through.capabilities] == [
        (one.name, one.declared, one.audit) for one in directly.capabilities
    ]


def test_the_nfs_driver_on_a_directory(tmp_path: Path) -> None:
    configuration = {"mount": str(tmp_path), "plain_directory": True}
    same_verdicts("nfs", configuration, "C-CREATE", "C-COMMIT", "C-ONCE", "C-READER", "C-LIST", "C-VOLUME", "C-CAPS")


def test_the_s3_driver_on_a_moto_server() -> None:
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    configuration = {"endpoint_url": f"http://{host}:{port}", "bucket": "bridge", "conditional_copy": False, **keys}
    try:
        made: Any = boto3.client("s3", endpoint_url=configuration["endpoint_url"], **keys)  # type: ignore[call-overload]
        made.create_bucket(Bucket="bridge")
        same_verdicts("s3", configuration, "C-INDEP")
    finally:
        server.stop()
