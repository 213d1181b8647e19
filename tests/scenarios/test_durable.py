"""A disk that is full, read-only or broken, a clock that jumps, a second node on the same store: each does what we promise."""
import contextlib
import errno
import hashlib
import json
import os
import signal
import socket
import subprocess

import pytest

from faults import CHANGES, Faults, family, say_ready
from lab import TOCSIN, Client, free_port, indicator, laboratory, until


@pytest.fixture(scope="module")
def lab():
    with laboratory("cert-a", redis=False) as lab:
        yield lab


@pytest.fixture
def node(lab):
    """A node whose disk and clock obey `node.faults`; it is well again when the story ends."""
    a = lab["cert-a"]
    a.faults = Faults(lab.folder, a.folder)
    a.stop()
    a.start(**a.faults.env)
    yield a
    a.faults.heal()
    a.faults.step_clock(0)
    if a.process is None:
        a.start()
    else:
        a.restart()
    a.verify_audit()


def thing(name, **more):
    return indicator(name, f"[mutex:name = '{name}']", **more)


def reads(node):
    return node.request("GET", "/api/collections/advisories/objects/?limit=1", "soc").status == 200


def refuses(node, name):
    """A write is answered 503 with a time to come back, and leaves nothing behind."""
    r = node.post("sensor", "advisories", thing(name))
    assert r.status == 503 and int(r.headers["Retry-After"]) >= 1, (r.status, r.body)


def row(name):
    return ("id;seen_at;last_day;kind;value;what;label;trust;tags;family;report;ticket\n"
            f"{name};20/11/2026 09:00;;host;{name}.example;C2;A;;;;;\n")


def holds_exactly(node, kept, lost=()):
    ids = node.ids("soc", "advisories")
    assert len(ids) == len(set(ids)), "something is listed twice"
    assert {o["id"] for o in kept} <= set(ids), "something acknowledged is lost"
    assert not {thing(name)["id"] for name in lost} & set(ids), "something refused is there"


# ---- disks

@pytest.mark.parametrize("what,kinds,error", [
    ("full", ["pwrite", "write"], errno.ENOSPC),
    ("full in the middle of a page", ["pwrite", "write"], errno.ENOSPC),
    ("over quota", ["pwrite", "write"], errno.EDQUOT),
    ("failing", ["pwrite", "write"], errno.EIO),
    ("read-only", [k for k in CHANGES if "sync" not in k], errno.EROFS),
])
def test_a_disk_that_takes_no_writes_and_recovers(node, what, kinds, error):
    """If this fails, a disk that is full, read-only or failing costs acknowledged objects, or the service besides."""
    before = thing(f"before {what}")
    node.insist("sensor", "advisories", before)
    node.faults.fail(*kinds, error=error, halves="middle" in what)
    for i in range(3):
        refuses(node, f"{what} {i}")
    assert reads(node), "reading goes on"
    assert say_ready(node) != "ready"
    trouble = node.ask("status")["store"].get("trouble")
    assert trouble and trouble in say_ready(node)
    assert node.metric("tocsin_store_writable") == 0 and node.metric("tocsin_store_failures_total") >= 3
    name = f"{what.replace(' ', '-')}"
    path = node.file("spool", "abuse", "incoming", f"{name}.csv")
    with open(path, "w", encoding="utf-8") as f:
        f.write(row(name))
    later = node.metric('tocsin_spool_files_total{result="later"}')
    until("the file to be tried", lambda: node.metric('tocsin_spool_files_total{result="later"}') > later)
    assert os.path.exists(path), "a file that cannot be stored stays where it is"
    assert node.faults.failed > 0
    node.faults.heal()
    after = thing(f"after {what}")
    node.insist("sensor", "advisories", after)
    until("the file", lambda: os.path.exists(node.file("spool", "abuse", "done", f"{name}.csv")))
    assert say_ready(node) == "ready" and node.metric("tocsin_store_writable") == 1
    node.restart(**node.faults.env)
    holds_exactly(node, [before, after])


@pytest.mark.parametrize("kind", ["fdatasync", "fsync"])
def test_a_failed_sync_is_never_tried_again(node, kind):
    """If this fails, the node believes a disk that has just lost its word, and acknowledges what is gone."""
    before = thing(f"before {kind}")
    node.insist("sensor", "advisories", before)
    node.faults.fail("fdatasync", "fsync", error=errno.EIO, times=1)    # one failure: the disk says it is well again
    refuses(node, f"{kind} 0")
    tried = node.faults.seen
    for i in range(1, 4):
        refuses(node, f"{kind} {i}")
    assert node.faults.seen == tried, "it synced again"
    node.faults.heal()
    refuses(node, f"{kind} healed")
    assert reads(node), "reading goes on"
    assert "restart" in say_ready(node) and "sync" in say_ready(node)
    assert "sync" in node.ask("status")["store"]["trouble"]
    assert node.log().count("ev=store.stopped") >= 1
    holds_exactly(node, [before], [f"{kind} {i}" for i in range(4)])
    node.restart(**node.faults.env)
    after = thing(f"after {kind}")
    node.insist("sensor", "advisories", after)
    assert say_ready(node) == "ready"
    holds_exactly(node, [before, after])


def test_a_disk_that_fails_while_it_is_read(node):
    """If this fails, a read error ends the node or is answered with half a page."""
    many = [thing(f"read {i}", x_n="r" * 2000) for i in range(400)]
    for i in range(0, 400, 100):
        node.insist("sensor", "advisories", *many[i:i + 100])
    begun = len(node.log())
    node.restart(**node.faults.env)         # nothing in memory
    until("all workers", lambda: "ev=serving" in node.log()[begun:])
    node.faults.fail("read", error=errno.EIO)
    statuses = set()
    for i in range(3):
        statuses.add(node.request("GET", "/api/collections/advisories/objects/?limit=200", "soc").status)
    node.faults.heal()
    assert statuses == {503}, statuses
    assert {o["id"] for o in many} <= set(node.ids("soc", "advisories"))
    assert node.metric("tocsin_store_damages_total") >= 1 and "ev=store.damaged" in node.log()
    node.insist("sensor", "advisories", thing("after a read error"))


WHYS = [*(os.strerror(e) for e in (errno.EROFS, errno.ENOSPC, errno.EIO, errno.EMFILE)), "disk I/O error", "disk is full",
        "unable to open"]


@pytest.mark.parametrize("what,kinds,error", [
    ("read-only", CHANGES, errno.EROFS), ("full", ["pwrite", "write"], errno.ENOSPC), ("failing", ["read"], errno.EIO),
    ("out of descriptors", ["open_write"], errno.EMFILE), ("unsynced", ["fdatasync", "fsync"], errno.EIO),
])
def test_a_start_on_a_bad_disk_says_why(node, what, kinds, error):
    """If this fails, a node that cannot work starts anyway, or ends without a word."""
    kept = thing(f"kept while {what}")
    node.insist("sensor", "advisories", kept)
    node.kill()                             # a log is left to be recovered
    node.faults.fail(*kinds, error=error)
    node.launch(**node.faults.env)
    until("an end or service", lambda: node.process.poll() is not None or answers(node))
    if node.process.poll() is None:         # it can read: then that is what it does
        refuses(node, f"start {what}")
        assert say_ready(node) != "ready"
        node.process.kill()
        node.gone()
    else:
        assert node.gone() == 2
        last = node.log().strip().splitlines()[-1]
        assert not last.startswith("t=") and any(word in last for word in WHYS), last
    node.faults.heal()
    node.start(**node.faults.env)
    holds_exactly(node, [kept])


def answers(node):
    try:
        say_ready(node)
        return True
    except OSError:
        return False


def test_no_process_may_open_anything(node):
    """If this fails, a machine out of descriptors ends the node, loses what it said it has, or stays deaf for ever."""
    kept = [thing("before the drought")]
    node.insist("sensor", "advisories", *kept)
    client = Client(node, "sensor")
    assert client.get("/api/").status == 200
    pids = family(node)
    node.faults.fail("open_read", "open_write", "descriptor", error=errno.EMFILE)
    statuses = set()
    for i in range(20):
        o = thing(f"drought {i}", x_n="n" * (100_000 if i % 4 == 3 else 10))
        r = client.request("POST", "/api/collections/advisories/objects/", {"objects": [o]})
        statuses.add(r.status)
        if r.status == 202:
            kept.append(o)
    assert statuses <= {202, 503} and 202 in statuses, statuses
    path = node.file("spool", "abuse", "incoming", "drought.csv")
    with open(path + ".tmp", "w", encoding="utf-8") as f:
        f.write(row("drought"))
    os.rename(path + ".tmp", path)
    strangers = [socket.create_connection(("127.0.0.1", node.port), timeout=5) for _ in range(5)]    # the kernel takes them
    assert client.get("/api/").status == 200, "who is connected is served"
    assert os.path.exists(path)
    assert set(family(node)) == set(pids), "and nobody has ended"
    assert node.faults.failed > 0
    node.faults.heal()
    for s in strangers:
        s.close()
    until("the file", lambda: os.path.exists(node.file("spool", "abuse", "done", "drought.csv")))
    until("service", lambda: reads(node))
    client.close()
    holds_exactly(node, kept)


# ---- a second node on the same store

def picture(folder):
    """Every file below: size, time of change, and content."""
    seen = {}
    for top, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(top, name)
            st = os.lstat(path)
            with contextlib.suppress(OSError):
                with open(path, "rb") as f:
                    seen[path] = (st.st_size, st.st_mtime_ns, st.st_ctime_ns, hashlib.sha256(f.read()).hexdigest())
    return seen


def test_a_second_node_on_the_same_store_is_refused(lab):
    """If this fails, two processes write into one database, or the newcomer damages what the other holds."""
    a = lab["cert-a"]
    a.insist("sensor", "advisories", thing("first come"))
    with open(a.conf, encoding="utf-8") as f:
        text = f.read()
    other = a.file("second.conf")
    text = text.replace(f"listen 127.0.0.1:{a.port}", f"listen 127.0.0.1:{free_port()}")
    text = text.replace(f"operations 127.0.0.1:{a.ops_port}", f"operations 127.0.0.1:{free_port()}")
    with open(other, "w", encoding="utf-8") as f:
        f.write(text.replace("    state        state\n", "    state        state\n    control      second.sock\n"))
    first = family(a)
    for pid in first:                       # whatever is written meanwhile, the second wrote it
        os.kill(pid, signal.SIGSTOP)
    try:
        for tries in range(2):
            before = picture(a.file("state")), picture(a.file("spool"))
            done = subprocess.run([TOCSIN, "serve", "--config", other], capture_output=True, text=True, timeout=30, check=False)
            assert done.returncode == 2, (done.returncode, done.stderr)
            assert "another process has this store open" in done.stderr, done.stderr
            assert (picture(a.file("state")), picture(a.file("spool"))) == before, "it touched something"
    finally:
        for pid in first:
            os.kill(pid, signal.SIGCONT)
    a.insist("sensor", "advisories", thing("still first"))
    a.kill()
    a.start()                               # a lock does not outlive its holder
    holds_exactly(a, [thing("first come"), thing("still first")])


# ---- clocks

def test_dates_grow_while_the_clock_jumps():
    """If this fails, a poller misses what came after an administrator set the clock."""
    with laboratory("cert-a", redis=False) as own:      # dates stay ahead of the clock for ever
        node = own["cert-a"]
        node.faults = Faults(own.folder, node.folder)
        node.restart(**node.faults.env)
        jump_about(node)


def jump_about(node):
    def dates():
        rows, more = [], ""
        while True:
            r = node.request("GET", f"/api/collections/advisories/manifest/?match[version]=all&limit=500{more}", "soc").json
            rows += r.get("objects", [])
            if not r.get("more"):
                return [x["date_added"] for x in rows]
            more = "&next=" + r["next"]

    kept, newest = [], dates()[-1:]
    for i, jump in enumerate([0, 3600, -3600, -86400 * 400, 86400 * 30, 0, 0.5, -0.5, 0]):
        node.faults.step_clock(jump)
        last = dates()
        r = node.request("GET", f"/api/collections/advisories/manifest/?added_after={last[-1]}" if last else
                         "/api/collections/advisories/manifest/", "soc")
        assert r.json.get("objects", []) == [], "a poller that knows all is told nothing"
        o = thing(f"jump {i}")
        node.insist("sensor", "advisories", o)
        kept.append(o)
        if last:
            got = node.objects("soc", "advisories", f"added_after={last[-1]}")
            assert [x["id"] for x in got] == [o["id"]], (jump, got)
        now = dates()
        assert now[:len(last)] == last and len(now) == len(last) + 1
        assert all(x < y for x, y in zip(now, now[1:])), "dates grow strictly"
        newest = now[-1:]
    # the furthest jump was 30 days ahead; now the clock is far behind the dates
    assert say_ready(node).startswith("clock stepped back")
    assert node.request("GET", "/api/", "soc").status == 200, "and everything works"
    assert node.stop() == 0
    node.launch(**node.faults.env)
    until("the verdict", lambda: answers(node) and say_ready(node).startswith("clock stepped back"))
    o = thing("after a restart")
    node.insist("sensor", "advisories", o)
    assert dates()[-1] > newest[0], "also across a restart"
    node.faults.step_clock(86400 * 31)      # time has caught up
    until("readiness", lambda: say_ready(node) == "ready")
    holds_exactly(node, [*kept, o])
