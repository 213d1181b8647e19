"""A disk, a memory and a clock that fail when told to (tests/fault/fault.c), and the processes of a node."""
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
         "read", "allocate"]
CHANGES = KINDS[1:10]           # everything that changes a disk
DISK = KINDS[:-1]


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
