"""A collection as a MISP feed, fetched as a MISP does it: the manifest, then each event whose timestamp has grown, and the hashes."""
import gzip
import hashlib
import json
import os
import re
import sqlite3
import subprocess

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

GROUP = "0f1e2d3c-4b5a-4678-9a0b-c1d2e3f40516"

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
    a = lab["cert-a"]
    lab.write_trust(a, RULES, head=f"node cert-a\n    misp-group {GROUP} tlp green\n\n")
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
                for a in e.get("Attribute", []) + [x for o in e.get("Object", []) for x in o["Attribute"]]}


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


def curl(node, path, *words, who=("-H", None)):
    """As MISP's own client asks, by another program than ours: status, headers in small letters, body."""
    auth = ("-H", f"Authorization: Bearer {node.tokens['soc']}") if who[1] is None else who
    done = subprocess.run(["curl", "-s", "-i", "--cacert", node.file("tls", "ca.crt"), *auth, "-H",
                           "Accept: application/json, application/octet-stream", "-H", "Content-Type: application/json", "-H",
                           "MISP-version: 2.5.0", "-H", "User-Agent: MISP 2.5.0", *words, f"{node.url}/feeds/exchange/misp/{path}"],
                          capture_output=True, check=True)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return int(status.split()[1]), {k.lower(): v for k, v in (x.split(": ", 1) for x in lines)}, body


def test_by_curl_with_a_password_and_tags(node):
    """What is broken if it fails: a MISP whose feed is set up with a user and password, or that keeps tags, gets nothing, or everything
    each time."""
    node.add_password("soc", "correct horse")
    assert node.reload()
    put(node, *(ip(f"curl {i}", f"192.0.2.{i}") for i in range(30)), report("by curl", ip("curl 1", "192.0.2.1")))
    user = ("-u", "soc:correct horse")
    status, head, body = curl(node, "manifest.json", who=user)
    assert status == 200 and head["content-type"] == "application/json" and "authorization" in head["vary"].lower()
    uuid = stix_id("report", "by curl").split("--")[1]
    names = ["manifest.json", "hashes.csv", uuid + ".json"]
    assert uuid in json.loads(body)
    for name in names:
        status, head, plain = curl(node, name)
        assert status == 200 and (status, head["etag"], plain) == (200, curl(node, name, who=user)[1]["etag"], curl(node, name, who=user)[2])
        same = curl(node, name, "-H", f"If-None-Match: {head['etag']}")
        assert same[0] == 304 and same[2] == b"" and same[1]["etag"] == head["etag"]
        assert curl(node, name, "-H", f'If-None-Match: "00", W/{head["etag"]}')[0] == 304
        assert curl(node, name, "-H", 'If-None-Match: "00"')[0] == 200
        status, zipped, small = curl(node, name, "-H", "Accept-Encoding: gzip")
        if "content-encoding" in zipped:
            assert zipped["etag"] != head["etag"] and gzip.decompress(small) == plain, "another tag for other bytes"
            assert curl(node, name, "-H", f"If-None-Match: {zipped['etag']}", "-H", "Accept-Encoding: gzip")[0] == 304
            assert curl(node, name, "-H", f"If-None-Match: {zipped['etag']}")[0] == 304
        head_only = curl(node, name, "-I")
        assert head_only[0] == 200 and int(head_only[1]["content-length"]) == len(plain) and head_only[2] == b""
    assert "content-encoding" in curl(node, "hashes.csv", "-H", "Accept-Encoding: gzip")[1]
    assert curl(node, "manifest.json", who=("-u", "soc:wrong"))[0] == 401
    # an addition elsewhere changes the manifest, and leaves the event as it was
    tags = {name: curl(node, name)[1]["etag"] for name in names}
    put(node, ip("curl later", "192.0.2.99"))
    now = {name: curl(node, name, "-H", f"If-None-Match: {tags[name]}")[0] for name in names}
    assert now == {"manifest.json": 200, "hashes.csv": 200, uuid + ".json": 304}


def test_a_sharing_group_that_is_told(node):
    """What is broken if it fails: what a MISP shares with a group goes to nobody, or what it shares with an unknown one to all."""
    for n, group in ((70, GROUP), (71, GROUP[:-1] + "0")):
        uuid = stix_id("event", f"shared {n}").split("--")[1]
        node.drop("drop", f"shared-{n}.json", json.dumps({"Event": {
            "uuid": uuid, "info": f"shared {n}", "date": "2024-01-01", "timestamp": "1704067200", "distribution": "4",
            "sharing_group_id": "3", "SharingGroup": {"id": "3", "uuid": group, "name": "ours"}, "Attribute": [
                {"uuid": uuid[:-1] + "f", "type": "ip-dst", "category": "Network activity", "value": f"198.51.100.{n}", "to_ids": True,
                 "timestamp": "1704067200"}]}}))
    until("both to be taken in", lambda: not [f for f in os.listdir(node.file("spool", "drop", "incoming")) if f.endswith(".json")])
    until("the event of the known group", lambda: "indicator--" + stix_id("event", "shared 70").split("--")[1][:-1] + "f" in node.ids("client", "advisories"))
    assert "198.51.100.70" in Misp(node, "client").pull().values()
    assert "198.51.100.71" not in Misp(node, "soc").pull().values()


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


def test_an_unreadable_object_costs_itself(node):
    """What is broken if it fails: one object that was damaged on disk takes the whole feed from every MISP."""
    good, bad, worse = ip("good", "198.51.100.60"), ip("bad", "198.51.100.61"), ip("worse", "198.51.100.62")
    put(node, good, bad, worse, report("damaged", good, bad, worse))
    assert get(node, "exchange/misp/manifest.json").status == 200
    node.stop()
    db = sqlite3.connect(node.file("state", "tocsin.db"))
    hurt = {bad["id"]: b'{"type":"indicator",', worse["id"]: json.dumps({**worse, "created": 5}).encode()}
    rows = [(vid, bytes(b)) for vid, b in db.execute("SELECT vid, bytes FROM version")]
    for name, text in hurt.items():
        vids = [vid for vid, b in rows if b'"id": "' + name.encode() in b or b'"id":"' + name.encode() in b]
        assert len(vids) == 1
        db.execute("UPDATE version SET bytes = ? WHERE vid = ?", (text, vids[0]))
    db.commit()
    db.close()
    node.start()
    r = get(node, "exchange/misp/manifest.json")
    assert r.status == 200, r.body
    uuid = stix_id("report", "damaged").split("--")[1]
    event = json.loads(get(node, f"exchange/misp/{uuid}.json").body)["Event"]
    assert [a["value"] for a in event["Attribute"]] == ["198.51.100.60"]
    assert "feed.misp-left-out" in node.log()
    assert node.metric('tocsin_feeds_total{feed="exchange",how="left-out"}') >= 2
