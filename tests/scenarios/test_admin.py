"""What an administrator does to a running node: reload, stop, look, mend."""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import stat
import subprocess
import threading
import warnings

import pytest

from lab import TOCSIN, TAXII, Client, Lab, Tap, free_port, indicator, laboratory, until

CSV = "id;seen_at;last_day;kind;value;what;label;trust;tags;family;report;ticket\n"
CANARIES = ("canary-9a41", "Canary9a41")


@pytest.fixture(scope="module")
def lab():
    with laboratory("cert-a", "tap", absent=("tap",), redis=False) as lab:
        lab.tap = Tap(lab["tap"])
        yield lab
        lab.tap.close()


@pytest.fixture
def node(lab):
    n = lab["cert-a"]
    if n.process is None or n.process.poll() is not None:       # the story before this one failed
        n.start()
    return n


def text_of(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def with_change(path, change):
    """Write a changed file; call the result to put the old one back."""
    before = text_of(path)
    write(path, change(before))
    return lambda: write(path, before)


# ---- reload

@pytest.mark.parametrize("name,change", [
    ("tocsin.conf", lambda t: t + "\nnonsense here\n"),
    ("tocsin.conf", lambda t: t.replace("interval     50ms", "interval     soon")),
    ("tocsin.conf", lambda t: re.sub(r"listen 127\.0\.0\.1:\d+", f"listen 127.0.0.1:{free_port()}", t)),
    ("tocsin.conf", lambda t: t.replace("key          tls/node.key", "key          tls/ca.key")),
    ("tocsin.conf", lambda t: t.replace("tls/node.crt", "tls/nothing.crt")),
    ("trust.conf", lambda t: t.replace("release own-tools", "rilease own-tools")),
    ("trust.conf", lambda t: t.replace("pin        sha256:", "pin        sha256:zz")),
    ("trust.conf", lambda t: t + "\nrelease x\n    to         community nobody\n"),
    ("credentials", lambda t: t + "token nobody\n"),
])
def test_a_bad_file_changes_nothing_and_says_why(node, name, change):
    """If this fails, a typing error takes a node down or leaves it half changed."""
    before, log = node.ask("status"), len(node.log())
    back = with_change(node.file(name), change)
    try:
        assert not node.reload()
        said = node.log()[log:]
        assert "ev=reload.refused" in said and "error=" in said
        assert node.request("GET", "/api/collections/", "soc").status == 200
        socket_path = node.file("state", "control.sock")
        after = json.loads(node.run("status", "--json", "--socket", socket_path).stdout)
        assert all(after[k] == before[k] for k in ("policy", "listening", "started"))
    finally:
        back()
    assert node.reload()


def test_a_good_reload_changes_everything_that_may_change(node):
    """If this fails, an administrator has to restart for a new collection, limit or consumer."""
    fresh = "collection fresh\n    title  \"Fresh\"\n\n"
    late = "\nconsumer late\n    relation own\n    read fresh\n    write fresh\n"
    back = [with_change(node.conf, lambda t: t.replace("collection indicators", fresh + "collection indicators")
                        .replace("Laboratory of cert-a", "Renamed").replace("    retry-min", "    body 64k\n    retry-min")),
            with_change(node.file("trust.conf"), lambda t: t + late)]
    kept = Client(node, "soc")
    assert kept.get("/api/").json["title"] == "Laboratory of cert-a"
    node.add_token("late")
    assert node.reload()
    assert kept.get("/api/").json["title"] == "Renamed", "an open connection sees it too"
    assert kept.get("/api/").json["max_content_length"] == 65536
    o = indicator("late", "[mutex:name = 'late']")
    node.insist("late", "fresh", o)
    assert node.ids("late", "fresh") == [o["id"]] and node.ids("soc", "fresh") == [o["id"]]
    for b in back:
        b()
    # the credentials still name a consumer that is gone: said, not fatal
    assert node.reload()
    assert node.request("GET", "/api/collections/fresh/objects/", "soc").status == 404
    assert node.request("GET", "/api/", "late").status == 401
    kept.close()


def test_a_new_certificate_without_a_restart(node, lab, tmp_path):
    """If this fails, every renewed certificate costs a restart, or cuts connections."""
    other = Lab(str(tmp_path / "o"), ("cert-a",), redis=False)
    other.build()
    def shown():
        with node.connect() as s:
            return s.getpeercert(binary_form=True)
    old = shown()
    kept = Client(node, "soc")
    assert kept.get("/api/").status == 200
    for f in ("node.crt", "node.key", "ca.crt"):
        shutil.copy2(node.file("tls", f), str(tmp_path / f))
        shutil.copy2(other["cert-a"].file("tls", f), node.file("tls", f))
    assert node.reload()
    assert shown() != old
    assert kept.get("/api/").status == 200, "who is connected stays connected"
    kept.close()
    for f in ("node.crt", "node.key", "ca.crt"):
        shutil.copy2(str(tmp_path / f), node.file("tls", f))
    assert node.reload() and shown() == old


def test_many_reloads_under_load(node):
    """If this fails, a reload drops requests."""
    statuses, stop = [], threading.Event()

    def ask():
        c = Client(node, "soc")
        while not stop.is_set():
            statuses.append(c.get("/api/collections/advisories/objects/?limit=5").status)
        c.close()

    def put():
        i = 0
        while not stop.is_set():
            statuses.append(node.post("sensor", "advisories", indicator(f"reload {i}", f"[mutex:name = 'r {i}']")).status)
            i += 1
    threads = [threading.Thread(target=ask), threading.Thread(target=put)]
    for t in threads:
        t.start()
    try:
        for _ in range(8):
            assert node.reload()
    finally:
        stop.set()
        for t in threads:
            t.join()
    assert set(statuses) == {200, 202} and len(statuses) > 20


# ---- stop and start

def test_sigterm_finishes_what_is_in_hand(node):
    """If this fails, every update of the program cuts somebody's upload."""
    body = json.dumps({"objects": [indicator("drained", "[mutex:name = 'drained']")]}).encode()
    s = node.connect()
    s.sendall((f"POST /api/collections/advisories/objects/ HTTP/1.1\r\nHost: x\r\nAccept: {TAXII}\r\nContent-Type: {TAXII}\r\n"
               f"Authorization: Bearer {node.tokens['sensor']}\r\nContent-Length: {len(body)}\r\n"
               "Expect: 100-continue\r\n\r\n").encode())
    assert s.recv(100).startswith(b"HTTP/1.1 100 ")
    s.sendall(body[:10])
    idle = node.connect()
    node.process.send_signal(signal.SIGTERM)

    def nobody_listens():               # each worker closes its own socket
        try:
            node.connect(timeout=2).close()
        except OSError:
            return True
        return False
    until("nobody to be let in any more", nobody_listens)
    s.sendall(body[10:])
    answer = http.client.HTTPResponse(s)
    answer.begin()
    assert answer.status == 202
    answer.read()
    s.close()
    idle.close()
    assert node.gone() == 0
    assert not os.path.exists(node.file("state", "control.sock"))
    node.start()
    assert indicator("drained", "")["id"] in node.ids("soc", "advisories")


def test_sigterm_does_not_wait_for_ever(lab, node):
    """If this fails, a client that never finishes keeps a node from stopping."""
    back = with_change(node.conf, lambda t: t.replace("    retry-min", "    drain 300ms\n    retry-min"))
    assert node.reload()
    s = node.connect()
    s.sendall(b"POST /api/collections/advisories/objects/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
              + f"Authorization: Bearer {node.tokens['sensor']}\r\nAccept: {TAXII}\r\nContent-Type: {TAXII}\r\n"
              "Expect: 100-continue\r\n\r\n".encode())
    assert s.recv(100).startswith(b"HTTP/1.1 100 ")
    node.process.send_signal(signal.SIGTERM)
    assert node.gone() == 0
    s.close()
    back()
    node.start()


def test_a_second_instance_is_refused(node):
    """If this fails, two processes write one store."""
    done = subprocess.run([TOCSIN, "serve", "--config", node.conf], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2 and "another process" in done.stderr
    assert node.ask("status")["node"] == "cert-a", "the first is still there, its socket too"
    node.insist("sensor", "advisories", indicator("first lives", "[mutex:name = 'first']"))


def test_what_cannot_be_served_is_said(node, tmp_path):
    """If this fails, a node that does not start leaves its administrator without a hint."""
    def refusal(change, name="tocsin.conf"):
        folder = tmp_path / "n"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(node.folder, folder, ignore=shutil.ignore_patterns("state", "spool", "log"))
        text = (folder / name).read_text()
        (folder / name).write_text(change(text, folder) or text)
        done = subprocess.run([TOCSIN, "serve", "--config", str(folder / "tocsin.conf")], capture_output=True, text=True,
                              timeout=30, check=False)
        assert done.returncode == 2, (done.returncode, done.stderr)
        return done.stderr
    busy = refusal(lambda t, f: None)
    assert str(node.port) in busy or "in use" in busy
    assert "chmod 600" in refusal(lambda t, f: os.chmod(f / "keys" / "sign.key", 0o644))
    assert "sign.key" in refusal(lambda t, f: os.remove(f / "keys" / "sign.key"))
    both = refusal(lambda t, f: t + "\nfoo\n\nlimits2\n    x 1\n")
    assert len(both.splitlines()) >= 2, "all errors at once"
    assert "tocsin.conf:" in both


def test_files_are_private(node):
    """If this fails, other users of the machine read keys or advisories."""
    for name in ("state/control.sock", "state/tocsin.db", "credentials", "keys/sign.key", "keys/audit.key", "tls/node.key"):
        assert stat.S_IMODE(os.stat(node.file(name)).st_mode) & 0o077 == 0, name
    for name in ("state", "spool/drop/incoming"):
        assert stat.S_IMODE(os.stat(node.file(name)).st_mode) & 0o007 == 0, name


# ---- looking

def test_health_and_readiness(node):
    """If this fails, a load balancer sends clients to a node that cannot serve, or takes a good one out."""
    def ask(path, method="GET"):
        c = http.client.HTTPConnection("127.0.0.1", node.ops_port, timeout=10)
        c.request(method, path)
        r = c.getresponse()
        return r.status, r.read()
    assert ask("/healthz") == (200, b"ok\n") and ask("/readyz") == (200, b"ready\n")
    assert ask("/healthz", "HEAD") == (200, b"")
    assert ask("/")[0] == 404 and ask("/metrics", "POST")[0] == 405 and ask("/api/collections/")[0] == 404


def test_the_log_tells_events_and_no_content(node, lab):
    """If this fails, who reads logs reads advisories, passwords or tokens; or programs cannot read the log."""
    low, high = CANARIES
    o = indicator(f"{low} name", f"[domain-name:value = '{low}.example']", description=high, labels=[low])
    red = indicator(f"{low} red", f"[domain-name:value = 'red.{low}.example']", tlp="red")
    strict = indicator(f"{low} strict", f"[domain-name:value = 'strict.{low}.example']", tlp="amber+strict")
    bad = dict(indicator(f"{low} bad", "x"), modified=f"{low}")
    node.insist("sensor", "advisories", o, red, strict, bad)
    node.drop("abuse", "c.csv", CSV + f"X-1;20/11/2026 09:00;;host;{low}.csv.example;C2;A;;;;;\n"
              f"X-2;{low};;host;{low};C2;A;;;;;\n")
    node.drop("drop", "c.xml", f"<a><{low}></b></a>")
    node.drop("drop", "c.json", f'{{"type": "bundle", "{low}": ')
    until("the files", lambda: os.listdir(node.file("spool", "drop", "incoming")) == [])
    until("the CSV", lambda: os.listdir(node.file("spool", "abuse", "incoming")) == [])
    node.request("POST", "/api/collections/advisories/objects/", "sensor", f'{{"{low}": {low}')
    node.request("GET", f"/api/collections/advisories/objects/?match[type]={low}", "soc")
    node.request("GET", "/api/", headers={"Authorization": f"Bearer {low}"})
    node.request("GET", "/api/", headers={"Authorization": f"Basic {low}", "User-Agent": "x\x7fy"})
    until("the relay", lambda: o["id"] in [x["id"] for e in lab.tap.envelopes() for x in e["objects"]])
    lines = node.log().splitlines()
    for line in lines:
        assert re.match(r'^t=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z level=(debug|info|warn|error) ev=[a-z.-]+'
                        r'( [a-z_]+=("(?:[^"\\]|\\.)*"|[^ "=]+))*$', line), line
    whole = node.log()
    for word in (*CANARIES, *node.tokens.values(), o["id"], red["id"]):
        assert word not in whole, f"{word}: " + next(x for x in lines if word in x)
    metrics = node.metrics()
    assert all(word not in metrics for word in CANARIES)


def test_the_log_as_json(node):
    """If this fails, a log collector stores lines that it cannot search."""
    back = with_change(node.conf, lambda t: t + "\nlog\n    format json\n")
    assert node.reload()
    at = len(node.log())
    node.request("GET", "/api/collections/nowhere\"%0a/", "soc")
    until("the line", lambda: "\n" in node.log()[at:])
    for line in node.log()[at:].splitlines():
        d = json.loads(line)
        assert d["t"] and d["level"] and d["ev"]
    back()
    assert node.reload()
    log = node.log()[:at]       # the rest of the stories reads logfmt
    write(node.log_path, log)


def test_every_request_has_an_id_that_is_in_the_log(node):
    """If this fails, nobody finds the line to a complaint."""
    r = node.request("GET", "/api/nowhere/", "soc")
    i = r.json["error_id"]
    until("the line", lambda: f"request={i} " in node.log())


# ---- mending

def rows(node, name):
    return [q for q in node.ask("quarantine", "list")["quarantine"] if q["input"] == name]


def test_a_refused_file_is_mended_and_taken(node):
    """If this fails, what was refused once can only be typed again."""
    node.drop("drop", "mend.xml", "<IODEF-Document>")
    row = until("the quarantine", lambda: rows(node, "mend.xml"))[0]
    node.drop("abuse", "mend.csv", "not;the;right;columns\n1;2;3;4\n")
    csv = until("the quarantine", lambda: rows(node, "mend.csv"))[0]
    reason = node.file("spool", "abuse", "rejected", "mend.csv.reason")
    until("the reason beside it", lambda: os.path.exists(reason))
    good = node.file("good.csv")
    write(good, CSV + "M-1;20/11/2026 09:00;;host;mended.example;C2;A;;;;;\n")
    done = node.run("quarantine", "retry", str(csv["id"]), "--file", good, "--config", node.conf)
    assert done.returncode == 0, done.stderr
    assert [o for o in node.objects("soc", "advisories") if "mended.example" in o.get("pattern", "")]
    done = node.run("quarantine", "retry", str(row["id"]), "--config", node.conf)
    assert done.returncode == 2 and done.stderr, "it is as bad as before"
    done = node.run("quarantine", "drop", str(row["id"]), "--config", node.conf)
    assert done.returncode == 0 and row["id"] not in [q["id"] for q in rows(node, "mend.xml")]
    assert node.run("quarantine", "drop", "999999", "--config", node.conf).returncode == 2


def test_dead_letters_are_sent_once_the_peer_is_mended(lab, node):
    """If this fails, what a peer refused by mistake never reaches it."""
    o = indicator("dead letter", "[mutex:name = 'dead letter']")
    lab.tap.script[:] = [lambda e: Tap.say("400 Bad Request", {"title": "we broke it", "http_status": "400"})]
    node.insist("sensor", "advisories", o)

    def tap():
        return next(p for p in node.ask("peer", "list")["peers"] if p["name"] == "tap")
    until("the dead letter", lambda: tap()["dead"] >= 1)
    shown = node.run("peer", "show", "tap", "--config", node.conf)
    assert shown.returncode == 0 and "we broke it" in shown.stdout
    done = node.run("peer", "retry", "tap", "--config", node.conf)
    assert done.returncode == 0, done.stderr
    until("the delivery", lambda: tap()["dead"] == 0 and tap()["queued"] == 0)
    assert [d["state"] for d in node.ask("explain", o["id"], "tap")["delivery"]] == ["sent"]


# ---- the audit log

def test_a_changed_audit_log_is_found(node):
    """If this fails, who can write the database can make an act unseen."""
    node.insist("sensor", "advisories", indicator("audited", "[mutex:name = 'audited']"))
    node.verify_audit()
    node.stop()
    path = node.file("state", "tocsin.db")
    def change(sql, bad):
        for tail in ("", "-wal", "-shm"):
            if os.path.exists(path + tail):
                shutil.copy2(path + tail, path + tail + ".kept")
        db = sqlite3.connect(path)
        db.execute(sql)
        db.commit()
        last = db.execute("SELECT max(seq) FROM audit").fetchone()[0]
        db.close()
        done = node.run("audit", "verify", "--config", node.conf, "--json")
        answer = json.loads(done.stdout)
        assert done.returncode == 1 and not answer["whole"], (sql, answer)
        if bad:
            assert answer["bad"] == bad, (sql, answer)
        for tail in ("", "-wal", "-shm"):
            if os.path.exists(path + tail + ".kept"):
                os.replace(path + tail + ".kept", path + tail)
            elif os.path.exists(path + tail):
                os.remove(path + tail)
        return last
    change("UPDATE audit SET line = replace(line, '\"ev\"', '\"eV\"') WHERE seq = 1", 1)
    change("DELETE FROM audit WHERE seq = 3", 3)
    change("UPDATE audit SET seq = -seq WHERE seq = 2; ", None)
    node.verify_audit()
    node.start()


# ---- other shapes of a node

def test_a_node_that_remembers_nothing():
    """If this fails, trials need a database."""
    with laboratory("cert-a", redis=False) as lab:
        n = lab["cert-a"]
        n.stop()
        write(n.conf, text_of(n.conf).replace("operations ", "store\n    path memory\n\noperations ", 1))
        n.start()
        n.insist("sensor", "advisories", indicator("memory", "[mutex:name = 'memory']"))
        assert len(n.ids("soc", "indicators")) == 1
        n.restart()
        assert n.ids("soc", "indicators") == []
        n.stop()
        write(n.conf, text_of(n.conf).replace("store\n    path memory\n\n", ""))
        n.start()


def test_certificates_may_be_required_or_not_asked_for():
    """If this fails, a node for peers only talks to everybody."""
    with laboratory("cert-a", "cert-b", redis=False) as lab:
        a, b = lab["cert-a"], lab["cert-b"]
        for mode in ("required", "none"):
            write(a.conf, re.sub(r"clients +\w+", f"clients      {mode}", text_of(a.conf)))
            assert a.reload()
            if mode == "required":
                with pytest.raises((OSError, http.client.HTTPException)):
                    a.request("GET", "/api/", "soc")
                r = a.request("GET", "/api/", certificate_of=b)
                assert r.status == 200
            else:
                assert a.request("GET", "/api/", "soc").status == 200
                assert a.request("GET", "/api/", certificate_of=b).status == 401, "nobody asked for it"


def test_tls_is_not_old(node):
    """If this fails, connections can be weakened to TLS 1.1 or to ciphers without forward secrecy."""
    def handshake(setup):
        ctx = node.context()
        setup(ctx)
        with socket.create_connection(("127.0.0.1", node.port), timeout=10) as raw:
            with ctx.wrap_socket(raw, server_hostname="127.0.0.1") as s:
                return s.version()

    def at_most(version):
        def setup(ctx):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                ctx.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
                ctx.maximum_version = version
            ctx.set_ciphers("ALL:@SECLEVEL=0")
        return setup
    assert handshake(lambda ctx: None) == "TLSv1.3"
    assert handshake(at_most(ssl.TLSVersion.TLSv1_2)) == "TLSv1.2"
    for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        with pytest.raises((ssl.SSLError, OSError)):
            handshake(at_most(old))

    def weak(ctx):
        ctx.maximum_version = ssl.TLSVersion.TLSv1_2
        ctx.set_ciphers("AES128-SHA:AES256-SHA:AES128-GCM-SHA256")
    with pytest.raises((ssl.SSLError, OSError)):
        handshake(weak)


# ---- trust that ends

def test_trust_that_was_withdrawn_ends_on_open_connections_too():
    """If this fails, a peer that was cut off goes on over the connection that it has."""
    with laboratory("cert-a", "cert-b", redis=False) as lab:
        a, b = lab["cert-a"], lab["cert-b"]
        trust = text_of(a.file("trust.conf"))
        kept = http.client.HTTPSConnection("127.0.0.1", a.port, timeout=20, context=a.context(b))
        by_token = Client(a, "soc")

        def status():
            kept.request("GET", "/api/", headers={"Accept": TAXII})
            r = kept.getresponse()
            r.read()
            return r.status
        assert status() == 200 and by_token.get("/api/").status == 200
        sock = kept.sock
        start = trust.index("peer cert-b\n")
        without = trust[:start] + trust[trust.index("consumer ", start):]
        without = re.sub(r"community cert-net\n(    .*\n)+\n", "", without).replace(" inbox-cert-b", "")
        without = re.sub(r"release cert-net\n(    .*\n)+\n", "", without)
        write(a.file("trust.conf"), re.sub(r"consumer soc\n(    .*\n)+\n", "", without))
        assert a.reload(), a.log()[-1500:]
        assert status() == 401 and kept.sock is sock, "the very same connection"
        assert by_token.get("/api/").status == 401
        write(a.file("trust.conf"), trust)
        assert a.reload()
        assert status() == 200 and by_token.get("/api/").status == 200
        kept.close()
        by_token.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_resumed_session_is_the_same_peer_or_nobody(version):
    """If this fails, a session ticket is as good as a certificate that is no longer trusted, or names somebody else."""
    with laboratory("cert-a", "cert-b", redis=False) as lab:
        a, b = lab["cert-a"], lab["cert-b"]
        ctx = a.context(b)
        ctx.maximum_version = version

        def ask(session=None):
            raw = socket.create_connection(("127.0.0.1", a.port), timeout=20)
            with ctx.wrap_socket(raw, server_hostname="127.0.0.1", session=session) as s:
                s.sendall(f"GET /api/ HTTP/1.1\r\nHost: x\r\nAccept: {TAXII}\r\n\r\n".encode())
                status = int(s.recv(4096).split()[1])
                return status, s.session, s.session_reused
        status, session, _ = ask()
        assert status == 200
        for _ in range(2):
            status, session2, reused = ask(session)
            assert status == 200, f"reused: {reused}"
        trust = text_of(a.file("trust.conf"))
        write(a.file("trust.conf"), trust.replace(b.pin(), "sha256:" + "0" * 64))
        assert a.reload()
        try:
            assert ask(session)[0] == 401
        except OSError:
            pass
        write(a.file("trust.conf"), trust)
        assert a.reload()


def test_clients_that_offer_http_2(node):
    """If this fails, modern clients cannot connect."""
    for offer in (["h2", "http/1.1"], ["http/1.1"]):
        ctx = node.context()
        ctx.set_alpn_protocols(offer)
        with socket.create_connection(("127.0.0.1", node.port), timeout=10) as raw:
            with ctx.wrap_socket(raw, server_hostname="127.0.0.1") as s:
                assert s.selected_alpn_protocol() in (None, "http/1.1")
                s.sendall(f"GET /api/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {node.tokens['soc']}\r\n\r\n".encode())
                assert s.recv(20).startswith(b"HTTP/1.1 200")


def test_a_token_ends_on_its_day(node):
    """If this fails, a token that was given for a week works for ever."""
    done = node.run("consumer", "add", "soc", "--until", "2020-01-01", "--json", "--config", node.conf)
    if done.returncode == 0:
        token = json.loads(done.stdout)["token"]
        assert node.reload()
        assert node.request("GET", "/api/", headers={"Authorization": "Bearer " + token}).status == 401
    done = node.run("consumer", "add", "soc", "--until", "2099-01-01", "--json", "--config", node.conf)
    assert done.returncode == 0 and node.reload()
    token = json.loads(done.stdout)["token"]
    assert node.request("GET", "/api/", headers={"Authorization": "Bearer " + token}).status == 200
