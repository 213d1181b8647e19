"""Flat feeds, as curl and the tools that fetch files with it see them: what is in them, for whom, and what changed."""
import gzip
import http.client
import json
import os
import signal
import threading
import time
from datetime import datetime, timedelta, timezone

import pytest
from lab import TLP, Client, Lab, indicator, stix_id, until

OLD = "2024-01-01T00:00:00.000Z"

FEEDS = """
collection cellar
    title        "Hidden"
    hidden       yes

feed block
    collection   advisories

feed deep
    collection   cellar

feed few
    collection   advisories
    formats      hosts txt:ipv4 csv
    kinds        domain ipv4
    confidence   50

feed lists
    collection   advisories
    formats      hosts txt csv stix
    kinds        domain ipv4
    path         lists
    for          wall
    every        100ms
"""

CONSUMERS = {
    "soc": ["relation own", "read advisories"],
    "second": ["relation own", "read advisories"],
    "client": ["relation client", "read advisories"],
    "wall": ["relation own", "uses block", "read advisories"],
    "insider": ["relation own", "read cellar"],
    "sensor": ["relation own", "write *"],
    "slow": ["relation own", "read advisories", "limit in 1/min burst 3"],
}

RULES = """release own-tools
    object     tlp clear green amber amber+strict
    to         relation own

release clients
    object     tlp clear green
    to         relation client
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("feeds"), names=("cert-a",), redis=False, extra=FEEDS, consumers=CONSUMERS)
    lab.build()
    a = lab["cert-a"]
    lab.write_trust(a, RULES)
    lab.start()
    yield a
    a.verify_audit()
    assert set(lab.stop().values()) == {0}


def get(node, path, who="soc", method="GET", **headers):
    return node.request(method, "/feeds/" + path, who, headers={"Accept": "*/*", **headers})


def text(node, path, who="soc"):
    r = get(node, path, who)
    assert r.status == 200, (path, r.status, r.body)
    return r.body.decode()


def put(node, *objects):
    for k in range(0, len(objects), 1000):
        status = node.insist("sensor", "advisories", *objects[k:k + 1000])
        assert status["failure_count"] == 0, status


def ip(name, address, tlp="green", **more):
    return indicator(name, f"[ipv4-addr:value = '{address}']", tlp=tlp, at=OLD, **more)


def name(name_, domain, tlp="green", **more):
    return indicator(name_, f"[domain-name:value = '{domain}']", tlp=tlp, at=OLD, **more)


class Collector:
    """A consumer that fetches the whole once and changes from then on, one record a key."""

    def __init__(self, node, feed="block", who="soc", ending="jsonl"):
        self.node, self.feed, self.who, self.ending = node, feed, who, ending
        self.records, self.cursor, self.wholes = {}, None, 0

    @staticmethod
    def key(r):
        return tuple(r.get(m) for m in ("id", "type", "value", "role", "port", "protocol", "context"))

    def lines(self, body):
        return [json.loads(line) for line in body.decode().splitlines()]

    def whole(self):
        r = get(self.node, f"{self.feed}.{self.ending}", self.who)
        assert r.status == 200, (r.status, r.body)
        self.records = {self.key(x): x for x in self.lines(r.body)}
        self.cursor = r.headers["X-Tocsin-Since"]
        self.wholes += 1

    def changes(self):
        r = get(self.node, f"{self.feed}.{self.ending}?since={self.cursor}", self.who)
        if r.status == 410:
            return self.whole()
        assert r.status == 200, (r.status, r.body)
        for x in self.lines(r.body):
            op = x.pop("op")
            if op == "removed":
                del self.records[self.key(x)]
            else:
                assert (self.key(x) in self.records) == (op == "changed")
                self.records[self.key(x)] = x
        self.cursor = r.headers["X-Tocsin-Since"]
        return None

    def check(self):
        now = {self.key(x): x for x in self.lines(get(self.node, f"{self.feed}.{self.ending}", self.who).body)}
        assert self.records == now


# ---- what is served, and to whom

def test_every_output_is_served(node):
    """What is broken if it fails: a tool that reads one of these files gets nothing, or something it cannot read."""
    put(node, ip("every ip", "8.8.1.1"), name("every name", "Every[.]Evil.org"),
        indicator("every hash", "[file:hashes.'SHA-256' = '" + "AB" * 32 + "']", tlp="green", at=OLD))
    assert "8.8.1.1" in text(node, "block.ipv4.txt").splitlines()
    assert text(node, "block.txt?kind=ipv4") == text(node, "block.ipv4.txt")
    for product, ending in (("suricata", "rules"), ("zeek", "intel"), ("wazuh", "cdb"), ("stix", "stix.json"), ("dataset", "domain.lst")):
        assert text(node, "block." + product) == text(node, "block." + ending), "people try the product's name"
    assert "every.evil.org" in text(node, "block.domain.txt").splitlines()
    assert "0.0.0.0 every.evil.org" in text(node, "block.hosts").splitlines()
    assert "ab" * 32 in text(node, "block.sha256.txt").splitlines()
    assert "every.evil.org" in text(node, "block.rules")
    assert "Intel::DOMAIN" in text(node, "block.intel") and text(node, "block.intel").startswith("#fields\t")
    assert any(line.startswith("8.8.1.1:") for line in text(node, "block.cdb").splitlines())
    assert any(o["name"] == "every ip" for o in json.loads(text(node, "block.stix.json"))["objects"] if "name" in o)
    records = [json.loads(x) for x in text(node, "block.jsonl").splitlines()]
    assert next(r for r in records if r["value"] == "8.8.1.1")["tlp"] == "GREEN"
    assert text(node, "block.csv").splitlines()[0].startswith("id,type,value,")
    assert not any("[.]" in text(node, "block." + e).replace("Every[.]Evil.org'", "") for e in ("txt", "hosts", "rules", "intel", "cdb"))
    types = {"csv": "text/csv", "jsonl": "application/", "rules": "text/plain", "stix.json": "application/stix+json"}
    for ending, start in types.items():
        assert get(node, "block." + ending).headers["Content-Type"].startswith(start)


def test_who_may_not_read_gets_no_feed(node):
    """What is broken if it fails: somebody reads, or learns of, what the collection's rights keep from him."""
    assert get(node, "block.csv", None).status == 401
    assert get(node, "block.csv", "sensor").status == 403       # sees the collection, may write alone
    assert get(node, "deep.csv", "soc").status == 404           # hidden, as if it were not there
    assert get(node, "deep.csv", "insider").status == 200
    for path in ("nope.csv", "block.exe", "block", "few.jsonl", "few.url.txt", "few.rules", "few.suricata", "block.csv/", "block.csv/x", ""):
        r = get(node, path)
        assert r.status == (200 if path == "block.csv/" else 404), path
    r = get(node, "nope.csv")
    assert r.headers["Content-Type"].startswith("text/plain") and r.body.startswith(b"404 Not Found\n")
    for method in ("POST", "DELETE", "PUT"):
        r = get(node, "block.csv", method=method)
        assert r.status == 405 and r.headers["Allow"] == "GET, HEAD, OPTIONS"
    seen = [get(node, "block.csv", "slow").status for _ in range(12)]
    assert seen[0] == 200 and 429 in seen


def test_each_gets_what_is_for_it(node):
    """What is broken if it fails: an AMBER value reaches a client, or a block list has what must not be blocked."""
    put(node, ip("for all", "8.8.2.1", tlp="clear", labels=["PAP:CLEAR"]), ip("for us", "8.8.2.2", tlp="amber"),
        ip("strict", "8.8.2.3", tlp="amber+strict"), ip("pap", "8.8.2.4", labels=["PAP:RED"]),
        ip("unmarked", "8.8.2.5", tlp=None))
    def mine(who, path):
        return {x for x in text(node, path, who).split() if x.startswith("8.8.2.")}
    assert mine("soc", "block.ipv4.txt") == {"8.8.2.1", "8.8.2.2", "8.8.2.4", "8.8.2.5"}
    assert mine("client", "block.ipv4.txt") == {"8.8.2.1", "8.8.2.4"}
    assert mine("wall", "block.ipv4.txt") == {"8.8.2.1"}        # pap amber, which unmarked ones are, forbids blocking
    assert "8.8.2.3" in text(node, "block.csv") and "8.8.2.3" not in text(node, "block.csv", "client")
    assert "label=1" in get(node, "block.ipv4.txt").headers["X-Tocsin-Withheld"]
    # how much policy keeps back is nobody's business
    assert "label" not in (get(node, "block.ipv4.txt", "client").headers["X-Tocsin-Withheld"] or "")


def test_a_feed_says_what_it_is_about(node):
    """What is broken if it fails: kinds and confidence in tocsin.conf mean nothing."""
    put(node, ip("sure", "8.8.3.1", confidence=90), ip("unsure", "8.8.3.2", confidence=10), ip("silent", "8.8.3.3"),
        indicator("mail", "[email-addr:value = 'a@evil.org']", tlp="green", at=OLD, confidence=90))
    assert [x for x in text(node, "few.ipv4.txt").split() if x.startswith("8.8.3.")] == ["8.8.3.1"]
    assert "a@evil.org" not in text(node, "few.csv") and "a@evil.org" in text(node, "block.csv")


# ---- HTTP

def test_conditional_requests(node):
    """What is broken if it fails: every poll of every tool moves the whole list, or a tool misses a change."""
    put(node, ip("tag", "8.8.4.1"))
    r = get(node, "block.hosts")
    tag, date = r.headers["ETag"], r.headers["Last-Modified"]
    assert tag.startswith('"') and "private" in r.headers["Cache-Control"] and "Accept-Encoding" in r.headers["Vary"]
    for headers in ({"If-None-Match": tag}, {"If-None-Match": f'"x", W/{tag}'}, {"If-None-Match": "*"},
                    {"If-Modified-Since": date}, {"If-None-Match": tag, "If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}):
        r = get(node, "block.hosts", **headers)
        assert (r.status, r.body, r.headers["ETag"]) == (304, b"", tag), headers
    for headers in ({"If-None-Match": '"x"'}, {"If-None-Match": tag[:-2] + '"'}, {"If-None-Match": tag.strip('"')},
                    {"If-None-Match": '"x"', "If-Modified-Since": date}, {"If-Modified-Since": "yesterday"}):
        assert get(node, "block.hosts", **headers).status == 200, headers
    # the same content has the same tag on every worker, for every reader, after every restart of it
    assert len({get(node, "block.hosts").headers["ETag"] for _ in range(8)}) == 1
    assert get(node, "block.hosts", "second").headers["ETag"] == tag
    put(node, name("tag too", "tag.evil.org"))
    assert get(node, "block.hosts", **{"If-None-Match": tag}).status == 200


def test_a_bundle_changes_without_its_records(node):
    """What is broken if it fails: who asks with a date never gets what stands around the indicators of a bundle."""
    put(node, ip("dated", "8.8.4.2"))
    get(node, "block.jsonl")
    r = get(node, "block.stix.json")
    assert r.headers["Last-Modified"] is None
    put(node, {"type": "identity", "spec_version": "2.1", "id": stix_id("identity", "dated"), "created": OLD, "modified": OLD,
               "name": "Somebody new", "object_marking_refs": [TLP["green"]]})
    date = get(node, "block.jsonl").headers["Last-Modified"]
    r = get(node, "block.stix.json", **{"If-Modified-Since": date})
    assert r.status == 200 and b"Somebody new" in r.body


def test_head_and_gzip(node):
    """What is broken if it fails: a tool that asks first, or takes gzip, gets something else than the list."""
    put(node, *(ip(f"zip {i}", f"9.1.{i // 250}.{i % 250 + 1}") for i in range(2000)))
    plain = get(node, "block.csv")
    head = get(node, "block.csv", method="HEAD")
    assert head.status == 200 and head.body == b"" and int(head.headers["Content-Length"]) == len(plain.body)
    zipped = get(node, "block.csv", **{"Accept-Encoding": "gzip"})
    assert zipped.headers["Content-Encoding"] == "gzip" and len(zipped.body) < len(plain.body) / 4
    assert gzip.decompress(zipped.body) == plain.body
    assert zipped.headers["ETag"] != plain.headers["ETag"]
    for tag in (zipped.headers["ETag"], plain.headers["ETag"]):
        for coding in ("gzip", "identity"):
            assert get(node, "block.csv", **{"If-None-Match": tag, "Accept-Encoding": coding}).status == 304
    head = get(node, "block.csv", method="HEAD", **{"Accept-Encoding": "gzip"})
    assert int(head.headers["Content-Length"]) == len(zipped.body)
    small = get(node, "deep.hosts", "insider", **{"Accept-Encoding": "gzip"})
    assert small.headers["Content-Encoding"] is None


QUERIES = ["x=1", "since", "since=", "since=%00", "since=%zz", "since=yesterday", "since=2026-13-01T00:00:00Z",
           "since=2026-01-01T00:00:00%2b01:00", "since=AAAA", "since=" + "A" * 43, "since=" + "A" * 5000,
           "since=2026-01-01T00:00:00Z&since=2026-01-01T00:00:00Z", "kind=", "kind=../../etc/passwd",
           "kind=ipv4&kind=ipv4", "kind=ipv4%00", "&&since", "since=..%2f", "%73ince=x", "since[]=1"]


@pytest.mark.parametrize("query", QUERIES)
def test_hostile_queries(node, query):
    """What is broken if it fails: a query string takes a worker down, or is answered with a whole list by mistake."""
    r = get(node, "block.jsonl?" + query)
    assert r.status in (400, 404), (query, r.status, r.body[:200])
    assert r.headers["Content-Type"].startswith("text/plain")
    assert get(node, "block.hosts?since=2026-01-01T00:00:00Z").status == 400       # no output of changes


# ---- what drops out

def test_what_ends_drops_out(node):
    """What is broken if it fails: a false positive stays blocked after it was revoked, taken out, or has expired."""
    now = datetime.now(timezone.utc)
    soon = (now + timedelta(seconds=3)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    put(node, ip("ends", "8.8.5.1"), ip("removed", "8.8.5.2"), ip("expires", "8.8.5.3", valid_until=soon),
        dict(ip("begins", "8.8.5.4"), valid_from=soon), ip("over", "8.8.5.5", valid_until="2024-02-01T00:00:00Z"))
    def mine():
        return {x for x in text(node, "block.ipv4.txt").split() if x.startswith("8.8.5.")}
    assert {"8.8.5.1", "8.8.5.2"} <= mine() and "8.8.5.5" not in mine()
    put(node, ip("ends", "8.8.5.1", modified="2024-02-01T00:00:00.000Z", revoked=True))
    assert "8.8.5.1" not in mine()          # the next fetch, not a later one
    # who may write and read takes it out of the collection; here: a newer version with another value
    put(node, ip("removed", "8.8.5.6", modified="2024-02-01T00:00:00.000Z"))
    assert "8.8.5.2" not in mine() and "8.8.5.6" in mine()
    until("time to change the list", lambda: mine() == {"8.8.5.4", "8.8.5.6"})


def test_one_row_a_group(node):
    """What is broken if it fails: the same value from three sources is three rows, or is gone when one of them revokes."""
    put(node, ip("copy 1", "8.8.6.1"), ip("copy 2", "8.8.6.1"), ip("copy 3", "8.8.6.1"))
    def rows():
        return [json.loads(x)["name"] for x in text(node, "block.jsonl").splitlines() if '"8.8.6.1"' in x]
    assert len(rows()) == 1
    put(node, ip(rows()[0], "8.8.6.1", modified="2024-02-01T00:00:00.000Z", revoked=True))
    assert len(rows()) == 1 and text(node, "block.ipv4.txt").split().count("8.8.6.1") == 1


def edit(node, path, old, new):
    with open(path, encoding="utf-8") as f:
        before = f.read()
    assert old in before
    with open(path, "w", encoding="utf-8") as f:
        f.write(before.replace(old, new))
    assert node.reload()
    return before


def put_back(node, path, before):
    with open(path, "w", encoding="utf-8") as f:
        f.write(before)
    assert node.reload()


def test_the_warning_list_keeps_poison_out(node):
    """What is broken if it fails: one bad indicator makes every firewall block its own network."""
    put(node, ip("own", "8.8.7.1"), ip("private", "10.1.2.3"), name("documentation", "www.example.com"), ip("good", "8.8.8.1"))
    r = get(node, "block.txt")
    assert b"10.1.2.3" not in r.body and b"example.com" not in r.body and b"8.8.7.1" in r.body
    assert "warned=" in r.headers["X-Tocsin-Withheld"]
    c = Collector(node)
    c.whole()
    before = edit(node, node.conf, "feed block\n", "warnings\n    networks 8.8.7.0/24\n\nfeed block\n")
    try:
        assert "8.8.7.1" not in text(node, "block.txt") and "8.8.8.1" in text(node, "block.txt")
        had = len(c.records)
        c.changes()
        assert c.wholes == 1 and len(c.records) == had - 1
        c.check()
        shown = node.ask("feed", "show", "block", "--for", "soc")
        why = {x["value"]: x["why"] for x in shown["warned"]}
        assert "8.8.7.1" in why and "10.1.2.3" in why and "1918" in why["10.1.2.3"]
        assert until("the figures", lambda: node.metric('tocsin_feed_withheld{feed="block",reason="warned"}') >= 3)
    finally:
        put_back(node, node.conf, before)
    c.changes()
    c.check()
    assert len(c.records) == had and c.wholes == 1


# ---- changes

def test_changes_lead_to_the_whole(node):
    """What is broken if it fails: a tool that fetches changes has another list than one that fetches all of it."""
    c, csv = Collector(node), None
    c.whole()
    start = get(node, "block.csv").headers["X-Tocsin-Since"]
    for i in range(12):
        put(node, ip(f"change {i}", f"8.9.1.{i}"), ip(f"change {i - 2}", f"8.9.2.{i}", modified=f"2024-03-01T00:00:{i:02}.000Z",
            revoked=i % 3 == 0))
        if i % 2:
            c.changes()
            c.check()
    assert c.wholes == 1
    csv = text(node, f"block.csv?since={start}").splitlines()
    assert csv[0].startswith("op,id,type,value,")
    assert {x.split(",")[0] for x in csv[1:]} <= {"added", "changed", "removed"} and len(csv) > 10
    # nothing has changed: nothing is said
    assert text(node, f"block.jsonl?since={c.cursor}") == ""
    # by time: at least what changed since then
    assert get(node, "block.jsonl?since=2020-01-01T00:00:00Z").status == 410
    r = get(node, "block.jsonl?since=" + datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert r.status in (200, 410)
    # cursors are for whom they were given, and for this feed
    assert get(node, f"block.jsonl?since={c.cursor}", "second").status == 400
    assert get(node, f"few.csv?since={c.cursor}").status == 400


def test_a_label_that_is_tightened_is_a_removal(node):
    """What is broken if it fails: a client keeps blocking by, and showing, what it may not have any more."""
    put(node, ip("tight", "8.9.3.1", tlp="green"), ip("never", "8.9.3.2", tlp="amber"))
    c = Collector(node, who="client")
    c.whole()
    assert any(r["value"] == "8.9.3.1" for r in c.records.values())
    put(node, ip("tight", "8.9.3.1", tlp="amber", modified="2024-03-01T00:00:00.000Z"),
        ip("never", "8.9.3.2", tlp="amber", modified="2024-03-01T00:00:00.000Z", revoked=True))
    r = get(node, f"block.jsonl?since={c.cursor}", "client")
    said = [json.loads(x) for x in r.body.decode().splitlines()]
    assert [(x["op"], x["value"]) for x in said] == [("removed", "8.9.3.1")]
    c.changes()
    c.check()


def test_cursors_outlive_processes(node):
    """What is broken if it fails: after a crash every tool fetches everything again, or misses what happened."""
    c = Collector(node)
    c.whole()
    put(node, ip("before the crash", "8.9.4.1"))
    for pid in (int(p) for p in os.popen(f"pgrep -P {node.process.pid}").read().split()):
        os.kill(pid, signal.SIGKILL)
        break
    until("the node to serve again", node.is_ready)
    until("changes", lambda: _quietly(c.changes))
    c.check()
    put(node, ip("before the power cut", "8.9.4.2"))
    node.kill()
    node.start()
    put(node, ip("after it", "8.9.4.3"))
    c.changes()
    c.check()
    assert c.wholes == 1 and {"8.9.4.1", "8.9.4.2", "8.9.4.3"} <= {r["value"] for r in c.records.values()}


def _quietly(question):
    try:
        question()
        return True
    except (OSError, http.client.HTTPException):
        return False


# ---- files

def test_files_on_disk(node):
    """What is broken if it fails: a tool that reads files reads old ones, half of one, or what is not for it."""
    path = node.file("lists", "lists.hosts")
    put(node, name("file", "file.evil.org", tlp="clear", labels=["PAP:CLEAR"]), name("not its", "amber.evil.org", tlp="amber"))
    def content(ending="hosts"):
        try:
            with open(node.file("lists", "lists." + ending), encoding="utf-8") as f:
                return f.read()
        except FileNotFoundError:
            return ""
    until("the file", lambda: "0.0.0.0 file.evil.org" in content())
    assert "amber.evil.org" not in content()            # `for wall`, which blocks: pap amber forbids it
    all_of_them = {"lists.csv", "lists.hosts", "lists.txt", "lists.ip.txt", "lists.ipv4.txt", "lists.domain.txt", "lists.stix.json"}
    until("all files, and nothing else", lambda: set(os.listdir(node.file("lists"))) == all_of_them)
    before = os.stat(path)
    put(node, ip("no domain", "8.9.5.1", tlp="clear", labels=["PAP:CLEAR"]))
    until("the other file", lambda: "8.9.5.1" in content("ipv4.txt"))
    assert os.stat(path).st_ino == before.st_ino, "what has not changed is not written"
    put(node, name("file", "file.evil.org", tlp="clear", labels=["PAP:CLEAR"],
                   modified="2024-03-01T00:00:00.000Z", revoked=True))
    until("the file to follow", lambda: "file.evil.org" not in content())
    listed = {f["name"]: f for f in node.ask("feed", "list")["feeds"]}
    assert listed["lists"]["for"] == "wall" and listed["lists"]["published"] and "trouble" not in listed["lists"]
    # its consumer loses the right: the files are emptied, and it is said why; what a link leads to is not ours
    alien, link = node.file("lists", "alien"), node.file("lists", "lists.txt")
    with open(alien, "w", encoding="utf-8") as f:
        f.write("another's")
    os.remove(link)
    os.symlink(alien, link)
    trust = node.file("trust.conf")
    old = edit(node, trust, "uses block\n    read advisories", "uses block\n    read cellar")
    try:
        until("empty files", lambda: content("csv") == "" and content() == "")
        assert "may not read" in {f["name"]: f for f in node.ask("feed", "list")["feeds"]}["lists"]["trouble"]
        assert os.path.getsize(alien) == len("another's")
    finally:
        put_back(node, trust, old)
        os.remove(alien)
    until("files again", lambda: "8.9.5.1" in content("ipv4.txt"))


def test_reading_is_recorded(node):
    """What is broken if it fails: nobody can say later which team was told what."""
    put(node, ip("recorded", "8.9.6.1"))
    r = get(node, "block.txt")
    tag = r.headers["ETag"].strip('"')
    def records():
        out = node.run("audit", "export", "--config", node.conf).stdout
        return [json.loads(x) for x in out.splitlines() if '"ev":"feed"' in x]
    found = until("the record", lambda: [x for x in records() if x["tag"] == tag and x["output"] == "txt"])[-1]
    assert found["consumer"] == "soc" and found["feed"] == "block" and found["records"] == int(r.headers["X-Tocsin-Records"])
    n = len(records())
    assert get(node, "block.txt", **{"If-None-Match": r.headers["ETag"]}).status == 304
    get(node, "block.txt", method="HEAD")
    assert len(records()) == n


# ---- much of it

def test_a_large_feed_holds_nobody_up(tmp_path):
    """What is broken if it fails: one tool that fetches a large list makes every SIEM wait, or the node dies of it."""
    count = int(os.environ.get("FEED_OBJECTS", "100000"))
    lab = Lab(tmp_path, names=("cert-a",), redis=False, extra=FEEDS, consumers=CONSUMERS,
              limits="    body 64m\n    pending-over 64m\n").build()
    lab.start()
    a = lab["cert-a"]
    try:
        for k in range(0, count, 10000):
            a.insist("sensor", "advisories", *(
                ip(f"large {i}", f"9.{i // 62500}.{i // 250 % 250}.{i % 250 + 1}") for i in range(k, min(k + 10000, count))))
        waits, done = [], threading.Event()

        def poll():
            c = Client(a, "soc")
            while not done.is_set():
                at = time.monotonic()
                assert c.request("GET", "/api/collections/advisories/objects/?limit=20").status == 200
                waits.append(time.monotonic() - at)
        pollers = [threading.Thread(target=poll) for _ in range(4)]
        for p in pollers:
            p.start()
        answers = []

        def fetch():
            answers.append(until("the feed", lambda: (lambda r: r if r.status == 200 else None)(get(a, "block.csv")), 120))
        fetchers = [threading.Thread(target=fetch) for _ in range(3)]
        for f in fetchers:
            f.start()
        for f in fetchers:
            f.join()
        done.set()
        for p in pollers:
            p.join()
        assert all(r.body == answers[0].body for r in answers) and answers[0].body.count(b"\n") == count + 1
        assert len(waits) > 50 and sorted(waits)[len(waits) * 99 // 100] < 0.5, (len(waits), max(waits))
        # who fetched at once shared a build; a worker has built it once, or twice for who came later
        assert a.metric('tocsin_feeds_total{feed="block",how="built"}') <= 4
        # killed while it is being built: nothing is left behind, and it is served again
        a.insist("sensor", "advisories", ip("one more", "9.9.9.9"))
        threading.Thread(target=lambda: _quietly(lambda: get(a, "block.csv")), daemon=True).start()
        time.sleep(0.2)
        a.kill()
        a.start()
        r = until("the feed", lambda: (lambda r: r if r.status == 200 else None)(get(a, "block.csv")), 120)
        assert r.body.count(b"\n") == count + 2
    finally:
        assert set(lab.stop().values()) == {0}
