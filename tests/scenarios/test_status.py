"""What `tocsin status` shows: what is wrong first, then who does what; for people on one screen, for programs whole."""
import json
import re
import subprocess
import time

import pytest

from lab import TOCSIN, indicator, laboratory, until


@pytest.fixture(scope="module")
def lab():
    with laboratory("cert-a", "cert-b", redis=True) as lab:
        yield lab


@pytest.fixture
def node(lab):
    return lab["cert-a"]


def screen(node):
    done = node.run("status", "--config", node.conf)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_screen_tells_the_state_of_the_node(lab, node):
    """If this fails, who is called at night has to ask five tools."""
    objects = [indicator(f"seen {i}", f"[mutex:name = 'seen {i}']") for i in range(5)]
    node.insist("sensor", "advisories", *objects)
    until("the relay", lambda: node.ask("peer", "show", "cert-b")["sent"] >= 5 and node.ask("peer", "show", "cert-b")["queued"] == 0)
    text = screen(node)
    lines = text.splitlines()
    assert lines[0].startswith("node         cert-a, tocsin ") and str(node.port) in lines[0]
    assert lines[1] == "state        ready"
    assert re.search(r"^store +\d+ objects, \d+ versions", text, re.M) and re.search(r"^commits +\d+ in \d+ syncs", text, re.M)
    assert re.search(r"^redis +up; \d+ commands", text, re.M)
    assert re.search(r"^PROCESS +PID +ANSWERS", text, re.M) and re.search(rf"^(one|master) +{node.process.pid} +yes ", text, re.M)
    assert re.search(r"^cert-b +partner +idle +0 ", text, re.M)
    assert len(lines) <= 40 and max(map(len, lines)) <= 160
    for o in objects:
        assert o["id"] not in text


def test_the_json_is_whole_and_stable(node):
    """If this fails, a program that watches nodes breaks with an update."""
    s = node.ask("status")
    assert {"ok", "node", "version", "started", "ready", "draining", "listening", "policy", "in_work", "problems", "processes",
            "store", "redis", "redis_figures", "work", "peers", "collections"} <= set(s)
    for p in s["processes"]:
        assert {"name", "kind", "pid", "up", "restarts"} <= set(p), p
    one = s["processes"][0]
    assert one["up"] is True and one["resident_bytes"] > 1 << 20 and one["open_fds"] > 3
    assert {"objects", "versions", "members", "sightings", "quarantined", "quarantined_bytes", "audit_records", "commits", "syncs",
            "failures", "queue", "disk_free_bytes"} <= set(s["store"])
    assert {"count", "mean", "p50", "p99"} == set(s["store"]["group_seconds"])
    assert s["store"]["audit_records"] > 0 and s["work"]["new"] >= 5
    peer = {p["name"]: p for p in s["peers"]}["cert-b"]
    assert {"name", "relation", "url", "state", "queued", "held", "dead", "sent", "denied", "failures", "last_ok"} <= set(peer)


def test_problems_come_first(lab, node):
    """If this fails, an administrator overlooks that a peer or Redis has been away since yesterday."""
    back = lab["cert-b"]
    back.kill()
    lab.redis.pause()
    try:
        until("the failures", lambda: node.post("sensor", "advisories", indicator(
            f"late {time.monotonic()}", f"[mutex:name = 'late {time.monotonic()}']")).status == 202 and
            {"peer-failing", "redis-away"} <= {p["problem"] for p in node.ask("status")["problems"]}, seconds=60)
        s = node.ask("status")
        assert s["ready"] is True, "what is away is no reason to send clients elsewhere"
        peer = {p["name"]: p for p in s["peers"]}["cert-b"]
        assert peer["failures"] >= 5 and peer["queued"] >= 1 and peer["last_error"] and s["redis"] == "down"
        lines = screen(node).splitlines()
        assert lines[1] == "state        ready"
        assert {line.split()[0] for line in lines[2:4]} == {"warning"}
        assert any("peer cert-b" in line for line in lines[2:4]) and any("Redis" in line for line in lines[2:4])
        assert node.metric('tocsin_problems{problem="peer-failing"}') == 1 and node.metric("tocsin_ready") == 1
        assert node.metric('tocsin_outbox_oldest_seconds{peer="cert-b"}') > 0 and node.metric("tocsin_redis_away_seconds") > 0
        assert node.metric('tocsin_link_failures{peer="cert-b"}') >= 5
    finally:
        lab.redis.resume()
        back.start()
    node.run("peer", "retry", "cert-b", "--config", node.conf)
    until("all to be well", lambda: node.ask("status")["problems"] == [], seconds=30)


def test_watching_looks_again(node):
    """If this fails, somebody looks at yesterday's figures."""
    with subprocess.Popen([TOCSIN, "status", "--watch", "--json", "--config", node.conf], stdout=subprocess.PIPE, text=True) as p:
        first, second = json.loads(p.stdout.readline()), None
        assert first["node"] == "cert-a"
        for line in p.stdout:
            if line.strip():
                second = json.loads(line)
                break
        p.kill()
    assert second["processes"][0]["cpu_seconds"] >= first["processes"][0]["cpu_seconds"]


def test_a_node_that_is_gone_is_said(lab, node):
    """If this fails, a script takes silence for health."""
    b = lab["cert-b"]
    assert b.stop() == 0
    done = b.run("status", "--watch", "--config", b.conf)
    assert done.returncode == 2 and "no node answers" in done.stderr and done.stdout == ""
    b.start()
