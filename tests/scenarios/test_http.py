"""HTTP as clients and hostile peers speak it, byte by byte over TLS."""
import http.client
import json
import os
import random
import socket
import ssl
import threading
import time

import pytest

from lab import TAXII, TLP, TOP, Client, indicator, until

BOX = "/api/collections/box/objects/"


class Wire:
    """A TLS connection and what comes back over it, parsed as strictly as a proxy in front would."""

    def __init__(self, server):
        self.s = server.connect()
        self.f = self.s.makefile("rb")

    def send(self, data):
        self.s.sendall(data if isinstance(data, bytes) else data.encode())
        return self

    def answer(self, head=False):
        """(status, headers, body), or None if the server closed."""
        try:
            line = self.f.readline()
        except OSError:
            return None
        if not line:
            return None
        version, status, _ = line.decode().split(" ", 2)
        assert version == "HTTP/1.1" and line.endswith(b"\r\n"), line
        headers = {}
        for raw in iter(self.f.readline, b"\r\n"):
            assert raw.endswith(b"\r\n") and b":" in raw, raw
            name, value = raw.decode().rstrip("\r\n").split(": ", 1)
            assert name.lower() not in headers, f"{name} twice"
            headers[name.lower()] = value
        status = int(status)
        if status < 200:
            return status, headers, b""
        assert ("content-length" in headers) != ("transfer-encoding" in headers)
        body = b"" if head else self.f.read(int(headers["content-length"]))
        assert head or len(body) == int(headers["content-length"])
        return status, headers, body

    def closed(self):
        """The server has nothing more to say."""
        self.s.settimeout(15)
        try:
            return self.f.read(1) == b""
        except OSError:
            return True

    def close(self):
        self.f.close()
        self.s.close()


@pytest.fixture
def wire(server):
    w = Wire(server)
    yield w
    w.close()


def head(server, method="GET", path="/api/", *lines, host="x", version="HTTP/1.1", who="both"):
    rows = [f"{method} {path} {version}"]
    rows += [f"Host: {host}"] if host is not None else []
    rows += [f"Authorization: Bearer {server.tokens[who]}"] if who else []
    if method == "POST":
        rows += [f"Content-Type: {TAXII}"]
    return "\r\n".join([*rows, *lines, "", ""])


def envelope(name):
    return json.dumps({"objects": [indicator(name, f"[mutex:name = '{name}']")]}).encode()


def chunked(body, size=7, ext="", trailer=""):
    out = b""
    for i in range(0, len(body), size):
        piece = body[i:i + size]
        out += f"{len(piece):x}{ext}\r\n".encode() + piece + b"\r\n"
    return out + b"0\r\n" + trailer.encode() + b"\r\n"


def can(server):
    try:
        return server.request("GET", "/api/", "both").status == 200
    except (OSError, http.client.HTTPException):
        return False


def alive(server):
    """It serves, once the connections of this story no longer count against our address."""
    return until("service", lambda: can(server))


# ---- what clients do

def test_connections_are_kept(server, wire):
    """If this fails, every request costs a handshake."""
    for _ in range(5):
        status, headers, _ = wire.send(head(server)).answer()
        assert status == 200 and headers.get("connection", "").lower() != "close"
    status, headers, _ = wire.send(head(server, "GET", "/api/", "Connection: close")).answer()
    assert status == 200 and headers["connection"] == "close" and wire.closed()


def test_pipelined_requests_are_answered_in_order(server, wire):
    """If this fails, a client takes one answer for another."""
    wire.send(head(server, "GET", "/taxii2/") + head(server, "GET", "/nowhere/") + head(server, "HEAD", "/api/")
              + head(server, "POST", BOX, f"Content-Length: {len(envelope('pipe'))}") + envelope("pipe").decode()
              + head(server, "GET", "/api/"))
    assert [wire.answer()[0], wire.answer()[0]] == [200, 404]
    assert wire.answer(head=True)[0] == 200
    assert wire.answer()[0] == 202
    assert json.loads(wire.answer()[2])["title"]


def test_http_1_0(server, wire):
    """If this fails, old proxies and health checks hang."""
    status, headers, body = wire.send(head(server, version="HTTP/1.0", host=None)).answer()
    assert status == 200 and json.loads(body) and "transfer-encoding" not in headers and wire.closed()


@pytest.mark.parametrize("size,ext,trailer", [(7, "", ""), (1, "", ""), (100000, "", ""), (11, ";a=b;c=\"d e\"", ""),
                                              (13, "", "X-Trailer: x\r\n"), (13, " ", "")])
def test_chunked_bodies(server, wire, size, ext, trailer):
    """If this fails, clients that stream cannot post."""
    name = f"chunked {size}{ext}{trailer}"
    wire.send(head(server, "POST", BOX, "Transfer-Encoding: chunked")).send(chunked(envelope(name), size, ext, trailer))
    status = wire.answer()[0]
    assert status == 202 or (ext == " " and status == 400)
    if status == 202:
        assert wire.send(head(server)).answer()[0] == 200, "the connection is in step"


def test_expect_continue(server):
    """If this fails, curl waits a second with every upload, or sends megabytes to be refused."""
    body = envelope("expect")
    w = Wire(server)
    w.send(head(server, "POST", BOX, f"Content-Length: {len(body)}", "Expect: 100-continue"))
    assert w.answer()[0] == 100
    assert w.send(body).answer()[0] == 202
    w.close()
    for lines, who, status in (([f"Content-Length: {len(body)}"], None, 401), ([f"Content-Length: {len(body)}"], "reader", 403),
                               (["Content-Length: 99999999"], "both", 413),
                               ([f"Content-Length: {len(body)}", "Content-Encoding: gzip"], "both", 415),
                               ([f"Content-Length: {len(body)}", "Accept: text/html"], "both", 406)):
        w = Wire(server)
        got = w.send(head(server, "POST", BOX, "Expect: 100-continue", *lines, who=who)).answer()
        assert got[0] == status, "the final answer at once"
        w.close()


@pytest.mark.parametrize("request_text,status", [
    ("\r\nGET /api/ HTTP/1.1\r\nHost: x\r\nAUTH\r\n", 200),                     # one empty line before
    ("GET https://x/api/ HTTP/1.1\r\nHost: x\r\nAUTH\r\n", 200),               # absolute form
    ("GET /api/ HTTP/1.1\r\nhOST: x\r\nAUTH\r\n", 200), ("GET /api/ HTTP/1.1\r\nHost:x\r\nAUTH\r\n", 200),
    ("GET /api/ HTTP/1.1\r\nHost: \t x \t\r\nAUTH\r\n", 200), ("GET /api/ HTTP/1.1\r\nHost: x\r\nX-Empty:\r\nAUTH\r\n", 200),
    ("GET /api/ HTTP/1.1\r\nAUTH\r\n", 400), ("GET /api/ HTTP/1.1\r\nHost: x\r\nHost: x\r\nAUTH\r\n", 400),
    ("GET /api/ HTTP/1.1\r\nHost : x\r\nAUTH\r\n", 400), ("GET /api/ HTTP/1.1\r\nHost: x\r\n folded\r\nAUTH\r\n", 400),
    ("GET /api/ HTTP/1.1\r\n Host: x\r\nAUTH\r\n", 400), ("GET /api/ HTTP/1.1\r\nHost: x\r\nno colon\r\nAUTH\r\n", 400),
    ("GET /api/ HTTP/1.1\r\nHost: x\r\n: empty\r\nAUTH\r\n", 400), ("GET /api/ HTTP/1.1\r\nHost: x\r\nX(Y): z\r\nAUTH\r\n", 400),
    ("GET /api/ HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\nAUTH\r\n", 400),
    ("GET /api/ HTTP/1.1\r\nHost: x\r\nX: a\rb\r\nAUTH\r\n", 400),
    ("GET /api/\r\nHost: x\r\nAUTH\r\n", 400), ("GET  /api/ HTTP/1.1\r\nHost: x\r\nAUTH\r\n", 400),
    ("GET /api/ HTTP/1.1 \r\nHost: x\r\nAUTH\r\n", 400), ("GET /api/ http/1.1\r\nHost: x\r\nAUTH\r\n", 400),
    ("GET /api/ HTTP/1.1\nHost: x\nAUTH\n", 400), ("GET /api /x HTTP/1.1\r\nHost: x\r\nAUTH\r\n", 400),
    ("GE(T /api/ HTTP/1.1\r\nHost: x\r\nAUTH\r\n", 400), ("GET api HTTP/1.1\r\nHost: x\r\nAUTH\r\n", 400),
    ("nonsense\r\n\r\n", 400), ("\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400), (" GET /api/ HTTP/1.1\r\n\r\n", 400),
    ("GET /api/ HTTP/1.1\r\nHost: x/y\r\nAUTH\r\n", 400), ("GET /api/ HTTP/1.1\r\nHost: a b\r\nAUTH\r\n", 400),
])
def test_syntax(server, wire, request_text, status):
    """If this fails, we and a proxy in front of us read different requests."""
    auth = f"Authorization: Bearer {server.tokens['both']}"
    text = request_text.replace("AUTH\r\n", auth + "\r\n\r\n").replace("AUTH\n", auth + "\n\n")
    got = wire.send(text.encode("latin-1")).answer()
    assert got[0] == status, got
    if status == 400:
        assert got[1]["content-type"] == TAXII and json.loads(got[2])["http_status"] == "400"
        assert got[1]["connection"] == "close" and wire.closed()


@pytest.mark.parametrize("version", ["HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "HTTP/1.10", "HTCPCP/1.0"])
def test_other_versions(server, wire, version):
    """If this fails, the answer to a wrong version is a guess."""
    got = wire.send(head(server, version=version)).answer()
    assert got[0] in (400, 505) or (version == "HTTP/1.2" and got[0] == 200)


# ---- framing: every shape with which a request is smuggled past another reader

SMUGGLE = [
    ["Content-Length: 5", "Content-Length: 6"], ["Content-Length: 5", "Content-Length: 5"], ["Content-Length: 5, 5"],
    ["Content-Length: 5,6"], ["Content-Length: -1"], ["Content-Length: +5"], ["Content-Length: 5 5"], ["Content-Length: 0x5"],
    ["Content-Length: five"], ["Content-Length:"], ["Content-Length: 99999999999999999999999999"], ["Content-Length: 5a"],
    ["Content-Length: 1e1"], ["Content-Length: \u0665"],
    ["Transfer-Encoding: chunked", "Content-Length: 5"], ["Content-Length: 5", "Transfer-Encoding: chunked"],
    ["Transfer-Encoding: identity", "Content-Length: 5"], ["Transfer-Encoding: gzip, chunked"],
    ["Transfer-Encoding: chunked, gzip"],
    ["Transfer-Encoding: chunked, chunked"], ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    ["Transfer-Encoding: xchunked"], ["Transfer-Encoding: chunked;x=y"], ["Transfer-Encoding: \"chunked\""],
    ["Transfer-Encoding:"], ["Transfer-Encoding : chunked"], ["Transfer-Encoding: chunked\x00"],
    ["Content-Length : 5"], ["X: y\r\n Content-Length: 5"], ["Transfer-Encoding:\x0bchunked"],
    ["Transfer_Encoding: chunked", "Content-Length : 1"],
]


@pytest.mark.parametrize("lines", SMUGGLE)
def test_smuggling_shapes(server, wire, lines):
    """If this fails, a request can be hidden in the body of another one."""
    hidden = "0\r\n\r\nGET /api/collections/box/objects/ HTTP/1.1\r\nHost: hidden\r\n\r\n"
    wire.send((head(server, "POST", BOX, *lines) + hidden).encode("utf-8"))
    got = wire.answer()
    assert got is None or got[0] in (400, 413, 501), got
    assert wire.closed(), "a second answer: something of the body was taken for a request"


@pytest.mark.parametrize("body", [
    b"5\r\nabcd\r\n0\r\n\r\n", b"-5\r\nabcde\r\n0\r\n\r\n", b"+5\r\nabcde\r\n0\r\n\r\n", b"0x5\r\nabcde\r\n0\r\n\r\n",
    b"\r\nabcde\r\n0\r\n\r\n",
    b"g\r\nabcde\r\n0\r\n\r\n", b"5\nabcde\n0\n\n", b"5\r\nabcdeX\r\n0\r\n\r\n", b"fffffffffffffffff\r\nabcde\r\n0\r\n\r\n",
    b" 5\r\nabcde\r\n0\r\n\r\n", b"5;\x00\r\nabcde\r\n0\r\n\r\n", b"5\r\nabcde\r\n0\r\nbad trailer\r\n\r\n",
    b"5\r\nabcde0\r\n\r\n",
    b"5;" + b"x" * 70000 + b"\r\nabcde\r\n0\r\n\r\n", b"00000000000000000000000000000000005\r\nabcde\r\n0\r\n\r\n",
])
def test_broken_chunks(server, wire, body):
    """If this fails, the end of a body is a matter of opinion."""
    try:
        wire.send(head(server, "POST", BOX, "Transfer-Encoding: chunked")).send(body + head(server).encode())
    except OSError:
        pass
    got = wire.answer()
    assert got is None or got[0] in (400, 413, 431), got
    assert wire.closed()


def test_a_body_cut_short_stores_nothing(server):
    """If this fails, half an upload is stored as if it were whole."""
    for how in ("length", "chunked"):
        name = f"cut {how}"
        body = envelope(name)
        w = Wire(server)
        if how == "length":
            w.send(head(server, "POST", BOX, f"Content-Length: {len(body) + 10}")).send(body)
        else:
            w.send(head(server, "POST", BOX, "Transfer-Encoding: chunked")).send(f"{len(body):x}\r\n".encode() + body + b"\r\n")
        w.close()
        assert indicator(name, "")["id"] not in server.ids("both", "box")
    assert alive(server)


def test_after_an_early_refusal_the_body_is_no_request(server):
    """If this fails, what a refused client sends as a body is carried out."""
    inner = head(server, "GET", "/taxii2/").encode()
    w = Wire(server)
    w.send(head(server, "POST", BOX, f"Content-Length: {len(inner)}", who=None).encode() + inner)
    assert w.answer()[0] == 401
    got = w.answer() if not w.closed() else None
    assert got is None or got[0] != 200, "the body was taken for a request"
    w.close()
    w = Wire(server)        # a GET with a body: read and ignored
    w.send(head(server, "GET", "/api/", f"Content-Length: {len(inner)}").encode() + inner)
    w.send(head(server, "GET", "/nowhere/"))
    assert w.answer()[0] == 200 and w.answer()[0] == 404
    w.close()


# ---- limits

def test_long_things(server):
    """If this fails, a long line fills the memory, or an honest long query is refused."""
    ids = ",".join(["indicator--" + "0" * 36] * 300)
    assert server.request("GET", f"{BOX}?match[id]={ids}", "both").status == 200
    w = Wire(server)
    w.send(f"GET /{'x' * 70000} HTTP/1.1\r\nHost: x\r\n\r\n")
    assert w.answer()[0] == 414 and w.closed()
    w.close()
    for lines in (["X: " + "y" * 70000], [f"X-{i}: {'y' * 100}" for i in range(1000)], [f"X-{i}: y" for i in range(300)]):
        w = Wire(server)
        try:
            w.send(head(server, "GET", "/api/", *lines))
        except OSError:
            pass
        got = w.answer()
        assert got is None or got[0] == 431, got
        w.close()
    assert alive(server)


def test_slow_clients_do_not_block_a_good_one(server):
    """If this fails, one client with a slow line stops the service for all."""
    slow = []
    for i in range(20):
        w = Wire(server)
        w.send([b"", b"G", b"GET /api/ HTTP/1.1\r\nHost: x\r\nX: ",
                head(server, "POST", BOX, "Content-Length: 1000").encode() + b"{",
                head(server, "POST", BOX, "Transfer-Encoding: chunked").encode() + b"5\r\nab"][i % 5])
        slow.append(w)
    raw = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(5)]       # not even a handshake
    c = Client(server, "both")
    start = time.monotonic()
    for i in range(30):
        assert c.get("/api/collections/box/objects/?limit=1").status == 200
    assert time.monotonic() - start < 10
    c.close()
    for w in slow:
        w.close()
    for s in raw:
        s.close()


def test_a_reader_who_does_not_read_blocks_nobody(server):
    """If this fails, a client that asks and never reads holds memory or others."""
    server.insist("both", "box", *[indicator(f"fat {i}", f"[mutex:name = 'fat {i}']", x_n="z" * 30000) for i in range(25)])
    w = Wire(server)
    w.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    for _ in range(50):
        w.send(head(server, "GET", BOX + "?match[version]=all"))
    assert alive(server)
    w.close()
    until("the connection to be given up", lambda: server.metric("tocsin_http_connections") <= 2)


def test_slow_clients_are_sent_away(server):
    """If this fails, open connections pile up until nobody gets one."""
    with open(server.conf, encoding="utf-8") as f:
        text = f.read()
    try:
        with open(server.conf, "w", encoding="utf-8") as f:
            f.write(text.replace("    retry-min", "    head-timeout 300ms\n    idle-timeout 300ms\n    body-timeout 300ms\n"
                                 "    handshake-timeout 300ms\n    body-rate 1m\n    retry-min"))
        assert server.reload()
        opened = [Wire(server), Wire(server).send("GET /api/ HT"),
                  Wire(server).send(head(server, "POST", BOX, "Content-Length: 100") + "{")]
        raw = socket.create_connection(("127.0.0.1", server.port), timeout=15)
        start = time.monotonic()
        statuses = [(w.answer() or [None])[0] for w in opened]
        assert all(w.closed() for w in opened) and raw.recv(1) == b""
        assert time.monotonic() - start < 10
        assert statuses[0] is None and set(statuses[1:]) <= {408, None}
        # a byte now and then is no excuse
        w = Wire(server)
        start = time.monotonic()
        try:
            while time.monotonic() - start < 10:
                w.send("G" if time.monotonic() - start < .05 else "E")
                w.s.settimeout(.02)
                try:
                    if w.s.recv(10000) is not None:
                        break
                except (TimeoutError, ssl.SSLWantReadError):
                    continue
        except OSError:
            pass
        assert time.monotonic() - start < 9
    finally:
        with open(server.conf, "w", encoding="utf-8") as f:
            f.write(text)
        assert server.reload()


def test_too_many_connections_from_one_address(server):
    """If this fails, one machine takes all connections."""
    with open(server.conf, encoding="utf-8") as f:
        text = f.read()
    try:
        with open(server.conf, "w", encoding="utf-8") as f:
            f.write(text.replace("    retry-min", "    connections-per-address 6\n    retry-min"))
        assert server.reload()
        opened = []
        refused = 0
        for _ in range(30):
            try:
                opened.append(Wire(server))
                if opened[-1].send(head(server)).answer() is None:
                    refused += 1
            except OSError:
                refused += 1
        assert 30 - 6 * 2 <= refused <= 30 - 6 + 2      # each worker counts its own; one may just have ended
        for w in opened:
            w.close()
        until("room again", lambda: can(server))
    finally:
        with open(server.conf, "w", encoding="utf-8") as f:
            f.write(text)
        assert server.reload()


# ---- a thousand mutations

def mutate(rng, data):
    data = bytearray(data)
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(data) + 1)
        what = rng.randrange(6)
        if what == 0 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif what == 1:
            data[at:at] = rng.choice([b"\r\n", b"\0", b"\xff", b"{", b"}", b"[", b"%", b" ", b"\"", b":", b"0", b"-1", b"9" * 30,
                                      b"Transfer-Encoding: chunked\r\n", b"Content-Length: 3\r\n", b"\r\n\r\n", b"x" * 5000])
        elif what == 2:
            del data[at:at + rng.randrange(1, 40)]
        elif what == 3:
            data[at:at] = data[at:at + rng.randrange(1, 200)]
        elif what == 4:
            other = rng.randrange(len(data) + 1)
            data[at:at + 10], data[other:other + 10] = data[other:other + 10], data[at:at + 10]
        else:
            data = data[:at]
    return bytes(data)


def test_a_thousand_mutated_requests(server):
    """If this fails, garbage from the network takes the node down."""
    rng = random.Random(41)
    o = indicator("mutant", "[ipv4-addr:value = '192.0.2.1' AND domain-name:value = 'x.example']", description="\u00e9\\u0041")
    body = json.dumps({"objects": [o, dict(o, type="relationship", id="relationship--" + o["id"][11:])]}).encode()
    seeds = [head(server, "POST", BOX, f"Content-Length: {len(body)}").encode() + body,
             head(server, "POST", BOX, "Transfer-Encoding: chunked").encode() + chunked(body, 50, ";x=y"),
             head(server, "GET", BOX + "?match[type]=indicator&limit=3&added_after=2026-11-20T10:00:00Z"
                  "&match[version]=all").encode(),
             head(server, "DELETE", BOX + o["id"] + "/?match[version]=first").encode(),
             head(server, "GET", f"/api/collections/box/objects/{o['id']}/versions/", "Accept-Encoding: gzip").encode()]
    work, lock, trouble = iter(range(1000)), threading.Lock(), []

    def run():
        while True:
            with lock:
                n = next(work, None)
                data = mutate(rng, rng.choice(seeds))
            if n is None:
                return
            try:
                w = Wire(server)
                w.s.settimeout(15)
                w.send(data)
                w.s.settimeout(.01 if n % 4 else .2)       # read what comes at once, then be gone
                got = w.s.recv(20)
                if got and not got.startswith(b"HTTP/1.1 "):
                    trouble.append((data, got))
                if got.startswith(b"HTTP/1.1 5") and not got.startswith(b"HTTP/1.1 50" + b"1") and b" 505" not in got[:13]:
                    trouble.append((data, got))
            except OSError:
                pass
            finally:
                w.close()
    threads = [threading.Thread(target=run) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not trouble, trouble[:2]
    assert server.process.poll() is None and alive(server)
    server.insist("both", "box", indicator("after the mutants", "[mutex:name = 'after']"))
    server.verify_audit()


def test_garbage_instead_of_tls(server):
    """If this fails, port scanners take the node down."""
    rng = random.Random(42)
    for data in [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", b"\x80" * 100, b"", b"\x16\x03\x01\xff\xff" + b"a" * 1000] + \
            [rng.randbytes(rng.randrange(1, 400)) for _ in range(60)]:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as s:
            try:
                s.sendall(data)
            except OSError:
                pass
    assert alive(server)


# ---- files

BROKEN = {
    "json-cut.json": '{"type": "bundle", "objects": [{"type": "indica', "json-deep.json": '{"objects": ' + "[" * 5000,
    "json-dup.json": '{"type": "bundle", "id": "bundle--1", "type": "bundle", "objects": []}',
    "json-nan.json": '{"objects": [NaN]}',
    "json-nul.json": '{"type": "bundle"\0}', "empty.json": "", "text.txt": "hello", "html.html": "<html><body>x</body></html>",
    "xml-cut.xml": '<?xml version="1.0"?><IODEF-Document xmlns="urn:ietf:params:xml:ns:iodef-2.0" version="2.00"><Incident',
    "xml-entity.xml": '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><IODEF-Document '
                      'xmlns="urn:ietf:params:xml:ns:iodef-2.0" version="2.00"><Incident>&b;</Incident></IODEF-Document>',
    "xml-file.xml": '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><IODEF-Document '
                    'xmlns="urn:ietf:params:xml:ns:iodef-2.0" version="2.00"><Incident>&a;</Incident></IODEF-Document>',
    "xml-deep.xml": '<IODEF-Document xmlns="urn:ietf:params:xml:ns:iodef-2.0" version="2.00">' + "<a>" * 3000,
    "xml-ns.xml": '<IODEF-Document version="2.00"><Incident/></IODEF-Document>',
}
BAD_CSV = {"no-header.csv": "", "columns.csv": "a;b\n1;2\n",
           "quote.csv": 'id;seen_at;last_day;kind;value;what;label;trust;tags;family;report;ticket\n"unclosed;x\n',
           "nul.csv": "id;seen_at\0;kind\n"}


def test_broken_files_are_set_aside_with_a_reason(server):
    """If this fails, a broken file stops a folder, or vanishes without a word."""
    for name, text in BROKEN.items():
        server.drop("drop", name, text)
    for name, text in BAD_CSV.items():
        server.drop("abuse", name, text)
    for spool, names in (("drop", BROKEN), ("abuse", BAD_CSV)):
        for name in names:
            reason = server.file("spool", spool, "rejected", name + ".reason")
            def answered(name=name, reason=reason, spool=spool):
                return os.path.exists(reason) and os.path.exists(server.file("spool", spool, "rejected", name))
            until(f"the verdict about {name}", answered)
            with open(reason, encoding="utf-8") as f:
                text = f.read()
            assert name in text and len(text.split()) > 3 and "root:" not in text, text
    listed = {q["input"]: q for q in server.ask("quarantine", "list")["quarantine"]}
    assert set(BROKEN) | set(BAD_CSV) <= set(listed)
    assert all(listed[n]["reason"] and listed[n]["code"] for n in (*BROKEN, *BAD_CSV))
    # one bad record among good ones costs itself only
    server.drop("abuse", "mixed.csv", "id;seen_at;last_day;kind;value;what;label;trust;tags;family;report;ticket\n"
                "G-1;20/11/2026 09:00;;host;good-1.example;C2;A;;;;;\nG-2;not a date;;host;bad.example;C2;A;;;;;\n"
                "G-3;20/11/2026 09:00;;host;good-3.example;C2;A;;;;;\n")
    until("the good ones", lambda: {"[domain-name:value = 'good-1.example']", "[domain-name:value = 'good-3.example']"} <=
          {o.get("pattern") for o in server.objects("soc", "advisories")})
    rows = [q for q in server.ask("quarantine", "list")["quarantine"] if q["input"] == "mixed.csv"]
    assert len(rows) == 1 and rows[0]["line"] == 3, rows
    # the same name again: both files, both reasons
    server.drop("drop", "text.txt", "hello again")
    until("the second verdict", lambda: os.path.exists(server.file("spool", "drop", "rejected", "text.txt.1")))
    with open(server.file("spool", "drop", "rejected", "text.txt"), encoding="utf-8") as f:
        assert f.read() == "hello"
    assert os.path.exists(server.file("spool", "drop", "rejected", "text.txt.1.reason"))
    assert alive(server)


def test_mutated_files(server):
    """If this fails, a strange file takes the node down."""
    rng = random.Random(43)
    with open(os.path.join(TOP, "tests", "demo", "advisory.xml"), "rb") as f:
        xml = f.read()
    some = [indicator(f"mf {i}", "[mutex:name = 'mf']", object_marking_refs=[TLP["green"]]) for i in range(3)]
    stix = json.dumps({"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001", "objects": some}).encode()
    for i in range(150):
        data = mutate(rng, xml if i % 2 else stix)
        path = server.file("spool", "drop", "incoming", f"m{i:03}")
        with open(path + ".tmp", "wb") as f:
            f.write(data)
        os.rename(path + ".tmp", path)
    until("all of them", lambda: os.listdir(server.file("spool", "drop", "incoming")) == [], seconds=60)
    assert server.process.poll() is None and alive(server)
    server.verify_audit()
