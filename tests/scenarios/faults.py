"""A disk, a memory and a clock that fail when told to (tests/fault/fault.c), and the processes of a node."""
import contextlib
import ctypes
import errno
import mmap
import os
import signal
import subprocess

from lab import TOP, until

SOURCE = os.path.join(TOP, "tests", "fault", "fault.c")
LIBRARY = os.path.join(TOP, "build", "fault", "fault.so")
KINDS = ["open_read", "open_write", "write", "pwrite", "fsync", "fdatasync", "ftruncate", "rename", "mkdir", "unlink",
         "read", "allocate", "descriptor"]
CHANGES = KINDS[1:10]           # everything that changes a disk
DISK = KINDS[:11]


def library():
    """The preloaded library, built when it is older than its source."""
    if not os.path.exists(LIBRARY) or os.path.getmtime(LIBRARY) < os.path.getmtime(SOURCE):
        os.makedirs(os.path.dirname(LIBRARY), exist_ok=True)
        new = f"{LIBRARY}.{os.getpid()}"
        subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-O1", "-fPIC",
                        "-shared", "-o", new, SOURCE], check=True)
        os.rename(new, LIBRARY)
    return LIBRARY


class Orders(ctypes.Structure):
    """As struct orders in fault.c."""
    _fields_ = [("kinds", ctypes.c_uint32), ("error", ctypes.c_int32), ("from_", ctypes.c_int64), ("times", ctypes.c_int64),
                ("clock_us", ctypes.c_int64), ("sync_us", ctypes.c_int64), ("halves", ctypes.c_uint32),
                ("last", ctypes.c_uint32), ("seen", ctypes.c_int64), ("failed", ctypes.c_int64), ("path", ctypes.c_char * 200)]


class Faults:
    """Orders for one node. `env` is what its processes are started with."""

    def __init__(self, folder, path):
        self.name = os.path.join(folder, f"faults-{os.path.basename(path)}")
        with open(self.name, "wb") as f:
            f.write(bytes(ctypes.sizeof(Orders)))
        with open(self.name, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 0)
        self.orders = Orders.from_buffer(self.map)
        self.orders.path = path.encode()

    @property
    def env(self):
        return {"LD_PRELOAD": library(), "TOCSIN_FAULT": self.name}

    def fail(self, *kinds, error=errno.EIO, nth=1, times=-1, halves=False):
        """From the n-th call of these kinds on, `times` of them fail."""
        o = self.orders
        o.from_ = 0
        o.error, o.times, o.halves, o.seen, o.failed, o.last = error, times, halves, 0, 0, 0
        o.kinds = sum(1 << KINDS.index(k) for k in kinds)
        o.from_ = nth

    def count(self, *kinds):
        """Only count."""
        self.fail(*kinds, nth=0)

    def heal(self):
        self.orders.from_ = self.orders.kinds = 0

    @property
    def seen(self):
        return self.orders.seen

    @property
    def failed(self):
        return self.orders.failed

    @property
    def last(self):
        """The kind of the last failure."""
        return KINDS[self.orders.last.bit_length() - 1] if self.orders.last else None

    def step_clock(self, seconds):
        self.orders.clock_us = int(seconds * 1e6)

    def slow_sync(self, seconds):
        self.orders.sync_us = int(seconds * 1e6)


class Change(ctypes.Structure):
    """As struct record in fault.c."""
    _fields_ = [("magic", ctypes.c_uint32), ("change", ctypes.c_uint32), ("device", ctypes.c_uint64), ("inode", ctypes.c_uint64),
                ("at", ctypes.c_int64), ("size_before", ctypes.c_int64), ("old", ctypes.c_uint64), ("fresh", ctypes.c_uint64)]


WRITTEN, CUT, SYNCED = 1, 2, 3


class Disk:
    """A disk that keeps for sure only what was synced. `env` is what the processes of a node are started with."""

    def __init__(self, folder, node):
        self.node, self.name = node, os.path.join(folder, f"disk-{node.name}")
        self.lost = self.kept = 0
        self.begin()

    @property
    def env(self):
        return {"LD_PRELOAD": library(), "TOCSIN_FAULT_DISK": self.name}

    def begin(self):
        """All that was written so far is safe."""
        with open(self.name, "wb"):
            os.chmod(self.name, 0o666)

    def unsafe(self):
        """By file: changes since its last sync, with the bytes that they replaced."""
        pending = {}
        with open(self.name, "rb") as f:
            journal = f.read()
        at, size = 0, ctypes.sizeof(Change)
        while at + size <= len(journal):
            r = Change.from_buffer_copy(journal, at)
            assert r.magic == 0x64697363
            old = journal[at + size:at + size + r.old]
            at += size + r.old
            if r.change == SYNCED:
                pending.pop((r.device, r.inode), None)
            else:
                pending.setdefault((r.device, r.inode), []).append((r, old))
        return pending

    def cut_power(self, rng):
        """Everybody is dead; some of what was not synced never reached the disk: all of it, what came last, or any."""
        pending = self.unsafe()
        folder = self.node.file("state")
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            st = os.lstat(path)
            if name.endswith("-shm"):
                os.remove(path)         # memory, not disk
            elif (st.st_dev, st.st_ino) in pending:
                self.take_back(path, pending[st.st_dev, st.st_ino], rng)
        self.begin()

    def take_back(self, path, changes, rng):
        whim = rng.choice(("all", "last", "any"))
        border = rng.randrange(len(changes) + 1)
        lost = [whim == "all" or (whim == "last" and i >= border) or (whim == "any" and rng.random() < 0.5)
                for i in range(len(changes))]
        size = changes[0][0].size_before
        for (r, _), gone in zip(changes, lost):
            if not gone:
                size = max(size, r.at + r.fresh) if r.change == WRITTEN else min(size, r.at)
        with open(path, "rb") as f:
            data = bytearray(f.read())
        room = max([len(data), size] + [r.at + r.fresh for r, _ in changes])
        data.extend(bytes(room - len(data)))
        stays = bytearray(room)         # bytes of later changes that reached the disk
        for (r, old), gone in reversed(list(zip(changes, lost))):
            if gone:
                before = old + bytes(r.fresh - len(old))
                for i in range(r.fresh):
                    if not stays[r.at + i]:
                        data[r.at + i] = before[i]
            elif r.change == WRITTEN:
                stays[r.at:r.at + r.fresh] = b"\1" * r.fresh
        with open(path, "r+b") as f:
            f.write(data[:size])
            f.truncate(size)
        self.lost += sum(lost)
        self.kept += len(lost) - sum(lost)


def kill_all(node):
    """kill -9 of all processes of a node at once."""
    pids = family(node)
    for pid in reversed(pids):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    node.gone()
    until(f"the processes of {node.name} to be gone", lambda: not any(map(is_alive, pids)))


def stat(pid):
    """(state, parent) of a process; None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            words = f.read().rpartition(")")[2].split()
        return words[0], int(words[1])
    except (OSError, IndexError, ValueError):
        return None


def is_alive(pid):
    now = stat(pid)
    return now is not None and now[0] not in "ZX"


def family(node):
    """Process ids of a node: what it was started as, then all its children and theirs."""
    parents = {int(name): stat(name) for name in os.listdir("/proc") if name.isdigit()}
    found = [node.process.pid]
    for pid in found:
        found += sorted(p for p, now in parents.items() if now and now[1] == pid and now[0] not in "ZX")
    return found


def strike(node, rng):
    """kill -9 of any process of a node. True if it was the first one: then all of them end, and it has to be
    started again."""
    pids = family(node)
    pid = rng.choice(pids)
    if pid != node.process.pid:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass                # it ended by itself meanwhile
        return False
    node.kill()
    until(f"the children of {node.name} to follow it", lambda: not any(map(is_alive, pids)))
    return True


def say_ready(node):
    """What /readyz says: "ready", or why not."""
    import http.client
    c = http.client.HTTPConnection("127.0.0.1", node.ops_port, timeout=5)
    c.request("GET", "/readyz")
    r = c.getresponse()
    text = r.read().decode().splitlines()[0]       # warnings follow
    assert (r.status == 200) == (text == "ready"), (r.status, text)
    return text
