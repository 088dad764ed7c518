"""Options are checked before anything runs; each refusal is one line."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from storcert.conformance.options import CertifyOptions, Outputs, Profile, certify_options
from storcert.conformance.rules import RULES
from storcert.conformance.usage import InvalidUsage

S3 = "storcert.harness.drivers.s3:S3Driver"


def test_defaults_are_the_certificate() -> None:
    options = certify_options(S3)
    assert (options.device, options.profile, options.seed, options.rules) == ("object-store", Profile.STANDARD, 0, ())
    assert 1 <= options.workers <= 4
    assert pickle.loads(pickle.dumps(options)) == options


def test_rules_are_found_in_any_case_and_once() -> None:
    assert certify_options(S3, rules=["c-copy", "C-COPY", "C-READ"], known_rules=RULES).rules == ("C-COPY", "C-READ")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"profile": "fast"}, "--profile fast: it is one of core, standard, deep"),
        ({"seed": -1}, "--seed -1: a whole number from 0"),
        ({"seed": 2**63}, "--seed 9223372036854775808: a whole number"),
        ({"budget_s": 0.0}, "--budget 0: seconds of real time, more than 0"),
        ({"budget_s": float("nan")}, "--budget nan: seconds"),
        ({"workers": 0}, "--workers 0: processes, from 1 to 256"),
        ({"device": "tape"}, "--device tape: it is one of object-store, nfs, rbd, sheepdog, live"),
        ({"rules": ["C-COPPY"]}, "--rule C-COPPY: no such rule, did you mean C-COPY?"),
        ({"rules": ["X"]}, "--rule X: no such rule; `storcert list rules` shows them"),
        ({"config": Path("/nowhere/c.toml")}, "/nowhere/c.toml: cannot be read"),
    ],
)
def test_wrong_options_are_one_line(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidUsage) as caught:
        certify_options(S3, known_rules=RULES, **wrong)
    assert str(caught.value).startswith(words)


def test_the_record_holds_no_folder_of_this_machine() -> None:
    example = Path(__file__).resolve().parents[2] / "examples" / "first_driver.py"
    options = certify_options(f"{example}:FirstDriver")
    assert str(example.parent) not in str(options.to_json())
    assert isinstance(options, CertifyOptions)


class TestOutputs:
    def test_a_folder_is_made_and_files_are_not(self, tmp_path: Path) -> None:
        Outputs(out=tmp_path / "a" / "b", json=tmp_path / "run.json", junit=tmp_path / "junit.xml").check()
        assert (tmp_path / "a" / "b").is_dir()
        assert not (tmp_path / "run.json").exists()

    def test_an_existing_file_keeps_its_content_until_the_run_is_over(self, tmp_path: Path) -> None:
        (tmp_path / "run.json").write_text("old")
        Outputs(json=tmp_path / "run.json").check()
        assert (tmp_path / "run.json").read_text() == "old"

    @pytest.mark.parametrize(
        ("outputs", "words"),
        [
            (Outputs(json=Path("{folder}")), "--json {folder}: is a folder; name a file in it"),
            (Outputs(junit=Path("{folder}/no/x.xml")), "--junit {folder}/no/x.xml: there is no folder {folder}/no"),
            (Outputs(out=Path("{folder}/file")), "--out {folder}/file: exists and is not a folder"),
            (Outputs(out=Path("{folder}/file/x")), "--out {folder}/file/x: cannot be written: Not a directory"),
            (Outputs(json=Path("{folder}/file/x")), "--json {folder}/file/x: there is no folder"),
            (Outputs(json=Path("/proc/storcert.json")), "--json /proc/storcert.json: cannot be written"),
        ],
    )
    def test_what_cannot_be_written_is_one_line(self, tmp_path: Path, outputs: Outputs, words: str) -> None:
        (tmp_path / "file").write_text("")
        out, json, junit = (
            None if path is None else Path(str(path).format(folder=tmp_path))
            for path in (outputs.out, outputs.json, outputs.junit)
        )
        real = Outputs(out, json, junit)
        with pytest.raises(InvalidUsage) as caught:
            real.check()
        assert str(caught.value).startswith(words.format(folder=tmp_path))

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_read_only_folder_is_noticed(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o500)
        with pytest.raises(InvalidUsage, match="cannot be written"):
            Outputs(json=tmp_path / "run.json").check()


class TestSimulatorTable:
    def _complaint(self, tmp_path: Path, text: str) -> str:
        path = tmp_path / "c.toml"
        path.write_text(f"[simulator]\nversioning = true\n{text}\n")
        with pytest.raises(InvalidUsage) as caught:
            certify_options(S3, config=path)
        assert str(caught.value).startswith(f"{path}:3: ")
        return str(caught.value)

    def test_an_unknown_key_names_its_line_and_a_near_one(self, tmp_path: Path) -> None:
        assert "[simulator] has no key 'page_sise', did you mean 'page_size'?" in self._complaint(tmp_path, "page_sise = 1")

    @pytest.mark.parametrize("text", ['page_size = "many"', "page_size = -1", 'dialect = "azure"', 'face = "none"'])
    def test_a_wrong_value_names_its_line(self, tmp_path: Path, text: str) -> None:
        assert text.partition(" ")[0] in self._complaint(tmp_path, text)

    def test_what_the_device_has_is_taken(self, tmp_path: Path) -> None:
        path = tmp_path / "c.toml"
        path.write_text('[simulator]\ndialect = "radosgw"\npage_size = 10\n')
        assert certify_options(S3, config=path).simulator == {"dialect": "radosgw", "page_size": 10}
