"""Large POSTs that are answered first and worked off afterwards: status resources that are true in every state, whatever
dies meanwhile.
"""
import errno
import json
import os
import random
import signal

import pytest

from faults import Faults, family, is_alive, kill_all, strike
from lab import ONE, TAXII, TLP, indicator, laboratory, stix_id, until

LIMITS = "    body         128m\n    pending-over 64k\n    objects      400000"
OBJECTS = "/api/collections/advisories/objects/"
SIX = {"id", "status", "request_timestamp", "total_count", "success_count", "failure_count", "pending_count"}


@pytest.fixture(scope="module")
def lab():
    with laboratory("cert-p", limits=LIMITS, redis=False, consumers={
            "both": ["relation own", "read *", "write *"], "other": ["relation own", "read *", "write *"]}) as made:
        yield made


@pytest.fixture(scope="module")
def node(lab):
    return lab["cert-p"]


def check(status, total=None):
    """What MISP's library and taxii2-client look at, and what the standard says; returns the status."""
    assert SIX <= set(status), status.keys()
    counted = [status[k] for k in ("success_count", "failure_count", "pending_count")]
    assert min(counted) >= 0 and sum(counted) == status["total_count"], counted
    for name, count in zip(("successes", "failures", "pendings"), counted):
        if name in status:
            assert status[name] and len(status[name]) == count
            assert all({"id", "version"} <= set(x) for x in status[name])
    assert status["status"] in ("pending", "complete")
    if status["status"] == "complete":
        assert status["pending_count"] == 0
        assert len(status.get("successes", [])) == status["success_count"]
        assert len(status.get("failures", [])) == status["failure_count"]
        assert all(x["message"] for x in status.get("failures", []))
    if total is not None:
        assert status["total_count"] == total
    return status


def envelope(name, n, size=0, more=()):
    objects = [indicator(f"{name} {i}", f"[mutex:name = '{name} {i}']", description="x" * size) for i in range(n)]
    return json.dumps({"objects": objects + list(more)}, separators=(",", ":"))


def ids(name, n):
    return [stix_id("indicator", f"{name} {i}") for i in range(n)]


def ask(node, status_id, who="both"):
    return node.request("GET", f"/api/status/{status_id}/", who)


def finished(node, status_id, total):
    """Poll as a client does, through restarts; every answer on the way is checked, and nothing goes backwards."""
    seen = [0]

    def once():
        try:
            r = ask(node, status_id)
        except OSError:
            return None
        if r.status in (502, 503):
            return None
        assert r.status == 200, r.body
        s = check(r.json, total)
        done = s["success_count"] + s["failure_count"]
        assert done >= seen[0]
        seen[0] = done
        return s if s["status"] == "complete" else None
    return until("the status to be complete", once, seconds=120)


def post(node, body, who="both"):
    r = node.request("POST", OBJECTS, who, body)
    return r


def stored(node, name):
    return [o["id"] for o in node.objects("both", "advisories", "match[version]=all", limit=1000) if o.get("name", "").startswith(name + " ")]


def pending_files(node):
    return os.listdir(node.file("state", "bodies", "pending"))


def test_large_post_is_answered_first(node):
    """If this fails, a client that sends much is kept waiting, or its status lies, or is another client's to read."""
    body = envelope("first", 3000)
    r = post(node, body)
    assert r.status == 202
    s = check(r.json, 3000)
    assert s["status"] == "pending" and s["pending_count"] == 3000
    assert ask(node, s["id"], "other").status == 404
    done = finished(node, s["id"], 3000)
    assert done["success_count"] == 3000 and done["request_timestamp"] == s["request_timestamp"]
    assert [x["id"] for x in done["successes"]] == ids("first", 3000)
    assert sorted(stored(node, "first")) == sorted(ids("first", 3000))
    # it never changes again, and its bytes are gone
    assert ask(node, s["id"]).json == done
    assert ask(node, s["id"], "other").status == 404
    until("the body to be gone", lambda: not pending_files(node))
    assert node.metric("tocsin_pending_envelopes") == 0


def mixture(name, fill):
    """One of everything that can become of an element, among `fill` good ones; they stand in two parts at least."""
    twice = indicator(f"{name} twice", "[mutex:name = 'twice']")
    other = dict(twice, name=f"{name} twice, otherwise")
    known = indicator(f"{name} known", "[mutex:name = 'known']")
    clash = indicator(f"{name} clash", "[mutex:name = 'clash']")
    address = {"type": "ipv4-addr", "id": stix_id("ipv4-addr", name), "value": "192.0.2.7"}
    odd = [7, {}, {"type": "tool"}, {"type": "tool", "id": "tool--x"}, {"type": "", "id": "--"},
           dict(indicator(f"{name} time", "[mutex:name = 'time']"), modified="yesterday"), {"type": "bundle", "id": "bundle--x"}]
    objects = [indicator(f"{name} {i}", f"[mutex:name = '{name} {i}']", description="y" * 60) for i in range(fill)]
    for i, o in enumerate([twice, odd[0], known, twice, odd[1], other, address, odd[2], clash, odd[3], odd[4], address, odd[5], odd[6]]):
        objects.insert(i * fill // 13, o)
    return known, dict(clash, name="it was otherwise"), objects


def verdicts(status):
    """In words that do not depend on dates and places."""
    return ([(x["id"], x["version"][:4], x.get("message")) for x in status.get("successes", [])],
            [(x["id"], x["version"], x["message"].split(":")[0]) for x in status.get("failures", [])])


def test_mixture_says_of_each_what_became_of_it(node):
    """If this fails, a client believes that something is stored which is not, or the other way round, as soon as it sends much."""
    known, clash, objects = mixture("mix", 2600)
    assert node.post("both", "advisories", known, clash).json["success_count"] == 2
    big = post(node, json.dumps({"objects": objects}))
    assert big.status == 202 and big.json["status"] == "pending"
    done = finished(node, big.json["id"], len(objects))
    # what a client learns that sends the same in the usual way to a node that has never seen it
    with laboratory("cert-q", limits="    pending-over 0", redis=False, consumers={"both": ["relation own", "read *", "write *"]}) as lab:
        assert lab["cert-q"].post("both", "advisories", known, clash).json["success_count"] == 2
        usual = check(lab["cert-q"].request("POST", OBJECTS, "both", {"objects": objects}).json, len(objects))
        assert usual["status"] == "complete"
        assert verdicts(done) == verdicts(usual)
        words = {x["message"].split(":")[0] for x in done["failures"]}
        assert words >= {"VERSION_CONFLICT", "BAD_OBJECT", "MISSING_PROPERTY", "BAD_ID", "BAD_TIMESTAMP", "NESTED_BUNDLE"}
        here, there = (sorted(n.versions("both", "advisories")) for n in (node, lab["cert-q"]))
        assert [v for v in here if v in set(there)] == there and len(set(here)) == len(here)


@pytest.mark.parametrize("body,status", [
    (b"nonsense", 400), (b"{", 400), (b'{"objects": [%s]} x', 400), (b'{"objects": [%s, {"a": {"b": 1, "b": 2}}]}', 400),
    (b'{"objects": [%s, {"a": "\xff"}]}', 400), (b'{"objects": [%s, {"a": "\\ud800"}]}', 422), (b'{"Objects": [%s]}', 422),
    (b'{"objects": {"a": %s}}', 422), (b'{"objects": [%s, ' + b"[" * 200 + b"]" * 200 + b"]}", 422), (b"[%s]", 422),
    (b'{"objects": []}', 422),
])
def test_what_is_no_envelope_is_refused_at_once(node, body, status):
    """If this fails, a client whose document is broken is told that all is well, and learns it too late or never."""
    before = node.versions("both", "advisories")
    body = body.replace(b"%s", json.dumps(indicator("no envelope", "[mutex:name = 'none']", description="z" * 70000)).encode())
    r = post(node, body + b" " * 70000)
    assert r.status == status, r.body
    assert r.headers["Content-Type"] == TAXII
    assert node.versions("both", "advisories") == before and pending_files(node) == []
    assert node.metric("tocsin_pending_envelopes") == 0


def send_until_taken(node, body):
    """As a client that gets no answer, or 503: again. The status that it was given in the end."""
    def once():
        try:
            r = post(node, body)
        except OSError:
            return None
        if r.status == 503:
            assert int(r.headers["Retry-After"]) >= 1
            return None
        assert r.status == 202, r.body
        return check(r.json)
    return until("the envelope to be taken", once)


POINTS = ["counted", "kept", "opened", "resumed", "removed", "parsed:2", "claimed:2", "admitted:3", "routed:3", "committing:2",
          "committed:1", "committed:3", "confirmed:2"]


@pytest.mark.parametrize("alone", ["", "1"])
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_every_step(node, point, alone):
    """If this fails, a power cut, or the death of one process, at the wrong moment loses objects that were promised, or counts
    them twice."""
    if alone and ONE:
        pytest.skip("there is but one process")
    name = f"crash {point} {alone}"
    body, n = envelope(name, 3500), 3500
    node.restart(TOCSIN_CRASH_AT=point, **({"TOCSIN_CRASH_ONLY": "1"} if alone else {}))
    status = None
    try:
        r = post(node, body)
        status = r.json if r.status == 202 else None
    except OSError:
        pass
    if not alone:
        assert node.gone() == -signal.SIGKILL
        node.start()
    if status is None:
        status = send_until_taken(node, body)
    done = finished(node, status["id"], n)
    assert done["success_count"] == n
    assert sorted(stored(node, name)) == sorted(ids(name, n)), "each once"
    # whoever else had no answer: nothing of it stays unfinished
    until("nothing to be pending", lambda: node.metric("tocsin_pending_envelopes") == 0 and pending_files(node) == [])
    node.restart()
    assert pending_files(node) == [] and ask(node, status["id"]).json == done


def test_killed_at_any_time(node):
    """If this fails, 50 MB that were promised come in with holes, or twice, when processes die again and again."""
    rng, n = random.Random(20261122), 60000
    body = envelope("any time", n, size=420)
    assert len(body) > 50 << 20 or len(body) > 45_000_000
    node.restart()
    status = send_until_taken(node, body)
    grown, last, struck = set(), 0, 0

    def progress():
        try:
            r = ask(node, status["id"])
        except OSError:
            return None
        return check(r.json, n) if r.status == 200 else None
    while struck < 12:
        s = until("an answer", progress)
        done = s["success_count"] + s["failure_count"]
        assert done >= last, "it went backwards"
        grown.add(done)
        if s["status"] == "complete":
            break
        if done == last and struck:
            continue            # let it move between two strikes
        last = done
        if struck == 6:
            kill_all(node)
            node.start()
        elif strike(node, rng):
            node.start()
        struck += 1
    done = finished(node, status["id"], n)
    assert done["success_count"] == n and len(grown) > 3 and struck >= 3, (len(grown), struck)
    assert [x["id"] for x in done["successes"]] == ids("any time", n)
    got = stored(node, "any time")
    assert len(got) == n and set(got) == set(ids("any time", n))
    node.verify_audit()


def hold(node, kind):
    """Stop the processes of a kind; they go on when somebody lets them."""
    pids = [p["pid"] for p in node.ask("status")["processes"] if p["kind"] == kind]
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    return pids


def let_go(pids):
    for pid in pids:
        if is_alive(pid):
            os.kill(pid, signal.SIGCONT)
