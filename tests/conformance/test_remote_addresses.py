"""A live device on another machine is refused, unless the user says that it is meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from storcert.conformance.cli import run
from storcert.conformance.remote_addresses import addresses, is_here


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "LOCALHOST", "s3.localhost", "0.0.0.0"])
def test_here(host: str) -> None:
    assert is_here(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "s3.example.com", "2001:db8::1", "localhost.example.com", "128.0.0.1", ""])
def test_elsewhere(host: str) -> None:
    assert not is_here(host)


@pytest.mark.parametrize(
    "configuration, due",
    [
        ({"endpoint_url": "http://127.0.0.1:9000", "bucket": "b"}, ["127.0.0.1"]),
        ({"endpoint_url": "https://user:word@s3.example.com/x", "bucket": "b"}, ["s3.example.com"]),
        ({"endpoint": "10.1.2.3:9000"}, ["10.1.2.3"]),
        ({"address": "127.0.0.1", "port": 7000}, ["127.0.0.1"]),
        ({"bucket": "b", "region_name": "us-east-1"}, ["s3.amazonaws.com"]),
        ({"options": {"client": [{"url": "http://far.example"}]}}, ["far.example"]),
        ({"endpoint_url": {"secret": "env:STORCERT_TEST_ENDPOINT"}}, ["hidden.example"]),
        ({"mount": "/srv/storcert", "path": "memory://x"}, []),
        ({}, []),
    ],
)
def test_what_counts_as_an_address(configuration: dict[str, Any], due: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORCERT_TEST_ENDPOINT", "http://hidden.example:9000")
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    assert [host for _, host in addresses(configuration)] == due


def test_an_endpoint_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    assert list(addresses({"bucket": "b"})) == [("bucket", "127.0.0.1")]


def test_monitors_of_ceph(tmp_path: Path) -> None:
    conf = tmp_path / "ceph.conf"
    conf.write_text("[global]\nmon host = [v2:127.0.0.1:23300,v1:127.0.0.1:23301] 10.9.8.7:6789, ceph.example\n")
    found = [host for _, host in addresses({"conf": str(conf), "pool": "p"})]
    assert found == ["127.0.0.1", "127.0.0.1", "10.9.8.7", "ceph.example"]


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "far.toml"
    config.write_text('[configuration]\nbucket = "b"\nendpoint_url = "http://192.0.2.1:9000"\n')
    assert run(["certify", "s3", "--device", "live", "--config", str(config)]) == 4
    said = capsys.readouterr().err
    assert f"{config}:3: endpoint_url leads to 192.0.2.1, which is not this machine" in said and "--allow-remote" in said
    # Allowed, it comes as far as the next thing that is wrong.
    assert run(["certify", "s3", "--device", "live", "--config", str(config), "--allow-remote", "--seed", "-1"]) == 4
    assert "not this machine" not in capsys.readouterr().err
