"""New files and new binaries under load: nobody notices."""
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from lab import ONE, TOCSIN, TOP, Client, indicator, laboratory, until
from load import Load
from test_processes import processes, with_workers


@pytest.fixture(scope="module")
def lab():
    with laboratory("cert-a", redis=False) as lab:
        n = lab["cert-a"]
        n.stop()
        with_workers(n, 2)
        n.binary = os.path.join(lab.folder, "tocsin")
        shutil.copy2(TOCSIN, n.binary)
        yield lab


@pytest.fixture
def node(lab):
    """The node runs from a binary of its own, which stories replace."""
    n = lab["cert-a"]
    if n.process is None or n.process.poll() is not None:
        put_binary(n, TOCSIN)
        launch(n)
    return n


def put_binary(n, path):
    """A new binary beside the old one, then in its place, as packages do it."""
    shutil.copy2(path, n.binary + ".new")
    os.rename(n.binary + ".new", n.binary)


def put_script(n, text):
    with open(n.binary + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(n.binary + ".new", 0o755)
    os.rename(n.binary + ".new", n.binary)


def launch(n, **env):
    with open(n.log_path, "ab") as log:
        n.process = subprocess.Popen([n.binary, "serve", *ONE, "--config", n.conf], stdout=log, stderr=log,
                                     stdin=subprocess.DEVNULL, env=dict(os.environ, **env))
    until(f"{n.name} to serve", n.is_ready)


def change(n, word):
    """Files that differ each time: the title, and a spool's mapping stays."""
    with open(n.conf, encoding="utf-8") as f:
        text = f.read()
    lines = [f'    title        "Laboratory {word}"' if x.startswith('    title        "Laboratory') else x
             for x in text.splitlines()]
    with open(n.conf, "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


def check_nothing_lost(n, load):
    assert not load.failures, load.failures[:5]
    have = n.ids("soc", "advisories")
    assert len(have) == len(set(have))
    assert set(load.acknowledged) <= set(have)


def test_a_reload_may_bring_a_folder(node):
    """If this fails, files in a new spool folder are never looked at, or requests are dropped to look at them."""
    text = open(node.conf, encoding="utf-8").read()
    with Load(node, "folder") as load:
        until("some requests", lambda: load.done > 20)
        with open(node.conf, "a", encoding="utf-8") as f:
            f.write("\nspool late\n    path         spool/late\n    collections  advisories\n")
        assert node.run("reload", "--config", node.conf).returncode == 0, node.log()[-2000:]
        shutil.copy(os.path.join(TOP, "tests", "demo", "advisory.xml"), node.file("spool", "late", "incoming", "late.xml"))
        until("the file in done/", lambda: os.path.exists(node.file("spool", "late", "done", "late.xml")))
        asked = load.done
        until("more requests", lambda: load.done > asked + 20)
    check_nothing_lost(node, load)
    with open(node.conf, "w", encoding="utf-8") as f:
        f.write(text)
    assert node.reload(), node.log()[-2000:]


def test_a_hundred_reloads_under_load(node):
    """If this fails, administrators reload at night only."""
    with Load(node, "reload") as load:
        until("load", lambda: load.done > 20)
        for i in range(100):
            change(node, i)
            done = node.run("reload", "--config", node.conf)
            assert done.returncode == 0, (i, done.stdout, done.stderr)
    check_nothing_lost(node, load)
    assert load.closed == 0, "connections are not touched"
    titles = {Client(node, "soc").get("/api/").json["title"] for _ in range(8)}
    assert titles == {"Laboratory 99"}


def test_all_take_the_new_files_or_none(node):
    """If this fails, half of a node works by yesterday's rules."""
    change(node, "before")
    assert node.reload()
    with open(node.file("trust.conf"), encoding="utf-8") as f:
        good = f.read()
    try:
        change(node, "never")
        with open(node.file("trust.conf"), "a", encoding="utf-8") as f:
            f.write("\nrelease broken\n    nonsense here\n\nrelease other\n    more nonsense\n")
        done = node.run("reload", "--config", node.conf)
        assert done.returncode != 0
        assert "nonsense" in done.stderr and "more" in done.stderr, "every complaint is told"
        titles = {Client(node, "soc").get("/api/").json["title"] for _ in range(8)}
        assert titles == {"Laboratory before"}
    finally:
        with open(node.file("trust.conf"), "w", encoding="utf-8") as f:
            f.write(good)


@pytest.mark.skipif(bool(ONE), reason="the whole node is one process")
def test_a_worker_that_dies_in_a_reload_has_the_new_files(node):
    """If this fails, a crash at the wrong moment brings old rules back."""
    for i in range(6):
        change(node, f"death {i}")
        asked = subprocess.Popen([TOCSIN, "reload", "--config", node.conf], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        time.sleep(0.004 * i)
        os.kill(processes(node)["worker", 1], signal.SIGKILL)
        asked.wait()
        until("both to be there", lambda: len(processes(node)) == 5)
        until("the new files everywhere", lambda: {Client(node, "soc").get("/api/").json["title"] for _ in range(8)}
              == {f"Laboratory death {i}"})


def test_a_new_folder_is_looked_into(node, tmp_path):
    """If this fails, a new spool needs a restart, or requests fail while workers get to see it."""
    with open(node.conf, encoding="utf-8") as f:
        before = f.read()
    with Load(node, "folder") as load:
        until("load", lambda: load.done > 20)
        for i in range(2):
            path = tmp_path / f"new{i}"
            with open(node.conf, "a", encoding="utf-8") as f:
                f.write(f"\nspool new{i}\n    path         {path}\n    collections  advisories\n    interval     50ms\n")
            done = node.run("reload", "--config", node.conf)
            assert done.returncode == 0, done.stderr
            thing = indicator(f"spooled {i}", f"[mutex:name = 'spooled {i}']")
            with open(path / "incoming" / "a.json", "w", encoding="utf-8") as f:
                json.dump({"type": "bundle", "id": f"bundle--5d0092c5-5f74-4287-9642-33f4c354e56{i}", "objects": [thing]}, f)
            until("the file to be taken", lambda p=path: os.listdir(p / "done") == ["a.json"])
            assert thing["id"] in node.ids("soc", "advisories")
    check_nothing_lost(node, load)
    with open(node.conf, "w", encoding="utf-8") as f:
        f.write(before)
    assert node.reload()


@pytest.mark.skipif(bool(ONE), reason="the whole node is one process")
def test_a_new_binary_takes_over_under_load(node):
    """If this fails, every update costs somebody's upload."""
    pid = node.process.pid
    with Load(node, "upgrade") as load:
        for i in range(5):
            seen = load.done
            until("load", lambda: load.done > seen + 20)
            put_binary(node, TOCSIN)
            before = set(processes(node).values())
            done = node.run("upgrade", "--config", node.conf)
            assert done.returncode == 0, (i, done.stdout, done.stderr)
            until("the new one", lambda: node.log().count("ev=upgrade.done") == i + 1)
            assert not before & set(processes(node).values())
        assert node.process.pid == pid and os.readlink(f"/proc/{pid}/exe") == node.binary
        seen = load.done
        until("load", lambda: load.done > seen + 20)
    check_nothing_lost(node, load)
    assert load.closed > 0, "kept connections were told to come again"


@pytest.mark.skipif(bool(ONE), reason="the whole node is one process")
def test_connections_wait_for_the_new_binary(node):
    """If this fails, whoever connects during an update is refused."""
    stop, refused, made = threading.Event(), [], []

    def knock():
        while not stop.is_set():
            try:
                socket.create_connection(("127.0.0.1", node.port), timeout=5).close()
                made.append(1)
            except OSError as e:
                refused.append(e)
            time.sleep(0.001)
    thread = threading.Thread(target=knock)
    thread.start()
    before = node.log().count("ev=upgrade.done")
    try:
        node.process.send_signal(signal.SIGUSR2)
        until("the new one", lambda: node.log().count("ev=upgrade.done") == before + 1)
    finally:
        stop.set()
        thread.join()
    assert not refused and len(made) > 10


@pytest.mark.skipif(bool(ONE), reason="the whole node is one process")
def test_a_node_with_one_worker_can_be_upgraded():
    """If this fails, a machine with one core is upgraded by an outage."""
    with laboratory("cert-a", redis=False) as lab:
        n = lab["cert-a"]
        n.stop()
        with_workers(n, 1)
        n.start()
        done = n.run("upgrade", "--config", n.conf)
        assert done.returncode == 0, done.stderr
        until("the new one", lambda: "ev=upgrade.done" in n.log())


@pytest.mark.skipif(bool(ONE), reason="the whole node is one process")
@pytest.mark.parametrize("script,why", [
    ("#!/bin/sh\nexit 3\n", "does not start"),
    ("#!/bin/sh\necho trust.conf:3: no such word >&2\nexit 2\n", "no such word"),
    ("no program at all\n", ""),
])
def test_a_binary_that_says_no_changes_nothing(node, script, why):
    """If this fails, a broken package takes the node down."""
    children = processes(node)
    put_script(node, script)
    try:
        done = node.run("upgrade", "--config", node.conf)
        assert done.returncode != 0 and why in done.stderr, (done.stdout, done.stderr)
        assert processes(node) == children
        assert node.request("GET", "/api/collections/", "soc").status == 200
    finally:
        put_binary(node, TOCSIN)


@pytest.mark.skipif(bool(ONE), reason="the whole node is one process")
def test_a_bad_file_stops_an_upgrade(node):
    """If this fails, an update with a typing error in a file is an outage."""
    children = processes(node)
    with open(node.conf, "a", encoding="utf-8") as f:
        f.write("\nnonsense\n")
    try:
        done = node.run("upgrade", "--config", node.conf)
        assert done.returncode != 0 or "nonsense" in node.log()
        assert processes(node) == children
    finally:
        with open(node.conf, encoding="utf-8") as f:
            text = f.read().replace("\nnonsense\n", "")
        with open(node.conf, "w", encoding="utf-8") as f:
            f.write(text)


@pytest.mark.skipif(bool(ONE), reason="the whole node is one process")
def test_a_binary_that_fails_after_its_yes_gives_back(node):
    """If this fails, an update that cannot start leaves nothing that serves."""
    put_script(node, f"""#!/bin/sh
[ "$1" = rehearse ] && exit 0
export TOCSIN_START_FAILS=1
exec {TOCSIN} "$@"
""")
    pid, before = node.process.pid, node.log().count("ev=serving")
    try:
        with Load(node, "back") as load:
            until("load", lambda: load.done > 20)
            assert node.run("upgrade", "--config", node.conf).returncode == 0
            until("the old one to serve again", lambda: node.log().count("ev=serving") > before)
            seen = load.done
            until("load", lambda: load.done > seen + 20)
        check_nothing_lost(node, load)
        assert "ev=upgrade.failed" in node.log() and node.process.pid == pid
    finally:
        put_binary(node, TOCSIN)
    done = node.run("upgrade", "--config", node.conf)
    assert done.returncode == 0, "and it can be upgraded later"
    until("the new one", lambda: node.log().count("ev=serving") > before + 1)


@pytest.mark.skipif(bool(ONE), reason="the whole node is one process")
def test_an_address_that_cannot_be_had_stops_an_upgrade(node):
    """If this fails, an upgrade ends a node because of a port that somebody else has."""
    children = processes(node)
    with open(node.conf, encoding="utf-8") as f:
        before = f.read()
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        with open(node.conf, "w", encoding="utf-8") as f:
            f.write(before.replace("operations ", f"listen 127.0.0.1:{port}\n    clients      none\n\noperations ", 1))
        try:
            done = node.run("upgrade", "--config", node.conf)
            assert done.returncode != 0 and str(port) in done.stderr, (done.stdout, done.stderr)
            assert processes(node) == children
        finally:
            with open(node.conf, "w", encoding="utf-8") as f:
                f.write(before)


# ---- the service manager

@pytest.mark.skipif(bool(ONE), reason="the whole node is one process")
def test_the_service_manager_is_told(lab, tmp_path):
    """If this fails, systemd takes a starting node for a running one, or kills one that is well."""
    n = lab["cert-a"]
    n.stop()
    put_binary(n, TOCSIN)
    path = os.path.join(lab.folder, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        s.settimeout(20)
        with open(n.log_path, "ab") as log:
            n.process = subprocess.Popen([n.binary, "serve", "--config", n.conf], stdout=log, stderr=log,
                                         stdin=subprocess.DEVNULL,
                                         env=dict(os.environ, NOTIFY_SOCKET=path, WATCHDOG_USEC="30000000"))
        said = []

        def wait_for(word):
            while not any(word in x for x in said):
                said.append(s.recv(4096).decode())
            found = [x for x in said if word in x]
            said.clear()
            return found[0]
        first = wait_for("READY=1")
        assert f"MAINPID={n.process.pid}" in first
        assert n.is_ready() and len(processes(n)) == 5
        wait_for("WATCHDOG=1")
        n.process.send_signal(signal.SIGHUP)
        assert "MONOTONIC_USEC=" in wait_for("RELOADING=1")
        wait_for("READY=1")
        n.process.send_signal(signal.SIGUSR2)
        wait_for("RELOADING=1")
        wait_for("READY=1")
        # a worker that hangs: no word for the watchdog
        pid = processes(n)["worker", 1]
        os.kill(pid, signal.SIGSTOP)
        try:
            quiet = time.monotonic()
            while time.monotonic() - quiet < 3:
                before = time.monotonic()
                try:
                    if "WATCHDOG=1" in s.recv(4096).decode():
                        quiet = time.monotonic()
                except socket.timeout:
                    break
                assert before - quiet < 60
        finally:
            os.kill(pid, signal.SIGCONT)
        wait_for("WATCHDOG=1")
        n.process.send_signal(signal.SIGTERM)
        wait_for("STOPPING=1")
        assert n.process.wait(timeout=30) == 0
        n.process = None


def test_the_unit_may_do_little():
    """If this fails, the unit gives a node more than it needs."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    unit = os.path.join(os.path.dirname(TOCSIN), "..", "conf", "systemd", "tocsin.service")
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", unit],
                          capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr


def test_sigterm_ends_within_its_time(lab):
    """If this fails, a service manager kills a node that does not end."""
    n = lab["cert-a"]
    assert n.stop() == 0
    put_binary(n, TOCSIN)
    launch(n)
    with Load(n, "term") as load:
        until("load", lambda: load.done > 20)
        acknowledged = list(load.acknowledged)
        begin = time.monotonic()
        assert n.stop() == 0
        assert time.monotonic() - begin < 25
        load.stop.set()
    launch(n)
    assert set(acknowledged) <= set(n.ids("soc", "advisories"))
    assert n.stop() == 0
