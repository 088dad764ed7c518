"""A bucket in moto, in this process, and a driver that really uses boto3 to reach it. No test waits."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.loaders
import moto
import moto.s3.models
import pytest

from storcert.harness.drivers.s3 import S3Driver
from tests.harness.drivers.moto_bucket import CONFIGURATION, PART

one_loader = functools.cache(botocore.loaders.create_loader)  # every session would read the service model again


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr(botocore.loaders, "create_loader", one_loader)


@pytest.fixture(params=[False], ids=["plain"])
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, no_waiting: None) -> Iterator[Any]:
    monkeypatch.setattr(moto.s3.models, "S3_UPLOAD_PART_MIN_SIZE", PART)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with moto.mock_aws():
        made = boto3.client("s3", region_name="us-east-1")
        made.create_bucket(Bucket="bucket")
        if request.param:
            made.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
        yield made


@pytest.fixture
def driver(client: Any) -> S3Driver:
    return S3Driver(CONFIGURATION)
