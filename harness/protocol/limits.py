"""Numbers of the driver protocol that both ends keep to."""

from __future__ import annotations

CHUNK_BYTES_DEFAULT = 1 << 20
CHUNK_BYTES_MAX = 3 << 20
"""Below the 4 MiB that gRPC libraries take for a message where nobody says otherwise."""
PAGE_NAMES = 1000
"""Names in a page of a listing: with the longest ones a page stays below 4 MiB."""
CALL_LIMIT_S = 15 * 60.0
"""What the contract gives each call (C-BUDGET)."""
ANSWER_WITHIN_S = 120.0
"""How long an answer is waited for where nobody says otherwise."""
STREAMS_MIN = 64
"""Streams and calls that a server bears side by side."""
