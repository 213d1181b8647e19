"""If this fails, a partner whose reader checks the schema of STIX 1.2 refuses what we send.

Needs the schemas of ../shared/corpus and xmllint; without them there is nothing to compare with.
"""
import pathlib
import shutil
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
CORPUS = TOP / ".." / "shared" / "corpus"
SCHEMA = CORPUS / "schemas" / "stix1.2" / "all.xsd"
PROGRAM = TOP / "build" / "tocsin"
GOLDEN = sorted((TOP / "tests" / "golden" / "stix1").glob("write-*/expected.xml"))
SAMPLES = sorted((CORPUS / "stix21").glob("*/*.json")) if CORPUS.exists() else []

pytestmark = pytest.mark.skipif(not SCHEMA.exists() or shutil.which("xmllint") is None,
                                reason="no schema or no xmllint")


def check(paths):
    """xmllint over all of them at once; what it complains of."""
    done = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", str(SCHEMA), *map(str, paths)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return [line for line in done.stdout.decode("utf-8", "replace").splitlines()
            if not line.endswith(" validates")]


def test_golden_documents_are_valid():
    assert GOLDEN
    assert check(GOLDEN) == []


@pytest.mark.skipif(not PROGRAM.exists(), reason="build/tocsin is not built")
def test_every_sample_becomes_a_valid_package(tmp_path):
    made = []
    for n, sample in enumerate(SAMPLES):
        done = subprocess.run([str(PROGRAM), "convert", "--from", "stix21", "--to", "stix1",
                               "--received", "2026-01-01T00:00:00Z", str(sample)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        assert done.returncode in (0, 1), "%s: %s" % (sample, done.stderr.decode("utf-8", "replace"))
        into = tmp_path / ("%03d-%s.xml" % (n, sample.stem))
        into.write_bytes(done.stdout)
        made.append(into)
    assert len(made) > 100
    assert check(made) == []
