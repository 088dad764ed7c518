"""Mermaid itself draws the sequence diagrams, in headless Chromium, and every odd name comes out as it went in.

``STORCERT_MERMAID``: path of ``mermaid.min.js`` (npm package ``mermaid``, folder ``dist``). Chromium: Debian's ``chromium``.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from storcert.reports.sequence_diagram import sequence_diagram
from tests.reports.odd_names import ODD, odd_trace
from tests.reports.traced_run import traced

pytestmark = pytest.mark.live

_PAGE = """<html><head><meta charset="utf-8"></head><body><script src="{script}"></script><script>
mermaid.initialize({{startOnLoad: false}});
mermaid.render("diagram", {diagram}).then(
  drawn => {{ document.body.innerHTML = drawn.svg; document.title = "drawn"; }},
  error => {{ document.body.innerText = String(error); document.title = "refused"; }});
</script></body></html>"""
_TEXT = re.compile(r'<text[^>]*class="(messageText|noteText|actor[^"]*)"[^>]*>(.*?)</text>', re.DOTALL)


def drawn(folder: Path, diagram: str) -> list[tuple[str, str]]:
    """The texts of the picture, each with its class. Fails where Mermaid refuses the diagram."""
    script, browser = os.environ.get("STORCERT_MERMAID", ""), shutil.which("chromium")
    if not script or browser is None:
        pytest.skip("needs STORCERT_MERMAID, the path of mermaid.min.js, and chromium")
    page = folder / "page.html"
    page.write_text(_PAGE.format(script=Path(script).resolve().as_uri(), diagram=json.dumps(diagram)), encoding="utf-8")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    command += ["--virtual-time-budget=20000", "--dump-dom", page.as_uri()]
    found = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert "<title>drawn</title>" in found, found[-2000:]
    return [(kind, html.unescape(re.sub("<[^>]*>", "", text))) for kind, text in _TEXT.findall(found)]


def test_a_run_is_drawn(tmp_path: Path) -> None:
    diagram = sequence_diagram(traced("nfs"))
    texts = drawn(tmp_path, diagram)
    rows = [text for kind, text in texts if not kind.startswith("actor")]
    assert len(rows) == 40
    assert any(row.endswith("FAILED: ObjectNotFound") for row in rows)


def test_odd_names_come_out_as_they_went_in(tmp_path: Path) -> None:
    texts = {" ".join(text.split()) for _, text in drawn(tmp_path, sequence_diagram(odd_trace(), last=1000))}
    shown = {odd: " ".join(odd.split()).replace("\ud800", "\\ud800").replace("\u202e", "\\u202e") for odd in ODD}
    for number, odd in enumerate(ODD):
        assert f"{number} {shown[odd]}".strip() in texts
        assert any(text.endswith(f"CRASH {shown[odd]}".strip()) for text in texts)
