"""``storcert replay``: from a token, a file or a scenario to what is run again. Words and help stand in ``cli``."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from storcert.conformance.commands import print_text
from storcert.conformance.replay_scenario import ReplayOptions, replay_scenario
from storcert.conformance.replay_token import KIND, Recorded, read
from storcert.conformance.scenario_options import run_options
from storcert.conformance.usage import InvalidUsage
from storcert.harness.record.token import PREFIX, TokenError, decode_token
from storcert.scenarios.catalogue import paths
from storcert.scenarios.replay import Case


def replay(
    token_or_file: str, options: ReplayOptions = ReplayOptions(), *, seed: int | None = None, on_defect: bool = False,  # noqa: B008
    on: str | None = None,
) -> int:
    """Run it again, print what is wanted; 1 where the failure happens, 0 where it does not. Raises :class:`InvalidUsage`.

    ``seed`` and ``on_defect``: of a scenario that is given by its file or name; a token says its own. ``on``: a live target
    that is asked about the failure of a certification; 5 where it cannot show it."""
    text = token_or_file.strip()
    if _is_scenario(text):
        _no_live_target(on)
        return int(replay_scenario(_named(text, seed, on_defect), options))
    said = payload(token_or_file)
    if seed is not None or on_defect:
        raise InvalidUsage("--seed and --on-defect are for scenarios given by file or name; a token says which run it is")
    if said.get("kind") == KIND:
        _no_live_target(on)
        return int(replay_scenario(read(said), options))
    if options != ReplayOptions():
        raise InvalidUsage("this is the token of a certification; only runs of scenarios have moments and can be changed")
    from storcert.conformance.replay import replay as replay_certification
    from storcert.conformance.replay_live import replay_live

    if on is not None:
        code, told = replay_live(said, on)
        print_text(told + "\n")
        return code
    happened, told = replay_certification(said)
    print_text(told if told.endswith("\n") else told + "\n")
    return int(happened)


def _no_live_target(on: str | None) -> None:
    if on is not None:
        raise InvalidUsage("--on: a scenario needs the simulated region; only failures of a certification run on a live target")


def _is_scenario(text: str) -> bool:
    return not text.startswith(f"{PREFIX}.") and (text.endswith(".toml") or text in paths())


def _named(text: str, seed: int | None, on_defect: bool) -> Recorded:
    chosen = run_options([text], seed=seed)
    scenario = chosen.scenarios[0]
    try:
        return Recorded(Case.of(scenario, (chosen.seeds or scenario.seeds)[0], on_defect=on_defect))
    except ValueError as error:
        raise InvalidUsage(f"--on-defect: {error}") from None


def _only_token(record: Any, name: str) -> str:
    """Of a run record with one failure, its token. Raises :class:`InvalidUsage`."""
    rules = record.get("rules")
    failures = [
        failure for rule in (rules if isinstance(rules, list) else ()) for failure in rule.get("failures", ())]
    if len(failures) == 1 and failures[0].get("token"):
        return str(failures[0]["token"])
    many = f": there are {len(failures)}" if failures else ""
    raise InvalidUsage(f"{name}is a run record; replay takes the token of one of its failures{many}")


def payload(token_or_file: str) -> Mapping[str, Any]:
    """What a token says: one that is given, or in a file, alone, as its JSON, or as the only one of a run record.

    Raises :class:`InvalidUsage`."""
    text = token_or_file.strip()
    name = ""
    if not text.startswith(f"{PREFIX}."):
        path = Path(token_or_file)
        try:
            exists = path.exists()
        except (OSError, ValueError):
            exists = False
        if exists:
            name = f"{token_or_file}: "
            try:
                text = path.read_text(encoding="utf-8").strip()
            except UnicodeDecodeError:
                raise InvalidUsage(f"{name}not a replay file: not UTF-8 text") from None
            except OSError as error:
                raise InvalidUsage(f"{name}cannot be read: {error.strerror or error}") from None
        elif "/" in text or text.endswith((".json", ".txt")):
            raise InvalidUsage(f"{token_or_file}: there is no such file")
    if text.startswith("{"):
        try:
            value = json.loads(text)
        except ValueError as error:
            raise InvalidUsage(f"{name}not a replay file: {error}") from None
        if "schema_version" not in value:
            return dict(value)
        text = _only_token(value, name)
    try:
        return decode_token(text)
    except TokenError as error:
        raise InvalidUsage(f"{name}{error}{_or_scenario(text)}") from None


def _or_scenario(text: str) -> str:
    """What may have been meant, of text that looks like no token at all."""
    if text.startswith("sc") and "." in text:
        return ""
    close = [one for one in paths() if text and one.startswith(text)] or difflib.get_close_matches(text, paths(), 1)
    return f"; and no scenario is called {text!r}, did you mean {close[0]}?" if close else ""
