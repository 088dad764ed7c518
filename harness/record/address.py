"""A web address as it may be told. URLs may hold secrets: this form alone reaches a message, a log or a journal."""

from __future__ import annotations

from urllib.parse import urlsplit


def shown(url: str) -> str:
    """The URL without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(no URL)"
    if not parts.hostname:
        return "(no URL)"  # whatever it is, it may be all secret
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}" + ("?..." if parts.query else "")
