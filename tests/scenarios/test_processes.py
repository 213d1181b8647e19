"""What a node is made of: who may do what, and what happens when one of them dies."""
import base64
import json
import os
import signal
import threading

import pytest

from lab import ONE, TOCSIN, Client, indicator, laboratory, until

pytestmark = pytest.mark.skipif(bool(ONE), reason="the whole node is one process")

SANITIZED = os.sep + "asan" + os.sep in TOCSIN      # a sanitizer runs without the filter, and reads files at its end
unsanitized = pytest.mark.skipif(SANITIZED, reason="a sanitizer does not run inside a sandbox")


def processes(node):
    """Process ids of the children by kind and number: {("worker", 0): 4711, ...}."""
    found = {}
    with open(f"/proc/{node.process.pid}/task/{node.process.pid}/children", encoding="ascii") as f:
        pids = [int(x) for x in f.read().split()]
    for pid in pids:
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
                state = f.read().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if words[0] == b"tocsin:" and state not in "ZX":
            found[words[1].decode(), int(words[2])] = pid
    return found


def status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def is_confined(pid):
    try:
        return SANITIZED or status(pid)["Seccomp"] == "2"
    except OSError:
        return False


def descriptors(pid):
    """{number: what it is}; sockets are "unix", "listening" or "tcp"."""
    unix, tcp = set(), {}
    with open("/proc/net/unix", encoding="ascii", errors="replace") as f:
        for line in f.read().splitlines()[1:]:
            unix.add(line.split()[6])
    for name in ("tcp", "tcp6"):
        try:
            with open(f"/proc/net/{name}", encoding="ascii") as f:
                for line in f.read().splitlines()[1:]:
                    tcp[line.split()[9]] = "listening" if line.split()[3] == "0A" else "tcp"
        except FileNotFoundError:
            pass
    found = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        to = os.readlink(f"/proc/{pid}/fd/{fd}")
        if to.startswith("socket:["):
            inode = to[8:-1]
            to = "unix" if inode in unix else tcp.get(inode, "socket of another sort")
        found[int(fd)] = to
    return found


def is_read_only(pid, fd):
    with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as f:
        flags = [line.split()[1] for line in f if line.startswith("flags:")][0]
    return int(flags, 8) & os.O_ACCMODE == os.O_RDONLY


def memory_holds(pid, needle):
    """True if the bytes stand anywhere in the memory that the process can write."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            span, rights = line.split()[:2]
            if not rights.startswith("rw"):
                continue
            begin, end = (int(x, 16) for x in span.split("-"))
            try:
                mem.seek(begin)
                left = end - begin
                before = b""
                while left > 0:
                    piece = mem.read(min(left, 1 << 20))
                    if not piece:
                        break
                    if needle in before + piece:
                        return True
                    before, left = piece[-len(needle):], left - len(piece)
            except OSError:
                continue
    return False


def with_workers(n, count):
    with open(n.conf, encoding="utf-8") as f:
        text = f.read()
    with open(n.conf, "w", encoding="utf-8") as f:
        f.write(text.replace("    workers      2\n", f"    workers      {count}\n", 1))


@pytest.fixture(scope="module")
def lab():
    with laboratory("cert-a", redis=False) as lab:
        n = lab["cert-a"]
        n.stop()
        with_workers(n, 2)
        n.start()
        yield lab


@pytest.fixture
def node(lab):
    n = lab["cert-a"]
    if n.process is None or n.process.poll() is not None:
        n.start()
    until("all to be there", lambda: len(processes(n)) == 5 and all(is_confined(pid) for pid in processes(n).values()))
    return n


# ---- what each of them has

def test_there_is_one_of_each_and_they_are_named(node):
    """If this fails, `ps` does not tell an administrator who is who."""
    assert set(processes(node)) == {("storekeeper", 0), ("worker", 0), ("worker", 1), ("translator", 0), ("translator", 1)}


@unsanitized
def test_nobody_keeps_a_right_that_it_does_not_need(node):
    """If this fails, whoever takes over a process gets more than the process needs."""
    for who, pid in processes(node).items():
        s = status(pid)
        assert s["NoNewPrivs"] == "1", who
        assert s["Seccomp"] == "2", who          # a filter
        for which in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(s[which], 16) == 0, (who, which)
        if os.getuid() == 0:
            assert int(s["CapBnd"], 16) == 0, who
            if who[0] == "translator":
                assert "0" not in s["Uid"].split() + s["Gid"].split(), who


@unsanitized
def test_nobody_holds_a_descriptor_that_it_does_not_need(node):
    """If this fails, a parser of foreign bytes has the database, or the storekeeper a way out."""
    state = node.file("state")
    for (kind, number), pid in processes(node).items():
        fds = descriptors(pid)
        assert fds[0] == "/dev/null" and fds[1] == fds[2] == node.log_path, (kind, fds)
        rest = {fd: to for fd, to in fds.items() if fd > 2}
        kinds = sorted(to for to in rest.values() if not to.startswith(("pipe:", "/")))
        files = {fd: to for fd, to in rest.items() if to.startswith("/")}
        if kind == "translator":
            assert list(rest.values()) == ["unix"], rest
        elif kind == "storekeeper":
            assert set(kinds) == {"unix", "anon_inode:[eventpoll]"}, rest
            assert kinds.count("unix") == 3, rest                    # the master and two workers
            assert all(to.startswith(state + "/tocsin.db") for to in files.values()), rest
        else:
            own = {"unix", "listening", "anon_inode:[eventpoll]"}
            assert set(kinds) <= own | {"tcp"}, rest
            # the master, the storekeeper, the translator; worker 0 also has the control socket
            assert kinds.count("unix") == (4 if number == 0 else 3), rest
            assert kinds.count("listening") == (2 if number == 0 else 1), rest
            for fd, to in files.items():
                assert to.startswith((state + "/tocsin.db", state + "/bodies")), rest
                assert is_read_only(pid, fd) or to.startswith(state + "/bodies"), (fd, to)
    master = descriptors(node.process.pid)
    assert not any(to.startswith(state) for to in master.values()), master
    assert "tcp" not in master.values()


@unsanitized
def test_keys_are_where_they_are_needed_and_nowhere_else(node):
    """If this fails, a bug in a parser gives away the keys of a national team."""
    if os.getuid() != 0:
        pytest.skip("only root may look into the memory of others")
    def text(*names):
        with open(node.file(*names), encoding="ascii") as f:
            return f.read().strip()
    audit, sign = (bytes.fromhex(text("keys", name)) for name in ("audit.key", "sign.key"))
    pem = "".join(text("tls", "node.key").splitlines()[1:-1])
    tls = base64.b64decode(pem)[36:68]          # the number itself, behind its ASN.1 head
    secrets = {"audit": audit, "sign": sign, "pem": pem[20:60].encode(), "tls": tls,
               "audit text": text("keys", "audit.key").encode(), "sign text": text("keys", "sign.key").encode()}
    for (kind, _), pid in processes(node).items():
        has = {name for name, secret in secrets.items() if memory_holds(pid, secret)}
        if kind == "translator":
            assert not has, has
        elif kind == "storekeeper":
            assert has <= {"audit", "audit text"} and "audit" in has, has
        else:
            assert not has & {"audit", "audit text"} and "sign" in has, has


@unsanitized
def test_each_has_a_user_of_its_own_where_folders_allow_it():
    """If this fails, a node that root starts runs as root."""
    if os.getuid() != 0:
        pytest.skip("only root can be somebody else")
    with laboratory("cert-a", redis=False) as lab:
        n = lab["cert-a"]
        n.stop()
        for folder in (lab.folder, n.folder, n.file("spool")):
            if os.path.isdir(folder):
                os.chmod(folder, 0o755)
        n.start()
        until("all to be there", lambda: len(processes(n)) >= 3 and all(is_confined(p) for p in processes(n).values()))
        uids = {}
        for (kind, _), pid in processes(n).items():
            uids.setdefault(kind, set()).add(status(pid)["Uid"].split()[0])
        assert all(len(x) == 1 for x in uids.values()), uids
        assert len(set.union(*uids.values())) == 3 and "0" not in set.union(*uids.values()), uids
        n.insist("sensor", "advisories", indicator("users", "[mutex:name = 'users']"))
        n.drop("drop", "a.json", json.dumps({"type": "bundle", "id": "bundle--5d0092c5-5f74-4287-9642-33f4c354e56d",
                                             "objects": [indicator("users spool", "[mutex:name = 'users spool']")]}))
        until("the file to be taken", lambda: len(n.ids("soc", "advisories")) == 2)
        assert os.listdir(n.file("spool", "drop", "done")) == ["a.json"]
        n.restart()
        assert len(n.ids("soc", "advisories")) == 2
        n.verify_audit()


# ---- what happens when one of them dies

@pytest.mark.parametrize("kind,number", [("storekeeper", 0), ("worker", 0), ("worker", 1), ("translator", 0), ("translator", 1)])
def test_whoever_dies_is_started_again_and_nothing_is_lost(node, kind, number):
    """If this fails, a crash of one process is an outage."""
    acknowledged, stop = [], threading.Event()

    def put():
        i = 0
        while not stop.is_set():
            node.insist("sensor", "advisories", indicator(f"death {kind} {number} {i}", f"[mutex:name = 'd {kind} {number} {i}']"))
            acknowledged.append(indicator(f"death {kind} {number} {i}", "")["id"])
            i += 1
    thread = threading.Thread(target=put)
    thread.start()
    try:
        until("some to be there", lambda: len(acknowledged) > 5)
        for _ in range(3):
            before, seen = processes(node)[kind, number], len(acknowledged)
            os.kill(before, signal.SIGKILL)
            until("another", lambda: processes(node).get((kind, number), before) != before)
            until("service", lambda: len(acknowledged) > seen + 5)
    finally:
        stop.set()
        thread.join()
    until("the node to be ready", node.is_ready)
    have = node.ids("soc", "advisories")
    assert set(acknowledged) <= set(have) and len(have) == len(set(have))
    assert node.metric(f'tocsin_process_restarts_total{{process="{kind}{"" if kind == "storekeeper" else f"-{number}"}"}}') >= 3


def test_children_do_not_outlive_their_master(node):
    """If this fails, a killed node keeps its store locked and its ports taken."""
    pids = processes(node).values()
    node.kill()
    until("all to be gone", lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids))
    node.start()


def test_signals_to_the_group_are_the_masters_business(node):
    """If this fails, Ctrl-C and a service manager end the node half way."""
    c = Client(node, "soc")
    for (_, _), pid in processes(node).items():
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(pid, number)
    assert c.get("/api/collections/").status == 200
    assert len(processes(node)) == 5
    c.close()


def test_a_node_of_one_process_still_is_one(lab):
    """If this fails, nobody can debug it."""
    n = lab["cert-a"]
    assert n.stop() == 0
    n.launch("--one")
    until("one to serve", n.is_ready)
    assert processes(n) == {}
    n.insist("sensor", "advisories", indicator("one", "[mutex:name = 'one']"))
    assert n.stop() == 0
    n.start()


def test_a_second_node_of_the_same_files_changes_nothing(node):
    """If this fails, a second start takes connections from the first."""
    before = processes(node)
    done = node.run("serve", "--config", node.conf)
    assert done.returncode == 2
    assert "tocsin.db" in done.stderr or "another" in done.stderr, done.stderr
    for _ in range(20):
        assert node.request("GET", "/api/collections/", "soc").status == 200
    assert processes(node) == before


@pytest.mark.parametrize("point", ["received", "parsed", "claimed", "admitted", "routed", "committing", "committed", "confirmed"])
def test_one_that_dies_on_the_way_costs_a_second_try(lab, point):
    """If this fails, a crash between two steps loses or doubles an advisory while the node goes on."""
    n = lab["cert-a"]
    assert n.stop() == 0
    n.start(TOCSIN_CRASH_AT=point, TOCSIN_CRASH_ONLY="1")
    master = n.process.pid
    things = [indicator(f"only {point} {i}", f"[mutex:name = 'only {point} {i}']") for i in range(6)]
    for o in things:
        n.insist("sensor", "advisories", o)
    have = n.ids("soc", "advisories")
    assert all(have.count(o["id"]) == 1 for o in things)
    assert n.process.pid == master and n.process.poll() is None
    assert n.log().count("signal=9") > 0
    assert n.stop() == 0
    n.start()
    n.verify_audit()
