"""Which records of the findings book are not of the present code, and the command that makes one anew.

    python docs/renew_findings.py                       lists the records that are stale, and why
    python docs/renew_findings.py LIBRARY BACK_END      certifies again as library.toml says, and takes the record over

A record is of other checks where the contract, the requirement set or the kit's version has changed: the tests refuse it. One
whose adapter or libraries have changed since is listed, and its page says so. s3fs has a botocore of its own, so its
records are made in an environment of its own.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import storcert
from storcert.conformance.frozen import requirements_digest
from storcert.harness.contract import CONTRACT_VERSION

EXIT_CODES_OF_A_VERDICT = (0, 1)


def _book() -> Any:
    spec = importlib.util.spec_from_file_location("make_findings", Path(__file__).with_name("make_findings.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and models look their module up
    spec.loader.exec_module(module)
    return module


BOOK = _book()


def of_other_checks(chapter: Any, back_end: str) -> str:
    """Why the record is not one of the present checks, and what makes it anew; or nothing."""
    kit = chapter.records[back_end].kit
    there = (kit.version, kit.contract, kit.requirements_digest)
    here = (storcert.__version__, CONTRACT_VERSION, requirements_digest())
    said = [
        f"{what} {old}, now {new}"
        for what, old, new in zip(("storcert", "contract", "requirements"), there, here, strict=True) if old != new
    ]  # fmt: skip
    return f"{', '.join(said)}: {_command(chapter, back_end)}" if said else ""


def changed_since(chapter: Any, back_end: str) -> Iterator[str]:
    """What else is not as it was: the adapter, the libraries that are installed here."""
    if chapter.records[back_end].driver.digest != BOOK.adapter_digest(chapter, back_end):
        yield "the adapter has changed"
    for library, then in chapter.beside[back_end]["versions"].items():
        try:
            now = version(library)
        except PackageNotFoundError:
            now = "not there"
        if now != then:
            yield f"{library} was {then}, is {now} here"


def _command(chapter: Any, back_end: str) -> str:
    return f"python docs/renew_findings.py {chapter.name} {back_end}"


def listed() -> Iterator[str]:
    """A line for each record that is stale, and one for each whose circumstances are others."""
    for chapter in BOOK.chapters():
        for back_end in chapter.library.back_ends:
            if back_end not in chapter.records:
                yield f"{chapter.name} {back_end}: there is no record: {_command(chapter, back_end)}"
                continue
            why = [of_other_checks(chapter, back_end), *changed_since(chapter, back_end)]
            yield from (f"{chapter.name} {back_end}: {one}" for one in why if one)


def arguments(chapter: Any, back_end: str, folder: Path) -> list[str]:
    """Those of ``storcert`` for that record; writes the configuration into ``folder``."""
    known = chapter.library.back_ends[back_end]
    driver = BOOK.DRIVERS[known.driver or chapter.library.driver].partition(" ")
    given = ["certify", driver[0], "--profile", known.profile, "--json", str(folder / "run.json")]
    device = known.device or driver[2].strip(" []")
    if device:
        given += ["--device", device]
    if known.configuration:
        root = folder / "store" / "objects"
        root.mkdir(parents=True)
        lines = [
            f"{key} = {json.dumps(value.format(folder=root) if isinstance(value, str) else value)}"
            for key, value in known.configuration.items()
        ]
        (folder / "config.toml").write_text("\n".join(["[configuration]", *lines, ""]), encoding="utf-8")
        given += ["--config", str(folder / "config.toml")]
    return given


def renew(name: str, back_end: str, more: list[str]) -> None:
    """Certify and take over. ``more``: further arguments, as ``--workers 2``."""
    chapter = BOOK.chapter(name)
    if back_end not in chapter.library.back_ends:
        raise SystemExit(f"{back_end}: it is one of {', '.join(chapter.library.back_ends)}")
    with tempfile.TemporaryDirectory() as folder:
        given = arguments(chapter, back_end, Path(folder))
        done = subprocess.run([sys.executable, "-m", "storcert.conformance.cli", *given, *more], check=False)
        if done.returncode not in EXIT_CODES_OF_A_VERDICT:
            raise SystemExit(f"exit code {done.returncode}: nothing is taken over")
        BOOK.take(name, back_end, Path(folder) / "run.json")
    for path, text in BOOK.pages():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print("\n".join(listed()) or "every record is of the present code")
    elif len(sys.argv) >= 3:
        renew(sys.argv[1], sys.argv[2], sys.argv[3:])
    else:
        raise SystemExit(__doc__)
