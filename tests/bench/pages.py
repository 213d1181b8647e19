#!/usr/bin/python3
"""TAXII pages beside nginx: it serves the same bytes as files, over the same certificate, TLS version and cipher.

One worker of each on one core (ours with its storekeeper, master and translator: the CPU of all counts), the client (wrk, 16
kept connections) on the other; ours and theirs take turns; median
of 5 with the spread. Both rates and the CPU of the server for each request are compared: the second says the same on a busy
machine. Nothing is switched off: every request has its token checked, asks the limiter, is counted and logged, and every page is
audited. usage: pages.py [--objects N] [--only WORD] [--runs N] [--seconds S]   (QUICK=1: in a minute)
"""
import argparse
import glob
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "tests", "scenarios"))
from lab import TAXII, Client, Lab, free_port  # noqa: E402

QUICK = os.environ.get("QUICK", "") not in ("", "0")
LOADER = os.path.join(TOP, "build", "release", "bench", "bench_pages")
SERVER_CORE, CLIENT_CORE = "1", "0"


TARGETS = (("same page", ">=0.9"), ("random pages", ">=0.7"), ("one object", ">=0.7"), ("manifest", ">=0.7"), ("empty poll", ">=0.7"))


def row(name, values, unit, beside=None, what=""):
    """A line for people, or, under tests/bench/run, one of its table (README.md)."""
    if os.environ.get("BENCH_TABLE"):
        target = next((t for word, t in TARGETS if word in name and beside), "")
        words = [",".join(f"{v:.6g}" for v in side) for side in (values, beside or ())]
        print("row", name.strip() if target else name, *words, unit, target, what, sep="\t", flush=True)
        return
    mid = statistics.median(values)
    ratio = f"   {mid / statistics.median(beside):.2f} of {what}" if beside else ""
    print(f"   {name:<44} {mid:10.0f} {unit:<8} ({min(values):.0f}..{max(values):.0f}){ratio}", flush=True)


def family(pid):
    """A process and all that it started."""
    pids = [pid]
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        with open(path, encoding="ascii") as f:
            for child in f.read().split():
                pids += family(int(child))
    return pids


def cpu_us(pid):
    """What a process and its children have used."""
    total = 0
    for p in family(pid):
        for path in glob.glob(f"/proc/{p}/task/*/schedstat"):
            with open(path, encoding="ascii") as f:
                total += int(f.read().split()[0])
    return total / 1000


def pin(pid):
    for p in family(pid):
        subprocess.run(["taskset", "-a", "-pc", SERVER_CORE, str(p)], stdout=subprocess.DEVNULL, check=False)


class Nginx:
    """Static files. It asks no Redis, judges nobody, writes no log and keeps no audit."""

    def __init__(self, folder, node):
        self.folder, self.port = folder, free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        os.makedirs(os.path.join(folder, "files"), exist_ok=True)
        conf = os.path.join(folder, "nginx.conf")
        with open(conf, "w", encoding="utf-8") as f:
            f.write(f"""daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{ access_log off; sendfile on; tcp_nodelay on; keepalive_requests 100000000; open_file_cache max=4096;
client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;
scgi_temp_path {folder}/s; server {{ listen 127.0.0.1:{self.port} ssl; ssl_certificate {node.file('tls', 'node.crt')};
ssl_certificate_key {node.file('tls', 'node.key')}; ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites {CIPHER};
gzip off; root {folder}/files; default_type application/taxii+json; }} }}
""")
        self.process = subprocess.Popen(["taskset", "-c", SERVER_CORE, "nginx", "-c", conf, "-p", folder],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.5)

    def put(self, name, body):
        with open(os.path.join(self.folder, "files", name), "wb") as f:
            f.write(body)
        return "/" + name

    def stop(self):
        self.process.terminate()
        self.process.wait()


CIPHER = "TLS_AES_256_GCM_SHA384"


class Wrk:
    """The client. Several paths are asked in random order."""

    def __init__(self, folder, token, seconds):
        self.folder, self.seconds = folder, seconds
        self.headers = [f"Authorization: Bearer {token}", f"Accept: {TAXII}"]

    def script(self, name, paths, fresh=False):
        """Paths in random order; fresh: each time with a query that was never asked, so that nothing kept fits it."""
        file = os.path.join(self.folder, name + ".lua")
        with open(file, "w", encoding="utf-8") as f:
            f.write("local paths = {\n" + "".join(f" {json.dumps(p)},\n" for p in paths) + "}\nlocal made = {}\nlocal n = os.time() * 1000000\n"
                    "function init(args)\n math.randomseed(1)\n for i, p in ipairs(paths) do made[i] = wrk.format('GET', p) end\nend\n"
                    + ("function request()\n n = n + 1\n return wrk.format('GET', string.format('%s&n=%d', paths[math.random(#paths)], n))\nend\n"
                       if fresh else "function request()\n return made[math.random(#made)]\nend\n"))
        return file

    def run(self, pid, url, paths, name, fresh=False):
        """Requests a second and the server's CPU for each."""
        command = ["taskset", "-c", CLIENT_CORE, "wrk", "-t1", "-c16", f"-d{self.seconds}s"]
        for h in self.headers:
            command += ["-H", h]
        if len(paths) > 1:
            command += ["-s", self.script(name, paths, fresh)]
        before = cpu_us(pid)
        text = subprocess.run(command + [url + paths[0]], capture_output=True, text=True, check=False).stdout
        after = cpu_us(pid)
        found = re.search(r"Requests/sec:\s+([\d.]+)", text)
        if not found or "Non-2xx" in text or "Socket errors" in text:   # a refusal is quick: it would make us look good
            raise SystemExit(f"{url}: not every answer was a 200:\n{text}")
        count = int(re.search(r"(\d+) requests in", text).group(1))
        if count == 0:      # somebody else had the machine
            return self.run(pid, url, paths, name, fresh)
        return float(found.group(1)), (after - before) / count


def one_worker(node):
    """As nginx has one."""
    with open(node.conf, encoding="utf-8") as f:
        text = f.read()
    with open(node.conf, "w", encoding="utf-8") as f:
        f.write(text.replace("    workers      2\n", "    workers      1\n", 1))


def cursors(client, limit, most, collection):
    """Paths of pages all over the collection, each behind the token of the page before it."""
    base = f"/api/collections/{collection}/objects/?limit={limit}"
    path, found = base, []
    while True:
        found.append(path)
        answer = client.get(path)
        assert answer.status == 200, answer.body
        token = re.search(rb'"more":true,"next":"([^"]+)"\}$', answer.body)
        if not token:
            break
        path = f"{base}&next={token.group(1).decode()}"
    found = found[:-1]
    return random.Random(1).sample(found, min(most, len(found)))


def works(client, most):
    """(name, paths): what is asked. A name with "anew": in a way that nothing kept answers it."""
    objects, manifest = "/api/collections/advisories/objects/", "/api/collections/advisories/manifest/"
    first = json.loads(client.get(objects + "?limit=1").body)["objects"][0]["id"]
    yield "the same page of 100", [objects + "?limit=100"]
    yield "the same page of 1,000", [objects + "?limit=1000"]
    hundreds = cursors(client, 100, most, "advisories")
    yield f"random pages of 100 ({len(hundreds)})", hundreds
    yield f"pages of 100 read anew ({len(hundreds)})", hundreds
    thousands = cursors(client, 1000, max(20, most // 10), "advisories")
    yield f"random pages of 1,000 ({len(thousands)})", thousands
    yield "one object", [objects + first + "/"]
    yield "manifest of 100", [manifest + "?limit=100"]
    yield f"random manifests of 100 ({len(hundreds)})", [p.replace("/objects/", "/manifest/") for p in hundreds]
    yield "empty poll", [objects + "?added_after=2100-01-01T00:00:00Z"]


def compare(node, nginx, wrk, client, options):
    for i, (name, paths) in enumerate(works(client, options.cursors)):
        if options.only and not re.search(options.only, name):
            continue
        theirs_paths, size = [], 0
        for k, path in enumerate(paths):
            answer = client.get(path)
            assert answer.status == 200, answer.body
            size += len(answer.body)
            theirs_paths.append(nginx.put(f"f{i}-{k}", answer.body))
        ours, theirs = [], []
        for _ in range(options.runs):
            ours.append(wrk.run(node.process.pid, node.url, paths, "ours", "anew" in name))
            theirs.append(wrk.run(nginx.process.pid, nginx.url, theirs_paths, "theirs"))
        (rate, cpu), (their_rate, their_cpu) = zip(*ours), zip(*theirs)
        row(f"{name} ({size / len(paths) / 1024:.1f} KB)", rate, "req/s", their_rate, "nginx")
        row("    CPU of the server", cpu, "us/req", their_cpu, "nginx")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--objects", type=int, default=20000 if QUICK else 1000000)
    p.add_argument("--cursors", type=int, default=100 if QUICK else 1000)
    p.add_argument("--runs", type=int, default=1 if QUICK else 5)
    p.add_argument("--seconds", type=int, default=1 if QUICK else 3)
    p.add_argument("--only", default="")
    p.add_argument("--cache", default="", help="limits/page-cache, such as 0 or 512m")
    p.add_argument("--hold", action="store_true", help="serve until a line is read, for profilers")
    options = p.parse_args()
    folder = tempfile.mkdtemp(prefix="tocsin-pages-")
    # a rate that nobody reaches: every request still asks the limiter, and none is refused
    fast = "limit in 600000000/min burst 10000000"
    lab = Lab(folder, names=("cert-a",), consumers={"soc": ["relation own", "read *", fast]},
              limits=f"    page-cache   {options.cache}\n" if options.cache else "")
    nginx = None
    try:
        lab.build()
        node = lab["cert-a"]
        one_worker(node)
        lab.start()
        database = glob.glob(node.file("state", "*.db"))[0]
        node.stop()
        subprocess.run([LOADER, "--load", database, node.file("keys", "audit.key"), "advisories", str(options.objects)], check=True)
        node.start()
        pin(node.process.pid)
        nginx = Nginx(os.path.join(folder, "nginx"), node)
        wrk = Wrk(folder, node.tokens["soc"], options.seconds)
        print(f"{'title' if os.environ.get('BENCH_TABLE') else '=='}\tTAXII pages of {options.objects} objects: TLS 1.3, 16 connections, "
              "beside nginx serving the same bytes as files", flush=True)
        if options.hold:
            print(f"pid {node.process.pid}, {node.url}, token {node.tokens['soc']}, nginx {nginx.url}", flush=True)
            print(" ".join(f"-H '{h}'" for h in wrk.headers), flush=True)
            print("script " + wrk.script("random", cursors(Client(node, "soc"), 100, options.cursors, "advisories")), flush=True)
            sys.stdin.readline()
        else:
            compare(node, nginx, wrk, Client(node, "soc"), options)
    finally:
        if nginx:
            nginx.stop()
        lab.stop()
        shutil.rmtree(folder, ignore_errors=True)


main()
