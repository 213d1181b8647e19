"""`tocsin backup`: one state of the store, made beside a busy node, and what it is worth when it is needed."""
import os
import shutil
import subprocess
import threading

import pytest

from faults import DISK, Faults
from lab import TOCSIN, indicator, laboratory, until


def thing(name, **more):
    return indicator(name, f"[mutex:name = '{name}']", **more)


@pytest.fixture
def lab():
    with laboratory("cert-a", "cert-b", redis=False, link=lambda a, b: a == "cert-a") as lab:
        yield lab


def backup(node, name):
    done = node.run("backup", node.file(name), "--config", node.conf)
    assert done.returncode == 0, done.stdout + done.stderr
    assert os.stat(node.file(name)).st_mode & 0o777 == 0o600
    return node.file(name)


def restore(node, copy):
    """As the manual says."""
    node.stop()
    db = node.file("state", "tocsin.db")
    for end in ("", "-wal", "-shm"):
        if os.path.exists(db + end):
            os.remove(db + end)
    st = os.stat(node.file("state"))
    shutil.copy(copy, db)
    os.chown(db, st.st_uid, st.st_gid)
    node.start()


def test_a_backup_beside_a_busy_node_is_whole_and_can_be_restored(lab):
    """If this fails, the backup that everybody relied on is half a store, or a node that was restored misses or doubles."""
    a, b = lab["cert-a"], lab["cert-b"]
    sent, stop = [], threading.Event()

    def write():
        while not stop.is_set():
            objects = [thing(f"busy {len(sent)} {k}", x_n="n" * 300) for k in range(20)]
            a.insist("sensor", "advisories", *objects)
            sent.extend(objects)
    writer = threading.Thread(target=write)
    writer.start()
    copies = []
    try:
        for turn in range(3):
            goal = len(sent) + 60
            until("more to be stored", lambda goal=goal: len(sent) >= goal)
            known = len(sent)
            copies.append((known, backup(a, f"backup-{turn}.db")))
    finally:
        stop.set()
        writer.join()
    for known, copy in copies:
        done = a.run("check", "--store", "--file", copy, "--config", a.conf)
        assert done.returncode == 0, done.stdout + done.stderr
        assert not os.path.exists(copy + ".part") and not os.path.exists(copy + "-wal")
    known, copy = copies[1]
    restore(a, copy)
    ids = a.ids("soc", "advisories")
    assert [o["id"] for o in sent[:known]] == ids[:known], "what was acknowledged before the backup, in its order"
    assert len(ids) == len(set(ids))
    for i in range(known, len(sent), 200):          # asked for again from where it came
        a.insist("sensor", "advisories", *sent[i:i + 200])
    a.insist("sensor", "advisories", thing("after the backup"))
    wanted = {o["id"] for o in sent} | {thing("after the backup")["id"]}
    until("all of it at the partner", lambda: wanted <= set(b.ids("soc", "inbox-cert-a")))
    got = b.versions("soc", "inbox-cert-a")
    assert len(got) == len(set(got)), "what went out twice is known where it arrives"


def test_a_backup_that_cannot_be_made_leaves_nothing(lab):
    """If this fails, a full backup disk leaves a file that looks like a backup."""
    a = lab["cert-a"]
    a.insist("sensor", "advisories", *[thing(f"kept {i}") for i in range(50)])
    copy = backup(a, "first.db")
    again = a.run("backup", copy, "--config", a.conf)
    assert again.returncode == 2 and "there is a file of that name" in again.stderr
    faults, target = Faults(lab.folder, a.folder), a.file("second.db")

    def attempt():
        return subprocess.run([TOCSIN, "backup", target, "--config", a.conf], capture_output=True, text=True, timeout=30,
                              env=dict(os.environ, **faults.env), check=False)
    faults.count(*DISK)
    assert attempt().returncode == 0
    os.remove(target)
    for n in range(1, faults.seen + 1, max(1, faults.seen // 25)):
        faults.fail(*DISK, error=28, nth=n, times=1)
        done = attempt()
        faults.heal()
        assert done.returncode in (0, 2), (n, done.returncode, done.stderr)
        if done.returncode == 0:
            assert a.run("check", "--store", "--file", target, "--config", a.conf).returncode == 0
        else:
            assert done.stderr.strip(), n
            left = [x for x in os.listdir(a.folder) if x.startswith("second.db")]
            assert not left or faults.last in ("unlink", "fsync", "open_read"), (n, faults.last, left)
        for name in os.listdir(a.folder):
            if name.startswith("second.db"):
                os.remove(a.file(name))
    assert a.request("GET", "/api/", "soc").status == 200, "the node did not notice"
