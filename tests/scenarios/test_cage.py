"""What reads strangers' bytes dies, hangs, lies or eats all memory: the node answers, serves everybody else, and says so."""
import os
import re
import signal
import threading
import time

import pytest

from lab import ONE, indicator, laboratory, until

pytestmark = pytest.mark.skipif(bool(ONE), reason="with --one there is no process to lose")

LIMITS = "    translate-timeout 1s\n    body 64m\n    pending-over 0\n"


def translators(node):
    """Process ids of the node's translators."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
                parent = int(f.read().rsplit(")", 1)[1].split()[1])
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
        except OSError:
            continue
        if parent == node.process.pid and b"translator" in b" ".join(words):
            found.append(int(pid))
    return found


@pytest.fixture(scope="module")
def lab():
    with laboratory("cert-a", redis=False, limits=LIMITS) as lab:
        yield lab


def faulty(lab, fault):
    a = lab["cert-a"]
    a.restart(TOCSIN_CAGE_FAULT=f"{fault}:boom")
    return a


@pytest.mark.parametrize("fault, code, result", [
    ("crash", "TRANSLATOR_CRASHED", "crashed"), ("hang", "TRANSLATOR_TIMEOUT", "late"),
    ("lie", "TRANSLATOR_CRASHED", "lied"), ("oom", "TRANSLATOR_CRASHED", "crashed"),
])
def test_a_translator_that_fails_on_one_message(lab, fault, code, result):
    """If this fails, one hostile message stops a node, or gets in with a label that it does not bear."""
    a = faulty(lab, fault)
    bad = indicator(f"boom {fault}", f"[mutex:name = 'boom {fault}']", tlp="red")
    good = [indicator(f"{fault} {i}", f"[mutex:name = '{fault} {i}']") for i in range(4)]
    answers = {}

    def send_bad():
        answers["bad"] = a.post("sensor", "advisories", bad)

    sender = threading.Thread(target=send_bad)
    sender.start()
    for o in good:
        a.insist("sensor", "advisories", o)         # others go on meanwhile
    sender.join()
    assert answers["bad"].status == 422, answers["bad"].body
    assert b"three times" in answers["bad"].body
    ids = a.ids("soc", "advisories")
    assert {o["id"] for o in good} <= set(ids) and bad["id"] not in ids
    rows = a.ask("quarantine", "list")
    assert code in str(rows), rows
    assert a.metric(f'tocsin_translations_total{{result="{result}"}}') >= 3
    assert a.post("sensor", "advisories", bad).status == 422    # and it is told the same again
    a.insist("sensor", "advisories", indicator(f"{fault} after", f"[mutex:name = '{fault} after']"))


def test_a_spool_file_that_kills(lab):
    """If this fails, a file in a folder is tried for ever, or lost without a word."""
    a = faulty(lab, "crash")
    good = indicator("beside", "[mutex:name = 'beside']")
    a.drop("drop", "bad.json", '{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000001","objects":[],"x":"boom"}')
    a.drop("abuse", "bad.csv", "boom,is,no\nrecord,of,anybody\n")
    reason = a.file("spool", "drop", "rejected", "bad.json.reason")
    until("the file to be rejected", lambda: os.path.exists(reason))
    with open(reason, encoding="utf-8") as f:
        assert "three times" in f.read()
    a.insist("sensor", "advisories", good)
    assert good["id"] in a.ids("soc", "advisories")


def test_translators_killed_while_messages_come(lab):
    """If this fails, a message is lost, or comes in twice, because what read it died."""
    a = lab["cert-a"]
    a.restart()
    stop = threading.Event()

    def kill():
        while not stop.is_set():
            for pid in translators(a):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(1)

    killer = threading.Thread(target=kill)
    killer.start()
    sent = []
    try:
        for i in range(150):
            batch = [indicator(f"killed {i} {k}", f"[mutex:name = 'killed {i} {k}']") for k in range(20)]
            a.insist("sensor", "advisories", *batch)
            sent += batch
    finally:
        stop.set()
        killer.join()
    ids = a.ids("soc", "advisories")
    assert {o["id"] for o in sent} <= set(ids)
    assert len(ids) == len(set(ids))


def test_a_large_body_in_parts(lab):
    """If this fails, one large message keeps everybody else waiting, or is stored with holes."""
    a = lab["cert-a"]
    a.restart()
    maker = {"type": "identity", "spec_version": "2.1", "id": "identity--00000000-0000-4000-8000-00000000000a",
             "created": "2026-11-20T08:00:00.000Z", "modified": "2026-11-20T08:00:00.000Z", "name": "CERT A",
             "identity_class": "organization"}
    sent = [indicator(f"large {i}", f"[mutex:name = 'large {i}']", x_n="y" * 400, created_by_ref=maker["id"])
            for i in range(12000)]
    done, slowest = threading.Event(), 0.0

    def send():
        done.answer = a.post("sensor", "advisories", maker, *sent)
        done.set()

    sender = threading.Thread(target=send)
    sender.start()
    small = 0
    while not done.wait(0.05):
        began = time.monotonic()
        a.insist("sensor", "advisories", indicator(f"small {small}", f"[mutex:name = 'small {small}']"))
        slowest = max(slowest, time.monotonic() - began)
        small += 1
    sender.join()
    status = done.answer.json
    assert done.answer.status == 202 and status["status"] == "complete"
    assert status["total_count"] == status["success_count"] == 12001
    assert [s["id"] for s in status["successes"]] == [maker["id"], *(o["id"] for o in sent)]
    again = a.request("GET", f"/api/status/{status['id']}/", "sensor").json
    assert again["success_count"] == 12001
    assert slowest < 10, f"{slowest:.1f} s for a small message beside a large one"
    wanted = {o["id"] for o in sent}
    assert wanted <= set(a.ids("soc", "advisories"))
    # the identity is named in the first part alone, and stands in every view that the others are in
    assert maker["id"] in a.ids("soc", "indicators")
    a.verify_audit()


def test_a_large_message_whose_node_dies(lab):
    """If this fails, what a crash left half taken in cannot be completed by sending it again."""
    a = lab["cert-a"]
    sent = [indicator(f"half {i}", f"[mutex:name = 'half {i}']", x_n="z" * 300) for i in range(6000)]
    a.restart(TOCSIN_CRASH_AT="committed:3")
    try:
        a.post("sensor", "advisories", *sent)
    except OSError:
        pass
    a.kill() if a.process.poll() is None else a.gone()
    a.start()
    assert a.insist("sensor", "advisories", *sent)["success_count"] == 6000
    ids = [i for i in a.ids("soc", "advisories") if i in {o["id"] for o in sent}]
    assert len(ids) == len(set(ids)) == 6000


def test_a_body_that_is_something_else(lab):
    """If this fails, a format comes in by a door that was not made for it."""
    a = lab["cert-a"]
    iodef = '<IODEF-Document version="2.00" xmlns="urn:ietf:params:xml:ns:iodef-2.0"/>'
    r = a.request("POST", "/api/collections/advisories/objects/", "sensor", iodef)
    assert r.status == 400, r.body
    assert re.search(rb"line 1|:1:", r.body)
    assert a.post("sensor", "advisories", "no object").status == 202
