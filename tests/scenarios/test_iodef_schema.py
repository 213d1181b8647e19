"""If this fails, a partner whose reader checks the schema refuses what we send.

Needs the schemas of ../shared/corpus and xmllint; without them there is nothing to compare with.
"""
import json
import pathlib
import shutil
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
CORPUS = TOP / ".." / "shared" / "corpus"
SCHEMA = CORPUS / "schemas" / "iodef-2.0-patched.xsd"
PROGRAM = TOP / "build" / "tocsin"
GOLDEN = sorted((TOP / "tests" / "golden" / "iodef2").glob("*/expected.xml"))
SAMPLES = sorted((CORPUS / "stix21").glob("*/*.json")) if CORPUS.exists() else []

pytestmark = pytest.mark.skipif(not SCHEMA.exists() or shutil.which("xmllint") is None,
                                reason="no schema or no xmllint")


def check(paths):
    """xmllint over all of them at once; what it complains of."""
    done = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", str(SCHEMA), *map(str, paths)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return [line for line in done.stdout.decode("utf-8", "replace").splitlines()
            if not line.endswith(" validates")]


def convert(sample, into):
    done = subprocess.run([str(PROGRAM), "convert", "--from", "stix21", "--to", "iodef2",
                           "--received", "2026-01-01T00:00:00Z", str(sample)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert done.returncode in (0, 1), "%s: %s" % (sample, done.stderr.decode("utf-8", "replace"))
    into.write_bytes(done.stdout)
    return into


def test_golden_documents_are_valid():
    assert len(GOLDEN) > 4
    assert check(GOLDEN) == []


@pytest.mark.skipif(not PROGRAM.exists(), reason="build/tocsin is not built")
def test_every_sample_becomes_a_valid_document(tmp_path):
    made = []
    for n, sample in enumerate(SAMPLES):
        into = tmp_path / ("%03d-%s.xml" % (n, sample.stem))
        convert(sample, into)
        made.append(into)
    assert len(made) > 100
    assert check(made) == []


@pytest.mark.skipif(not PROGRAM.exists(), reason="build/tocsin is not built")
def test_worked_examples(tmp_path):
    """expected/*.to.iodef2.json: XPath, and what its text must be."""
    examples = sorted((CORPUS / "expected").glob("*.to.iodef2.json"))
    assert examples
    for example in examples:
        want = json.loads(example.read_text(encoding="utf-8"))
        made = convert(CORPUS / want["input"], tmp_path / (example.stem + ".xml"))
        wrong = []
        for xpath, text in want["xpath"]:
            done = subprocess.run(["xmllint", "--nonet", "--xpath", "normalize-space(string(%s))" % xpath,
                                   str(made)], stdout=subprocess.PIPE, check=False)
            got = done.stdout.decode("utf-8").rstrip("\n")
            if got != text:
                wrong.append((xpath, text, got))
        assert wrong == []
