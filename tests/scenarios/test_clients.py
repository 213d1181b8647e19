"""The clients of clients.py, all at once, against a collection that is written to, and a node that is killed, meanwhile."""
import json
import random
import threading

import pytest

import clients
from lab import indicator, laboratory, stix_id

VERSIONS = 900
TITLE = "Read by everybody"
PASSWORD = "pass:word with a colon"

READERS = {         # who, how he logs in, how he is made
    "elastic": lambda n, cid: clients.Elastic(clients.Http(n, clients.bearer(n, "elastic")),
                                              f"/api/collections/{cid}/objects/", limit=50),
    "elastic, one by one": lambda n, cid: clients.Elastic(clients.Http(n, clients.bearer(n, "elastic")),
                                                          f"/api/collections/{cid}/objects/", limit=1),
    "opencti": lambda n, cid: clients.OpenCti(clients.Http(n, clients.bearer(n, "opencti")),
                                              f"/api/collections/{cid}/objects/", limit=7),
    "opencti, unlimited": lambda n, cid: clients.OpenCti(clients.Http(n, clients.bearer(n, "opencti")),
                                                         f"/api/collections/{cid}/objects/"),
    "opencti connector": lambda n, cid: clients.OpenCtiConnector(clients.Http(n, clients.token(n, "connector")), "api", TITLE, 10),
    "minemeld": lambda n, cid: clients.MineMeld(clients.Http(n, clients.token(n, "minemeld")), "api", cid),
    "xsoar": lambda n, cid: clients.Xsoar(clients.Http(n, clients.token(n, "xsoar")), "api", TITLE, KINDS),
    "sentinel": lambda n, cid: clients.Sentinel(clients.Http(n, clients.basic("sentinel", PASSWORD)), "/api/", cid),
    "taxii2-client": lambda n, cid: clients.Taxii2Client(clients.Http(n, clients.basic("sentinel", PASSWORD)), 20).into(cid),
}
KINDS = ["indicator", "identity", "malware", "x-odd"]
COLLECTION = f"""
collection concert
    title        "{TITLE}"

"""


def pile(rng):
    """Versions of all sorts, in the order in which they are written: old and new ones of one object, revoked ones, copies of
    history with dates long past, objects of the same second, with and without fractions of it."""
    who = {"type": "identity", "spec_version": "2.1", "id": stix_id("identity", "concert"), "name": "c", "identity_class": "group",
           "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z"}
    yield who
    for i in range(VERSIONS - 1):
        at = f"20{rng.randrange(10, 26):02}-0{rng.randrange(1, 10)}-1{rng.randrange(10)}T00:00:00.{i % 1000:03}Z"
        if rng.random() < 0.2:
            at = f"2026-11-20T08:00:00.{i:06}Z"
        if rng.random() < 0.3:
            kind, more = rng.choice([("malware", {"name": "m", "is_family": False}), ("x-odd", {"x_n": i})])
            yield {"type": kind, "spec_version": "2.1", "id": stix_id(kind, f"concert {i}"), "created": at, "modified": at, **more}
            continue
        o = indicator(f"concert {rng.randrange(i + 1)}", f"[domain-name:value = 'host{i}.example']",
                      tlp=rng.choice(["clear", "green", "amber", "amber+strict", None]), at="2009-01-01T00:00:00.000Z", modified=at)
        yield dict(o, created_by_ref=who["id"], **({"revoked": True} if rng.random() < 0.1 else {}))


def version(o):
    return o["id"], o["modified"]


class Reader(threading.Thread):
    """One client that polls until the writer is done, and once more."""

    def __init__(self, name, client, concert):
        super().__init__()
        self.title, self.client, self.concert, self.got, self.failure = name, client, concert, [], None

    def run(self):
        quiet = 0
        while quiet < 2:
            done = self.concert.done.is_set()
            try:
                got = self.client.poll()
            except OSError:
                continue                # the node is away; as a client's next interval
            except clients.Confused as e:
                if self.concert.away.is_set():
                    continue
                self.failure = e
                return
            self.got += got
            quiet = quiet + 1 if done and not getattr(self.client, "next", None) else 0


class Concert:
    def __init__(self, node, rng):
        self.node, self.done, self.away, self.sent = node, threading.Event(), threading.Event(), {}
        self.rng = rng
        cid = next(c["id"] for c in node.request("GET", "/api/collections/", "writer").json["collections"]
                   if c["alias"] == "concert")
        self.readers = {name: Reader(name, make(node, cid), self) for name, make in READERS.items()}

    def play(self):
        for r in self.readers.values():
            r.start()
        try:
            self.write()
        finally:
            self.done.set()
        for r in self.readers.values():
            r.join()

    def write(self):
        """Envelopes of 1 to 30; in the middle the node dies, and comes back. (A version is newer than all that are there, as
        objects are shown in their latest version: who reads too late has not missed the one before.)"""
        part, size, dead = [], 1, False
        for o in pile(self.rng):
            part.append(o)
            if len(part) < size:
                continue
            self.put(part)
            part, size = [], self.rng.randrange(1, 31)
            if len(self.sent) > VERSIONS // 2 and not dead:
                dead = True
                self.away.set()
                self.node.kill()
                self.node.start()
                self.away.clear()
        self.put(part)

    def put(self, part):
        for o in part:
            self.sent[version(o)] = o
        status = self.node.insist("writer", "concert", *part)
        assert status["failure_count"] == status["pending_count"] == 0, status


@pytest.fixture(scope="module")
def concert():
    who = {name: ["relation own", "read *"] for name in ("elastic", "opencti", "connector", "minemeld", "xsoar", "sentinel")}
    who["writer"] = ["relation own", "read *", "write *"]
    who["elastic"].append("empty-list yes")
    who["minemeld"].append("taxii20 no")
    with laboratory("cert-a", redis=False, extra=COLLECTION, consumers=who,
                    trust=lambda lab: lab["cert-a"].add_password("sentinel", PASSWORD)) as lab:
        c = Concert(lab["cert-a"], random.Random(4))
        c.play()
        c.latest = {o["id"]: version(o) for o in
                    lab["cert-a"].objects("writer", "concert")}
        yield c


@pytest.mark.parametrize("name", READERS)
def test_nothing_is_lost(concert, name):
    """If this fails, this product misses objects, or never comes to an end, while somebody writes."""
    r = concert.readers[name]
    assert r.failure is None, r.failure
    got = [version(o) for o in r.got]
    assert set(got) <= set(concert.sent), "what nobody wrote"
    missing = set(concert.latest.values()) - set(got)
    assert not missing, f"{len(missing)} of {len(concert.latest)} missing"
    if not getattr(r.client, "at_least_once", False):
        assert len(got) == len(set(got)), "seen twice"
    for o in r.got:
        assert json.dumps(o) == json.dumps(concert.sent[version(o)]), "not as it was sent"
