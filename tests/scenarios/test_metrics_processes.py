"""Figures of a node of several processes: who answers, who was started anew, and what a silent one costs."""
import http.client
import os
import re
import signal
import time

import pytest

import exposition
from lab import ONE, indicator, laboratory, until

pytestmark = pytest.mark.skipif(bool(ONE), reason="about a node of several processes")
KINDS = {"master": 1, "storekeeper": 1, "worker": 2, "translator": 2}


def with_workers(lab):
    for n in lab.nodes.values():
        with open(n.conf, encoding="utf-8") as f:
            text = f.read()
        with open(n.conf, "w", encoding="utf-8") as f:
            f.write(text.replace("    workers      2\n", f"    workers      {KINDS['worker']}\n", 1))


@pytest.fixture(scope="module")
def node():
    with laboratory("cert-a", "cert-b", redis=False, trust=with_workers) as lab:
        yield lab["cert-a"]


def processes(node):
    return {p["name"]: p for p in node.ask("status")["processes"]}


def test_every_process_tells_of_itself(node):
    """If this fails, a process that eats memory or work is nowhere to be seen."""
    for i in range(8):
        node.insist("sensor", "advisories", indicator(f"by many {i}", f"[mutex:name = 'by many {i}']"))
    known = processes(node)
    assert list(known)[:3] == ["master", "storekeeper", "worker-0"], "in an order that people expect"
    assert {kind: sum(p["kind"] == kind for p in known.values()) for kind in KINDS} == KINDS
    assert known["master"]["pid"] == node.process.pid and len({p["pid"] for p in known.values()}) == len(known)
    assert all(p["up"] and p["restarts"] == 0 and p["resident_bytes"] > 1 << 20 for p in known.values())
    f = exposition.read(node.metrics())
    assert {dict(labels)["process"] for _, labels in f["tocsin_process_up"].samples} == set(known)
    told = {dict(labels)["process"]: v for (_, labels), v in f["tocsin_process_open_fds"].samples.items()}
    assert {"master", "storekeeper", "worker-0", "worker-1"} <= set(told) and min(told.values()) > 3
    assert node.metric('tocsin_objects_total{outcome="new"}') >= 8
    assert exposition.value(f, "tocsin_store_objects") >= 8 and exposition.value(f, "tocsin_audit_records") > 0
    syncs = f["tocsin_store_syncs_total"].samples
    assert [dict(labels)["process"] for _, labels in syncs] == ["storekeeper"]
    group = f["tocsin_store_group_commits"].samples
    assert {dict(labels)["process"] for _, labels in group} == {"storekeeper"}


def test_the_worker_that_has_a_peer_tells_of_it(node):
    """If this fails, a link that another worker looks after seems idle while it fails."""
    until("the relay", lambda: node.ask("peer", "show", "cert-b")["sent"] >= 8)
    peer = node.ask("peer", "show", "cert-b")
    assert peer["last_ok"] and peer["failures"] == 0
    f = exposition.read(node.metrics())
    assert exposition.value(f, "tocsin_link_last_success_time_seconds", peer="cert-b") > time.time() - 60
    assert len([1 for _, labels in f["tocsin_link_failures"].samples if dict(labels)["peer"] == "cert-b"]) == 1


def test_restarts_are_counted(node):
    """If this fails, a process that dies every minute is not noticed."""
    victim = processes(node)["worker-1"]
    os.kill(victim["pid"], signal.SIGKILL)
    until("another one", lambda: processes(node).get("worker-1", victim)["pid"] not in (0, victim["pid"])
          and processes(node)["worker-1"]["up"])
    assert processes(node)["worker-1"]["restarts"] == 1
    assert node.metric('tocsin_process_restarts_total{process="worker-1"}') == 1
    victim = processes(node)["translator-0"]
    os.kill(victim["pid"], signal.SIGKILL)
    until("another one", lambda: processes(node)["translator-0"]["restarts"] == 1)
    node.insist("sensor", "advisories", indicator("after deaths", "[mutex:name = 'after deaths']"))


def test_a_silent_process_delays_nobody_for_long(node):
    """If this fails, the figures are gone when they are needed most: while something hangs."""
    silent = processes(node)["worker-1"]["pid"]
    os.kill(silent, signal.SIGSTOP)
    try:
        began = time.monotonic()
        f = exposition.read(node.metrics())
        assert time.monotonic() - began < 2.5
        assert exposition.value(f, "tocsin_process_up", process="worker-0") == 1
        up = {dict(labels)["process"]: v for (_, labels), v in f["tocsin_process_up"].samples.items()}
        assert up.get("worker-1", 0) == 0
        assert "worker-1" in "".join(p["text"] for p in node.ask("status")["problems"])
    finally:
        try:
            os.kill(silent, signal.SIGCONT)
        except ProcessLookupError:
            pass
    until("all to answer", lambda: all(p["up"] for p in processes(node).values()) and len(processes(node)) == 6)


def test_the_storekeeper_is_missed(node):
    """If this fails, a load balancer sends writers to a node that cannot keep anything."""
    keeper = processes(node)["storekeeper"]["pid"]
    os.kill(keeper, signal.SIGSTOP)
    try:
        done = until("the node to say so", lambda: (lambda text: "storekeeper" in text and text)(ready(node)), seconds=10)
        assert re.search("storekeeper", done)
    finally:
        try:
            os.kill(keeper, signal.SIGCONT)
        except ProcessLookupError:
            pass
    until("all to be well", lambda: ready(node).startswith("ready"))


def ready(node):
    c = http.client.HTTPConnection("127.0.0.1", node.ops_port, timeout=10)
    c.request("GET", "/readyz")
    r = c.getresponse()
    text = r.read().decode()
    assert (r.status == 200) == text.startswith("ready"), text
    return text
