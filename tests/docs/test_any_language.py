"""docs/any-language.md and docs/driver-protocol.md are true, and the protocol's module is what its published file says."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from storcert.conformance import cli
from storcert.harness.protocol import __path__ as protocol_path
from storcert.harness.protocol import driver_pb2
from tests.conformance.test_grpc_transparent import process, serve_driver
from tests.docs.scripts import DOCS, script_of

PAGE = (DOCS / "any-language.md").read_text(encoding="utf-8")


def test_the_module_is_what_the_published_file_says() -> None:
    compiled = FileDescriptorSet.FromString(script_of("make_protocol").descriptor()).file[0]
    made = FileDescriptorProto()
    driver_pb2.DESCRIPTOR.CopyToProto(made)
    for each in (compiled, made):
        for message in each.message_type:
            _without_json_names(message)
    assert made == compiled, "run docs/make_protocol.py"


def _without_json_names(message: object) -> None:
    """Compilers fill them in or not; they follow from the names."""
    for field in message.field:  # type: ignore[attr-defined]
        field.ClearField("json_name")
    for nested in message.nested_type:  # type: ignore[attr-defined]
        _without_json_names(nested)


def test_the_types_know_every_message() -> None:
    types = (Path(driver_pb2.__file__).parent / "driver_pb2.pyi").read_text(encoding="utf-8")
    for name, message in driver_pb2.DESCRIPTOR.message_types_by_name.items():
        assert f"\nclass {name}(" in types
        for field in message.fields:
            assert f"    {field.name}: " in types, f"{name}.{field.name}: run docs/make_protocol.py"


def test_the_page_of_the_protocol_is_up_to_date() -> None:
    assert (DOCS / "driver-protocol.md").read_text(encoding="utf-8") == script_of("make_protocol").page()


def test_the_five_minutes() -> None:
    commands = re.findall(r"^storcert (.*)$", PAGE, re.MULTILINE)
    assert "serve-driver fsspec --port 50051" in commands
    certify = next(command for command in commands if "--rule C-CREATE" in command)
    with serve_driver("fsspec") as address:
        assert cli.run(shlex.split(certify.replace("grpc://127.0.0.1:50051", address))) == 0


def test_the_file_is_installed_where_the_page_says() -> None:
    code = re.search(r'`python -c "(.*?)"`', PAGE)
    assert code is not None
    with process([sys.executable, "-c", code[1]]) as line:
        assert Path(line) == Path(protocol_path[0]) / "driver.proto" and Path(line).is_file()


def test_every_error_and_method_of_the_protocol_is_on_its_page() -> None:
    text = (DOCS / "driver-protocol.md").read_text(encoding="utf-8").partition("```proto")[0]
    for value in driver_pb2.DESCRIPTOR.enum_types_by_name["ErrorClass"].values:
        assert value.number == 0 or f"| `{value.name}` |" in text
    for method in driver_pb2.DESCRIPTOR.services_by_name["Driver"].methods:
        assert f"| `{method.name}` |" in text
