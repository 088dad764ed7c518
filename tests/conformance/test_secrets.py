"""No credential of a configuration is in anything that is written or printed: planted, leaked on purpose, and looked for."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from storcert.conformance import cli, secrets
from storcert.conformance.formats import ARTEFACTS, FORMATS, render
from storcert.harness.record.codec import read_file
from storcert.harness.record.token import decode_token
from storcert.scenarios.catalogue import paths, scenario
from storcert.scenarios.explore.diary import NAME, Diary
from tests.conformance.kit import driver_file
from tests.conformance.verdict.signing import key_pair, statement_in

KEY = "pLaNtEd/SeCrEt+value=42"
REFERENCED = "planted-by-reference-77"
PASSWORD = "hunter2planted"
SHORT = "q7"
PLANTED = (KEY, REFERENCED, PASSWORD)
FORMS = [
    form for word in PLANTED
    for form in (word, quote(word, safe=""), base64.b64encode(word.encode()).decode(), word.encode().hex(), repr(word)[1:-1])
]  # fmt: skip

#: A driver that says everything it knows: in an error, in an error's name for a URL, in Base64, and in a file it opens.
LEAKY = '''
def __init__(self, configuration):
    mine = dict(configuration)
    self.known = [mine.pop("vendor_password"), mine.pop("vendor_reference"), mine.pop("vendor_url")]
    mine.pop("vendor_pin", None)
    super().__init__(mine)

def describe(self, uri):
    import base64, urllib.parse
    coded = base64.b64encode(self.known[0].encode()).decode()
    try:
        open("/etc/" + self.known[1])
    except OSError:
        pass
    raise DataCorrupted(f"login {self.known} failed, {coded}, {urllib.parse.quote(self.known[0], safe='')}", uri)
'''
CONFIG = f"""
[configuration]
vendor_password = "{KEY}"
vendor_reference = {{ secret = "env:STORCERT_PLANTED" }}
vendor_url = "https://someone:{PASSWORD}@array.example/api"
vendor_pin = "{SHORT}"
"""


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    secrets.forget()
    yield
    secrets.forget()


def require_none_of_it(text: str, what: str) -> None:
    found = [form for form in FORMS if form in text]
    assert found == [], what


def _tokens(text: str) -> list[str]:
    return re.findall(r"sc1\.[A-Za-z0-9_-]+\.[0-9a-f]{8}", text)


def test_nothing_that_a_certification_writes_or_says_holds_a_planted_credential(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORCERT_PLANTED", REFERENCED)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    (tmp_path / "c.toml").write_text(CONFIG)
    private, _ = key_pair(tmp_path)
    out = tmp_path / "out"
    driver = driver_file(tmp_path, LEAKY, "leaky")
    arguments = ["--config", str(tmp_path / "c.toml"), "--profile", "core", "--rule", "C-DESCRIBE", "--rule", "C-NOFS"]
    more = ["--out", str(out), "--sign", str(private), "--workers", "1", "--ndjson", str(tmp_path / "live.ndjson")]
    assert cli.run(["certify", driver, *arguments, *more]) == 1
    said = capsys.readouterr()
    require_none_of_it(said.out + said.err, "the terminal")
    assert "login ['***', '***', 'https://***:***@array.example/api'] failed, ***, ***" in said.out, "the leak is there"
    assert {path.name for path in out.iterdir()} >= {*ARTEFACTS.values(), "verdict.intoto.json"}
    for path in [*out.iterdir(), tmp_path / "summary.md", tmp_path / "live.ndjson"]:
        text = path.read_text()
        require_none_of_it(text, path.name)
        for token in _tokens(text):
            require_none_of_it(json.dumps(decode_token(token)), f"a token in {path.name}")
    require_none_of_it(json.dumps(statement_in(out / "verdict.intoto.json")), "the signed statement")
    record = read_file(out / "run.json")
    assert record.failures and _tokens((out / "run.json").read_text()), "or the tokens would prove nothing"
    assert record.options["configuration"] == {
        "vendor_password": "***", "vendor_reference": {"secret": "env:STORCERT_PLANTED"},
        "vendor_url": "https://***@array.example/api", "vendor_pin": SHORT,
    }
    for name in FORMATS:
        require_none_of_it(render(record, name), name)


def test_the_same_run_says_all_of_it_where_nothing_is_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The test above can fail: the driver does leak."""
    monkeypatch.setenv("STORCERT_PLANTED", REFERENCED)
    monkeypatch.setattr(secrets, "remember", lambda value: None)
    (tmp_path / "c.toml").write_text(CONFIG)
    driver = driver_file(tmp_path, LEAKY, "leaky")
    arguments = ["--config", str(tmp_path / "c.toml"), "--profile", "core", "--rule", "C-DESCRIBE", "--workers", "1"]
    assert cli.run(["certify", driver, *arguments, "--json", str(tmp_path / "r.json")]) == 1
    text = (tmp_path / "r.json").read_text()
    assert [word for word in PLANTED if word in text] == list(PLANTED)


def test_a_run_that_comes_to_nothing_does_not_say_it_either(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.toml").write_text(f'[configuration]\nendpoint_url = "http://user:{PASSWORD}@elsewhere.sim"\n')
    arguments = ["certify", "s3", "--config", str(tmp_path / "c.toml"), "--workers", "1", "--json", str(tmp_path / "r.json")]
    assert cli.run(arguments) == 4
    said = capsys.readouterr().err
    assert "http://***:***@elsewhere.sim" in said
    require_none_of_it(said + (tmp_path / "r.json").read_text(), "a run that never began")


def test_a_failure_is_replayed_without_the_credentials(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was equal stays equal: the simulated store knows the same hidden key as the driver does."""
    body = "def describe(self, uri):\n    raise KeyError('lost')\n"
    driver = driver_file(tmp_path, body, "broken")
    (tmp_path / "c.toml").write_text(
        f'[configuration]\naws_access_key_id = "AKIAPLANTED7"\naws_secret_access_key = "{KEY}"\n'
        f'[simulator]\naccess_key = "AKIAPLANTED7"\nsecret_key = "{KEY}"\n')
    arguments = ["--config", str(tmp_path / "c.toml"), "--profile", "core", "--rule", "C-DESCRIBE", "--workers", "1"]
    assert cli.run(["certify", driver, *arguments, "--json", str(tmp_path / "r.json")]) == 1
    token = read_file(tmp_path / "r.json").failures[0].token
    assert decode_token(token)["configuration"]["aws_secret_access_key"] == "***"
    capsys.readouterr()
    secrets.forget()
    assert cli.run(["replay", token]) == 1
    assert "It happened again" in capsys.readouterr().out


def test_a_scenario_does_not_say_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = paths()["life-on-object-store"].read_text()
    configuration = f'configuration = {{ aws_access_key_id = "AKIAPLANTED7", aws_secret_access_key = "{KEY}" }}'
    inside = f'{configuration}\nsimulator = {{ access_key = "AKIAPLANTED7", secret_key = "{KEY}" }}\n'
    changed = re.sub(r'(kind = "object-store"\n)', lambda found: found[1] + inside, written)
    if changed == written:
        changed = re.sub(r'kind = "object-store"', lambda found: found[0] + ", " + inside.strip().replace("\n", ", "), written)
    path = tmp_path / "planted.toml"
    path.write_text(changed)
    assert KEY in changed
    out = tmp_path / "out"
    code = cli.run(["run", str(path), "--seed", "1", "--out", str(out), "--workers", "1"])
    said = capsys.readouterr()
    assert code == 0, said.out + said.err
    require_none_of_it(said.out + said.err, "the terminal")
    for artefact in out.iterdir():
        require_none_of_it(artefact.read_text(), artefact.name)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"password": "abcdef"}, {"password": "***"}),
        ({"Secret-Key": ["abcdef", {"x": "abc"}]}, {"Secret-Key": ["***", {"x": "***"}]}),
        ({"api_key": 1234567}, {"api_key": "***"}),
        ({"apiKey": "abcdef", "account_key": "", "token_url": "x"}, {"apiKey": "***", "account_key": "", "token_url": "***"}),
        ({"secret": {"secret": "env:X"}}, {"secret": {"secret": "env:X"}}),
        ({"url": "rbd://me:pa%2Fss@host/x"}, {"url": "rbd://***@host/x"}),
        ({"url": "https://tokenonly@host"}, {"url": "https://***@host"}),
        ({"bucket": "plain", "keyring": "k", "monkey": "banana"}, {"bucket": "plain", "keyring": "k", "monkey": "banana"}),
        ({"mount": "/mnt/a@b:c", "user": "me@example.org"}, {"mount": "/mnt/a@b:c", "user": "me@example.org"}),
    ],
)
def test_what_is_hidden_in_a_configuration(value: object, told: object) -> None:
    assert secrets.hidden(value) == told


def test_text_is_scrubbed_in_the_forms_it_takes_and_not_the_kits_own_words() -> None:
    secrets.remember({"password": "pass", "url": "http://u5er:p%40ss-word@h"})
    assert secrets.scrubbed("pass u5er p%40ss-word p@ss-word cGFzcw== 70617373") == "*** *** *** *** *** ***"
    from tests.reports import records

    record = records.broken()
    scrubbed = secrets.scrubbed_value(replace(record, reason="pass it on"))
    assert scrubbed.reason == "*** it on"
    assert [check.verdict for check in scrubbed.checks] == [check.verdict for check in record.checks]
    assert [check.id for check in scrubbed.checks] == [check.id for check in record.checks]


def test_the_catalogue_holds_no_credential() -> None:
    for name in paths():
        secrets.remember(scenario(name).to_json())
    assert secrets.scrubbed_value("anything secret, token, key") == "anything secret, token, key"


def test_a_traceback_of_the_kit_does_not_say_it(capsys: pytest.CaptureFixture[str]) -> None:
    from storcert.conformance.internal_error import report_internal_error

    secrets.remember({"password": KEY})
    line = report_internal_error(ValueError(f"with {KEY}"), show=True)
    require_none_of_it(line + capsys.readouterr().err, "a traceback")


def test_what_an_exploration_keeps_to_go_on_from_does_not_say_it(tmp_path: Path) -> None:
    secrets.remember({"password": KEY})
    with Diary(tmp_path, {}, secrets.scrubbed_json) as diary:
        diary.keep_shrunk(1, "L-ONCE", "key", {"scenario": {"configuration": {"password": KEY}}})
    text = (tmp_path / NAME).read_text()
    assert "***" in text
    require_none_of_it(text, "the diary")
