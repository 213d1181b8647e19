"""Large POSTs that are answered first and worked off afterwards: status resources that are true in every state, whatever
dies meanwhile.
"""
import json
import threading

import pytest

from faults import family, kill_all
from lab import Client, indicator, laboratory, stix_id, until

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
    return [o["id"] for o in node.objects("both", "advisories", "match[version]=all", limit=1000) if o["name"].startswith(name + " ")]


def pending_files(node):
    import os
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
