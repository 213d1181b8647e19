"""A laboratory of real processes: nodes with keys and certificates of their own, and a private Redis.

Used by the scenarios and by the demo. Everything lives in one folder, listens on loopback or unix sockets only,
and is stopped by pid.
"""
import base64
import contextlib
import hashlib
import http.client
import itertools
import json
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import uuid

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOCSIN = os.path.abspath(os.environ.get("TOCSIN", os.path.join(TOP, "build", "tocsin")))
TAXII = "application/taxii+json;version=2.1"
ONE = ["--one"] if os.environ.get("TOCSIN_ONE") else []     # the whole node in one process
PATIENCE = float(os.environ.get("PATIENCE", "30"))


def private(path, flags):
    """An opener for files with secrets."""
    return os.open(path, flags, 0o600)


# Below the ports that the kernel gives to clients, and apart from those of a run beside this one (tests/run).
PORTS = 9000
_lane = 12000 + PORTS * int(os.environ.get("TOCSIN_LANE", "0"))
_numbers = itertools.count(random.randrange(PORTS))


def free_port():
    """A loopback port that nobody listens on right now, and nobody else is told of soon."""
    while True:
        port = _lane + next(_numbers) % PORTS
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


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

    def __init__(self, folder, password=None):
        self.folder, self.path, self.process = folder, os.path.join(folder, "redis.sock"), None
        self.password = password
        os.makedirs(folder, mode=0o700, exist_ok=True)

    def start(self):
        auth = ["--requirepass", self.password] if self.password else []
        with open(os.path.join(self.folder, "redis.log"), "ab") as log:
            self.process = subprocess.Popen(
                ["redis-server", "--port", "0", "--unixsocket", self.path, "--unixsocketperm", "700",
                 "--save", "", "--appendonly", "no", "--rdbcompression", "no", "--dir", self.folder, *auth],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        until("redis to answer", lambda: self.ask("PING") == "PONG")

    def ask(self, *words):
        return self.ask_raw(*words).decode("utf-8", "replace").strip()

    def ask_raw(self, *words):
        """The answer as redis-cli prints it, byte by byte."""
        env = dict(os.environ, REDISCLI_AUTH=self.password) if self.password else None
        try:
            return subprocess.run(["redis-cli", "-s", self.path, *words], capture_output=True, env=env,
                                  timeout=5, check=False).stdout
        except subprocess.TimeoutExpired:
            return b""

    def pause(self):
        """It is there, takes connections, and never answers."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

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

    def add_password(self, consumer, password):
        """A password, hashed as RFC 7914 says, written as an administrator's script would."""
        salt = os.urandom(16)
        key = hashlib.scrypt(password.encode(), salt=salt, n=1 << 14, r=8, p=1, maxmem=1 << 26, dklen=32)
        words = ":".join(base64.b64encode(x).decode() for x in (salt, key))
        with open(self.file("credentials"), "a", encoding="utf-8") as f:
            f.write(f"password {consumer} scrypt:14:8:1:{words}\n")

    # -- life

    def start(self, **env):
        """Serve; further words go to the environment of the process."""
        self.launch(**env)
        until(f"{self.name} to serve", self.is_ready)
        return self

    def launch(self, *words, **env):
        # a sanitizer must be able to stop the process with a report
        env = dict(os.environ, ASAN_OPTIONS="abort_on_error=0:exitcode=99:detect_leaks=1", **env)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([TOCSIN, "serve", *(words or ONE), "--config", self.conf], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, env=env)

    def restart(self, **env):
        assert self.stop() == 0, self.log()[-3000:]
        return self.start(**env)

    def reload(self):
        """SIGHUP; True once the node says that it took the new files, False if it refused them."""
        def outcomes():
            return [self.metric(f'tocsin_reloads_total{{result="{x}"}}') for x in ("done", "refused")]
        done, refused = outcomes()
        self.process.send_signal(signal.SIGHUP)
        now = until(f"{self.name} to reload", lambda: (lambda o: o if o != [done, refused] else None)(outcomes()))
        return now[0] > done

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n{self.log()[-3000:]}")
        try:
            c = http.client.HTTPConnection("127.0.0.1", self.ops_port, timeout=2)
            c.request("GET", "/readyz")
            return c.getresponse().status == 200
        except OSError:
            return False

    def verify_audit(self):
        done = self.run("audit", "verify", "--config", self.conf)
        assert done.returncode == 0, f"{self.name}: {done.stdout}{done.stderr}"

    def metrics(self):
        c = http.client.HTTPConnection("127.0.0.1", self.ops_port, timeout=5)
        c.request("GET", "/metrics")
        return c.getresponse().read().decode()

    def samples(self, name):
        """What each process says under that name and these labels (and maybe more)."""
        name, _, labels = name.rstrip("}").partition("{")
        wanted, values = set(labels.split(",")) - {""}, []
        for line in self.metrics().splitlines():
            sample, _, value = line.rpartition(" ")
            found, _, labels = sample.rstrip("}").partition("{")
            if found == name and wanted <= set(labels.split(",")):
                values.append(float(value))
        return values

    def metric(self, name):
        """The sum over all processes."""
        return sum(self.samples(name), 0.0)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def gone(self):
        """Wait for the end of a process that dies by itself; the exit status (-9 for a kill)."""
        status = self.process.wait(timeout=PATIENCE)
        self.process = None
        return status

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

    def context(self, certificate_of=None):
        """How clients of this node speak TLS; with the certificate of another node, as that node."""
        ctx = ssl.create_default_context(cafile=self.file("tls", "ca.crt"))
        if certificate_of:
            ctx.load_cert_chain(certificate_of.file("tls", "node.crt"), certificate_of.file("tls", "node.key"))
        return ctx

    def connect(self, timeout=PATIENCE, certificate_of=None):
        """A bare TLS connection, for bytes that no library would send."""
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
        try:
            return self.context(certificate_of).wrap_socket(raw, server_hostname="127.0.0.1")
        except (OSError, ssl.SSLError):
            raw.close()
            raise

    def request(self, method, path, who=None, body=None, headers=None, certificate_of=None):
        """One request on a connection of its own. A header that is None is left out."""
        h = {"Accept": TAXII}
        if who:
            h["Authorization"] = "Bearer " + self.tokens[who]
        if body is not None:
            h["Content-Type"] = TAXII
            if not isinstance(body, (bytes, str)):
                body = json.dumps(body, separators=(",", ":"))
        h.update(headers or {})
        h = {k: v for k, v in h.items() if v is not None}
        c = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE,
                                        context=self.context(certificate_of))
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

    def versions(self, who, collection):
        """(id, version) of everything in a collection, old versions too, in order."""
        return [(o["id"], o.get("modified") or o.get("created")) for o in
                self.objects(who, collection, "match[version]=all")]

    def insist(self, who, collection, *objects):
        """Post as a sender that wants it to arrive: again after a lost answer or a 5xx, until 202."""
        def once():
            try:
                r = self.post(who, collection, *objects)
            except (OSError, http.client.HTTPException):
                return None
            if r.status in (429, 500, 502, 503):
                return None
            assert r.status == 202, (r.status, r.body)
            return r
        return until(f"{self.name} to take {len(objects)} objects", once).json

    def curl(self, who, path):
        """The same by hand."""
        return (f"curl -sg --cacert {self.file('tls', 'ca.crt')} -H 'Accept: {TAXII}' "
                f"-H 'Authorization: Bearer {self.tokens[who]}' '{self.url}{path}'")

    def drop(self, spool, name, text):
        """Put a file into a spool folder the way a careful script does: write beside, rename in."""
        path = self.file("spool", spool, "incoming", name)
        with open(path + ".tmp", "w", encoding="utf-8") as f:
            f.write(text)
        os.rename(path + ".tmp", path)


class Client:
    """One connection that is kept, as most clients keep theirs."""

    def __init__(self, node, who=None):
        self.node, self.who = node, who
        self.http = http.client.HTTPSConnection("127.0.0.1", node.port, timeout=PATIENCE, context=node.context())

    def request(self, method, path, body=None, headers=None):
        h = {"Accept": TAXII}
        if self.who:
            h["Authorization"] = "Bearer " + self.node.tokens[self.who]
        if body is not None:
            h["Content-Type"] = TAXII
            if not isinstance(body, (bytes, str)):
                body = json.dumps(body, separators=(",", ":"))
        h.update(headers or {})
        h = {k: v for k, v in h.items() if v is not None}
        self.http.request(method, path, body=body, headers=h)
        r = self.http.getresponse()
        return Answer(r.status, r.headers, r.read())

    def get(self, path, **headers):
        return self.request("GET", path, headers=headers)

    def close(self):
        self.http.close()


class Lab:
    """Nodes that know each other, and a Redis that they share."""

    def __init__(self, folder, names=("cert-a", "cert-b"), redis=True, limits="", link=None, extra="",
                 redis_password=None, knows=None, consumers=None):
        self.folder = os.path.abspath(folder)
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        self.redis = Redis(os.path.join(self.folder, "redis"), redis_password) if redis else None
        self.nodes = {name: Node(self, name) for name in names}
        self.limits = limits
        self.knows = knows or (lambda a, b: True)   # does a name b in its trust.conf?
        self.extra = extra                          # further sections of every tocsin.conf
        self.absent = set()                         # nodes that have keys, and are played by the story
        self.link = link or (lambda a, b: True)     # may a send to b?
        self.consumers = {
            "soc": ["relation own", "read *"] , "sensor": ["relation own", "write *"],
            "meter": ["relation own", "read *", "limit in 30/min burst 10"],
            **(consumers or {}),
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
        if self.redis and self.redis.password:
            with open(n.file("keys", "redis.password"), "w", encoding="utf-8", opener=private) as f:
                f.write(self.redis.password + "\n")
            redis += "    password-file keys/redis.password\n"
        with open(n.conf, "w", encoding="utf-8") as f:
            f.write(f"""# node {n.name} of a laboratory
node {n.name}
    state        state
    workers      2
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
    requests     600000/min burst 50000
{"" if "repeats" in self.limits else "    repeats      0"}
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
{self.extra}{extra}""")

    def write_trust(self, n, rules=None, head=""):
        others = [o for o in self.nodes.values() if o is not n and self.knows(n.name, o.name)]
        with open(n.file("trust.conf"), "w", encoding="utf-8") as f:
            f.write(head)
            if others:
                f.write("community cert-net\n    members    " + " ".join(o.name for o in others) + "\n    green      yes\n\n")
            for o in others:
                url = f"    url        {o.url}/api/\n    collection inbox-{n.name}\n" if self.link(n.name, o.name) else ""
                f.write(f"peer {o.name}\n    pin        {o.pin()}\n    sign-key   {o.public_key()}\n{url}"
                        "    relation   partner\n    speaks     stix21\n    speaks-for any\n\n")
            inboxes = "".join(f" inbox-{o.name}" for o in others)       # hidden: `*` does not mean them
            for name, lines in self.consumers.items():
                f.write(f"consumer {name}\n" + "".join(f"    {x}\n" for x in lines).replace("read *", "read *" + inboxes) + "\n")
            f.write(rules or (RULES if others else OWN_RULES))

    def start(self):
        if self.redis:
            self.redis.start()
        running = [n for n in self.nodes.values() if n.name not in self.absent]
        for n in running:
            n.launch()
        for n in running:
            until(f"{n.name} to serve", n.is_ready)
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


@contextlib.contextmanager
def laboratory(*names, absent=(), trust=None, **options):
    """A running lab in a folder of its own. It has to end as it should: every node with status 0, every
    audit chain whole. The folder stays if the story failed."""
    folder = tempfile.mkdtemp(prefix="tocsin-")     # short: a unix socket's path has 107 bytes
    lab = Lab(folder, names or ("cert-a", "cert-b"), **options)
    lab.absent = set(absent)
    try:
        lab.build()
        if trust:
            trust(lab)
        lab.start()
        yield lab
        ends = lab.stop()
        assert set(ends.values()) == {0}, (ends, [n.log()[-2000:] for n in lab.nodes.values() if ends[n.name]])
        for n in lab.nodes.values():
            if n.name not in lab.absent:
                n.verify_audit()
    except BaseException:
        lab.stop()
        print(f"left for a look: {folder}")
        raise
    shutil.rmtree(folder, ignore_errors=True)


class Tap:
    """A peer played by the story: the node's certificate and port, answers from a script, requests kept."""

    def __init__(self, node, address="127.0.0.1"):
        self.node, self.requests, self.script = node, [], []
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ctx.load_cert_chain(node.file("tls", "node.crt"), node.file("tls", "node.key"))
        ctx.load_verify_locations(node.file("tls", "peer-ca.crt"))
        ctx.verify_mode = ssl.CERT_REQUIRED
        self.context = ctx
        self.listener = socket.create_server((address, node.port))
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(raw,), daemon=True).start()

    def talk(self, raw):
        try:
            with self.context.wrap_socket(raw, server_side=True) as c, c.makefile("rb") as f:
                while self.answer(c, f):
                    pass
        except (OSError, ValueError):
            pass

    def answer(self, c, f):
        line, length = f.readline(), 0
        if not line:
            return False
        for header in iter(f.readline, b"\r\n"):
            name, _, value = header.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        body = f.read(length)
        self.requests.append((line.split()[1].decode(), body))
        reply = self.script.pop(0) if self.script else self.taken
        words, keep = reply(json.loads(body))
        c.sendall(words)
        return keep

    @staticmethod
    def taken(envelope):
        """202, everything stored."""
        n = len(envelope["objects"])
        return Tap.say("202 Accepted", {"id": str(uuid.uuid4()), "status": "complete", "total_count": n,
                                        "success_count": n, "failure_count": 0, "pending_count": 0})

    @staticmethod
    def cut(words=b""):
        """Say this much and close."""
        return words, False

    @staticmethod
    def say(status, resource, *headers):
        body = json.dumps(resource).encode()
        head = [f"HTTP/1.1 {status}", f"Content-Type: {TAXII}", f"Content-Length: {len(body)}", *headers]
        return "\r\n".join(head).encode() + b"\r\n\r\n" + body, True

    def envelopes(self):
        return [json.loads(body) for _, body in self.requests]

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)        # wakes who waits in accept
        self.listener.close()
        self.thread.join()
