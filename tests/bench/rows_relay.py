#!/usr/bin/python3
"""Time from the POST at one node to the object being readable at its peer, with nothing else going on."""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from bench import RUNS, Keep, indicator, laboratory, quick, row, title, until  # noqa: E402


def measure(a, b, count, name):
    """Milliseconds of each, sorted."""
    post, look, times = Keep(a, "sensor"), Keep(b, "soc"), []
    for i in range(count):
        o = indicator(f"relay {name} {i}", f"[domain-name:value = 'r{i}-{name}.example']", tlp="green")
        path = f"/api/collections/inbox-cert-a/objects/{o['id']}/"
        body = json.dumps({"objects": [o]})
        start = time.monotonic()
        post.post(body)
        until("the object at cert-b", lambda: look.ask("GET", path)[0] == 200, every=0.0005)  # pylint: disable=cell-var-from-loop
        times.append((time.monotonic() - start) * 1000)
        time.sleep(0.02)        # idle again
    return sorted(times)


def main():
    title("from POST at cert-a to visible at its peer cert-b, idle")
    with laboratory("cert-a", "cert-b") as lab:
        measure(lab["cert-a"], lab["cert-b"], 10, "warm")
        runs = [measure(lab["cert-a"], lab["cert-b"], quick(10, 50), str(i)) for i in range(RUNS)]
    row("p50", [t[len(t) // 2] for t in runs], unit="ms", target="<=10", text="asked every 0.5 ms")
    row("p99 (worst of a short run)", [t[int(len(t) * 0.99)] for t in runs], unit="ms", target="<=30")


main()
