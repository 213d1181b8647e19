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
SCHEMAS = CORPUS / "schemas"
SCHEMA = SCHEMAS / "iodef-2.0-patched.xsd"
# the dialects that are XML, and what they are checked against
DIALECTS = {"iodef1": SCHEMAS / "iodef-1.0.xsd", "rid": SCHEMAS / "iodef-rid-2.0.xsd"}
PROGRAM = TOP / "build" / "tocsin"
GOLDEN = sorted((TOP / "tests" / "golden" / "iodef2").glob("*/expected.xml"))
SAMPLES = sorted((CORPUS / "stix21").glob("*/*.json")) if CORPUS.exists() else []

pytestmark = pytest.mark.skipif(not SCHEMA.exists() or shutil.which("xmllint") is None,
                                reason="no schema or no xmllint")


def check(paths, schema=SCHEMA):
    """xmllint over all of them at once; what it complains of."""
    done = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", str(schema), *map(str, paths)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return [line for line in done.stdout.decode("utf-8", "replace").splitlines()
            if not line.endswith(" validates")]


def convert(sample, into, source="stix21", target="iodef2"):
    done = subprocess.run([str(PROGRAM), "convert", "--from", source, "--to", target,
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


@pytest.mark.skipif(not PROGRAM.exists(), reason="build/tocsin is not built")
@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_dialects_are_valid(tmp_path, dialect):
    """Every STIX sample, every IODEF v2 sample and every sample of its own as IODEF v1 and as RID."""
    samples = [("stix21", path) for path in SAMPLES]
    samples += [("iodef2", path) for path in sorted((CORPUS / "iodef2").glob("*.xml"))]
    samples += [(dialect, path) for path in sorted((CORPUS / dialect).glob("*.xml"))
                if "without-namespace" not in path.name]
    made = [convert(sample, tmp_path / ("%03d.xml" % n), source, dialect)
            for n, (source, sample) in enumerate(samples)]
    assert len(made) > 110
    assert check(made, DIALECTS[dialect]) == []


@pytest.mark.skipif(not PROGRAM.exists(), reason="build/tocsin is not built")
def test_dialects_become_valid_v2(tmp_path):
    made = [convert(sample, tmp_path / (sample.stem + ".xml"), name)
            for name, ending in (("iodef1", "xml"), ("iodef-json", "json"))
            for sample in sorted((CORPUS / name).glob("*." + ending))]
    assert len(made) == 8
    assert check(made) == []
