#!/usr/bin/python3
"""POST of envelopes: CPU for each new object beside the same statements in bare SQLite, one strict parse and one SHA-256; and what
known objects cost beside new ones.

The statements are those that the node itself runs: one run with a preloaded recorder writes them down, bench_replay asks them of bare
SQLite, on a copy of the same database, with the same settings.
"""
import os
import shutil
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from bench import CLIENT, LIB, QUICK, RUNS, SERVER, TOP, Keep, cpu_us, envelope, laboratory, note, pin, quick, row, title, until  # noqa: E402


CLIENTS = 4


def shim(lab, name):
    """A preloaded library of lib/, built into the lab's folder."""
    out = os.path.join(lab.folder, name + ".so")
    subprocess.run([os.environ.get("CC", "cc"), "-O2", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", out, os.path.join(LIB, name + ".c"), "-ldl"],
                   check=True)
    return out


class Story:
    """One node, put back to the same database before every run, and bodies that are new to it."""

    def __init__(self, lab, size, count, there=0):
        self.lab, self.node, self.size, self.count, self.there = lab, lab["cert-a"], size, count, there
        self.bodies = [envelope(size, size * 1000000 + i * size) for i in range(count)]
        self.saved = os.path.join(lab.folder, f"saved-{size}")
        self.node.stop()
        if there > 0:
            self.fill(there)
        self.copy(self.node.file("state"), self.saved)
        self.body_file = os.path.join(lab.folder, f"bodies-{size}")
        with open(self.body_file, "wb") as f:
            for b in self.bodies:
                f.write(struct.pack("<I", len(b)) + b)
        self.record = self.write_down()

    @staticmethod
    def copy(old, new):
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(old, new, ignore=lambda folder, names: [n for n in names if n.endswith(".sock")])

    def fill(self, there):
        """So many objects are there already, in the collection and in its view."""
        subprocess.run([os.path.join(TOP, "build", "release", "bench", "bench_pages"), "--load", self.node.file("state", "tocsin.db"),
                        self.node.file("keys", "audit.key"), "advisories", str(there)], check=True)
        self.node.start()
        until("the view to be filled", lambda: "view.filled collection=indicators" in self.node.log(), seconds=600)
        self.node.stop()

    def fresh(self, **env):
        """Start the node on the saved database."""
        self.node.stop()
        if self.lab.redis:
            self.lab.redis.ask("FLUSHALL")
        self.copy(self.saved, self.node.file("state"))
        self.node.start(**env)
        pin(self.node.process.pid)
        return [Keep(self.node, "sensor") for _ in range(CLIENTS)]

    def post(self, clients):
        """All bodies, by several clients at once: objects a second, and CPU for each object."""
        bodies, failed = iter(self.bodies), []
        threads = [threading.Thread(target=self.work, args=(c, bodies, failed), daemon=True) for c in clients]
        before, start = cpu_us(self.node.process.pid), time.monotonic()
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        took, used = time.monotonic() - start, cpu_us(self.node.process.pid) - before
        if failed:
            raise SystemExit(failed[0])
        n = self.size * self.count
        return n / took, used / n

    @staticmethod
    def work(client, bodies, failed):
        """One client: the next body that nobody has taken, until there is none."""
        try:
            for body in bodies:
                client.post(body)
        except BaseException as e:      # also SystemExit, which would end only this thread
            failed.append(str(e))

    def write_down(self):
        """The statements of one run; the name of the file."""
        name = os.path.join(self.lab.folder, f"record-{self.size}")
        self.post(self.fresh(LD_PRELOAD=shim(self.lab, "record_sql"), RECORD_SQL=name))
        self.node.stop()
        files = [os.path.join(self.lab.folder, f) for f in os.listdir(self.lab.folder) if f.startswith(f"record-{self.size}.")]
        writers = [f for f in files if b"INSERT INTO version" in open(f, "rb").read(1 << 22)]
        if len(writers) != 1:
            raise SystemExit(f"{len(writers)} processes wrote objects")
        for f in files:
            if f not in writers:
                os.unlink(f)
        return writers[0]

    def replay(self):
        """SQLite, parse, SHA-256: us of CPU for each object."""
        folder = os.path.join(self.lab.folder, "bare")
        self.copy(self.saved, folder)
        program = os.path.join(TOP, "build", "release", "bench", "bench_replay")
        done = subprocess.run(["taskset", "-c", SERVER, program, os.path.join(folder, "tocsin.db"), self.record, self.body_file],
                              capture_output=True, text=True, check=True)
        sqlite, parse, sha, objects = done.stdout.split()
        assert int(objects) == self.size * self.count, done.stdout
        return [float(x) / int(objects) for x in (sqlite, parse, sha)]

    def rows(self, runs=RUNS):
        rates, cpu, again, again_cpu, floor = [], [], [], [], []
        for _ in range(runs):
            clients = self.fresh()
            for a, b in ((rates, cpu), (again, again_cpu)):
                rate, used = self.post(clients)
                a.append(rate)
                b.append(used)
            floor.append(self.replay())
        parts = [sorted(f[i] for f in floor)[len(floor) // 2] for i in range(3)]
        goals = ("<=1.4", ">=2") if self.there else ("", "")
        row(f"{self.size} new objects: CPU", cpu, [sum(f) for f in floor], "us/object", goals[0],
            f"SQLite {parts[0]:.1f} + parse {parts[1]:.2f} + SHA-256 {parts[2]:.2f}")
        row(f"{self.size} new objects: {CLIENTS} clients", rates, unit="obj/s", text="OpenTAXII about 620, medallion 150")
        row(f"{self.size} known objects again", again, rates, "obj/s", goals[1], "new ones")
        row(f"{self.size} known objects again: CPU", again_cpu, cpu, "us/object", "", "new ones")


def main():
    subprocess.run(["taskset", "-pc", CLIENT, str(os.getpid())], stdout=subprocess.DEVNULL, check=False)
    there = quick(50000, 1000000)
    title(f"POST of envelopes into a collection of {there:,}: all processes of the node, TLS, durable before the answer")
    for size in (100, 1000):
        with laboratory("cert-a", redis=False) as lab:
            Story(lab, size, quick(2000, 10000) // size, there).rows(runs=3)
    for redis in (False, True):
        title(f"POST of envelopes into an empty collection{', with Redis' if redis else ''}")
        with laboratory("cert-a", redis=redis) as lab:
            for size in (100,) if QUICK else (100, 1000):
                Story(lab, size, quick(2000, 20000) // size).rows()
    note("Redis' own CPU is not ours and not counted")


main()
