"""A collection as a MISP feed, fetched as a MISP does it: the manifest, then each event whose timestamp has grown, and the hashes."""
import hashlib
import json
import re

import pytest
from lab import TLP, Lab, indicator, stix_id, until

OLD, LATER = "2024-01-01T00:00:00.000Z", "2024-06-01T00:00:00.000Z"

FEEDS = """
feed exchange
    collection   advisories
    formats      misp csv

feed lists
    collection   advisories
    formats      csv

feed small
    collection   advisories
    formats      misp
    misp-bytes   64k
"""

CONSUMERS = {
    "soc": ["relation own", "read advisories"],
    "client": ["relation client", "read advisories"],
    "stranger": ["relation own", "write *"],
    "sensor": ["relation own", "write *"],
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
    lab = Lab(tmp_path_factory.mktemp("misp"), names=("cert-a",), redis=False, extra=FEEDS, consumers=CONSUMERS)
    lab.build()
    lab.write_trust(lab["cert-a"], RULES)
    a = lab["cert-a"]
    with open(a.file("trust.conf"), encoding="utf-8") as f:
        text = f.read()
    with open(a.file("trust.conf"), "w", encoding="utf-8") as f:
        f.write(text[:text.index("release ")] + RULES)
    lab.start()
    yield a
    a.verify_audit()
    assert set(lab.stop().values()) == {0}


def get(node, path, who="soc", **headers):
    return node.request("GET", f"/feeds/{path}", who, headers={"Accept": "*/*", **headers})


def put(node, *objects):
    status = node.insist("sensor", "advisories", *objects)
    assert status["failure_count"] == 0, status


def ip(name, address, tlp="green", **more):
    return indicator(name, f"[ipv4-addr:value = '{address}']", tlp=tlp, at=OLD, **more)


def report(name, *refs, tlp="green", modified=OLD):
    return {"type": "report", "spec_version": "2.1", "id": stix_id("report", name), "created": OLD, "modified": modified,
            "name": name, "published": OLD, "object_refs": [r["id"] for r in refs], "object_marking_refs": [TLP[tlp]]}


class Misp:
    """What MISP does with a feed: an event is fetched if it is new, or if its timestamp has grown."""

    def __init__(self, node, who="soc", feed="exchange"):
        self.node, self.who, self.feed = node, who, feed
        self.events, self.fetched = {}, []

    def file(self, name):
        r = get(self.node, f"{self.feed}/misp/{name}", self.who)
        assert r.status == 200, (name, r.status, r.body)
        return r.body

    def pull(self):
        self.fetched = []
        self.manifest = json.loads(self.file("manifest.json"))
        for uuid, row in self.manifest.items():
            assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", uuid)
            assert set(row) == {"Orgc", "Tag", "info", "date", "analysis", "threat_level_id", "timestamp"}
            assert row["Orgc"]["name"] and row["Orgc"]["uuid"]
            if uuid in self.events and int(row["timestamp"]) <= int(self.events[uuid]["timestamp"]):
                continue
            event = json.loads(self.file(uuid + ".json"))["Event"]
            assert event["uuid"] == uuid and event["timestamp"] == row["timestamp"] and event["info"] == row["info"]
            self.events[uuid] = event
            self.fetched.append(event["info"])
        return self

    def values(self):
        return {a["value"] for e in self.events.values()
                for a in e["Attribute"] + [x for o in e["Object"] for x in o["Attribute"]]}


def test_a_misp_fetches_it(node):
    """What is broken if it fails: a partner's MISP gets no events of ours, or others than the collection holds."""
    named, loose = ip("named", "198.51.100.1"), ip("loose", "198.51.100.2")
    put(node, named, loose, report("campaign", named))
    misp = Misp(node).pull()
    mine = misp.events[stix_id("report", "campaign").split("--")[1]]
    assert mine["info"] == "campaign" and [a["value"] for a in mine["Attribute"]] == ["198.51.100.1"]
    assert "tlp:green" in [t["name"] for t in misp.manifest[mine["uuid"]]["Tag"]]
    rest = [e for e in misp.events.values() if "198.51.100.2" in [a["value"] for a in e["Attribute"]]]
    assert len(rest) == 1 and rest[0]["uuid"] != mine["uuid"]
    hashes = [line.split(",") for line in misp.file("hashes.csv").decode().splitlines()]
    assert [hashlib.md5(b"198.51.100.1").hexdigest(), mine["uuid"]] in hashes
    assert {h for h, _ in hashes} == {hashlib.md5(v.encode()).hexdigest() for v in misp.values()}
    # nothing is new: nothing is fetched; what grows is, under the name it had
    assert misp.pull().fetched == []
    put(node, ip("named", "198.51.100.9", modified=LATER))
    assert "campaign" in misp.pull().fetched and "198.51.100.9" in misp.values()
    put(node, ip("late, but old", "198.51.100.3"))
    n = len(misp.events)
    assert misp.pull().fetched == [rest[0]["info"]] and "198.51.100.3" in misp.values() and len(misp.events) == n


def test_only_what_this_reader_may_have(node):
    """What is broken if it fails: a feed tells a client what policy keeps from him everywhere else."""
    for_all, secret, red = ip("for all", "198.51.100.20"), ip("secret", "198.51.100.21", tlp="amber"), \
        ip("red", "198.51.100.22", tlp="red")
    put(node, for_all, secret, red, report("mixed", for_all, secret, red), report("inner", for_all, tlp="amber"))
    own, client = Misp(node).pull(), Misp(node, "client").pull()
    inner = stix_id("report", "inner").split("--")[1]
    assert "198.51.100.21" in own.values() and inner in own.events and "198.51.100.22" not in own.values()
    assert "198.51.100.20" in client.values() and not {"198.51.100.21", "198.51.100.22"} & client.values()
    assert inner not in client.manifest and get(node, f"exchange/misp/{inner}.json", "client").status == 404
    digests = {v: hashlib.md5(v.encode()).hexdigest() for v in ("198.51.100.21", "198.51.100.22")}
    assert digests["198.51.100.21"] in own.file("hashes.csv").decode()
    said = b"".join([client.file("manifest.json"), client.file("hashes.csv")] + [client.file(u + ".json") for u in client.manifest])
    for o in (secret, red):
        assert o["id"].encode() not in said and o["id"].split("--")[1].encode() not in said
    assert not [v for v, d in digests.items() if v.encode() in said or d.encode() in said]
    # without the right to the collection there is nothing, and for nobody either
    assert get(node, "exchange/misp/manifest.json", "stranger").status == 403
    assert get(node, "exchange/misp/manifest.json", None).status == 401


def test_asking_again(node):
    """What is broken if it fails: every MISP loads everything every time, or keeps what has changed."""
    put(node, ip("again", "198.51.100.30"))
    for name in ("manifest.json", "hashes.csv"):
        first = get(node, "exchange/misp/" + name)
        assert first.status == 200
        same = get(node, "exchange/misp/" + name, **{"If-None-Match": first.headers["ETag"]})
        assert same.status == 304 and same.body == b""
        put(node, ip("again " + name, "198.51.100.31" if name[0] == "m" else "198.51.100.32"))
        other = get(node, "exchange/misp/" + name, **{"If-None-Match": first.headers["ETag"]})
        assert other.status == 200 and other.body != first.body


def test_what_is_not_there(node):
    """What is broken if it fails: a name of a file leads elsewhere, or a feed shows a form that it does not serve."""
    for path, status in (("lists/misp/manifest.json", 404), ("nothing/misp/manifest.json", 404),
                         ("exchange/misp/", 404), ("exchange/misp/other.json", 404),
                         ("exchange/misp/" + "0" * 36 + ".json", 404), ("exchange/misp/..%2f..%2fetc", 404)):
        assert get(node, path).status == status, path
    assert get(node, "exchange.csv").status == 200
    assert node.request("POST", "/feeds/exchange/misp/manifest.json", "soc", body=b"{}").status == 405


def test_too_large_is_refused(node):
    """What is broken if it fails: a collection that has grown is cut without a word, or takes all memory."""
    put(node, *(ip(f"many {i}", f"203.0.113.{i}") for i in range(250)))
    r = get(node, "small/misp/manifest.json")
    assert r.status == 503 and b"misp-bytes" in r.body and int(r.headers["Retry-After"]) > 60
    assert get(node, "exchange/misp/manifest.json").status == 200


def test_reading_is_recorded(node):
    """What is broken if it fails: nobody can say later which team was told what."""
    r = get(node, "exchange/misp/manifest.json")

    def records():
        out = node.run("audit", "export", "--config", node.conf).stdout
        rows = [json.loads(x) for x in out.splitlines() if '"ev":"feed"' in x]
        return [x for x in rows if x["tag"] == r.headers["ETag"].strip('"')]
    found = until("the record", records)
    assert found[-1]["output"] == "misp" and found[-1]["how"] == "manifest.json"
    assert found[-1]["consumer"] == "soc" and found[-1]["records"] == len(json.loads(r.body))
