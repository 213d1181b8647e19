#!/usr/bin/python3
"""A client that reads a whole collection, page after page, beside nginx with the same bytes as files; then what it asks every few
minutes for ever after: what is new, things of one type, things by id. All in CPU of the server: no page is kept (page-cache 0),
for nobody reads a page twice in a drain."""
import http.client
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from bench import TOP, Keep, Nginx, alternate, cpu_us, laboratory, note, pin, quick, row, title, wrk  # noqa: E402

OBJECTS = quick(100000, 1000000)
LIMIT = 1000
LOADER = os.path.join(TOP, "build", "release", "bench", "bench_pages")
PATH = "/api/collections/advisories/objects/"
OPTIONS = {"redis": False, "limits": "    page-cache   0\n", "extra": "collection blank\n    title        \"Nothing in it\"\n\n"}


def fill(node):
    """As many objects as wanted, put in while the node does not run."""
    node.stop()
    subprocess.run([LOADER, "--load", node.file("state", "tocsin.db"), node.file("keys", "audit.key"), "advisories", str(OBJECTS)],
                   check=True)
    node.start()
    pin(node.process.pid)


def drain(node, seen=None):
    """CPU a page of a walk by `next` over everything; `seen` is told each page."""
    keep, more, pages = Keep(node, "soc"), None, 0
    before = cpu_us(node.process.pid)
    while True:
        status, body = keep.ask("GET", f"{PATH}?limit={LIMIT}" + (f"&next={more}" if more else ""))
        if status != 200:
            raise SystemExit(f"{status} {body[:200]!r}")
        if seen:
            seen(pages, body)
        pages += 1
        found = re.search(rb'"more":true,"next":"([^"]+)"\}$', body)
        if not found:
            break
        more = found.group(1).decode()
    if pages != OBJECTS // LIMIT:
        raise SystemExit(f"{pages} pages of {OBJECTS // LIMIT}")
    return (cpu_us(node.process.pid) - before) / pages


def fetch(node, nginx, pages):
    """CPU a file of as many files over one connection."""
    http_ = http.client.HTTPSConnection("127.0.0.1", nginx.port, context=node.context(), timeout=120)
    before = cpu_us(nginx.process.pid)
    for i in range(pages):
        http_.request("GET", f"/page-{i}")
        if len(http_.getresponse().read()) < LIMIT:
            raise SystemExit("nginx has not what we served")
    return (cpu_us(nginx.process.pid) - before) / pages


def polls(node):
    """What is asked again and again, beside what it is to cost no more than."""
    headers = [f"Authorization: Bearer {node.tokens['soc']}", "Accept: application/taxii+json;version=2.1"]
    keep = Keep(node, "soc")
    some = json.loads(keep.ask("GET", f"{PATH}?limit=1000")[1])["objects"]
    ids = ",".join(o["id"] for o in some[::10])

    def cpu(query, collection=PATH):
        return wrk(node.process.pid, node.url + collection + query, headers).cpu_us
    for what, query, beside, target in (
            ("added_after = now; theirs: an empty collection", "?added_after=2100-01-01T00:00:00Z", "", "<=1.1"),
            ("100 of a type that one in a hundred is; theirs: 100 of all", "?limit=100&match[type]=malware", "?limit=100", "<=1.5"),
            ("100 of a type that nearly all are", "?limit=100&match[type]=indicator", "?limit=100", "<=1.3"),
            ("100 by id", "?match[id]=" + ids, "?limit=100", "")):
        ours, theirs = alternate(lambda q=query: cpu(q),
                                 lambda b=beside: cpu(b, PATH if b else "/api/collections/blank/objects/"))
        row(what, ours, theirs, "us/req", target, "ours both; CPU")


def main():
    title(f"drain of {OBJECTS:,} objects, {LIMIT:,} a page, one connection, no page kept; theirs: nginx, the same bytes as files")
    with laboratory("cert-a", **OPTIONS) as lab:
        node = lab["cert-a"]
        fill(node)
        nginx = Nginx(node)
        drain(node, lambda i, body: nginx.file(f"page-{i}", body))
        ours, theirs = alternate(lambda: drain(node), lambda: fetch(node, nginx, OBJECTS // LIMIT))
        row("a page of the drain: CPU of the server", ours, theirs, "us", "<=1.3", "nginx")
        nginx.stop()
        note("page 1 beside the last, and filters in a small and in a large store, in steps of SQLite: bench_pages")
        polls(node)


main()
