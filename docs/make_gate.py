"""Writes docs/gate.md, docs/formats.md and docs/signed-verdicts.md: prose from here, tables from the code, outputs from runs.

    python docs/make_gate.py
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from storcert.conformance import cli, secrets
from storcert.conformance.expectations import Expectation
from storcert.conformance.formats import ARTEFACTS, FORMATS
from storcert.conformance.options import SINGLE_FILES, Profile
from storcert.conformance.verify_command import VerifyOptions, examine
from storcert.harness.record.codec import encode, read_file
from storcert.harness.record.gate_result import COMPARISON_KINDS, EXPECTATION_KINDS, GateKind
from storcert.harness.record.verification import Refusal
from storcert.reports import verification_text

FOLDER = Path(__file__).resolve().parent
DRIVER = '''\
from storcert.harness.contract import ObjectNotFound
from storcert.harness.drivers.s3 import S3Driver


class Driver(S3Driver):
    def describe(self, uri):
        try:
            return super().describe(uri)
        except ObjectNotFound:
            raise KeyError(str(uri))
'''
CERTIFY = "certify {file}:Driver --profile core --rule C-DESCRIBE --workers 1 --json run.json"
DAY = "--today 2026-12-01"

GATE = """\
# The merge gate

Made by `python docs/make_gate.py`.

`storcert certify` says whether a driver is conformant. `storcert gate` says whether a change may be merged, which is another
question where a failure is known, or where the last release promised more.

## A run and what is expected of it

A driver whose `describe` raises an untyped error for an object that is not there has been certified
into `run.json`:

{check}

Failures that are known go into a file, each with a reason, an owner and a day on which it has to be looked at again:

{write}

The file is TOML, to be edited by hand as well; its schema is `reports/schemas/expectations-1.json`. One entry of it:

{entry}

| key | |
|---|---|
{keys}

From then on the gate is open, and the record is what it was: an expectation makes no failure a pass.

{expected}

The driver is mended. What was expected does not happen any more, and has to go:

{stale}

`storcert certify ... --expectations FILE` is the same code right after a run; its exit code is then the gate's.

## What stops a build

{expectation_kinds}

A check without a decision (`undecided`) and one at which the kit itself failed (`error`) keep the gate shut too, with the exit
codes 5 and 3. No expectation covers a failure of the kit.

`--again OTHER.json` names another run of the same driver, kit, device, profile and seed: whatever differs between them is
flaky. A baseline that is such a run is looked at in the same way.

## Compared with the last certified run

`--baseline LAST.json` tells what is less than it was. It is reported, and stops the build where `--block KIND` (repeatable, or
`all`) says so:

{comparison_kinds}

A baseline of another driver, device or kind of run is refused: any answer would mislead.

## In a pipeline

In a GitHub job every problem is an annotation, an error where it blocks and a warning where it does not, and the step summary
has the table. `--code-quality FILE` writes what GitLab shows in a merge request, `--json FILE` the answer by
`reports/schemas/gate-1.json`. A GitHub Action (`examples/ci/github/action.yml`) and a GitLab template
(`examples/ci/gitlab/storcert.gitlab-ci.yml`) do all of it; they use `.storcert/expectations.toml` and
`.storcert/certified.json` where those exist.

## Exit codes

0: open. 1: shut. 2: the run was interrupted. 3: the kit failed in it. 4: a file cannot be read, or words do not go together.
5: something is undecided.

## What behaves differently

`storcert diff A.json B.json` compares two runs, of two versions or of two drivers, and tells only what behaves differently:
verdicts, capabilities, coverage, steps of scenarios, and first the shortest program that shows it. Names and numbers that
come of the seed are not compared. 0: the same. 1: different. `--json FILE` writes it by `reports/schemas/diff-1.json`.

{diff}
"""

FORMATS_PAGE = """\
# Formats

Made by `python docs/make_gate.py`.

Everything is made of one run record, so that all formats agree, and an old record can be rendered again: `storcert report
run.json --format NAME` prints it, the options below write it. A test holds the counts of all of them to each other, for
certifications and scenarios.

| format | option | in `--out` | what it is |
|---|---|---|---|
{formats}

Six verdicts are more than most formats have. What becomes of each:

| verdict | JUnit | CTRF | SARIF | code quality |
|---|---|---|---|---|
| `pass` | a case | `passed` | | |
| `fail` | `failure` | `failed` | a result, level `error` | `critical` |
| `unknown` | `error` | `other` | a notification, level `warning` | `major` |
| `error` | `error` | `other` | a notification, level `error` | `blocker` |
| `skipped` | `skipped` | `skipped` | | |
| `disabled` | `skipped` | `pending` | | |

The exact six counts stand beside them: as properties in JUnit and SARIF, under `extra` in CTRF, in `run_ended` of the stream.

## Places

A record names driver files relative to the driver's folder. `--source-root src/acme` says where in the repository that is, and
SARIF, code quality and annotations put it before them. A failure of which no line is known stands at the driver's file, or at
`pyproject.toml` for an installed driver: services refuse what stands nowhere (`placeIsExact` in SARIF tells).

Fingerprints in SARIF and code quality hold neither line numbers nor messages: a failure stays the same one while its source
moves.

## The event stream

`--ndjson FILE` is written while the run goes, a JSON object per line: `run_started`, `case_ended` for each check,
`scenario_ended` for each run of a scenario, `run_ended` with the counts. Counting `case_ended` by verdict gives the counts. Its
schema is `reports/schemas/event-1.json`; the first and last line of a run:

{events}

## Secrets

No format holds a credential. In a configuration, text under a name like `secret_key`, `password` or `token`, user and password
in a URL, and what a reference (`{{"secret": "env:NAME"}}`) resolves to are credentials. They are hidden where they stand, and
their text wherever a driver repeats it (messages, steps, events): in a record, a report, a token, a trace and on the terminal.
Text of fewer than four characters is hidden where it stands only. The same text is hidden alike everywhere, so a replay token
works without it as long as the driver does not look into it.
"""

VERDICTS = """\
# Signed verdicts

Made by `python docs/make_gate.py`.

A verdict that others shall trust is signed: an [in-toto](https://in-toto.io) statement with the test-result predicate, in a
DSSE envelope, with an ed25519 key of your own and nothing online. It needs `pip install 'storcert[sign]'`.

```sh
openssl genpkey -algorithm ed25519 -out key.pem        # keep it secret
openssl pkey -in key.pem -pubout -out key.pub          # give it to whoever checks

storcert certify s3 --out out --sign key.pem           # or, of a stored run:
storcert sign out/run.json --key key.pem --verdict verdict.intoto.json
```

The subject of the statement is the driver, by the digest of its source. Bound to it, each by its digest, are the kit, its set
of requirements, the device's model and options, the options of the run and the run record. `result` is `PASSED` for a whole run
that was conformant, `WARNED` where checks were switched off, `FAILED` for everything else, undecided runs too. A verdict holds
for 365 days from its run on, or `--valid-days N`.

## Checking one

This one is of a run with `--rule C-DESCRIBE` alone. All that ran passed, and it is no certificate:

{verify}

Every question has its answer; one `FAILED` is enough for exit code 1. `--driver` says where the driver is, `--record RUN.json`
compares the record, `--max-age 90d` wants it younger, `--profile core` makes do with less than `standard`.

`--rerun N` runs a random sample of so many checks again, here and now, and compares what they come to: who made a verdict
up cannot know which. `--sample-seed` repeats a sample, `--config` gives a configuration that the verdict has without its
secrets.
`--badge FILE` draws the verdict, grey where it is expired or does not hold; `--json FILE` writes all answers
by `reports/schemas/verification-1.json`.

## Why it does not hold

| reason | |
|---|---|
{refusals}

A file that is no envelope, or a key that is none, is exit code 4.
"""

_FORMAT_WORDS = {
    "text": "what a person reads",
    "json": "the run record: everything, by `reports/schemas/run-record-1.json`",
    "junit": "JUnit XML as Jenkins, GitLab and others read it",
    "html": "one page for a browser, without network",
    "sarif": "SARIF 2.1.0 for code scanning: a rule per requirement, a result per failure",
    "ctrf": "CTRF 1.0",
    "ndjson": "the event stream",
    "code-quality": "GitLab's code quality file",
    "markdown": "the step summary of a GitHub job",
    "badge": "a badge (SVG)",
    "coverage": "what was tried: operations, steps, faults",
}


def pages() -> dict[str, str]:
    """Every page by the name of its file, as the code is now."""
    with _folder():
        Path("acme.py").write_text(DRIVER, encoding="utf-8")
        _run(CERTIFY.format(file="acme.py"))
        Path("broken.json").write_text(Path("run.json").read_text(encoding="utf-8"), encoding="utf-8")
        check = _shown(f"gate run.json {DAY}", 8)
        write = _shown(
            f'gate run.json --expectations known.toml --write --reason "typed errors come with 2.1" --owner ana {DAY}', 5)
        entry = "```toml\n" + Path("known.toml").read_text(encoding="utf-8").split("\n\n")[1] + "\n```"
        expected = _shown(f"gate run.json --expectations known.toml {DAY}", 8)
        # A file of its own: this process has the other one loaded.
        Path("mended.py").write_text(DRIVER.replace("raise KeyError(str(uri))", "raise"), encoding="utf-8")
        _run(CERTIFY.format(file="mended.py") + " --ndjson events.ndjson")
        stale = _shown(f"gate run.json --expectations known.toml {DAY}", 8)
        return {
            "gate.md": GATE.format(
                check=check, write=write, entry=entry, expected=expected, stale=stale, keys=_keys(),
                expectation_kinds=_kinds(EXPECTATION_KINDS), comparison_kinds=_kinds(COMPARISON_KINDS),
                diff=_shown("diff broken.json run.json", 24)),
            "formats.md": FORMATS_PAGE.format(formats=_formats(), events=_events(Path("events.ndjson"))),
            "signed-verdicts.md": VERDICTS.format(verify=_verified(), refusals=_refusals()),
        }


@contextlib.contextmanager
def _folder() -> Iterator[None]:
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)
            secrets.forget()


def _run(words: str) -> tuple[int, str]:
    import shlex

    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()):
        code = cli.run(shlex.split(words))
    return code, out.getvalue()


def _shown(words: str, lines_max: int) -> str:
    code, said = _run(words)
    lines = said.rstrip("\n").splitlines()
    kept = [re.sub(r"sc1\.[A-Za-z0-9_-]{20,}\.[0-9a-f]{8}", "sc1.TOKEN", line) for line in lines[:lines_max]]
    more = ["..."] if len(lines) > lines_max else []
    return _steady("\n".join(["```", f"$ storcert {words}", *kept, *more, "$ echo $?", str(code), "```"]))


def _steady(text: str) -> str:
    """Without the number of all checks of the kit, which grows with every check of any rule."""
    text = re.sub(r"(?m)^[\d,]+ checks:", "... checks:", text)
    text = re.sub(r"\b\d[\d,]* (disabled|checks were switched off)", r"... \1", text)
    return re.sub(r'"disabled": \d+', '"disabled": 754', text)


def _keys() -> str:
    needed = {name: field.is_required() for name, field in Expectation.model_fields.items()}
    words = {
        "id": "a check as the record names it; `[*]` at the end means every case of it",
        "reason": "why it is accepted",
        "owner": "who looks at it again",
        "expires": "the last day on which it is expected",
        "link": "where it is discussed",
        "verdict": "`fail`, or `unknown` for a check that stays undecided",
        "driver_version": "only in these versions of the driver, as in `>=2,<3`",
        "kit_version": "only with these versions of storcert",
        "device": "only on this device",
    }
    return "\n".join(f"| `{name}` | {words[name]}{'' if needed[name] else ' (may be left out)'} |" for name in needed)


def _kinds(kinds: tuple[GateKind, ...]) -> str:
    said = _described(GateKind.__doc__ or "", [str(kind) for kind in GateKind])
    return "\n".join(["| kind | |", "|---|---|", *(f"| `{kind}` | {said[str(kind)]} |" for kind in kinds)])


def _refusals() -> str:
    said = _described(Refusal.__doc__ or "", [str(one) for one in Refusal])
    return "\n".join(f"| `{one}` | {said[str(one)]} |" for one in Refusal)


def _described(docstring: str, names: list[str]) -> dict[str, str]:
    """What the docstring of an enumeration says of each of its values, by name; names may share their words."""
    found: dict[str, str] = {}
    text = " ".join(docstring.split())
    waiting: list[str] = []
    for name, said in re.findall(r"``([a-z-]+)``((?:(?!``).)*)", text):
        if name not in names:
            continue
        waiting.append(name)
        words = said.strip()
        if words.startswith(":"):
            words = words[1:].strip()
            words = re.split(r"\. (?=(?:Compared|Of the run))", words)[0].rstrip(". ")
            for one in waiting:
                found[one] = words
            waiting = []
        elif words.startswith("."):
            found[name] = name.replace("-", " ")
            waiting = []
    return found


def _formats() -> str:
    rows = []
    for name in FORMATS:
        option = f"`--{name}`" if name.replace("-", "_") in SINGLE_FILES else ""
        file = f"`{ARTEFACTS[name]}`" if name in ARTEFACTS else ""
        rows.append(f"| `{name}` | {option} | {file} | {_FORMAT_WORDS[name]} |")
    return "\n".join(rows)


def _events(path: Path) -> str:
    """First and last line, digests and times cut short."""
    lines = path.read_text(encoding="utf-8").splitlines()
    short = [re.sub(r"sha256:[0-9a-f]{64}", "sha256:...", line) for line in (lines[0], lines[-1])]
    short = [re.sub(r'"time": "[^"]*"', '"time": "2026-12-01T09:00:00.000Z"', line) for line in short]
    return _steady("```json\n" + "\n".join(short) + "\n```")


def _verified() -> str:
    """What ``storcert verify`` says of the run, on a fixed day."""
    key = Ed25519PrivateKey.generate()
    Path("key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    Path("key.pub").write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    record = read_file("run.json")
    environment = replace(record.environment, started="2026-11-01T10:00:00+00:00")
    Path("run.json").write_text(encode(replace(record, environment=environment)), encoding="utf-8")
    _run("sign run.json --key key.pem")
    options = VerifyOptions(
        (Path("key.pub"),), driver="mended.py:Driver", profile=Profile.CORE, rerun=3, sample_seed=1,
        now=datetime(2026, 12, 1, tzinfo=UTC))
    _, found = examine(Path("verdict.intoto.json"), options, None, datetime(2026, 12, 1, tzinfo=UTC))
    text = re.sub(r"key [0-9a-f]{16}", "key 3f0c9a51be24d687", verification_text.render(found))
    command = "$ storcert verify verdict.intoto.json --key key.pub --driver mended.py:Driver --profile core --rerun 3"
    return _steady("\n".join(["```", command, text.rstrip("\n"), "$ echo $?", str(found.exit_code()), "```"]))


if __name__ == "__main__":
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
