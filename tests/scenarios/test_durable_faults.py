"""The n-th call to the disk fails, for every n, on every main path: a clear error or success, nothing acknowledged lost,
and the next start is healthy. The n-th allocation too: then the process ends at once, and says why.

TOCSIN_FAULT_EVERY=1 takes every n (`make soak`); else a sample that differs from run to run (TOCSIN_SEED).
"""
import contextlib
import errno
import http.client
import os
import random
import re
import signal

import pytest

from faults import DISK, Faults, family, is_alive, say_ready
from lab import TOCSIN, indicator, laboratory, until

EVERY = int(os.environ.get("TOCSIN_FAULT_EVERY", "0"))
SEED = int(os.environ.get("TOCSIN_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
ERRORS = [errno.EIO, errno.ENOSPC]
END = 30.0
TRIES = 2000


@pytest.fixture(scope="module")
def lab():
    with laboratory("cert-a", redis=False) as lab:
        a = lab["cert-a"]
        a.faults = Faults(lab.folder, a.folder)
        a.restart(**a.faults.env)
        a.kept = []
        print(f"seed {SEED}")
        yield lab
        a.faults.heal()
        a.start() if a.process is None else a.restart()
        done = a.run("check", "--store", "--config", a.conf)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def node(lab):
    a = lab["cert-a"]
    a.faults.heal()
    if a.process is None or a.process.poll() is not None:
        a.start(**a.faults.env)
    everybody(a)
    return a


def everybody(a):
    """Wait: a process that is still starting would meet the failures that are meant for others."""
    until("every process to serve", lambda: re.search(rf"ev=serving .*pid={a.process.pid}\b", a.log()))


def thing(name):
    return indicator(name, f"[mutex:name = '{name}']")


def rows(*names):
    return ("id;seen_at;last_day;kind;value;what;label;trust;tags;family;report;ticket\n" +
            "".join(f"{n};20/11/2026 09:00;;host;{n}.example;C2;A;;;;;\n" for n in names))


def sample(most, about):
    """The numbers to try of 1..most; at most 2,000 of them."""
    if EVERY and most <= TRIES * EVERY:
        return range(1, most + 1, EVERY)
    rng = random.Random(f"{SEED} {most}")
    return sorted(rng.sample(range(1, most + 1), min(TRIES if EVERY else about, most)))


def answers(node):
    try:
        say_ready(node)
        return True
    except OSError:
        return False


def settle(node):
    """Wait for a process to serve or to end; True if it serves."""
    until("service or an end", lambda: node.process.poll() is not None or answers(node), seconds=END)
    return node.process.poll() is None


def last_words(node):
    """Of a process that ended: what a person reads, which is a sentence and no log."""
    return [x for x in node.log().strip().splitlines() if not x.startswith("t=")][-1]


def post(node, name):
    """The status of a POST; 0 if the connection is lost. What is acknowledged is remembered."""
    o = thing(name)
    try:
        r = node.post("sensor", "advisories", o)
    except OSError:
        return 0
    if r.status == 202:
        assert r.json["success_count"] == 1
        node.kept.append(o)
    else:
        assert r.status == 503 and "Retry-After" in r.headers, (r.status, r.body)
    return r.status


def reads(node):
    try:
        return node.request("GET", "/api/collections/advisories/objects/?limit=1", "soc").status == 200
    except OSError:
        return False


def healthy(node, name):
    """Start without faults: everything acknowledged is there, once, and writing works."""
    node.faults.heal()
    if node.process is not None and node.process.poll() is None:
        assert node.stop() == 0, node.log()[-2000:]
    node.process = None
    node.start(**node.faults.env)
    everybody(node)
    ids = node.ids("soc", "advisories")
    assert len(ids) == len(set(ids)) and {o["id"] for o in node.kept} <= set(ids)
    assert post(node, f"healthy {name}") == 202


def calls(node, operation, *kinds):
    """How many calls of these kinds an operation makes when nothing fails."""
    node.faults.count(*kinds)
    operation()
    n = node.faults.seen
    node.faults.heal()
    assert n > 0
    return n


# ---- the disk

def test_every_disk_call_of_a_start(node):
    """If this fails, some moment of a start with a bad disk crashes, hangs, or serves a store that is not there."""
    def begin():
        node.kill()                     # a log is left to be taken in
        node.launch(**node.faults.env)
        return settle(node)
    most = calls(node, begin, *DISK)
    served = ended = 0
    for i, n in enumerate(sample(most, 12)):
        node.faults.fail(*DISK, error=ERRORS[i % 2], nth=n, times=1)
        if begin():
            served += 1
            post(node, f"start {n}")
        else:
            ended += 1
            assert node.gone() in (1, 2) and len(last_words(node)) > 10, (n, node.log()[-1000:])
        healthy(node, f"start {n}")
    print(f"{most} calls; {served} times it served, {ended} times it said why not")


@pytest.mark.parametrize("count", [1, 40])
def test_every_disk_call_of_a_post(node, count):
    """If this fails, a POST is acknowledged that is not on the disk."""
    def envelope(name):
        objects = [thing(f"{name} {k}") for k in range(count)]
        r = node.post("sensor", "advisories", *objects)
        if r.status == 202:
            node.kept.extend(objects)
        assert r.status in (202, 503), r.body
        return r.status
    most = calls(node, lambda: envelope(f"counted {count}"), *DISK)
    refused, some = 0, list(sample(most, 6))
    # the node has other things to write as well: go on until one call was the POST's own
    for i, n in enumerate(some + 4 * sorted(range(1, most + 1))):
        if refused and i >= len(some):
            break
        node.faults.fail(*DISK, error=ERRORS[i % 2], nth=n, times=1, halves=bool(i & 2))
        refused += envelope(f"post {count} {i} {n}") == 503
        node.faults.heal()
        assert node.request("GET", "/api/collections/advisories/objects/?limit=1", "soc").status == 200
        post(node, f"behind {count} {i} {n}")
        healthy(node, f"post {count} {n}")
    assert refused > 0
    print(f"{most} calls; refused {refused} times")


def test_every_disk_call_of_a_spool_file(node):
    """If this fails, a file that was dropped is lost, taken twice, or lies about for ever."""
    def drop(name, good=True):
        node.drop("abuse", f"{name}.csv", rows(name) if good else "no table at all\n")
        return node.file("spool", "abuse", "done" if good else "rejected", f"{name}.csv")
    done = drop("counted-spool")
    node.faults.count(*DISK)
    until("the file", lambda: os.path.exists(done))
    most = max(10, node.faults.seen)
    node.faults.heal()
    for i, n in enumerate(sample(most + 5, 6)):
        good = i % 3 != 2
        node.faults.fail(*DISK, error=ERRORS[i % 2], nth=n, times=1)
        goal = drop(f"spool-{n}-{i}", good)
        until("the failure, or the end", lambda goal=goal: node.faults.failed or os.path.exists(goal))
        healthy(node, f"spool {n}")
        until(f"{goal} after all", lambda goal=goal: os.path.exists(goal))
        if good:
            patterns = [o.get("pattern", "") for o in node.objects("soc", "advisories", "match[version]=all")]
            assert sum(f"'spool-{n}-{i}.example'" in p for p in patterns) == 1


def test_every_disk_call_of_a_reload(node):
    """If this fails, a reload that cannot read its files leaves half a configuration."""
    most = calls(node, lambda: node.reload() or pytest.fail("refused"), *DISK)
    taken = 0
    for i, n in enumerate(sample(most, 10)):
        node.faults.fail(*DISK, error=ERRORS[i % 2], nth=n, times=1)
        with contextlib.suppress(OSError):          # a worker that could not take what all had agreed on begins anew
            taken += node.reload()
        node.faults.heal()
        until("service", lambda: reads(node) and answers(node))
        if post(node, f"reload {n}") != 202:        # the record of the reload could not be synced
            assert say_ready(node) != "ready"
            healthy(node, f"reload {n}")
        assert node.reload(), "and the next one is taken"
    print(f"{most} calls; taken {taken} times all the same")


def test_every_disk_call_of_a_stop(node):
    """If this fails, a stop on a bad disk hangs, crashes, or spoils the store."""
    def end():
        post(node, f"stop {len(node.kept)}")
        node.process.send_signal(signal.SIGTERM)
        return node.gone()
    most = calls(node, end, *DISK)
    node.start(**node.faults.env)
    everybody(node)
    for i, n in enumerate(sample(most, 5)):
        node.faults.fail(*DISK, error=ERRORS[i % 2], nth=n, times=1)
        assert end() == 0, node.log()[-2000:]
        healthy(node, f"stop {n}")


def test_every_disk_call_of_a_command_that_writes(node):
    """If this fails, a full disk costs an administrator his credentials file."""
    def add(name):
        env = dict(os.environ, **node.faults.env)
        import subprocess
        return subprocess.run([TOCSIN, "consumer", "add", name, "--config", node.conf, "--json"], capture_output=True,
                              text=True, timeout=30, env=env, check=False)

    def credentials():
        with open(node.file("credentials"), encoding="utf-8") as f:
            return f.read()
    with open(node.file("trust.conf"), "a", encoding="utf-8") as f:
        f.write("\nconsumer fault-counted\n    relation own\n    read *\n")
    most = calls(node, lambda: add("fault-counted"), *DISK)
    for i, n in enumerate(sample(most, 12)):
        before = credentials()
        node.faults.fail(*DISK, error=ERRORS[i % 2], nth=n, times=1)
        done = add("fault-counted")
        node.faults.heal()
        after = credentials()
        assert done.returncode in (0, 2), (n, done.returncode, done.stderr)
        assert done.returncode == 0 or done.stderr.strip(), n
        assert after == before or (after.startswith(before) or before.split("fault-counted")[0] in after), n
        assert done.returncode == 2 or after != before, "success without a change"
        left = [x for x in os.listdir(node.folder) if x.startswith(".tocsin-")]
        assert not left or "unlink" in (node.faults.last or ""), left


# ---- memory

def fell(node, begun):
    """True if a process ended since the log had `begun` bytes: then it said why, and it was no crash."""
    status = node.process.poll()
    said = node.log()[begun:]
    signals = set(re.findall(r"ev=process.ended .*signal=(\d+)", said))
    # abort; ended by its master, as a part of those that did; a way of failing that its cage does not allow
    assert signals <= {"6", "9", "31"}, said
    assert status in (None, 0, 1, 2, -signal.SIGABRT), (status, said)
    if status == -signal.SIGABRT or "6" in signals:
        # a library below us may free twice on its own way out (seen once, while a worker started): then glibc
        # ends the process, as we would have
        assert "out of memory" in said or "double free" in said, said
        return True
    return "ev=process.ended" in said or status is not None


def begin_anew(node):
    """A node of which a process fell is ended as a whole, so that the next try begins with all of them."""
    node.faults.heal()
    if node.process.poll() is None:
        pids = family(node)
        node.kill()
        until("all of it to be gone", lambda: not any(map(is_alive, pids)))
    node.process = None
    node.start(**node.faults.env)


def serves_on(node):
    """True if a process answers a client, False if it is at its end."""
    def asked():
        try:
            return node.request("GET", "/api/", "soc").status == 200
        except (OSError, http.client.HTTPException):
            return node.process.poll() is not None
    until("service or an end", asked)
    return node.process.poll() is None


MEMORY = pytest.mark.skipif("asan" in TOCSIN, reason="the sanitizer has an allocator of its own")


@MEMORY
def test_every_allocation_of_a_start(node):
    """If this fails, a machine without memory leaves a node that half works, hangs, or ends without a word."""
    def begin(n):
        pids = family(node) if node.process.poll() is None else []
        if pids:
            node.kill()
        until("all of it to be gone", lambda: not any(map(is_alive, pids)))
        node.faults.fail("allocate", error=errno.ENOMEM, nth=n, times=1)
        node.launch(**node.faults.env)
        return settle(node)

    begin(0)
    most, ended = node.faults.seen, 0
    for n in sample(most, 12):
        begun = len(node.log())
        served = begin(n)
        node.faults.heal()
        if served and not fell(node, begun):
            assert post(node, f"memory start {n}") in (202, 503)
        else:
            ended += 1
            fell(node, begun)
    begin_anew(node)
    healthy(node, "memory start")
    assert ended > 0
    print(f"{most} allocations; {ended} times a process ended")


@MEMORY
@pytest.mark.parametrize("what", ["post", "page", "spool", "reload", "stop"])
def test_every_allocation_of(node, what):
    """If this fails, an allocation that fails while serving loses what was acknowledged, or leaves a wreck that serves."""
    def do(name):
        if what == "post":
            post(node, name)
        elif what == "page":
            with contextlib.suppress(OSError, http.client.HTTPException):
                r = node.request("GET", "/api/collections/advisories/objects/?limit=20", "soc")
                assert r.status in (200, 503) and (r.status != 200 or len(r.json["objects"]) == min(20, len(node.kept)))
        elif what == "spool":
            node.drop("abuse", f"{name}.csv", rows(name))
            goal = node.file("spool", "abuse", "done", f"{name}.csv")
            until("the file or an end", lambda: os.path.exists(goal) or node.process.poll() is not None)
        elif what == "reload":
            before = len(node.log())
            node.process.send_signal(signal.SIGHUP)
            until("a reload or an end", lambda: node.process.poll() is not None or "ev=reload." in node.log()[before:])
        else:
            node.process.send_signal(signal.SIGTERM)
            node.process.wait(timeout=END)

    def warm_up(name):                  # what is allocated once is behind us
        for i in range(4):
            if what != "stop":
                do(f"warm-{name}-{i}")

    warm_up(f"first-{what}")
    node.faults.count("allocate")
    do(f"counted-memory-{what}")
    most, ended = node.faults.seen, 0
    node.faults.heal()
    assert most > 0
    for n in sample(most, 6):
        if node.process.poll() is not None:
            node.process = None
            node.start(**node.faults.env)
        begun = len(node.log())
        node.faults.fail("allocate", error=errno.ENOMEM, nth=n, times=1)
        do(f"memory-{what}-{n}")
        if what != "stop":
            serves_on(node)
        node.faults.heal()
        if fell(node, begun):
            ended += 1
            begin_anew(node)
            warm_up(f"{what}-{n}")
    if node.process.poll() is not None:
        node.process = None
        node.start(**node.faults.env)
    healthy(node, f"memory {what}")
    if what == "spool":
        until("every file after all", lambda: not [x for x in os.listdir(node.file("spool", "abuse", "incoming")) if x.endswith("csv")])
    print(f"{most} allocations; {ended} times a process ended")
