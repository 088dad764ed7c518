"""Takes the pictures of docs/images: the HTML report of a certification and of a scenario, as a browser shows it.

    python docs/make_screenshots.py

Needs chromium and Playwright (dependency group `browser`). Pictures differ a little between machines, as fonts do; no test
compares them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 1180, "height": 760}


def report(folder: Path, name: str, *arguments: str) -> Path:
    """The HTML report of one command."""
    path = folder / f"{name}.html"
    subprocess.run([sys.executable, "-m", "storcert.conformance.cli", *arguments, "--html", str(path)],
                   cwd=ROOT, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return path


def picture(browser: Browser, page: Path, name: str, at: str, scheme: str) -> None:
    """``at``: the id of what is to stand at the top."""
    opened = browser.new_page(viewport=SIZE, color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    opened.goto(f"file://{page}")
    opened.locator(f"#{at}").evaluate("node => node.scrollIntoView({behavior: 'instant'})")
    opened.screenshot(path=IMAGES / f"{name}.png")
    opened.close()


def main() -> None:
    """Take all of them."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as driver:
        folder = Path(name)
        certified = report(folder, "certified", "certify", "examples/first_driver.py:FirstDriver", "--profile", "core")
        scenario = report(folder, "scenario", "run", "p13151-leftovers-of-failed-migration", "--seed", "1")
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        picture(browser, certified, "report", "verdict", "light")
        picture(browser, certified, "failures", "failures", "light")
        picture(browser, scenario, "timeline", "timelines", "dark")
        browser.close()


if __name__ == "__main__":
    main()
