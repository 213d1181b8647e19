"""If this fails, a bundle of a gigabyte's half takes more memory than one of thirty megabytes, or some of it is lost."""
import os
import re
import subprocess
import sys

import pytest

from lab import TOCSIN, TOP

sys.path.insert(0, os.path.join(TOP, "tests", "bench"))
import big_bundle  # noqa: E402  pylint: disable=wrong-import-position
import big_containers  # noqa: E402  pylint: disable=wrong-import-position

OBJECTS = int(os.environ.get("TOCSIN_SOAK_DOCUMENT", "1000000"))
CONSTANT = 48 << 20
AN_ID = 100  # of what a block list remembers


@pytest.fixture(name="big", scope="module")
def fixture_big(tmp_path_factory):
    path = tmp_path_factory.mktemp("big") / "big.json"
    with open(path, "w", encoding="utf-8") as f:
        big_bundle.write(OBJECTS, f)
    yield path
    path.unlink()


def run(words, out, stdin=None):
    """How much memory it took at most, and what it said."""
    with open(out, "wb") as f:
        done = subprocess.run([TOCSIN, *words, "--stats"], stdin=stdin, stdout=f, stderr=subprocess.PIPE, timeout=1200, check=False)
    assert done.returncode == 0, done.stderr.decode()[-500:]
    return int(re.search(rb"\((\d+) bytes\)$", done.stderr.strip()).group(1)), done.stderr.decode()


@pytest.mark.parametrize("words,an_id", [
    (("validate",), 0), (("convert", "--to", "stix21"), 0), (("convert", "--to", "csv"), 0), (("convert", "--to", "jsonl"), 0),
    (("convert", "--to", "txt"), AN_ID), (("convert", "--to", "suricata"), AN_ID), (("convert", "--to", "stix21", "--counts"), 0)])
def test_memory_does_not_grow_with_a_document(big, tmp_path, words, an_id):
    most, said = run([*words, str(big)], tmp_path / "out")
    print(" ".join(words), said)
    assert f"{OBJECTS + 2} objects, 0 refused" in said
    assert most < CONSTANT + an_id * OBJECTS
    if words[0] == "convert":
        assert os.path.getsize(tmp_path / "out") > 100 * OBJECTS if an_id == 0 else OBJECTS


def test_standard_input_is_put_by(big, tmp_path):
    with open(big, "rb") as f, subprocess.Popen(["cat"], stdin=f, stdout=subprocess.PIPE) as cat:
        most, _ = run(["convert", "--to", "stix21", "-"], tmp_path / "piped", cat.stdout)
    run(["convert", "--to", "stix21", str(big)], tmp_path / "mapped")
    assert most < CONSTANT
    with open(tmp_path / "piped", "rb") as a, open(tmp_path / "mapped", "rb") as b:
        while True:
            x, y = a.read(1 << 20), b.read(1 << 20)
            assert x == y
            if not x:
                break


# ---- containers: the largest, and a hundred bytes an id ----

ROWS = ("--mapping", os.path.join(TOP, "conf", "mappings", "abuse-csv.map"), "--received", "2026-07-01T00:00:00Z")
CONTAINERS = int(os.environ.get("TOCSIN_SOAK_CONTAINERS", "100000"))


@pytest.mark.parametrize("kind,words", [
    ("events", ("--to", "stix21")), ("events", ("--to", "csv")), ("events", ("--to", "misp")),
    ("events", ("--to", "iodef2", "--no-residue")),
    ("incidents", ("--to", "stix21")), ("incidents", ("--to", "csv")), ("incidents", ("--to", "misp")),
    ("bundle20", ("--to", "stix21")), ("bundle20", ("--to", "csv")), ("rows", (*ROWS, "--to", "stix21")), ("rows", (*ROWS, "--to", "csv"))])
def test_memory_grows_with_ids_alone(tmp_path, kind, words):
    path = tmp_path / kind
    with open(path, "w", encoding="utf-8") as f:
        getattr(big_containers, kind)(CONTAINERS, f)
    most, said = run(["convert", *words, str(path)], tmp_path / "out")
    print(kind, " ".join(words), said)
    ids = int(re.search(r"(\d+) objects, 0 refused", said).group(1))
    assert ids >= CONTAINERS and most < CONSTANT + AN_ID * ids
