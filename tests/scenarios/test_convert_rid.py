"""If this fails, an operator cannot say what a RID message is for, or never sees what one was for."""
import json
import pathlib
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = TOP / "build" / "tocsin"
MESSAGE = TOP / "tests" / "golden" / "rid" / "home" / "input.xml"


def convert(*words):
    return subprocess.run([str(PROGRAM), "convert", "--received", "2026-01-01T00:00:00Z", *map(str, words)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


def test_the_envelope_comes_out_and_goes_in(tmp_path):
    told = tmp_path / "told.json"
    stix = tmp_path / "stix.json"
    done = convert("--to", "stix21", "--envelope-out", told, "--output", stix, MESSAGE)
    assert done.returncode == 0, done.stderr
    assert b"RID_ENVELOPE" in done.stderr and b"signatures, not checked" in done.stderr
    rid = json.loads(told.read_text(encoding="utf-8"))["rid"]
    assert rid["msg_type"] == "InvestigationRequest" and rid["regions"] == ["BetweenConsortiums", "ports"]
    assert "InvestigationRequest" not in stix.read_text(encoding="utf-8")

    again = convert("--to", "rid", "--envelope", told, stix)
    assert b'MsgType="InvestigationRequest"' in again.stdout and b"ext-region=\"ports\"" in again.stdout
    plain = convert("--to", "rid", "--csirt", "cert.example", stix)
    assert b'MsgType="Report"' in plain.stdout and b"<iodef:NodeName>cert.example" in plain.stdout


def test_an_envelope_that_is_none_is_an_answer(tmp_path):
    wrong = tmp_path / "wrong.json"
    wrong.write_text("[1]", encoding="utf-8")
    done = convert("--to", "rid", "--envelope", wrong, MESSAGE)
    assert done.returncode == 2 and b"envelope" in done.stderr and done.stdout == b""
