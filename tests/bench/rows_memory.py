#!/usr/bin/python3
"""Memory of a node: the sum of PSS over all its processes, without the mapped database; at rest, and during a POST of 100 MB."""
import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from bench import TAXII, Keep, envelope, laboratory, pss_kb, quick, row, title, tree  # noqa: E402

BODY = 100 << 20


def pss_mb(node):
    """Without what lies in files and is only mapped: the database, and a large body that waits to be read."""
    return pss_kb(node.process.pid, without=(node.file("state", "tocsin.db"), node.file("state", "bodies"))) / 1024


class Watch(threading.Thread):
    """Looks at the memory again and again; the greatest is kept."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.node, self.greatest, self.going = node, 0, True
        self.start()

    def run(self):
        while self.going:
            self.greatest = max(self.greatest, pss_mb(self.node))
            time.sleep(0.02)

    def stop(self):
        self.going = False
        self.join()
        return self.greatest


def work_off(node, answer):
    """The most while an envelope is worked off that was answered before."""
    status = json.loads(answer[answer.index(b"{"):])
    watch = Watch(node)
    while status["status"] == "pending":
        time.sleep(0.1)
        status = node.request("GET", f"/api/status/{status['id']}/", "sensor").json
    return watch.stop()


def post(node, body):
    """(most while the body comes, most until the answer, most until all is taken in, the answer's first line)."""
    with node.connect(timeout=300) as c:
        watch = Watch(node)
        c.sendall(f"POST /api/collections/advisories/objects/ HTTP/1.1\r\nHost: x\r\nAccept: {TAXII}\r\nContent-Type: {TAXII}\r\n"
                  f"Authorization: Bearer {node.tokens['sensor']}\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        for i in range(0, len(body) - 1, 1 << 20):
            c.sendall(body[i:min(i + (1 << 20), len(body) - 1)])
        time.sleep(0.1)
        coming = watch.stop()
        watch = Watch(node)
        c.sendall(body[-1:])
        answer = b""
        while b"}" not in answer:
            answer += c.recv(4096)
        until = watch.stop()
        return coming, until, work_off(node, answer), answer.split(b"\r\n")[0].decode()


def main():
    title("memory: PSS of all processes, without mapped files of the state folder (database, bodies on their way)")
    body = envelope(quick(20000, 120000))
    body += b" " * (BODY - len(body))
    idle, coming, whole, after, status, count = [], [], [], [], "", 0
    for _ in range(quick(1, 3)):
        with laboratory("cert-a", redis=False, limits="    body 200m\n    objects 200000\n") as lab:
            node = lab["cert-a"]
            Keep(node, "sensor").post(envelope(1, 1000000))
            time.sleep(0.5)
            idle.append(pss_mb(node))
            count = len(tree(node.process.pid))
            a, b, c, status = post(node, body)
            coming.append(a - idle[-1])
            whole.append(b - idle[-1])
            after.append(c - idle[-1])
    row("at rest", idle, unit="MB", target="<=60", text=f"{count} processes")
    row("more while a body of 100 MB comes", coming, unit="MB", target="<=16")
    row("more until its answer", whole, unit="MB", target="<=16", text=f"{quick(20000, 120000)} objects in it: {status}")
    row("more while it is worked off", after, unit="MB", text="the last answer about its status included")


main()
