"""The open network comes to the door: crowds, dawdlers, guessers, bodies that never end. The good client does not notice."""
import contextlib
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import time

import pytest

from lab import TAXII, TOCSIN, Client, basic, indicator, laboratory, until

SOAK = os.environ.get("SOAK", "") not in ("", "0")
EACH = 2500 if SOAK else 1000       # strangers a process; four processes a kind
SLOW = 15                           # seconds that a handshake, a head, a body may take here
SLACK = 15                          # for a machine that is busy with other tests
SANITIZED = "asan" in TOCSIN        # its memory says nothing
SHORT = "    handshake-timeout 1s\n    head-timeout 1s\n    body-timeout 1s\n    body-rate 100k\n    linger-timeout 500ms\n"


class Strangers:
    """A process of crowd.py."""

    def __init__(self, node, kind, count, address):
        self.kind, self.count = kind, count
        words = [kind, str(count), address, str(node.port), node.file("tls", "ca.crt"), node.tokens["soc" if kind != "body" else "sensor"]]
        self.process = subprocess.Popen([sys.executable, os.path.join(os.path.dirname(__file__), "crowd.py"), *words],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def wait_open(self):
        line = self.process.stdout.readline()
        assert line == "open\n", (self.kind, line)

    def say(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def report(self):
        self.say()
        return json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()


@contextlib.contextmanager
def crowds():
    """Call it to bring some; they leave at the end."""
    here = []

    def bring(node, kind, count, address):
        here.append(Strangers(node, kind, count, address))
        return here[-1]
    try:
        yield bring
    finally:
        for s in here:
            s.stop()


def pss_kb(node):
    """Memory of all processes of a node, the database aside."""
    total, pids = 0, [node.process.pid]
    for pid in pids:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            pids += [int(x) for x in f.read().split()]
        counts = True
        with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="replace") as f:
            for line in f:
                words = line.split()
                if "-" in words[0] and not words[0].endswith(":"):
                    counts = len(words) < 6 or not words[5].startswith(node.file("state"))
                elif counts and words[0] == "Pss:":
                    total += int(words[1])
    return total


def test_four_thousand_idle_and_four_thousand_slow():
    """If this fails, anybody with a few machines and no password stops the service for everybody."""
    limits = (f"    connections {12 * EACH}\n    connections-per-address {12 * EACH}\n    handshakes-per-address {12 * EACH}\n"
              f"    handshake-timeout {SLOW}s\n    head-timeout {SLOW}s\n    body-timeout {SLOW}s\n    idle-timeout 10m\n")
    with laboratory("cert-a", redis=False, limits=limits) as lab, crowds() as bring:
        a = lab["cert-a"]
        a.insist("sensor", "advisories", *(indicator(f"crowd {i}", f"[mutex:name = 'crowd {i}']") for i in range(100)))
        good = bring(a, "good", 1, "127.0.0.1")
        good.wait_open()
        good.say()
        before = pss_kb(a)
        idle = [bring(a, "idle", EACH, f"127.0.0.{i}") for i in range(2, 6)]
        for s in idle:
            s.wait_open()
            s.say()
        each_kb = (pss_kb(a) - before) / (4 * EACH)
        slow = [bring(a, kind, EACH, f"127.0.0.{i}") for i, kind in enumerate(("head", "head", "body", "handshake"), 6)]
        for s in slow:
            s.wait_open()
        assert a.metric("tocsin_http_connections") >= 7 * EACH
        for s in slow:
            s.say()
        begin = time.monotonic()
        until("all of them", lambda: a.metric("tocsin_http_connections") >= 8 * EACH)
        ends = [s.report() for s in until("the slow ones to be sent away", lambda: slow if all(
            s.report()["left"] == 0 for s in slow) else None, SLOW + SLACK, every=1)]
        took = time.monotonic() - begin
        for s, end in zip(slow, ends):
            assert end["gone"] == EACH and end["longest"] < SLOW + SLACK, (s.kind, end)
            assert end["shortest"] > SLOW / 2, (s.kind, end, "sent away for being many, not for being slow")
            if s.kind != "handshake":
                assert end["statuses"] == {"408": EACH}, (s.kind, end)
        assert all((r["left"], r["refused"], r["gone"]) == (EACH, 0, 0) for r in (s.report() for s in idle))
        said = good.report()
        print(f"idle connection {each_kb:.1f} KB; slow ones gone after {took:.1f} s; good client: {said}")
        assert said["bad"] == [] and said["asked"] > 100, said
        assert said["p99"] < 200, said
        assert SANITIZED or each_kb <= 32


def test_room_is_made_for_the_next_client():
    """If this fails, who opens enough connections and says nothing keeps everybody else out until they time out."""
    limits = "    connections 100\n    connections-per-address 90\n    handshakes-per-address 90\n    idle-timeout 10m\n"
    with laboratory("cert-a", redis=False, limits=limits) as lab, crowds() as bring:
        a = lab["cert-a"]
        for i in range(2, 4):
            s = bring(a, "idle", 80, f"127.0.0.{i}")
            s.wait_open()
            s.say()
        assert a.metric("tocsin_http_connections") >= 95
        until("silent ones to make room at every worker",       # not before they have been silent for a second
              lambda: attempt(lambda: all(a.request("GET", "/api/", "soc").status == 200 for _ in range(20))))


def attempt(f):
    try:
        return f()
    except (OSError, http.client.HTTPException):
        return None


@pytest.fixture(scope="module")
def node():
    with laboratory("cert-a", redis=False, limits=SHORT + "    body 128m\n    connections-per-address 20\n") as lab:
        yield lab["cert-a"]


def head_of(node, method="POST", who="sensor", length=None, path="/api/collections/advisories/objects/", more=""):
    return (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {TAXII}\r\nContent-Type: {TAXII}\r\n"
            + (f"Authorization: Bearer {node.tokens[who]}\r\n" if who else "")
            + (f"Content-Length: {length}\r\n" if length is not None else "") + more + "\r\n").encode()


def rest(s):
    """What still comes, and whether the end was said or a cut."""
    text = b""
    try:
        while more := s.recv(65536):
            text += more
        return text, "end"
    except ssl.SSLError:
        return text, "cut"
    except ConnectionError:
        return text, "reset"


def test_slow_ones_are_told_and_sent_away(node):
    """If this fails, a client that sends a byte a second keeps its place for ever."""
    said = {}
    for kind, first in (("head", b"GET / HTT"), ("body", head_of(node, length=50_000))):
        s, begin = node.connect(), time.monotonic()
        s.sendall(first)
        s.settimeout(0.2)
        text = b""
        while not text:
            assert time.monotonic() - begin < 1 + SLACK, kind
            with contextlib.suppress(TimeoutError):
                text = s.recv(65536) or b"closed"
            if not text:
                s.send(b"x")
        said[kind] = text
        s.settimeout(30)
        assert rest(s)[1] == "end", kind
        s.close()
    assert said["head"].startswith(b"HTTP/1.1 408 ") and said["body"].startswith(b"HTTP/1.1 408 "), said
    raw, begin = socket.create_connection(("127.0.0.1", node.port)), time.monotonic()
    raw.settimeout(0.2)
    with contextlib.suppress(ConnectionError):
        while True:
            assert time.monotonic() - begin < 1 + SLACK, "handshake"
            with contextlib.suppress(TimeoutError):
                if not raw.recv(100):
                    break
            raw.send(b"\x16")
    raw.close()


def test_a_refusal_in_the_head_reads_no_body(node):
    """If this fails, whoever has no password can make the node read as much as he likes."""
    for head, status in ((head_of(node, who=None, length=100_000_000), b"401"),
                         (head_of(node, length=200_000_000), b"413"),
                         (head_of(node, length=1000, path="/nowhere/"), b"404"),
                         (head_of(node, length=1000, more="Content-Encoding: gzip\r\n"), b"415"),
                         (head_of(node, length=1000, who="soc"), b"403")):
        s, sent = node.connect(), 0
        s.sendall(head)
        with contextlib.suppress(OSError):
            while sent < 64_000_000:
                sent += s.send(b"x" * 65536)
        assert sent < 32_000_000, (status, "read on for", sent)
        text = rest(s)[0]
        assert text == b"" or text.startswith(b"HTTP/1.1 " + status), text      # a reset may have eaten it
        s.close()
        s = node.connect()          # who waits for the answer gets it
        s.sendall(head)
        text, how = rest(s)
        assert text.startswith(b"HTTP/1.1 " + status) and b"Connection: close" in text and how == "end", (text, how)
        s.close()


def bodies(node):
    """Files of bodies that the node holds open."""
    found, pids = 0, [node.process.pid]
    for pid in pids:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            pids += [int(x) for x in f.read().split()]
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                link = os.readlink(f"/proc/{pid}/fd/{name}")
                found += "/bodies/" in link and not link.endswith("/bodies/pending")     # that is their folder
    return found


def test_a_hundred_megabytes(node):
    """If this fails, one large envelope fills the memory, or the disk for good."""
    o = indicator("in the middle of nowhere", "[mutex:name = 'large']")
    text = json.dumps({"objects": [o]}).encode()
    size, piece = 100_000_000, b" " * 1_000_000
    assert node.post("sensor", "advisories", indicator("warm", "[mutex:name = 'warm']")).status == 202
    before = pss_kb(node)
    s = node.connect(timeout=120)
    s.sendall(head_of(node, length=size) + text[:-1])
    for _ in range(98):
        s.sendall(piece)
    most = pss_kb(node)
    assert bodies(node) >= 1 and os.listdir(node.file("state", "bodies")) == ["pending"]
    assert SANITIZED or most - before <= 16 * 1024, f"{(most - before) / 1024:.0f} MB more"
    s.sendall(b" " * (size - len(text) - 98_000_000) + text[-1:])
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += s.recv(65536)
    assert answer.startswith(b"HTTP/1.1 202 "), answer
    until("it to be taken in", lambda: o["id"] in node.ids("soc", "advisories"))
    s.close()
    until("its file to be gone", lambda: bodies(node) == 0 and os.listdir(node.file("state", "bodies", "pending")) == [])


def test_a_body_that_ends_early(node):
    """If this fails, half a message is taken for a whole one, or its file stays behind."""
    whole = json.dumps({"objects": [indicator("half", "[mutex:name = 'half']")]}).encode()
    chunked = head_of(node, more="Transfer-Encoding: chunked\r\n") + b"%x\r\n" % len(whole) + whole + b"\r\n"
    for first in (head_of(node, length=len(whole) + 1) + whole,         # all that matters is there
                  head_of(node, length=100_000_000) + b" " * 3_000_000,
                  chunked, chunked + b"0\r\n"):
        for polite in (True, False):
            s = node.connect()
            s.sendall(first)
            if polite:
                with contextlib.suppress(OSError, ssl.SSLError):
                    s.unwrap()
            s.close()
    until("all to be forgotten", lambda: bodies(node) == 0)
    assert indicator("half", "x")["id"] not in node.ids("soc", "advisories")
    until("none to be left", lambda: node.metric("tocsin_http_connections") == 0)


def test_framing_in_doubt_closes(node):
    """If this fails, two programs in a row read two different requests out of the same bytes."""
    both = "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"
    for more in ("Content-Length: 4\r\nContent-Length: 4\r\n", both, "Transfer-Encoding: gzip, chunked\r\n", "Content-Length: +4\r\n",
                 "Content-Length: 4\r\n X: folded\r\n", "Transfer-Encoding : chunked\r\n", "Host: other\r\n"):
        s = node.connect()
        s.sendall(head_of(node, more=more) + b"0\r\n\r\nGET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        text, _ = rest(s)
        assert text[:10] in (b"HTTP/1.1 4", b"HTTP/1.1 5") and text.count(b"HTTP/1.1 ") == 1 and b"Connection: close" in text, (more, text)
        s.close()


def test_one_address_takes_no_more_than_its_share(node):
    """If this fails, one machine takes all connections there are."""
    mine = [attempt(node.connect) for _ in range(100)]
    assert 20 <= sum(s is not None for s in mine) <= 20 * (os.cpu_count() or 1), "each worker counts its own"
    assert other_address(node, "127.0.0.9").status == 200, "somebody else is not concerned"
    for s in mine:
        if s is not None:
            s.close()
    until("a place to be free", lambda: attempt(lambda: node.request("GET", "/api/", "soc").status == 200))


def other_address(node, address, headers=None, method="GET"):
    c = http.client.HTTPSConnection("127.0.0.1", node.port, timeout=30, context=node.context(), source_address=(address, 0))
    try:
        c.request(method, "/api/", headers=headers or {"Accept": TAXII, "Authorization": "Bearer " + node.tokens["soc"]})
        r = c.getresponse()
        r.read()
        return r
    finally:
        c.close()


# ---- guessing

def test_guessing_is_slow_whatever_the_method():
    """If this fails, passwords and tokens can be tried at the speed of the line, at the next node, or by HEAD; or a guesser locks
    the right user out."""
    with laboratory("cert-a", "cert-b", limits="    guesses 6/min burst 6\n") as lab:
        a, b = lab["cert-a"], lab["cert-b"]
        for n in (a, b):
            n.add_password("soc", "right")
            assert n.reload()
        wrong = [("GET", basic("soc", "1")), ("HEAD", basic("soc", "2")), ("OPTIONS", basic("nobody", "3")), ("POST", "Bearer 4"),
                 ("DELETE", "Bearer 5"), ("GET", "Basic !!!")]
        for method, header in wrong:
            assert other_address(a, "127.0.0.5", {"Authorization": header}, method).status == 401, (method, header)
        for n in (a, b):        # they share a Redis
            for method, header in wrong:
                r = other_address(n, "127.0.0.5", {"Authorization": header}, method)
                assert r.status == 429 and int(r.headers["Retry-After"]) >= 1, (n.name, method, header, r.status)
            assert other_address(n, "127.0.0.5", {"Authorization": basic("soc", "right")}).status == 429, "nor by a right one"
            assert other_address(n, "127.0.0.5").status == 200, "a token is no guess"
            assert other_address(n, "127.0.0.6", {"Authorization": basic("soc", "right")}).status == 200, "another address"
        for _ in range(10):     # right ones cost nothing
            assert other_address(b, "127.0.0.7", {"Authorization": basic("soc", "right")}).status == 200
        lab.redis.kill()
        got = [other_address(a, "127.0.0.8", {"Authorization": header}, method).status for method, header in wrong * 4]
        assert set(got) <= {401, 429} and got.count(401) <= 12, (got, "without Redis as well")
        assert other_address(a, "127.0.0.6", {"Authorization": basic("soc", "right")}).status == 200


# ---- sessions and certificates

def visit(node, ctx, session=None, peer=False):
    """(status, was the session resumed?, the next session); no status: not let in."""
    raw = socket.create_connection(("127.0.0.1", node.port), timeout=30)
    try:
        s = ctx.wrap_socket(raw, server_hostname="127.0.0.1", session=session)
        s.sendall(head_of(node, "GET", None if peer else "soc", path="/api/"))
        status = int(s.recv(65536)[9:12])
        found = s.session_reused, s.session
        s.unwrap()
        return status, *found
    except (ssl.SSLError, ConnectionError, ValueError):
        return None, None, None
    finally:
        raw.close()


def put(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def get(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


@pytest.fixture(scope="module")
def pair():
    with laboratory("cert-a", "cert-b", redis=False, absent=("cert-b",)) as lab:
        yield lab


def test_sessions_outlive_reloads_and_restarts(pair):
    """If this fails, after every reload or upgrade all clients come back with full handshakes at once."""
    a = pair["cert-a"]
    ctx = a.context()
    status, resumed, session = visit(a, ctx)
    assert (status, resumed) == (200, False)
    assert visit(a, ctx, session)[:2] == (200, True)
    assert a.reload()
    assert visit(a, ctx, session)[:2] == (200, True)
    a.restart()
    status, resumed, session = visit(a, ctx, session)
    assert (status, resumed) == (200, True)
    assert visit(a, ctx, session)[:2] == (200, True), "the new ticket"


def test_a_peers_session_is_judged_by_todays_files(pair):
    """If this fails, a partner that was thrown out this morning stays in with yesterday's session."""
    a, b = pair["cert-a"], pair["cert-b"]
    ctx = a.context(certificate_of=b)
    status, resumed, session = visit(a, ctx, peer=True)
    assert (status, resumed) == (200, False)
    assert visit(a, ctx, session, peer=True)[:2] == (200, True)
    trust, cas = get(a.file("trust.conf")), get(a.file("tls", "peer-ca.crt"))
    put(a.file("trust.conf"), trust.replace(b.pin(), "sha256:" + "0" * 64))        # the pin is gone
    assert a.reload(), a.log()[-1000:]
    assert visit(a, ctx, session, peer=True)[0] == 401
    put(a.file("trust.conf"), trust)
    put(a.file("tls", "peer-ca.crt"), get(a.file("tls", "ca.crt")))                 # the CA is gone
    assert a.reload(), a.log()[-1000:]
    assert visit(a, ctx, session, peer=True)[0] is None
    put(a.file("tls", "peer-ca.crt"), cas)
    assert a.reload(), a.log()[-1000:]
    assert visit(a, ctx, session, peer=True)[:2] == (200, True)


def test_a_certificate_is_exchanged_under_way(pair):
    """If this fails, a renewed certificate takes a restart, or a reload with a bad one ends the service."""
    a, b = pair["cert-a"], pair["cert-b"]
    old, key = get(a.file("tls", "node.crt")), get(a.file("tls", "node.key"))
    kept = Client(a, "soc")
    assert kept.get("/api/").status == 200
    put(a.file("tls", "node.crt"), get(b.file("tls", "node.crt")))                  # without its key
    assert not a.reload()
    assert a.request("GET", "/api/", "soc").status == 200
    put(a.file("tls", "node.key"), get(b.file("tls", "node.key")))
    assert a.reload(), a.log()[-1000:]
    with pytest.raises(ssl.SSLError):
        a.request("GET", "/api/", "soc")
    ctx = ssl.create_default_context(cafile=b.file("tls", "ca.crt"))
    assert visit(a, ctx)[0] == 200
    assert kept.get("/api/").status == 200, "connections in progress go on"
    kept.close()
    put(a.file("tls", "node.crt"), old)
    put(a.file("tls", "node.key"), key)
    assert a.reload()
    assert a.request("GET", "/api/", "soc").status == 200


# ---- the end

def test_a_request_that_was_sent_is_answered():
    """If this fails, every restart and upgrade costs the clients that were just asking their answers."""
    with laboratory("cert-a", redis=False, limits="    drain-grace 2s\n") as lab:
        a = lab["cert-a"]
        quiet, busy, young = Client(a, "soc"), Client(a, "soc"), a.connect()
        for c in (quiet, busy):
            assert c.get("/api/").status == 200
        busy.http.putrequest("POST", "/api/collections/advisories/objects/")
        o = indicator("last minute", "[mutex:name = 'last minute']")
        body = json.dumps({"objects": [o]}).encode()
        for name, value in (("Accept", TAXII), ("Content-Type", TAXII), ("Content-Length", str(len(body))),
                            ("Authorization", "Bearer " + a.tokens["sensor"])):
            busy.http.putheader(name, value)
        busy.http.endheaders()
        a.process.terminate()
        until("the door to be closed", lambda: refused(a.port))
        busy.http.send(body)
        r = busy.http.getresponse()
        assert r.status == 202 and r.headers["Connection"] == "close", (r.status, r.read())
        young.sendall(head_of(a, "GET", "soc", path="/api/"))
        text, how = rest(young)
        assert text.startswith(b"HTTP/1.1 200 ") and b"Connection: close" in text and how == "end", (text, how)
        assert a.gone() == 0
        a.start()
        assert o["id"] in a.ids("soc", "advisories")


def refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False
