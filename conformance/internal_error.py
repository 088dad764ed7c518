"""What happens to a traceback of the kit's own: one line for the person, the whole text in a file."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback

from storcert.conformance.secrets import scrubbed
from storcert.conformance.usage import one_line


def report_internal_error(error: BaseException, *, show: bool, folder: str | os.PathLike[str] | None = None) -> str:
    """The one line to print; the traceback goes to standard error (``show``) or to a file in ``folder``."""
    text = scrubbed("".join(traceback.format_exception(error)))
    line = scrubbed(f"internal error of the kit: {type(error).__name__}: {one_line(error, 200)}")
    if show:
        sys.stderr.write(text)
        return line
    try:
        handle, path = tempfile.mkstemp(prefix="storcert-error-", suffix=".txt", dir=folder, text=True)
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError:
        return f"{line} (run again with --traceback to see where)"
    return f"{line} (traceback in {path}; --traceback shows it)"
