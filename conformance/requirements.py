"""Importing this module fills the registry with every check there is, directed and generated. Nothing else lives here."""

from storcert.conformance import checks, generated

__all__ = ["checks", "generated"]
