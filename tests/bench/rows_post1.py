#!/usr/bin/python3
"""POST of one object by 64 clients at once: beside nginx that answers the same requests with a static 202, how many share a sync, and
what is left of it on a disk whose sync takes 5 ms."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from bench import LIB, RUNS, TAXII, Nginx, laboratory, pin, quick, row, title, wrk  # noqa: E402

CLIENTS = 64
SCRIPT = os.path.join(LIB, "post_one.lua")
# as long as one of ours
ANSWER = '{"id":"2d086da7-4bdc-4f91-900e-d77486753710","status":"complete","request_timestamp":"2026-11-20T08:00:00.000Z","total_count":1,' \
    '"success_count":1,"failure_count":0,"pending_count":0,"successes":[{"id":"indicator--00000000-0000-4000-8000-000000000001",' \
    '"version":"2026-11-20T08:00:00.000Z"}]}'


class Posts:
    def __init__(self, node):
        self.node, self.runs = node, 0
        self.headers = [f"Authorization: Bearer {node.tokens['sensor']}", f"Accept: {TAXII}", f"Content-Type: {TAXII}"]

    def run(self, pid, url, clients=CLIENTS, seconds=None):
        self.runs += 1
        return wrk(pid, url, self.headers, connections=clients, seconds=seconds or quick(1, 3), script=SCRIPT,
                   script_args=[f"{os.getpid() & 0xffff:04x}{self.runs:04x}"])

    def ours(self, **more):
        """A run, and how many commits shared a sync in it."""
        before = self.figures()
        load = self.run(self.node.process.pid, self.node.url + "/api/collections/advisories/objects/", **more)
        after = self.figures()
        load.per_sync = load.count / max(1, after - before)
        return load

    def figures(self):
        text = self.node.metrics()
        found = re.search(r"^tocsin_store_syncs(?:_total)?(?:\{[^}]*\})? (\d+)", text, re.M)
        if not found:
            raise SystemExit("the node does not say how often it synced")
        return int(found.group(1))


def beside_nginx():
    with laboratory("cert-a", redis=False) as lab:
        node = lab["cert-a"]
        posts, nginx = Posts(node), Nginx(node, answer=ANSWER)
        posts.ours(seconds=1)       # warm
        ours, theirs = [], []
        for _ in range(RUNS):
            ours.append(posts.ours())
            theirs.append(posts.run(nginx.process.pid, nginx.url + "/post"))
        row("one object, 64 clients", [x.rate for x in ours], [x.rate for x in theirs], "req/s", ">=0.5", "nginx, a static 202")
        row("one object, 64 clients: CPU", [x.cpu_us for x in ours], [x.cpu_us for x in theirs], "us/req", "", "all processes")
        row("requests a sync", [x.per_sync for x in ours], unit="requests", target=">=8")
        nginx.stop()


def slow_disk():
    with laboratory("cert-a", redis=False) as lab:
        node = lab["cert-a"]
        shim = os.path.join(lab.folder, "slow_sync.so")
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", shim, os.path.join(LIB, "slow_sync.c")],
                       check=True)
        node.stop()
        node.start(LD_PRELOAD=shim, SLOW_SYNC_US="5000")
        pin(node.process.pid)
        posts = Posts(node)
        alone, many = [], []
        for _ in range(RUNS):
            alone.append(posts.ours(clients=1))
            many.append(posts.ours())
        row("a sync of 5 ms: 64 clients", [x.rate for x in many], [x.rate for x in alone], "req/s", ">=5", "one client, a commit each")
        row("a sync of 5 ms: requests a sync", [x.per_sync for x in many], unit="requests", target=">=8")


def main():
    title("POST of one object by 64 clients at once, TLS, durable before the answer")
    beside_nginx()
    slow_disk()


main()
