"""If this fails, somebody who types a command gets something else than it promises."""
import glob
import json
import os
import re
import sqlite3
import stat
import subprocess

import pytest

from lab import TOCSIN, TOP, Lab, Redis, indicator

GOLDEN = os.path.join(TOP, "tests", "golden")
CORPUS = os.path.join(os.path.dirname(TOP), "shared", "corpus")
IODEF = os.path.join(GOLDEN, "iodef2", "iodef-every-class", "input.xml")
STIX = os.path.join(GOLDEN, "stix21", "bundle-verbatim", "input.json")
REFUSED = os.path.join(GOLDEN, "stix21", "refuse-bad-objects", "input.json")
CSV = os.path.join(GOLDEN, "mapped", "abuse-csv", "input.csv")


def tocsin(*words, stdin=None, cwd=TOP, env=None):
    return subprocess.run([TOCSIN, *map(str, words)], input=stdin, capture_output=True, cwd=cwd, timeout=60,
                          env=env, check=False)


def good(*words, **how):
    done = tocsin(*words, **how)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def read(*names):
    with open(os.path.join(*names), "rb") as f:
        return f.read()


def bundle(*objects):
    return json.dumps({"type": "bundle", "id": "bundle--6f0d1f5e-6d5b-4d3f-8f36-0d3d9c1f4a01",
                       "objects": list(objects)}).encode()


# ---- convert ----

def test_a_pipe_through_stix_brings_the_iodef_document_home():
    stix = good("convert", "--to", "stix21", stdin=read(IODEF))
    types = {o["type"] for o in json.loads(stix)["objects"]}
    assert {"indicator", "report"} <= types or "incident" in types
    home = good("convert", "--to", "iodef2", "--pretty", stdin=stix)
    assert home == read(GOLDEN, "iodef2", "iodef-every-class", "expected.xml")


def test_the_same_input_gives_the_same_bytes():
    for path, to in ((IODEF, "stix21"), (STIX, "iodef2"), (STIX, "stix21")):
        assert good("convert", "--to", to, path) == good("convert", "--to", to, stdin=read(path))


def test_stix_to_stix_keeps_the_bytes_of_every_object():
    text = b'{"type":"bundle","id":"bundle--6f0d1f5e-6d5b-4d3f-8f36-0d3d9c1f4a01","objects":[ ' \
        b'{"id":"mutex--eba44954-d4e4-5d3b-814c-2b17dd8de300",  "type" : "mutex",' \
        b'"spec_version":"2.1","name":"a\\u002fb","x_number":1.10} ]}'
    assert text[text.index(b'{"id":"mutex'):-3] in good("convert", "--to", "stix21", stdin=text)


def test_a_bad_object_costs_itself_only_and_the_status_says_partial():
    done = tocsin("convert", "--to", "stix21", REFUSED)
    assert done.returncode == 1
    assert len(json.loads(done.stdout)["objects"]) >= 1
    first = done.stderr.decode().splitlines()[0]
    assert re.match(r"^.*input\.json:3:2: BAD_OBJECT not a JSON object$", first)
    with_path = [x for x in done.stderr.decode().splitlines() if " BAD_TIMESTAMP created: " in x]
    assert len(with_path) == 1


def test_a_broken_document_is_not_done_and_leaves_no_output():
    done = tocsin("convert", "--to", "stix21", stdin=b'{"type":"bundle",\n "type":"bundle"}')
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith("stdin:2:2: DUPLICATE ")
    done = tocsin("convert", "--to", "stix21", stdin=b"what is this\n")
    assert done.returncode == 2 and b"no format we know" in done.stderr
    assert done.stderr.startswith(b"stdin:1:1: UNSUPPORTED ")


def test_several_inputs_become_one_output(tmp_path):
    a, b = indicator("one", "[mutex:name = 'a']"), indicator("two", "[mutex:name = 'b']")
    other = dict(a, name="another name under the same version")
    for name, objects in (("1.json", (a, b)), ("2.json", (b,)), ("3.json", (other,))):
        (tmp_path / name).write_bytes(bundle(*objects))
    done = tocsin("convert", "--to", "stix21", tmp_path / "1.json", tmp_path / "2.json")
    assert done.returncode == 0
    assert [o["id"] for o in json.loads(done.stdout)["objects"]] == [a["id"], b["id"]]
    done = tocsin("convert", "--to", "stix21", tmp_path / "1.json", tmp_path / "3.json")
    assert done.returncode == 1 and b"VERSION_CONFLICT" in done.stderr
    assert [o["name"] for o in json.loads(done.stdout)["objects"]] == [a["name"], b["name"]]
    assert good("convert", "--to", "stix21", STIX, IODEF) == good("convert", "--to", "stix21", STIX, IODEF)


def test_the_loss_report_is_text_or_json_and_adds_up(tmp_path):
    good("convert", "--to", "iodef2", "--loss", tmp_path / "loss.json", "-o", tmp_path / "out.xml", STIX)
    loss = json.loads((tmp_path / "loss.json").read_text())
    assert list(loss) == ["reading", "writing"]
    for leg in loss.values():
        for kind in ("kept", "approximated", "moved", "dropped", "generated"):
            assert leg[kind] == sum(1 for e in leg["entries"] if e["kind"] == kind)
    assert loss["writing"]["kept"] > 0
    done = tocsin("convert", "--to", "iodef2", "--loss", tmp_path / "loss.txt", "--counts", "-o", tmp_path / "again.xml", STIX)
    lines = (tmp_path / "loss.txt").read_text().splitlines()
    assert len(lines) == sum(len(leg["entries"]) for leg in loss.values()) + 2 + 2    # heads and counts
    assert lines[0] == "reading:" and "writing:" in lines
    assert "writing: " + lines[-1] in done.stderr.decode().splitlines()
    assert f"kept {loss['writing']['kept']}, " in lines[-1]
    assert (tmp_path / "out.xml").read_bytes() == (tmp_path / "again.xml").read_bytes()


def test_an_in_house_file_needs_only_the_name_of_its_mapping():
    want = json.loads(read(GOLDEN, "mapped", "abuse-csv", "expected.json"))["objects"]
    got = good("convert", "--mapping", "abuse-csv", "--received", "2024-08-01T00:00:00Z", "--to", "stix21", CSV)
    assert json.loads(got)["objects"] == want
    by_path = good("convert", "--from", "mapped", "--mapping", "conf/mappings/abuse-csv.map", "--received",
                   "2024-08-01T00:00:00Z", "--to", "stix21", CSV)
    assert by_path == got
    home = good("convert", "--mapping", "abuse-csv", "--to", "mapped", stdin=got)
    assert home.startswith(b"id;seen_at;")
    done = tocsin("convert", "--mapping", "abuse-cvs", "--to", "stix21", CSV)
    assert done.returncode == 2 and b"abuse-csv" in done.stderr


def test_now_is_the_newest_time_in_the_document_or_must_be_said():
    # the mapping's own form of time counts as well
    a = good("convert", "--mapping", "abuse-csv", "--to", "stix21", CSV)
    assert a == good("convert", "--mapping", "abuse-csv", "--to", "stix21", CSV)
    timeless = bundle({"type": "mutex", "spec_version": "2.1", "name": "a",
                       "id": "mutex--eba44954-d4e4-5d3b-814c-2b17dd8de300"})
    good("convert", "--to", "stix21", stdin=timeless)
    done = tocsin("convert", "--to", "iodef2", stdin=timeless)
    assert done.returncode == 2 and b"--received" in done.stderr
    good("convert", "--to", "iodef2", "--received", "2026-05-01T12:00:00Z", stdin=timeless)
    done = tocsin("convert", "--to", "iodef2", "--received", "yesterday", stdin=timeless)
    assert done.returncode == 2 and b"yesterday" in done.stderr


def test_what_cannot_be_done_says_why_and_what_is_near(tmp_path):
    for words, text in ((("convert",), "--to is missing"), (("convert", "--to", "stix12"), "did you mean 'stix21'"),
                        (("convert", "--to", "stix21", "--form", "x"), "did you mean --from?"),
                        (("convert", "--to", "stix21", "--from"), "--from needs FORMAT"),
                        (("convert", "--to", "stix21", tmp_path / "absent"), "absent"),
                        (("convert", "--to", "stix21", "--from", "mapped", CSV), "needs --mapping"),
                        (("convrt",), "did you mean 'convert'?"), ((), "usage: tocsin VERB"),
                        (("peer",), "tocsin peer list"), (("check", "--pretty"), "there is no option --pretty"),
                        (("explain", "x"), "operands are missing"), (("status", "x"), "one too many")):
        done = tocsin(*words, stdin=b"")
        assert done.returncode == 2, words
        assert text in done.stderr.decode(), (words, done.stderr)
        assert done.stdout == b""


def test_a_full_disk_is_not_success():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([TOCSIN, "convert", "--to", "stix21", STIX], stdout=full, stderr=subprocess.PIPE,
                              check=False)
    assert done.returncode == 2 and b"standard output" in done.stderr


def test_every_verb_has_help():
    overview = good("--help").decode()
    verbs = re.findall(r"^    (\S+(?: \S+)?)  ", overview, re.M)
    assert {"init", "check", "serve", "convert", "explain", "audit verify"} <= set(verbs)
    for verb in verbs:
        text = good(*verb.split(), "--help").decode()
        assert text.startswith(f"usage: tocsin {verb}"), verb
        assert len(text.splitlines()) >= 3, verb
    with open(os.path.join(TOP, "conf", "man", "tocsin.1"), encoding="utf-8") as f:
        manual = f.read().replace("\\-", "-")
    for verb in verbs:
        assert re.search(rf'^\.BR? .*{verb}', manual, re.M), f"tocsin(1) does not tell of {verb}"
    version = good("--version").decode()
    assert version.startswith("tocsin ")
    for library in ("OpenSSL", "libevent", "libxml2", "cJSON", "SQLite"):
        assert library in version, version


@pytest.mark.skipif(not os.path.isdir(CORPUS), reason="needs the corpus")
def test_every_iodef2_document_of_the_corpus_converts():
    paths = sorted(glob.glob(os.path.join(CORPUS, "iodef2", "*.xml")))
    assert len(paths) >= 6
    for path in paths:
        done = tocsin("convert", "--to", "stix21", path)
        assert done.returncode == 0, (path, done.stderr.decode())
        assert json.loads(done.stdout)["objects"], path


def texts(bundle_text):
    """The text of each object of a bundle, as it stands there."""
    start = re.search(r'"objects"\s*:\s*\[', bundle_text)
    at, out = start.end() if start else len(bundle_text), []
    while start:
        at = re.compile(r"[\s,]*").match(bundle_text, at).end()
        if bundle_text[at] == "]":
            break
        _, end = json.JSONDecoder().raw_decode(bundle_text, at)
        out.append(bundle_text[at:end])
        at = end
    return out


@pytest.mark.skipif(not os.path.isdir(CORPUS), reason="needs the corpus")
def test_stix21_of_the_corpus_keeps_the_bytes_of_every_object():
    paths = sorted(glob.glob(os.path.join(CORPUS, "stix21", "**", "*.json"), recursive=True))
    assert len(paths) > 20
    total = 0
    for path in paths:
        done = tocsin("convert", "--to", "stix21", path)
        assert done.returncode in (0, 1), (path, done.stderr.decode())
        text = read(path).decode()
        came, went = texts(text), texts(done.stdout.decode())
        refused = len([x for x in done.stderr.decode().splitlines() if not re.match(r"[^ ]+ warning ", x)])
        assert all(x in text for x in went), path
        # a twin in the same bundle is one object
        assert len(set(came)) == len(set(went)) + refused or not came, path
        total += len(went)
    assert total > 500


# ---- validate ----

def test_validate_lists_verdicts_as_table_and_as_json():
    done = tocsin("validate", REFUSED)
    assert done.returncode == 1
    rows = [line.split() for line in done.stdout.decode().splitlines()]
    assert rows[0] == ["INPUT", "PLACE", "VERDICT", "CODE", "TYPE", "OBJECT", "PATH", "REASON"]
    assert {row[2] for row in rows[1:-2]} >= {"accepted", "refused"} and rows[-1][1] == "accepted,"
    done = tocsin("validate", "--json", REFUSED)
    answer = json.loads(done.stdout)
    assert done.returncode == 1 and answer["refused"] == len([v for v in answer["verdicts"] if v["verdict"] == "refused"])
    assert {"input", "verdict", "code", "line", "column", "reason"} <= set(answer["verdicts"][0])
    assert tocsin("validate", STIX).returncode == 0
    done = tocsin("validate", stdin=b"<IODEF-Document")
    assert done.returncode == 1 and b"stdin" in done.stdout


def test_terminals_are_not_written_to_by_documents():
    evil = bundle({"type": "indicator\x1b[2J", "id": "x"})
    done = tocsin("validate", stdin=evil)
    assert b"\x1b" not in done.stdout + done.stderr
    done = tocsin("convert", "--to", "stix21", stdin=evil)
    assert b"\x1b" not in done.stderr


# ---- init and check ----

@pytest.fixture(name="node")
def fixture_node(tmp_path):
    folder = tmp_path / "node"
    good("init", "--name", "cert-a", "--dir", folder, "--url", "https://taxii.example:8443")
    return folder


def edit(path, old, new):
    text = path.read_text()
    assert old in text, old
    path.write_text(text.replace(old, new))


def check(folder, *more):
    done = tocsin("check", "--config", folder / "tocsin.conf", *more)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_init_makes_a_good_configuration_and_overwrites_nothing(tmp_path):
    folder = tmp_path / "new" / "node"
    out = good("init", "--name", "cert-a", "--dir", folder).decode()
    status, said, errors = check(folder)
    assert (status, errors) == (0, "")
    assert "is good: node cert-a" in said
    for secret in ("credentials", "keys/sign.key", "keys/audit.key", "keys/dedup.key", "tls/node.key", "tls/ca.key"):
        assert stat.S_IMODE(os.stat(folder / secret).st_mode) == 0o600, secret
    pin = good("key", "pin", folder / "tls/node.crt").split()[0].decode()
    public = good("key", "public", folder / "keys/sign.key").split()[0].decode()
    assert re.fullmatch("sha256:[0-9a-f]{64}", pin) and re.fullmatch("ed25519:[A-Za-z0-9+/]{43}=", public)
    assert pin in out and public in out
    assert len(re.findall(r"^    tocsin ", out, re.M)) == 3
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    done = tocsin("init", "--dir", folder)
    assert done.returncode == 2 and b"tocsin.conf is there already" in done.stderr
    assert before == {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    for words in (("--url", "http://x"), ("--name", "a b"), ("--operations", "192.0.2.1:1")):
        done = tocsin("init", "--dir", tmp_path / "other", *words)
        assert done.returncode == 2 and not (tmp_path / "other" / "tocsin.conf").exists(), words


def test_what_init_proposes_to_a_peer_is_what_a_peer_can_read(node):
    out = tocsin("init", "--name", "cert-b", "--dir", node.parent / "b").stdout.decode()
    lines = out[out.index("    peer cert-b"):].replace("inbox-ITS-OWN-NAME", "inbox-cert-a")
    with open(node / "trust.conf", "a", encoding="utf-8") as f:
        f.write("\n" + "\n".join(line[4:] for line in lines.splitlines()) + "\n")
    status, _, errors = check(node)
    assert (status, errors) == (0, "")


def test_check_shows_all_errors_at_once_with_place_and_nearest_word(node):
    edit(node / "tocsin.conf", "    title        \"Incoming\"", "    titel        \"Incoming\"")
    edit(node / "tocsin.conf", "collections  inbox", "collections  inbx")
    edit(node / "trust.conf", "relation     own", "relation     owned")
    (node / "credentials").write_text("tokn soc x\n")
    status, said, errors = check(node)
    assert (status, said) == (2, "")
    assert re.search(r"tocsin\.conf:\d+: unknown word in `collection`: 'titel', did you mean 'title'\?", errors)
    assert re.search(r"tocsin\.conf:\d+: unknown collection 'inbx', did you mean 'inbox'\?", errors)
    assert re.search(r"trust\.conf:\d+: .*'owned'", errors)
    assert re.search(r"credentials:1: unknown word 'tokn', did you mean 'token'\?", errors)


def test_check_looks_at_files_and_names_outside(node):
    os.chmod(node / "keys/audit.key", 0o644)
    os.unlink(node / "tls/peer-ca.crt")
    (node / "keys/dedup.key").write_text("short\n")
    edit(node / "trust.conf", "write        inbox", "write        inbix")
    (node / "mappings/mine.map").write_text("mapping mine\n    formt csv\n")
    with open(node / "tocsin.conf", "a", encoding="utf-8") as f:
        f.write("spool mine\n    path spool/mine\n    mapping mine\n    collections inbox\n"
                "route r\n    from nobody\n    collections inbox\n")
    status, _, errors = check(node)
    assert status == 2
    assert "audit-key: others have rights on" in errors and "chmod 600" in errors
    assert "peer-ca.crt: No such file" in errors
    assert "64 hex digits" in errors
    assert "unknown collection 'inbix', did you mean 'inbox'?" in errors
    assert "unknown peer or consumer 'nobody'" in errors
    assert re.search(r"mine\.map:2: .*formt", errors)


def test_check_wants_the_key_that_belongs_to_the_certificate(node):
    good("init", "--name", "other", "--dir", node.parent / "other")
    os.replace(node.parent / "other/tls/node.key", node / "tls/node.key")
    status, _, errors = check(node)
    assert status == 2 and "node.crt" in errors or "key" in errors


def test_check_asks_redis(node, tmp_path):
    folder = tmp_path / "r"
    with open(node / "tocsin.conf", "a", encoding="utf-8") as f:
        f.write(f"\nredis unix:{folder}/redis.sock\n    connect-timeout 500ms\n")
    status, _, errors = check(node)
    assert status == 2 and "No such file or directory" in errors
    status, said, _ = check(node, "--offline")
    assert status == 0 and "Redis not asked" in said
    redis = Redis(str(folder))
    redis.start()
    try:
        status, said, errors = check(node)
        assert status == 0 and "Redis answers" in said, errors
        redis.ask("CONFIG", "SET", "requirepass", "secret")
        status, _, errors = check(node)
        assert status == 2 and "redis" in errors
        (node / "keys/redis").write_text("secret\n")
        os.chmod(node / "keys/redis", 0o600)
        with open(node / "tocsin.conf", "a", encoding="utf-8") as f:
            f.write("    password-file keys/redis\n")
        status, said, errors = check(node)
        assert status == 0, errors
    finally:
        redis.stop()


def test_effective_values_name_their_origin(node):
    status, said, errors = check(node, "--effective")
    assert (status, errors) == (0, "")
    assert re.search(r"^    url +https://taxii\.example:8443 +# .*tocsin\.conf:\d+$", said, re.M)
    assert re.search(r"^    body +10m +# default$", said, re.M)
    again = node / "again.conf"
    again.write_text(said)
    assert tocsin("check", "--config", again).returncode == 0


def test_the_manual_has_every_section(node):
    with open(os.path.join(TOP, "conf", "man", "tocsin.conf.5"), encoding="utf-8") as f:
        manual = f.read()
    sections = re.findall(r"^([a-z]+)", check(node, "--effective")[1], re.M)
    assert len(set(sections)) >= 7
    for section in sections + ["redis", "route"]:
        assert re.search(rf"^\.BI? {section}( |$)", manual, re.M), section


def test_state_may_lie_elsewhere(tmp_path):
    good("init", "--name", "cert-a", "--dir", tmp_path / "etc", "--state", tmp_path / "var")
    assert check(tmp_path / "etc")[0] == 0
    said = check(tmp_path / "etc", "--effective")[1]
    assert f"{tmp_path}/var/tocsin.db" in said and f"{tmp_path}/var/spool/desk" in said


# ---- consumers ----

def test_a_consumer_gets_a_secret_once(node):
    conf = node / "tocsin.conf"
    out = good("consumer", "add", "soc", "--config", conf, "--until", "2031-12-31").decode()
    token = re.search(r"^    ([A-Za-z0-9_-]{43})$", out, re.M).group(1)
    assert f"Bearer {token}" in out and "curl" in out and "consumer soc" not in out
    text = (node / "credentials").read_text()
    assert token not in text and re.search(r"^token    soc sha256:[0-9a-f]{64} until 2031-12-31$", text, re.M)
    answer = json.loads(good("consumer", "add", "hunter", "--config", conf, "--json", "--relation", "client",
                             "--read", "indicators", "--write", "inbox"))
    assert answer["section"].split() == ["consumer", "hunter", "relation", "client", "read", "indicators", "write", "inbox"]
    status, _, warnings = check(node)
    assert status == 0 and "hunter" in warnings
    with open(node / "trust.conf", "a", encoding="utf-8") as f:
        f.write(answer["section"])
    assert check(node)[0] == 0 and check(node)[2] == ""
    good("consumer", "add", "soc", "--password", "--config", conf, stdin=b"a long pass phrase\n")
    assert re.search(r"^password soc scrypt:", (node / "credentials").read_text(), re.M)
    for words in (("x y",), ("soc", "--until", "soon"), ("soc", "--write", "indicators"), ("soc", "--read", "nothing"),
                  ("soc", "--relation", "partner"), ("soc", "--password", "--until", "2030-01-01")):
        before = (node / "credentials").read_text()
        assert tocsin("consumer", "add", *words, "--config", conf, stdin=b"").returncode == 2, words
        assert (node / "credentials").read_text() == before


# ---- a running node ----

@pytest.fixture(name="lab", scope="module")
def fixture_lab(tmp_path_factory):
    lab = Lab(str(tmp_path_factory.mktemp("lab")), names=("solo",), redis=False).build().start()
    yield lab
    assert lab.stop() == {"solo": 0}


def test_status_and_lists_for_people_and_for_programs(lab):
    n = lab["solo"]
    assert n.ask("status")["node"] == "solo"
    text = n.run("status", "--config", n.conf).stdout
    assert "node         solo" in text and "COLLECTION" in text and "no peers" in text
    assert {c["name"] for c in n.ask("consumer", "list")["consumers"]} == {"soc", "sensor", "meter"}
    assert "sensor" in n.run("consumer", "list", "--config", n.conf).stdout
    assert n.run("peer", "show", "nobody", "--config", n.conf).returncode == 2


def test_password_and_curl_line_work_against_the_node(lab):
    n = lab["solo"]
    done = n.run("consumer", "add", "soc", "--password", "--config", n.conf, stdin="correct horse\n")
    assert done.returncode == 0 and n.run("reload", "--config", n.conf).returncode == 0
    curl = re.search(r"^    (curl .*)$", done.stdout, re.M).group(1).replace("-u soc", "-u 'soc:correct horse'")
    got = subprocess.run(curl.replace("curl ", "curl -s ", 1), shell=True, capture_output=True, check=False)
    assert {c["alias"] for c in json.loads(got.stdout)["collections"]} >= {"advisories", "indicators"}
    got = subprocess.run(curl.replace("curl ", "curl -s -o /dev/null -w %{http_code} ", 1).replace("horse", "house"),
                         shell=True, capture_output=True, check=False)
    assert got.stdout == b"401"


def test_explain_and_quarantine_tell_place_and_reason(lab):
    n = lab["solo"]
    o = indicator("explained", "[mutex:name = 'x']", tlp="red")
    assert n.post("sensor", "advisories", o).status == 202
    done = n.run("explain", o["id"], "soc", "--config", n.conf)
    assert done.returncode == 1 and "TLP_AUDIENCE" in done.stdout
    assert n.run("explain", o["id"], "nobody", "--config", n.conf).returncode == 2
    bad = dict(indicator("bad", "[mutex:name = 'x']"), modified="yesterday")
    n.post("sensor", "advisories", bad)
    rows = n.ask("quarantine", "list")["quarantine"]
    row = [q for q in rows if q["object"] == bad["id"]][0]
    assert row["code"] == "BAD_TIMESTAMP" and row["path"] == "modified"
    shown = n.run("quarantine", "show", str(row["id"]), "--config", n.conf)
    assert shown.returncode == 0 and "BAD_TIMESTAMP" in shown.stdout and bad["id"] in shown.stdout
    raw = n.run("quarantine", "show", str(row["id"]), "--raw", "--config", n.conf).stdout
    edited = n.file("edited.json")
    with open(edited, "w", encoding="utf-8") as f:
        f.write(raw.replace("yesterday", bad["created"]))
    done = n.run("quarantine", "retry", str(row["id"]), "--file", edited, "--config", n.conf)
    assert done.returncode == 0 and "accepted     1" in done.stdout, done.stderr
    assert bad["id"] in n.ids("soc", "advisories")
    assert row["id"] not in [q["id"] for q in n.ask("quarantine", "list")["quarantine"]]
    assert row["id"] in [q["id"] for q in n.ask("quarantine", "list", "--all")["quarantine"]]
    assert n.run("quarantine", "show", "x", "--config", n.conf).returncode == 2


def test_a_broken_file_changes_nothing_and_the_node_can_still_be_asked(lab):
    n = lab["solo"]
    before = n.ask("status")["policy"]
    with open(n.conf, encoding="utf-8") as f:
        text = f.read()
    try:
        with open(n.conf, "a", encoding="utf-8") as f:
            f.write("\nlimits\n    bodi 1m\n")
        assert n.run("status", "--config", n.conf).returncode == 2
        socket = ("--socket", n.file("state", "control.sock"))
        done = n.run("reload", *socket)
        assert done.returncode == 2 and "second `limits` section" in done.stderr and "'bodi'" in done.stderr
        assert json.loads(n.run("status", "--json", *socket).stdout)["policy"] == before
    finally:
        with open(n.conf, "w", encoding="utf-8") as f:
            f.write(text)
    assert n.run("reload", "--config", n.conf).returncode == 0


def test_the_audit_log_is_verified_beside_the_node_and_names_the_first_bad_record(lab, tmp_path):
    n = lab["solo"]
    for i in range(5):
        n.post("sensor", "advisories", indicator(f"audited {i}", f"[mutex:name = '{i}']"))
    done = n.run("audit", "verify", "--config", n.conf)
    assert done.returncode == 0 and done.stdout.startswith("whole: "), done.stdout + done.stderr
    lines = n.run("audit", "export", "--config", n.conf).stdout.splitlines(keepends=True)
    assert len(lines) >= 5 and [json.loads(x)["seq"] for x in lines] == list(range(1, len(lines) + 1))
    flipped = lines[2].replace('"t":"2', '"t":"3', 1)
    for name, text, bad in (("flip", lines[:2] + [flipped] + lines[3:], 3), ("drop", lines[:2] + lines[3:], 3),
                            ("swap", lines[:2] + [lines[3], lines[2]] + lines[4:], 3),
                            ("insert", lines[:3] + [lines[2]] + lines[3:], 4), ("whole", lines, None)):
        path = tmp_path / name
        path.write_text("".join(text))
        done = n.run("audit", "verify", "--config", n.conf, "--file", str(path), "--json")
        answer = json.loads(done.stdout)
        assert answer.get("bad") == bad and done.returncode == (0 if bad is None else 1), (name, answer)


def test_a_changed_database_is_found(tmp_path):
    lab = Lab(str(tmp_path), names=("solo",), redis=False).build().start()
    n = lab["solo"]
    for i in range(3):
        n.post("sensor", "advisories", indicator(f"a {i}", f"[mutex:name = '{i}']"))
    assert lab.stop() == {"solo": 0}
    db = sqlite3.connect(n.file("state", "tocsin.db"))
    db.execute("UPDATE audit SET line = replace(line, '\"ev\"', '\"ew\"') WHERE seq = 2")
    db.commit()
    db.close()
    done = n.run("audit", "verify", "--config", n.conf)
    assert done.returncode == 1 and "record 2: was changed" in done.stdout


def test_nobody_at_home_is_said_plainly(node):
    done = tocsin("status", "--config", node / "tocsin.conf")
    assert done.returncode == 2 and b"is `tocsin serve` running?" in done.stderr
