"""What the row programs share: lines of the table, nodes to measure, CPU and memory of all their processes, nginx."""
import atexit
import contextlib
import glob
import http.client
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile

LIB = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(os.path.dirname(LIB)))
sys.path.insert(0, os.path.join(TOP, "tests", "scenarios"))
from lab import TAXII, Lab, free_port, indicator, until  # noqa: E402

QUICK = os.environ.get("QUICK", "") not in ("", "0")
RUNS = 3 if QUICK else 5
SERVER, CLIENT = "1", "0"       # cores
CIPHER = "TLS_AES_256_GCM_SHA384"
# rates that nobody reaches: every request still asks the limiter, and none is refused
FAST = "limit in 600000000/min burst 10000000"
CROWD = "    connections-per-address 2000\n    handshakes-per-address 2000\n"     # all come from one

def quick(short, full):
    return short if QUICK else full


# ---- lines of the table

def words(values):
    return ",".join(f"{v:.6g}" for v in values)


def row(what, ours, theirs=(), unit="", target="", text=""):
    print("row", what, words(ours), words(theirs), unit, target, text, sep="\t", flush=True)


def title(text):
    print("title", text, sep="\t", flush=True)


def note(text):
    print("note", text, sep="\t", flush=True)


# ---- processes

def tree(pid):
    """A process and all below it."""
    pids = [pid]
    for p in pids:
        for path in glob.glob(f"/proc/{p}/task/*/children"):
            with contextlib.suppress(OSError), open(path, encoding="ascii") as f:
                pids += [int(x) for x in f.read().split()]
    return pids


def cpu_us(pid):
    """What all threads of all processes of a tree have used; differences count."""
    total = 0
    for p in tree(pid):
        for path in glob.glob(f"/proc/{p}/task/*/schedstat"):
            with contextlib.suppress(OSError), open(path, encoding="ascii") as f:
                total += int(f.read().split()[0])
    return total / 1000


def pss_kb(pid, without=()):
    """The sum of PSS over a tree, without mappings of files whose name starts with one of `without`."""
    total = 0
    for p in tree(pid):
        counts = True
        with contextlib.suppress(OSError), open(f"/proc/{p}/smaps", encoding="utf-8", errors="replace") as f:
            for line in f:
                if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                    path = line.split(None, 5)[5].strip() if len(line.split(None, 5)) > 5 else ""
                    counts = not any(path.startswith(w) for w in without)
                elif counts and line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total


def pin(pid, core=SERVER):
    """All threads of a tree on one core; what they start later stays there."""
    for p in tree(pid):
        subprocess.run(["taskset", "-apc", core, str(p)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


# ---- nodes

@contextlib.contextmanager
def laboratory(*names, **options):
    """Running nodes, all on the server's core, whose limits refuse nobody; `soc` reads, `sensor` writes."""
    folder = tempfile.mkdtemp(prefix="tocsin-bench-")
    options.setdefault("limits", CROWD)
    lab = Lab(folder, names or ("cert-a",), consumers={"soc": ["relation own", "read *", FAST],
                                                       "sensor": ["relation own", "write *", FAST]}, **options)
    try:
        lab.build().start()
        for n in lab.nodes.values():
            pin(n.process.pid)
        if lab.redis:
            pin(lab.redis.process.pid, CLIENT)
        yield lab
    finally:
        lab.stop()
        shutil.rmtree(folder, ignore_errors=True)


class Keep:
    """One kept connection."""

    def __init__(self, node, who):
        self.http = http.client.HTTPSConnection("127.0.0.1", node.port, context=node.context(), timeout=120)
        self.headers = {"Accept": TAXII, "Content-Type": TAXII, "Authorization": "Bearer " + node.tokens[who]}

    def ask(self, method, path, body=None):
        self.http.request(method, path, body=body, headers=self.headers)
        r = self.http.getresponse()
        return r.status, r.read()

    def post(self, body, collection="advisories"):
        """Post an envelope; anything but a 202 ends the program."""
        status, text = self.ask("POST", f"/api/collections/{collection}/objects/", body)
        if status != 202:
            raise SystemExit(f"POST: {status} {text!r}")
        return text


def objects(n, offset=0, tlp="green"):
    """Indicators of about 800 bytes, each about an address of its own."""
    return [indicator(f"bench {i}", f"[ipv4-addr:value = '{10 + (i >> 24) % 200}.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}']", tlp=tlp,
                      description=("seen in proxy logs of several constituents; block and report " * 5)[:300], confidence=i % 101,
                      labels=["botnet", "c2"], indicator_types=["malicious-activity"]) for i in range(offset, offset + n)]


def envelope(n, offset=0, **more):
    return json.dumps({"objects": objects(n, offset, **more)}, separators=(",", ":")).encode()


# ---- nginx

class Nginx:
    """Static files, and a static 202 with the given text for any request to /post, over the same certificate and cipher, on the
    server's core. It asks no Redis, judges nobody and keeps no audit."""

    def __init__(self, node, core=SERVER, tls="", answer="{}"):
        self.folder, self.port = tempfile.mkdtemp(prefix="tocsin-nginx-"), free_port()
        self.files = os.path.join(self.folder, "files")
        os.makedirs(self.files)
        conf = os.path.join(self.folder, "nginx.conf")
        with open(conf, "w", encoding="utf-8") as f:
            f.write(f"""daemon off; master_process off; worker_processes 1; pid {self.folder}/pid; error_log {self.folder}/error.log;
events {{ worker_connections 16384; }}
http {{ access_log off; sendfile on; tcp_nodelay on; keepalive_requests 100000000; client_body_temp_path {self.folder}/b;
client_max_body_size 200m; client_body_buffer_size 1m;
proxy_temp_path {self.folder}/p; fastcgi_temp_path {self.folder}/f; uwsgi_temp_path {self.folder}/u; scgi_temp_path {self.folder}/s;
server {{ listen 127.0.0.1:{self.port} ssl backlog=4096; ssl_certificate {node.file('tls', 'node.crt')};
ssl_certificate_key {node.file('tls', 'node.key')};
ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites {CIPHER}; {tls}
gzip off; root {self.files}; default_type application/taxii+json;
location = /post {{ return 202 '{answer}'; }} }} }}
""")
        self.log = open(os.path.join(self.folder, "out"), "wb")
        self.process = subprocess.Popen(["taskset", "-c", core, "nginx", "-c", conf, "-p", self.folder], stdout=self.log, stderr=self.log,
                                        stdin=subprocess.DEVNULL)
        self.url = f"https://127.0.0.1:{self.port}"
        atexit.register(self.stop)
        until("nginx to listen", self.listens)

    def listens(self):
        if self.process.poll() is not None:
            raise SystemExit("nginx did not start: " + open(self.log.name, encoding="utf-8").read())
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def file(self, name, body):
        """Serve these bytes; the URL."""
        with open(os.path.join(self.files, name), "wb") as f:
            f.write(body)
        return f"{self.url}/{name}"

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None
            self.log.close()
            shutil.rmtree(self.folder, ignore_errors=True)


# ---- load

class Load:
    """What one run of wrk gave: requests a second, CPU of the server for each, and quantiles in ms."""

    def __init__(self, text, count, cpu):
        self.count = count
        self.rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
        self.cpu_us = cpu / count
        self.text = text


def wrk(pid, url, headers=(), connections=16, seconds=None, script=None, script_args=()):
    """One run against the server whose process tree starts at `pid`; an answer that is no success ends the program: a refusal is
    quick, it would make the server look good."""
    command = ["taskset", "-c", CLIENT, "wrk", "-t1", f"-c{connections}", f"-d{seconds or quick(1, 4)}s", "--timeout", "30s"]
    if script:
        command += ["-s", script]
    for h in headers:
        command += ["-H", h]
    before = cpu_us(pid)
    text = subprocess.run(command + [url, *(["--", *map(str, script_args)] if script_args else [])], capture_output=True, text=True,
                          check=False)
    spent = cpu_us(pid) - before
    found = re.search(r"(\d+) requests in", text.stdout)
    if not found or int(found.group(1)) == 0 or "Non-2xx" in text.stdout or "Socket errors" in text.stdout:
        raise SystemExit(f"{url}: not every answer was a success:\n{text.stdout}{text.stderr}")
    return Load(text.stdout, int(found.group(1)), spent)


def alternate(ours, theirs, runs=None):
    """Both in turn, as often as the table wants; two lists."""
    a, b = [], []
    for _ in range(runs or RUNS):
        a.append(ours())
        b.append(theirs())
    return a, b


def median(values):
    return statistics.median(values)
