"""A laboratory of real processes: nodes with keys and certificates of their own, and a private Redis.

Used by the scenarios and by the demo. Everything lives in one folder, listens on loopback or unix sockets only,
and is stopped by pid.
"""
import base64
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
import uuid

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOCSIN = os.path.abspath(os.environ.get("TOCSIN", os.path.join(TOP, "build", "tocsin")))
TAXII = "application/taxii+json;version=2.1"
PATIENCE = 30.0


def free_port():
    """A loopback port that nobody listens on right now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until(what, question, seconds=PATIENCE, every=0.02):
    """Ask until the answer is true, and return it; a story that waits too long says for what."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(every)


def stix_id(kind, name):
    return f"{kind}--{uuid.uuid5(uuid.UUID('8c4cbb32-5ae4-4ae5-9d0c-3f8b1d0fc3b1'), name)}"


TLP = {
    "clear": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "green": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "amber": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "amber+strict": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    "red": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}


def indicator(name, pattern, tlp="amber", at="2026-11-20T08:00:00.000Z", modified=None, **more):
    """A STIX 2.1 indicator with an id that follows from its name."""
    o = {"type": "indicator", "spec_version": "2.1", "id": stix_id("indicator", name), "created": at,
         "modified": modified or at, "name": name, "pattern": pattern, "pattern_type": "stix", "valid_from": at}
    if tlp:
        o["object_marking_refs"] = [TLP[tlp]]
    o.update(more)
    return o


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body) if self.body else None


class Redis:
    """A redis-server of our own on a unix socket, without a TCP port."""

    def __init__(self, folder):
        self.folder, self.path, self.process = folder, os.path.join(folder, "redis.sock"), None
        os.makedirs(folder, mode=0o700, exist_ok=True)

    def start(self):
        with open(os.path.join(self.folder, "redis.log"), "ab") as log:
            self.process = subprocess.Popen(
                ["redis-server", "--port", "0", "--unixsocket", self.path, "--unixsocketperm", "700",
                 "--save", "", "--appendonly", "no", "--dir", self.folder],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        until("redis to answer", lambda: self.ask("PING") == "PONG")

    def ask(self, *words):
        try:
            done = subprocess.run(["redis-cli", "-s", self.path, *words], capture_output=True, text=True,
                                  timeout=5, check=False)
            return done.stdout.strip()
        except subprocess.TimeoutExpired:
            return ""

    def kill(self):
        """As if the machine it runs on had lost power."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process = None


class Node:
    """One `tocsin serve` with its own folder."""

    def __init__(self, lab, name):
        self.lab, self.name = lab, name
        self.folder = os.path.join(lab.folder, name)
        self.port, self.ops_port = free_port(), free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.conf = os.path.join(self.folder, "tocsin.conf")
        self.log_path = os.path.join(self.folder, "log")
        self.process, self.tokens = None, {}

    # -- commands

    def run(self, *words, stdin=None):
        """Run a verb as a person would; returns the finished process."""
        return subprocess.run([TOCSIN, *words], capture_output=True, input=stdin, text=True, timeout=60,
                              cwd=self.folder if os.path.isdir(self.folder) else None, check=False)

    def ask(self, *words):
        """A verb that asks the running node, as JSON."""
        done = self.run(*words, "--config", self.conf, "--json")
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError:
            raise AssertionError(f"{self.name}: tocsin {' '.join(words)}: exit {done.returncode}: "
                                 f"{done.stdout}{done.stderr}") from None

    def init(self):
        done = self.run("init", "--name", self.name, "--dir", self.folder, "--url", self.url)
        assert done.returncode == 0, done.stdout + done.stderr

    def file(self, *names):
        return os.path.join(self.folder, *names)

    def pin(self):
        return self.run("key", "pin", self.file("tls", "node.crt")).stdout.split()[0]

    def public_key(self):
        return self.run("key", "public", self.file("keys", "sign.key")).stdout.split()[0]

    def add_token(self, consumer):
        """A bearer token for a consumer; it is printed once."""
        done = self.run("consumer", "add", consumer, "--config", self.conf, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        self.tokens[consumer] = json.loads(done.stdout)["token"]

    # -- life

    def start(self):
        # a sanitizer must be able to stop the process with a report
        env = dict(os.environ, ASAN_OPTIONS="abort_on_error=0:exitcode=99:detect_leaks=1")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([TOCSIN, "serve", "--config", self.conf], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, env=env)
        until(f"{self.name} to serve", self.is_ready)

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n{self.log()[-3000:]}")
        try:
            c = http.client.HTTPConnection("127.0.0.1", self.ops_port, timeout=2)
            c.request("GET", "/readyz")
            return c.getresponse().status == 200
        except OSError:
            return False

    def metrics(self):
        c = http.client.HTTPConnection("127.0.0.1", self.ops_port, timeout=5)
        c.request("GET", "/metrics")
        return c.getresponse().read().decode()

    def metric(self, name):
        for line in self.metrics().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
        return 0.0

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self):
        """SIGTERM; the exit status."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.process = None
        return status

    # -- TAXII

    def context(self):
        ctx = ssl.create_default_context(cafile=self.file("tls", "ca.crt"))
        return ctx

    def request(self, method, path, who=None, body=None, headers=None):
        h = {"Accept": TAXII}
        if who:
            h["Authorization"] = "Bearer " + self.tokens[who]
        if body is not None:
            h["Content-Type"] = TAXII
            if not isinstance(body, (bytes, str)):
                body = json.dumps(body)
        h.update(headers or {})
        c = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE, context=self.context())
        try:
            c.request(method, path, body=body, headers=h)
            r = c.getresponse()
            return Answer(r.status, r.headers, r.read())
        finally:
            c.close()

    def post(self, who, collection, *objects):
        return self.request("POST", f"/api/collections/{collection}/objects/", who, {"objects": list(objects)})

    def objects(self, who, collection, query="", limit=500):
        """Everything a client sees by following `next`, in order."""
        seen, after = [], ""
        while True:
            sep = "&" if query else ""
            r = self.request("GET", f"/api/collections/{collection}/objects/?{query}{sep}limit={limit}{after}", who)
            assert r.status == 200, (r.status, r.body)
            seen += r.json.get("objects", [])
            if not r.json.get("more"):
                return seen
            after = "&next=" + r.json["next"]

    def ids(self, who, collection, query=""):
        return [o["id"] for o in self.objects(who, collection, query)]

    def curl(self, who, path):
        """The same by hand."""
        return (f"curl -s --cacert {self.file('tls', 'ca.crt')} -H 'Accept: {TAXII}' "
                f"-H 'Authorization: Bearer {self.tokens[who]}' '{self.url}{path}'")

    def drop(self, spool, name, text):
        """Put a file into a spool folder the way a careful script does: write beside, rename in."""
        path = self.file("spool", spool, "incoming", name)
        with open(path + ".tmp", "w", encoding="utf-8") as f:
            f.write(text)
        os.rename(path + ".tmp", path)


class Lab:
    """Nodes that know each other, and a Redis that they share."""

    def __init__(self, folder, names=("cert-a", "cert-b"), redis=True, limits="", link=None):
        self.folder = os.path.abspath(folder)
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        self.redis = Redis(os.path.join(self.folder, "redis")) if redis else None
        self.nodes = {name: Node(self, name) for name in names}
        self.limits = limits
        self.link = link or (lambda a, b: True)     # may a send to b?
        self.consumers = {
            "soc": ["relation own", "read *"] , "sensor": ["relation own", "write *"],
            "meter": ["relation own", "read *", "limit in 30/min burst 10"],
        }

    def __getitem__(self, name):
        return self.nodes[name]

    def build(self):
        """Keys, certificates and configuration of all nodes."""
        for n in self.nodes.values():
            n.init()
        everyone = "".join(open(n.file("tls", "ca.crt"), encoding="utf-8").read() for n in self.nodes.values())
        first = next(iter(self.nodes.values()))
        for n in self.nodes.values():
            with open(n.file("tls", "peer-ca.crt"), "w", encoding="utf-8") as f:
                f.write(everyone)
            if n is not first:      # nodes that share a Redis share the key of its key names
                shutil.copy2(first.file("keys", "dedup.key"), n.file("keys", "dedup.key"))
            self.write_conf(n)
            self.write_trust(n)
            for consumer in self.consumers:
                n.add_token(consumer)
        return self

    def write_conf(self, n, extra=""):
        redis = f"redis unix:{self.redis.path}\n" if self.redis else ""
        with open(n.conf, "w", encoding="utf-8") as f:
            f.write(f"""# node {n.name} of a laboratory
node {n.name}
    state        state
    url          {n.url}
    csirt        {n.name}.example
    contact      team@{n.name}.example
    sign-key     keys/sign.key
    audit-key    keys/audit.key
    dedup-key    keys/dedup.key
    certificate  tls/node.crt
    key          tls/node.key
    peer-ca      tls/peer-ca.crt
    trust        trust.conf
    credentials  credentials
    mappings     {os.path.join(TOP, "conf", "mappings")}

listen 127.0.0.1:{n.port}
    certificate  tls/node.crt
    key          tls/node.key
    peer-ca      tls/peer-ca.crt
    clients      optional

operations 127.0.0.1:{n.ops_port}

{redis}
limits
    retry-min    100ms
    retry-max    1s
    requests     60000/min burst 5000
{self.limits}

taxii
    title        "Laboratory of {n.name}"

collection advisories
    title        "Advisories of {n.name}"

collection indicators
    title        "Indicators, one row a group"
    mode         view
    kinds        indicator
    distinct     yes

spool drop
    path         spool/drop
    collections  advisories
    interval     50ms

spool abuse
    path         spool/abuse
    format       mapped
    mapping      abuse-csv
    collections  advisories
    interval     50ms
{extra}""")

    def write_trust(self, n, rules=None):
        others = [o for o in self.nodes.values() if o is not n]
        with open(n.file("trust.conf"), "w", encoding="utf-8") as f:
            if others:
                f.write("community cert-net\n    members    " + " ".join(o.name for o in others) + "\n    green      yes\n\n")
            for o in others:
                url = f"    url        {o.url}/api/\n    collection inbox-{n.name}\n" if self.link(n.name, o.name) else ""
                f.write(f"peer {o.name}\n    pin        {o.pin()}\n    sign-key   {o.public_key()}\n{url}"
                        "    relation   partner\n    speaks     stix21\n    speaks-for any\n\n")
            inboxes = "".join(f" inbox-{o.name}" for o in others)       # hidden: `*` does not mean them
            for name, lines in self.consumers.items():
                f.write(f"consumer {name}\n" + "".join(f"    {x}\n" for x in lines).replace("read *", "read *" + inboxes) + "\n")
            f.write(rules or RULES if others else OWN_RULES)

    def start(self):
        if self.redis:
            self.redis.start()
        for n in self.nodes.values():
            n.start()
        return self

    def stop(self):
        """Exit statuses by node; 99 is a sanitizer's report."""
        statuses = {n.name: n.stop() for n in self.nodes.values()}
        if self.redis:
            self.redis.stop()
        return statuses


OWN_RULES = """release own-tools
    object     tlp clear green amber amber+strict
    to         relation own
"""

RULES = """# AMBER+STRICT leaves only to teams whose hosting somebody vouched for; here nobody did.
require strict-needs-assurance
    object     tlp amber+strict red
    to         relation partner
    peer       assurance substantial

release cert-net
    object     tlp clear green amber amber+strict
    to         community cert-net

""" + OWN_RULES


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
