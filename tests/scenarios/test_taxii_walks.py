"""Walks through a collection that two workers serve while it is written to, and while processes die."""
import datetime
import json
import os
import random
import signal
import threading

import pytest

from lab import Client, indicator, laboratory, until
from test_processes import processes

EPOCH = "1970-01-01T00:00:00.000000Z"
OBJECTS = "/api/collections/advisories/objects/"


@pytest.fixture(scope="module")
def node():
    with laboratory("cert-a", redis=False) as lab:
        yield lab["cert-a"]


class Writers:
    """Three writers at once, a few objects a time; every object is of a kind of its own."""

    def __init__(self, node, n=150):
        self.node, self.n, self.sent, self.lock = node, n, [], threading.Lock()
        self.kind = f"x-walk-{random.randrange(1 << 30)}"
        self.threads = [threading.Thread(target=self.write, args=(k,)) for k in range(3)]
        for t in self.threads:
            t.start()

    def write(self, k):
        rng = random.Random(k)
        i = 0
        while i < self.n:
            some = [{"type": self.kind, "spec_version": "2.1", "id": f"{self.kind}--{k:08}-0000-4000-8000-{i + j:012}",
                     "created": "2026-11-01T00:00:00.000Z", "modified": "2026-11-01T00:00:00.000Z"} for j in range(rng.randrange(1, 6))]
            self.node.insist("sensor", "advisories", *some)
            with self.lock:
                self.sent += [o["id"] for o in some]
            i += len(some)

    def busy(self):
        return any(t.is_alive() for t in self.threads)

    def finish(self, got, once=True):
        for t in self.threads:
            t.join()
        assert set(got) == set(self.sent), "somebody missed something"
        assert not once or len(got) == len(set(got)), "somebody saw something twice"


def ask(node, query):
    """On a connection of its own: of either worker."""
    def once():
        try:
            r = node.request("GET", OBJECTS + query, "soc")
        except OSError:
            return None
        return r if r.status != 503 else None
    r = until("an answer", once)
    assert r.status == 200, (r.status, r.body)
    return r


def ids(r):
    return [o["id"] for o in r.json.get("objects", [])]


def rounded(stamp, how):
    """The mark as a client keeps it that knows milliseconds."""
    us = int(datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp() * 1_000_000 + 0.5)
    ms = us // 1000 if how == "down" else -(-us // 1000) if how == "up" else (us + 500) // 1000
    at = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S") + f".{ms % 1000:03}Z"


@pytest.mark.parametrize("how", ["down", "up", "nearest"])
@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_a_client_that_rounds_its_mark(node, how, limit):
    """If this fails, a client that keeps its mark in milliseconds loses objects for ever, or goes round in circles."""
    w, got, mark, turns = Writers(node, 60), [], EPOCH, 0
    while True:
        last_round = not w.busy()
        r = ask(node, f"?match[type]={w.kind}&limit={limit}&added_after={mark}")
        page = ids(r)
        while r.json.get("more"):
            r = ask(node, f"?match[type]={w.kind}&limit={limit}&next={r.json['next']}")
            page += ids(r)
        if page:
            mark = rounded(r.headers["X-TAXII-Date-Added-Last"], how)
        got += page
        turns += 1
        if last_round and set(page) <= set(got[:len(got) - len(page)]):
            break
        assert turns < 5000
    w.finish(got, once=how == "up")


def test_every_page_from_another_worker(node):
    """If this fails, a client behind a balancer sees the order of one worker and misses what the other has."""
    w, got, token, last = Writers(node), [], "", EPOCH
    while True:
        last_round = not w.busy()
        r = ask(node, f"?match[type]={w.kind}&limit=5{token}")
        if ids(r):
            first = r.headers["X-TAXII-Date-Added-First"]
            assert last < first <= r.headers["X-TAXII-Date-Added-Last"], "dates only grow"
            last = r.headers["X-TAXII-Date-Added-Last"]
        got += ids(r)
        token = f"&next={r.json['next']}" if r.json.get("more") else f"&added_after={last}"
        if last_round and not ids(r):
            break
    w.finish(got)
    # and the same again by many at once
    wants, answers = set(w.sent), []

    def read():
        seen, more = [], ""
        while True:
            r = ask(node, f"?match[type]={w.kind}&limit=50{more}")
            seen += ids(r)
            if not r.json.get("more"):
                break
            more = "&next=" + r.json["next"]
        answers.append(seen)
    readers = [threading.Thread(target=read) for _ in range(6)]
    for t in readers:
        t.start()
    for t in readers:
        t.join()
    assert all(a == answers[0] for a in answers) and set(answers[0]) == wants and len(answers) == 6


@pytest.mark.skipif(bool(os.environ.get("TOCSIN_ONE")), reason="one process has no others")
@pytest.mark.parametrize("who", ["worker", "all"])
def test_a_token_outlives_who_gave_it(node, who):
    """If this fails, a walk through a large collection begins anew whenever a process dies, or skips and repeats."""
    w = Writers(node, 90)
    until("something to read", lambda: len(w.sent) > 20)
    got, token, page_of, killed = [], "", {}, 0
    while True:
        last_round = not w.busy()
        if token and killed < 3 and len(got) > 20 * (killed + 1):
            killed += 1
            if who == "worker":
                victim = until("a worker", lambda: processes(node).get(("worker", killed % 2)))
                os.kill(victim, signal.SIGKILL)
            else:
                node.kill()
                node.start()
        r = ask(node, f"?match[type]={w.kind}&limit=6{token}")
        got += ids(r)
        if not ids(r) and last_round:
            break
        page_of[token] = (ids(r), bool(r.json.get("more")))
        token = f"&next={r.json['next']}" if r.json.get("more") else \
            f"&added_after={r.headers['X-TAXII-Date-Added-Last']}"
    w.finish(got)
    assert killed == 3
    # every token goes on to give the same page: lost answers can be asked for again
    for token, (page, more) in page_of.items():
        if more:
            assert ids(ask(node, f"?match[type]={w.kind}&limit=6{token}")) == page


def test_more_and_next_go_together(node):
    """If this fails, a client loops for ever, or stops early (C8, C9)."""
    w = Writers(node, 40)
    w.finish(w.sent, once=False)
    n = len(set(w.sent))
    c = Client(node, "soc")
    for limit in (1, 3, n - 1, n, n + 1, 1000):
        more, seen = "", 0
        while True:
            r = c.get(f"{OBJECTS}?match[type]={w.kind}&limit={limit}{more}").json
            seen += len(r.get("objects", []))
            assert bool(r.get("more")) == ("next" in r) == (seen < n), (limit, seen)
            if not r.get("more"):
                break
            assert len(r["objects"]) == limit and r["next"].isascii() and json.dumps(r["next"])
            more = "&next=" + r["next"]
        assert seen == n
    o = indicator("never there", "[mutex:name = 'x']")
    assert c.get(f"{OBJECTS}?match[id]={o['id']}").json == {}
    c.close()
