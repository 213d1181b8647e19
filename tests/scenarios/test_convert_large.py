"""If this fails, a large document takes all memory of the machine, or says something else than in one piece."""
import fcntl
import glob
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from lab import TOCSIN, TOP, indicator

sys.path.insert(0, os.path.join(TOP, "tests", "bench"))
import big_bundle  # noqa: E402  pylint: disable=wrong-import-position

GOLDEN = os.path.join(TOP, "tests", "golden")
CORPUS = os.path.join(os.path.dirname(TOP), "shared", "corpus")
OBJECTS = 50000  # 30 MB
MEMORY = 45 << 20  # program, libraries, tables of 50,000 ids
SANITIZED = "asan" in os.path.realpath(TOCSIN)


def tocsin(*words, stdin=None, env=None):
    return subprocess.run([TOCSIN, *map(str, words)], input=stdin, capture_output=True, cwd=TOP, timeout=120,
                          env=env, check=False)


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def bundle(*objects, **members):
    return {"type": "bundle", "id": "bundle--6f0d1f5e-6d5b-4d3f-8f36-0d3d9c1f4a01"} | members | {"objects": list(objects)}


def memory(done):
    return int(re.search(rb"\((\d+) bytes\)$", done.stderr.strip()).group(1))


@pytest.fixture(name="big", scope="module")
def fixture_big(tmp_path_factory):
    path = tmp_path_factory.mktemp("big") / "big.json"
    with open(path, "w", encoding="utf-8") as f:
        big_bundle.write(OBJECTS, f)
    return path


# ---- memory ----

@pytest.mark.parametrize("words", [("validate",), ("convert", "--to", "stix21"), ("convert", "--to", "csv"),
                                   ("convert", "--to", "suricata"), ("convert", "--to", "stix21", "--counts")])
def test_a_large_bundle_takes_no_memory_of_its_size(big, tmp_path, words):
    done = tocsin(*words, "--stats", big)
    assert done.returncode == 0, done.stderr.decode()
    assert b"50002 objects, 0 refused" in done.stderr
    if not SANITIZED:
        assert memory(done) < MEMORY
    # the same from a pipe, which is put by on the disk
    again = subprocess.run([TOCSIN, *words, "--stats", "-"], stdin=open(big, "rb"), capture_output=True,
                           env=os.environ | {"TMPDIR": str(tmp_path)}, timeout=120, check=False)
    assert again.stdout == done.stdout
    assert SANITIZED or memory(again) < MEMORY
    assert os.listdir(tmp_path) == []


def test_every_object_of_a_large_bundle_comes_out(big):
    done = tocsin("convert", "--to", "stix21", big)
    came, went = json.loads(big.read_bytes()), json.loads(done.stdout)
    assert went["objects"] == came["objects"]
    rows = tocsin("convert", "--to", "jsonl", big).stdout.splitlines()
    first = json.loads(rows[0])
    # the relationship stands behind the indicator, its malware behind both, its creator's name before
    assert first["source"] == "CERT of nowhere"
    assert any("malware" in json.loads(row) for row in rows[:50])


def test_a_pipe_larger_than_the_limit_is_refused(big, tmp_path):
    done = tocsin("validate", "--input-limit", "1M", stdin=big.read_bytes()[:2 << 20])
    assert done.returncode == 2 and b"larger than 1048576 bytes" in done.stderr
    done = tocsin("validate", "--input-limit", "1M", big)
    assert done.returncode == 2 and b"larger than 1048576 bytes" in done.stderr
    done = tocsin("validate", stdin=b"{}", env=os.environ | {"TMPDIR": str(tmp_path / "absent")})
    assert done.returncode == 2 and b"temporary file" in done.stderr
    assert tocsin("validate", "--window", "many", big).returncode == 2


def test_a_large_document_that_breaks_off_is_no_document(big, tmp_path):
    broken = write(tmp_path / "broken.json", big.read_bytes()[:-40])
    out = tmp_path / "out.json"
    done = tocsin("convert", "--to", "stix21", "-o", out, broken)
    assert done.returncode == 2 and not out.exists()
    assert re.match(rb"^[^\n]*broken.json:50003:\d+: SYNTAX ", done.stderr)


# ---- in pieces or not: the same ----

def in_pieces(window, words, path, where):
    loss = where / "loss.txt"
    done = tocsin(*words, "--window", window, "--loss", loss, path)
    # what is said of a whole document may come before or behind what is said of a piece
    account = sorted(loss.read_bytes().splitlines()) if loss.exists() else None
    loss.unlink(missing_ok=True)
    # two remarks need versions and translations side by side, and are not made of pieces
    told = [line for line in done.stderr.splitlines() if not re.search(rb": warning BAD_(VERSION|TRANSLATION) ", line)]
    return done.returncode, done.stdout, told, account


def check_same(paths, where, ways):
    for path in paths:
        for words in ways:
            assert in_pieces("1", words, path, where) == in_pieces("1G", words, path, where), (path, words)


WAYS = [("convert", "--to", "stix21"), ("convert", "--to", "csv"), ("convert", "--to", "iodef2", "--strict")]


def test_a_document_in_pieces_says_what_it_says_in_one(tmp_path):
    samples = [p for p in glob.glob(os.path.join(GOLDEN, "**", "input.*"), recursive=True) if "/mapped/" not in p]
    assert len(samples) > 20
    check_same(samples, tmp_path, WAYS)


def test_so_does_every_kind_of_document_of_the_corpus(tmp_path):
    if not os.path.isdir(CORPUS):
        pytest.skip("no corpus here")
    samples = []
    for folder in ("stix21", "invalid", "iodef2", "misp", "csaf", "stix20"):
        found = sorted(p for p in glob.glob(os.path.join(CORPUS, folder, "**", "*"), recursive=True)
                       if os.path.isfile(p) and os.path.getsize(p) < 300000)
        samples += found[::max(1, len(found) // 12)]
    assert len(samples) > 50
    check_same(samples, tmp_path, WAYS[:2])


def awkward():
    """What one object must know of others that stand far away."""
    mark = big_bundle.statement()
    tlp = {"type": "marking-definition", "spec_version": "2.1", "id": big_bundle.ident("marking-definition", 9),
           "created": big_bundle.TIME, "definition_type": "tlp", "definition": {"tlp": "red"}}
    bad = dict(tlp, id=big_bundle.ident("marking-definition", 10), created="yesterday")
    a, b = indicator("one", "[mutex:name = 'a']"), indicator("two", "[mutex:name = 'b']")
    reordered = dict(reversed(a.items()))
    return [
        dict(a, object_marking_refs=[tlp["id"]]), dict(b, object_marking_refs=[bad["id"]]),
        dict(indicator("three", "[mutex:name = 'c']"), object_marking_refs=[mark["id"]]),
        dict(reordered, object_marking_refs=[tlp["id"]]),  # the same, in another order
        dict(a, name="another name"), dict(b, name="yet another"),  # contradictions
        "no object", {"type": "bundle", "id": "x"}, dict(a, id="indicator--nothing"), dict(a, x_odd=1, labels=[]),
        bad, tlp, mark, dict(mark, definition={"statement": "Copyright others"}), tlp,
    ]


def test_what_needs_the_whole_is_known_in_every_piece(tmp_path):
    objects = awkward()
    path = write(tmp_path / "a.json", json.dumps(bundle(*objects, spec_version="2.1", x_more={"a": [1, 2]}),
                                                indent=1).encode())
    listed = write(tmp_path / "list.json", objects)
    check_same([path, listed], tmp_path, WAYS + [("convert", "--to", "txt"), ("convert", "--to", "stix21", "--strict")])
    told = tocsin("validate", "--json", "--all", "--window", "1", path)
    assert told.stdout == tocsin("validate", "--json", "--all", path).stdout
    answer = json.loads(told.stdout)
    assert [v["code"] for v in answer["verdicts"] if v["verdict"] == "refused"].count("VERSION_CONFLICT") == 4
    lines = path.read_text().splitlines()
    for v in answer["verdicts"]:
        assert lines[v["line"] - 1][v["column"] - 1] in "{\"", v


def test_a_name_that_comes_twice_is_found_in_every_piece(tmp_path):
    text = json.dumps(bundle(*awkward()[:4])).encode()
    twice = text.replace(b'"name":', b'"name": "x", "name":', 2)
    path = write(tmp_path / "twice.json", twice)
    whole = tocsin("convert", "--to", "stix21", path)
    assert whole.returncode == 2 and b"DUPLICATE" in whole.stderr
    check_same([path], tmp_path, WAYS)


def test_several_inputs_in_pieces_become_the_same_output(tmp_path):
    a, b, c = (indicator(n, f"[mutex:name = '{n}']") for n in ("one", "two", "three"))
    first = write(tmp_path / "in" / "1.json", bundle(a, b, a, dict(b, name="no")))
    write(tmp_path / "in" / "2.json", bundle(b, c, c, dict(a, name="other")))
    write(tmp_path / "in" / "sub" / "3.json", bundle(dict(c, name="third"), b))
    for words in (("convert", "--to", "stix21"), ("convert", "--to", "csv"), ("convert", "--to", "iodef2")):
        one, many = (tocsin(*words, "--window", w, tmp_path / "in") for w in ("1G", "1"))
        assert (one.returncode, one.stdout, one.stderr) == (many.returncode, many.stdout, many.stderr)
        assert one.returncode == 1 and one.stderr.count(b"VERSION_CONFLICT") == 3
    names = [o["name"] for o in json.loads(tocsin("convert", "--to", "stix21", tmp_path / "in").stdout)["objects"]]
    assert names == [a["name"], b["name"], a["name"], c["name"]]
    assert tocsin("convert", "--to", "stix21", first, first).stdout == tocsin("convert", "--to", "stix21", first).stdout


# ---- STIX 2.0 ----

def observed(n, ident, value, **members):
    """observed-data of 2.0 with one address."""
    return {"type": "observed-data", "id": big_bundle.ident("observed-data", n), "created": "2026-03-01T10:00:00.000Z",
            "modified": "2026-03-01T10:00:00.000Z", "first_observed": "2026-03-01T10:00:00Z", "last_observed": "2026-03-01T10:00:00Z",
            "number_observed": 1, "objects": {ident: {"type": "ipv4-addr", "value": value}}} | members


def test_objects_of_stix_20_one_by_one_are_the_bundle(tmp_path):
    mark = {key: value for key, value in big_bundle.statement().items() if key != "spec_version"}
    some = [observed(1, "0", "198.51.100.1", object_marking_refs=[mark["id"]]), observed(2, "a", "198.51.100.1"), "no object",
            observed(3, "0", "198.51.100.2", created="yesterday"), mark, observed(4, "0", "198.51.100.3", x_odd=1)]
    clash = some + [observed(2, "a", "198.51.100.9"), dict(mark, created="never")]
    for name, objects in (("some", some), ("clash", clash), ("one", some[:1])):
        path = write(tmp_path / f"{name}.json", json.dumps(bundle(*objects, spec_version="2.0"), indent=1).encode())
        check_same([path], tmp_path, WAYS + [("convert", "--to", "stix21", "--strict"), ("convert", "--to", "stix20")])
    many = write(tmp_path / "many.json", bundle(*(observed(n, "0", f"45.1.{n >> 8}.{n & 255}") for n in range(12000)), spec_version="2.0"))
    whole, pieces = (tocsin("convert", "--to", "stix21", "--stats", "--window", w, many) for w in ("1G", "1K"))
    assert whole.returncode == pieces.returncode == 0 and whole.stdout == pieces.stdout
    if not SANITIZED:
        assert memory(pieces) < (25 << 20) < memory(whole)


# ---- Incidents ----

def incident(n, level="green", address="198.51.100.7", inside="", time="2026-03-01T10:00:00Z"):
    """One that shares its creator, and maybe its address, with others."""
    return f"""<Incident purpose="reporting" restriction="{level}">
  <IncidentID name="csirt.example.com">{n}</IncidentID>
  <GenerationTime>{time}</GenerationTime>
  <Contact role="creator" type="organization"><ContactName>CSIRT of nowhere</ContactName></Contact>
  <EventData><Flow><System category="source"><Node><Address category="ipv4-addr">{address}</Address></Node></System></Flow></EventData>
  {inside}
</Incident>
"""


def marked(ident, refers=None):
    """An indicator that can be referred to, or refers to another one."""
    what = f'<ObservableReference uid-ref="{refers}"/>' if refers else f"""<Observable>
  <System category="source" observable-id="{ident}"><Node><Address category="ipv4-addr">203.0.113.9</Address></Node></System>
</Observable>"""
    return f"""<IndicatorData><Indicator>
  <IndicatorID name="csirt.example.com" version="1">i-{ident}</IndicatorID>{what}
</Indicator></IndicatorData>"""


def document(*incidents, rest=""):
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<!-- of <Incident> elements -->\n<IODEF-Document version="2.00" '
            'xml:lang="en"\n  xmlns="urn:ietf:params:xml:ns:iodef-2.0">\n' + "".join(incidents) + rest +
            "</IODEF-Document>\n").encode()


REST = '<AdditionalData dtype="string" restriction="red" name="more">of the document</AdditionalData>'
DOCUMENTS = {
    "apart": document(*(incident(n, address=f"198.51.100.{n}") for n in range(5))),
    "one address, three labels": document(incident(1, "amber"), incident(2, "red"), incident(3), incident(4, "red"), rest=REST),
    "one number twice": document(incident(1), incident(2), incident(1, "red", "203.0.113.1"), incident(3)),
    "a reference ahead": document(incident(1, inside=marked("b", "a")), incident(2), incident(3, inside=marked("a")),
                                  incident(4, address="203.0.113.4")),
    "one mark twice": document(incident(1, inside=marked("a")), incident(2), incident(3, inside=marked("a")), incident(4)),
    "a bad one first": document(incident(1, time="yesterday"), incident(2), incident(3, time="never"), incident(4), rest=REST),
    "markup that looks like an end": document(incident(1, inside="<!-- </Incident> -->"), incident(
        2, inside='<AdditionalData dtype="string" name="x"><![CDATA[</Incident>]]></AdditionalData>')),
    "a broken tag": document(incident(1), incident(2, inside="<Method></Metod>"), incident(3)),
}


def check_containers(path, where, exact):
    """Written container by container: as in one go, but for the place of a definition that its own container does not name."""
    for words in (("convert", "--to", "misp"), ("convert", "--to", "misp", "--no-residue")):
        one, many = (in_pieces(w, (*words, "--received", "2026-05-01T00:00:00Z"), path, where) for w in ("1G", "1"))
        assert one[0] == many[0] and sorted(one[2]) == sorted(many[2]) and one[3] == many[3]
        assert not exact or one[1] == many[1]
        home = [json.loads(tocsin("convert", "--from", "misp", "--to", "stix21", "-", stdin=x[1]).stdout or b'{"objects":[]}')["objects"]
                for x in (one, many) if x[1]]
        assert home == [] or sorted(map(str, home[0])) == sorted(map(str, home[1]))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_incidents_one_by_one_are_the_document(name, tmp_path):
    path = write(tmp_path / "in.xml", DOCUMENTS[name])
    for words in (("convert", "--to", "stix21"), ("convert", "--to", "stix21", "--strict"), ("convert", "--to", "csv")):
        one, many = (in_pieces(w, (*words, "--received", "2026-05-01T00:00:00Z"), path, tmp_path) for w in ("1G", "1"))
        assert one[:2] == many[:2] and one[3] == many[3]
        assert sorted(one[2]) == sorted(many[2])
    check_containers(path, tmp_path, name != "one address, three labels")
    stats = tocsin("validate", "--window", "1", "--stats", path).stderr
    assert name in ("one number twice", "a reference ahead", "one mark twice", "a broken tag") or (
        float(re.search(rb"at most ([\d.]+) (K?)B", stats).group(1)) * (1024 if b" KB at once" in stats else 1) < len(DOCUMENTS[name]) * .9)


def test_many_incidents_take_the_memory_of_one(tmp_path):
    some = (incident(n, address=f"45.{n >> 8}.{n & 255}.1", time=f"2026-03-01T10:00:{n % 60:02}Z") for n in range(1500))
    path = write(tmp_path / "many.xml", document(*some))
    whole, pieces = (tocsin("convert", "--to", "stix21", "--stats", "--window", w, path) for w in ("1G", "1K"))
    assert whole.returncode == pieces.returncode == 0 and whole.stdout == pieces.stdout
    if not SANITIZED:
        assert memory(pieces) < (25 << 20) < memory(whole)


# ---- events ----

def event(n, *values, tag="tlp:green"):
    """One of the organisation that has all of them."""
    return {"Event": {
        "uuid": f"5c8d0a1e-0000-4000-8000-{n:012}", "info": f"event {n}", "date": "2026-03-01", "timestamp": "1772359200",
        "threat_level_id": "2", "analysis": "0", "distribution": "1", "published": True,
        "Orgc": {"uuid": "55f6ea5e-2c60-40e5-964f-47a8950d210f", "name": "CERT of nowhere"}, "Tag": [{"name": tag}],
        "Attribute": [{"uuid": f"5c8d0a1e-0000-4000-9000-{n * 100 + i:012}", "type": "ip-dst", "category": "Network activity",
                       "to_ids": True, "timestamp": "1772359200", "distribution": "5", "value": value}
                      for i, value in enumerate(values)]}}


def test_events_one_by_one_are_the_list(tmp_path):
    some = [event(1, "198.51.100.1"), event(2, "198.51.100.1", tag="tlp:red"), {"no": "event"}, event(1, "198.51.100.2"),
            event(3, *(f"198.51.100.{i}" for i in range(9)))]
    for name, content in (("response", {"response": some}), ("list", some), ("beside", {"response": some, "more": 1})):
        path = write(tmp_path / f"{name}.json", content)
        check_same([path], tmp_path, [("convert", "--from", "misp", *way) for way in (
            ("--to", "stix21"), ("--to", "stix21", "--strict"), ("--to", "csv"), ("--to", "misp"),
            ("--to", "misp", "--no-residue"), ("--to", "iodef2", "--no-residue"), ("--to", "iodef2", "--no-residue", "--pretty"))])
    shared = [event(n, "198.51.100.1", f"198.51.100.{n}", tag=f"tlp:{word}") for n, word in enumerate(("red", "green", "amber", "clear"))]
    path = write(tmp_path / "shared.json", {"response": shared})
    check_same([path], tmp_path, [("convert", "--to", "misp"), ("convert", "--to", "iodef2", "--no-residue")])
    many = write(tmp_path / "many.json", {"response": [event(n, f"45.{n >> 8}.{n & 255}.1") for n in range(4000)]})
    for way in (("stix21",), ("misp",), ("iodef2", "--no-residue")):
        whole, pieces = (tocsin("convert", "--stats", "--window", w, "--to", *way, many) for w in ("1G", "1K"))
        assert whole.returncode == pieces.returncode == 0 and whole.stdout == pieces.stdout
        if not SANITIZED:
            assert memory(pieces) < (28 << 20) < memory(whole)


def test_the_events_of_the_corpus_one_by_one_are_the_list(tmp_path):
    if not os.path.isdir(CORPUS):
        pytest.skip("no corpus here")
    found = []
    for path in sorted(glob.glob(os.path.join(CORPUS, "misp", "**", "*.json"), recursive=True)):
        with open(path, encoding="utf-8") as f:
            content = json.load(f)
        several = content.get("response") if isinstance(content, dict) else content
        found += [e for e in (several if isinstance(several, list) else [content]) if isinstance(e, dict) and "Event" in e]
    assert len(found) > 5
    path = write(tmp_path / "all.json", {"response": found})
    check_same([path], tmp_path, [("convert", "--to", "misp"), ("convert", "--to", "iodef2", "--no-residue")])


# ---- rows ----

LABELS = "WGAGSR"  # of the mapping abuse-csv


def rows(count, *more):
    """Rows of which some are the same, some have their family in common under several labels, and some are bad."""
    lines = ["# nightly", "id;seen_at;last_day;kind;value;what;label;trust;tags;family;report;ticket"]
    for n in range(count):
        i = n - 1 if n % 313 == 11 else n
        text = '"two ""lines""\nof text; here"' if i % 211 == 0 else f"seen {i}"
        lines += ["# a comment; with ; fields"] * (n % 97 == 5) + [""] * (n % 151 == 7)
        if n % 499 == 3:
            lines.append(f"{n};yesterday;;host;bad{n}.example.net;;G;;;;;")
        elif n % 601 == 4:
            lines.append(f"{n};only three;fields")
        elif n == count // 2:
            lines.append(f'{n};"a quote that does not end;;host;a.example.net;;G;;;;;')
        else:
            lines.append(f"{i};{1 + i % 28:02}/05/2026 10:{i % 60:02};;host;45[.]{i >> 16}[.]{i >> 8 & 255}[.]{i & 255};{text};"
                         f"{LABELS[n // 300 % 6]};low;a,b;family{i % 5};;T-{i}")
    return ("\n".join([*lines, *more]) + "\n").encode()


def test_rows_some_at_a_time_are_the_table(tmp_path):
    mapping = os.path.join(TOP, "conf", "mappings", "abuse-csv.map")
    for name, content in (("good", rows(2500)), ("clash", rows(700, "17;18/05/2026 10:17;;host;other.example.org;seen;G;;;;;"))):
        path = write(tmp_path / f"{name}.csv", content)
        for how in ((), ("--received", "2026-07-01T00:00:00Z"), ("--strict",)):
            for to in ("stix21", "csv", "misp"):
                one, many = (in_pieces(w, ("convert", "--mapping", mapping, *how, "--to", to), path, tmp_path) for w in ("1G", "1"))
                assert one[:2] == many[:2] and sorted(one[2]) == sorted(many[2]) and one[3] == many[3]
    many = write(tmp_path / "many.csv", rows(5000))
    whole, pieces = (tocsin("convert", "--mapping", mapping, "--received", "2026-07-01T00:00:00Z", "--to", "stix21", "--stats",
                            "--window", w, many) for w in ("1G", "1"))
    assert whole.stdout == pieces.stdout and whole.stdout.count(b'"type":"indicator"') > 4900
    if not SANITIZED:
        assert memory(pieces) < (30 << 20) < memory(whole)


# ---- folders ----

def test_a_folder_becomes_a_folder(tmp_path):
    a, b = indicator("one", "[mutex:name = 'a']"), indicator("two", "[mutex:name = 'b']")
    write(tmp_path / "in" / "a.json", bundle(a))
    write(tmp_path / "in" / "sub" / "deep" / "b.json", bundle(b))
    write(tmp_path / "in" / "sub" / "b.stix", bundle(b))
    write(tmp_path / "in" / ".hidden.json", b"no")
    done = tocsin("convert", "--to", "iodef2", "--out", tmp_path / "out", "--loss", "json", tmp_path / "in")
    assert done.returncode == 0, done.stderr
    found = sorted(str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*") if p.is_file())
    assert found == ["a.xml", "a.xml.loss.json", "sub/b.xml", "sub/b.xml.loss.json", "sub/deep/b.xml",
                     "sub/deep/b.xml.loss.json"]
    assert (tmp_path / "out" / "a.xml").read_bytes() == tocsin("convert", "--to", "iodef2", tmp_path / "in" / "a.json").stdout
    assert set(json.loads((tmp_path / "out" / "a.xml.loss.json").read_text())) == {"reading", "writing"}
    assert b"3 of 3 inputs converted" in done.stderr
    done = tocsin("convert", "--to", "txt:ip", "--out", tmp_path / "lists", tmp_path / "in" / "a.json")
    assert done.returncode == 0 and (tmp_path / "lists" / "a.ip.txt").exists()


def test_a_bad_file_in_a_folder_costs_itself_only(tmp_path):
    a = indicator("one", "[mutex:name = 'a']")
    write(tmp_path / "in" / "1.json", bundle(a))
    write(tmp_path / "in" / "2.json", b"nothing")
    write(tmp_path / "in" / "3.json", bundle(a, "no object"))
    done = tocsin("convert", "--to", "stix21", "--out", tmp_path / "out", tmp_path / "in")
    assert done.returncode == 1
    assert b"2 of 3 inputs converted, 1 of them in part, 1 not; 2 objects, 1 refused" in done.stderr
    assert sorted(os.listdir(tmp_path / "out")) == ["1.json", "3.json"]
    (tmp_path / "in" / "1.json").unlink()
    (tmp_path / "in" / "3.json").unlink()
    assert tocsin("convert", "--to", "stix21", "--out", tmp_path / "none", tmp_path / "in").returncode == 2


def test_no_input_is_written_over_and_no_name_is_used_twice(tmp_path):
    a = indicator("one", "[mutex:name = 'a']")
    same = write(tmp_path / "in" / "a.json", json.dumps(bundle(a), indent=2).encode())
    write(tmp_path / "in" / "b.txt", bundle(a))
    before = same.read_bytes()
    done = tocsin("convert", "--to", "stix21", "--out", tmp_path / "in", tmp_path / "in")
    assert done.returncode == 1 and b"would be written over an input" in done.stderr
    assert same.read_bytes() == before and (tmp_path / "in" / "b.json").exists()
    write(tmp_path / "two" / "x.json", bundle(a))
    write(tmp_path / "two" / "x.stix", bundle(a))
    done = tocsin("convert", "--to", "stix21", "--out", tmp_path / "out", tmp_path / "two")
    assert done.returncode == 1 and b"another input gives" in done.stderr
    assert os.listdir(tmp_path / "out") == ["x.json"]


# ---- what people see ----

def test_validate_lists_objects_until_there_are_too_many(big, tmp_path):
    path = write(tmp_path / "in" / "a.json", bundle(indicator("one", "[mutex:name = 'a']"), "no object"))
    done = tocsin("validate", tmp_path / "in")
    rows = [line.split() for line in done.stdout.decode().splitlines()]
    assert done.returncode == 1 and [r[2] for r in rows[1:3]] == ["accepted", "refused"]
    assert rows[1][:2] == [str(path), f"1:{path.read_text().index('[{') + 2}"] and rows[1][3] == "indicator"
    assert done.stdout.decode().splitlines()[-1] == "1 accepted, 1 refused, 0 warnings"
    assert len(tocsin("validate", big).stdout.splitlines()) == 1
    assert len(tocsin("validate", "--all", big).stdout.splitlines()) == OBJECTS + 2 + 3
    answer = json.loads(tocsin("validate", "--json", "--all", big).stdout)
    assert answer["accepted"] == len(answer["verdicts"]) == OBJECTS + 2


def test_strict_loss_tells_by_the_status(tmp_path):
    path = write(tmp_path / "a.json", bundle(indicator("one", "[mutex:name = 'a']")))
    assert tocsin("convert", "--to", "stix21", "--strict-loss", path).returncode == 0
    assert tocsin("convert", "--to", "hosts", "--strict-loss", path).returncode == 1
    assert tocsin("convert", "--to", "hosts", path).returncode == 0


def test_too_much_lost_is_not_written(tmp_path):
    """If this fails, a torso stands where a document was to be, or the status says that all is well."""
    path = write(tmp_path / "a.json", bundle(indicator("one", "[mutex:name = 'a']")))
    out, loss = tmp_path / "out", tmp_path / "loss.json"
    done = tocsin("convert", "--to", "hosts", "--refuse-loss", "5%", "--output", out, "--loss", loss, path)
    assert done.returncode == 1 and b"LOSS writing as hosts: " in done.stderr and b"more than refuse-loss 5% allows" in done.stderr
    assert not out.exists() and json.loads(loss.read_text())
    done = tocsin("convert", "--to", "hosts", "--refuse-loss", "5%", path)
    assert done.returncode == 1 and done.stdout == b""
    plain = tocsin("convert", "--to", "stix21", path)
    done = tocsin("convert", "--to", "stix21", "--refuse-loss", "0% approximated", path)
    assert done.returncode == 0 and done.stdout == plain.stdout and len(done.stdout) > 100
    done = tocsin("convert", "--to", "hosts", "--refuse-loss", "100%", "--output", out, path)
    assert done.returncode == 0 and out.exists()
    assert tocsin("convert", "--to", "hosts", "--refuse-loss", "much", path).returncode == 2
    done = tocsin("convert", "--to", "hosts", "--refuse-loss", "5%", "--out", tmp_path / "each", path)
    assert done.returncode == 1 and b"0 of 1 inputs converted" in done.stderr and not list((tmp_path / "each").glob("*"))
    foreign = write(tmp_path / "in.xml", b"""<?xml version="1.0"?>
<IODEF-Document version="2.00" xmlns="urn:ietf:params:xml:ns:iodef-2.0"><Incident purpose="watch" restriction="green">
<IncidentID name="cert.example">1</IncidentID><GenerationTime>2026-11-20T08:00:00Z</GenerationTime>
<Contact role="creator" type="organization"><ContactName>C</ContactName></Contact></Incident></IODEF-Document>""")
    done = tocsin("convert", "--to", "stix21", "--refuse-loss", "0% approximated", foreign)
    assert (done.returncode == 1) == (b"LOSS reading" in done.stderr)



def on_terminal(*words, output=False):
    """What a program says on standard error (or output) that has a terminal of 90 columns there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 90, 0, 0))
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | {"stdout" if output else "stderr": theirs}
    with subprocess.Popen([TOCSIN, *map(str, words)], **pipes) as process:
        os.close(theirs)
        seen = b""
        try:
            while more := os.read(ours, 65536):
                seen += more
        except OSError:
            pass
        process.wait(120)
    os.close(ours)
    assert process.returncode == (1 if output else 0)
    return seen


def test_the_table_of_verdicts_fits_the_terminal():
    path = os.path.join(GOLDEN, "stix21", "refuse-bad-objects", "input.json")
    lines = on_terminal("validate", path, output=True).decode().replace("\r", "").splitlines()
    assert lines[0].split() == ["PLACE", "VERDICT", "CODE", "TYPE", "OBJECT", "PATH", "REASON"]
    assert max(map(len, lines)) <= 90 < max(map(len, tocsin("validate", path).stdout.decode().splitlines()))
    assert any("MISSING_PROPERTY" in line for line in lines) and any("\u2026" in line for line in lines)


def test_a_terminal_shows_how_far_it_is_and_a_pipe_does_not(big):
    seen = on_terminal("convert", "--to", "csv", big)
    assert re.search(rb"\[=*>? *\] +\d+ %  (looking|reading|writing)", seen)
    assert seen.endswith(b"\r\x1b[K")
    assert tocsin("convert", "--to", "csv", big).stderr == b""
    assert on_terminal("convert", "--to", "csv", os.path.join(GOLDEN, "flat", "csv", "input.json")) == b""
