"""If this fails, a SOC that turns an advisory into a list for its tools gets something that they cannot read."""
import base64
import csv
import io
import json
import os
import subprocess

from lab import TOCSIN, TOP

CASE = os.path.join(TOP, "tests", "golden", "flat", "csv", "input.json")
NASTY = 'a "b", c;\n=1+1\t| \\ d'


def tocsin(*words, stdin=None):
    return subprocess.run([TOCSIN, *map(str, words)], input=stdin, capture_output=True, cwd=TOP, timeout=60, check=False)


def good(*words, stdin=None):
    done = tocsin(*words, stdin=stdin)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def nasty_bundle():
    pattern = "[file:name = '=cmd|x \"y\"'] OR [url:value = 'http://evil.ru/a,b;c\"d'] OR [ipv4-addr:value = '185.1.1.1']"
    return json.dumps({"type": "bundle", "id": "bundle--6f0d1f5e-6d5b-4d3f-8f36-0d3d9c1f4a01", "objects": [{
        "type": "indicator", "spec_version": "2.1", "id": "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "name": NASTY,
        "description": NASTY, "labels": [NASTY, "x"], "pattern": pattern, "pattern_type": "stix",
        "valid_from": "2026-01-01T00:00:00Z"}]}).encode()


def test_another_csv_reader_reads_it():
    text = good("convert", "--to", "csv", stdin=nasty_bundle())
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    assert [r["value"] for r in rows] == ['=cmd|x "y"', "http://evil.ru/a,b;c%22d", "185.1.1.1"]
    assert {r["type"] for r in rows} == {"filename", "url", "ipv4"}
    assert all(r["name"] == NASTY.replace("\n", " ").replace("\t", " ") for r in rows)
    assert text.count("\n") == 1 + len(rows), "a record is a line"
    safe = good("convert", "--to", "csv", "--excel-safe", stdin=nasty_bundle())
    assert [r["value"] for r in csv.DictReader(io.StringIO(safe, newline=""))][0] == '\'=cmd|x "y"'


def test_json_lines_say_what_the_csv_says():
    rows = list(csv.DictReader(io.StringIO(good("convert", "--to", "csv", CASE), newline="")))
    lines = [json.loads(line) for line in good("convert", "--to", "jsonl", CASE).splitlines()]
    assert len(rows) == len(lines) > 10
    for row, line in zip(rows, lines):
        for name, text in row.items():
            said = line.get(name, "")
            if isinstance(said, list):
                said = ";".join(said)
            assert (str(said).lower() if isinstance(said, bool) else str(said)) == text, name


def test_lists_of_one_kind():
    assert good("convert", "--to", "txt:ip", CASE).split() == ["185.1.2.3", "185.1.3.0/24", "2a00:db9::1"]
    assert "10.1.1.1" in good("convert", "--to", "txt:ip", "--no-guard", CASE).split()
    names = [base64.b64decode(line).decode() for line in good("convert", "--to", "dataset:domain", CASE).split()]
    assert names == ["xn--bcher-kva.evil-name.ru"]
    done = tocsin("convert", "--to", "txt:nosuch", CASE)
    assert done.returncode == 2 and b"txt:nosuch" in done.stderr


def test_the_same_input_gives_the_same_bytes():
    for to in ("csv", "jsonl", "txt", "hosts", "suricata", "zeek", "wazuh"):
        assert good("convert", "--to", to, CASE) == good("convert", "--to", to, CASE) != ""


def test_what_a_list_cannot_say_is_told(tmp_path):
    good("convert", "--to", "hosts", "--loss", tmp_path / "loss.json", CASE)
    with open(tmp_path / "loss.json", encoding="utf-8") as f:
        told = json.load(f)["writing"]
    why = {e["note"] for e in told["entries"]}
    assert told["kept"] == 0 and told["approximated"] == 1
    assert "this output has no words for it" in why and "revoked by its creator" not in why
    # no way back: a list is not a format that is read
    done = tocsin("convert", "--from", "hosts", "--to", "stix21", CASE)
    assert done.returncode == 2 and b"there is no format 'hosts'" in done.stderr


def test_iodef_becomes_a_list_too():
    document = os.path.join(TOP, "tests", "golden", "iodef2", "iodef-every-class", "input.xml")
    lines = [json.loads(line) for line in good("convert", "--to", "jsonl", document).splitlines()]
    assert lines and all({"id", "type", "value", "classification_type"} <= set(line) for line in lines)
