"""What every value of the format is: frozen, exact about its keys, compared by what it says; and names of objects."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from storcert.harness.contract import DataObjectUri, StorageError

NEVER = "never"


class Value(BaseModel):
    """Frozen; unknown keys and other types refused. The key in the file is the field's alias, where it has one."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )


def parse_object(value: Any) -> str:
    """The text of a URI: of ``"/volume/1/a"``, or of ``"volume/a"``, which is account 1's. Raises ``ValueError``."""
    if not isinstance(value, str):
        raise ValueError(f'{value!r} names no object; write it as in "volume/a" or "/volume/7/a"')
    full = value if value.startswith("/") else "/".join(("", value.partition("/")[0], "1", value.partition("/")[2]))
    try:
        return str(DataObjectUri.parse(full))
    except StorageError as error:
        raise ValueError(f'{value!r} names no object ({error.message}); write it as in "volume/a"') from None


def object_text(uri: str) -> str:
    """The short form where the account is 1."""
    kind, account, name = uri[1:].split("/")
    return f"{kind}/{name}" if account == "1" else uri


def _of_kind(kind: str) -> AfterValidator:
    def check(uri: str) -> str:
        if not uri.startswith(f"/{kind}/"):
            raise ValueError(f'{object_text(uri)!r} is no {kind}; write it as in "{kind}/a"')
        return uri

    return AfterValidator(check)


_EXAMPLE = WithJsonSchema({"type": "string", "examples": ["volume/a", "/template/7/debian"]})
Object = Annotated[str, BeforeValidator(parse_object), PlainSerializer(object_text, return_type=str), _EXAMPLE]
Volume = Annotated[Object, _of_kind("volume")]
Snapshot = Annotated[Object, _of_kind("snapshot")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
Whole = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
PerMillion = Annotated[int, Field(ge=0, le=1_000_000)]
