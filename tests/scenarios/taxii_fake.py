"""A TAXII server played by a story: 2.1 or 2.0, as good or as odd as the story wants it, over TLS on loopback."""
import contextlib
import gzip
import http.server
import json
import re
import socket
import socketserver
import ssl
import threading
import urllib.parse
import uuid

TAXII21 = "application/taxii+json;version=2.1"
TAXII20 = "application/vnd.oasis.taxii+json; version=2.0"
STIX20 = "application/vnd.oasis.stix+json; version=2.0"
COLLECTION = "c0ffee00-1111-4222-8333-444455556666"


def date(n):
    """The n-th date of a collection, in TAXII form."""
    return f"2026-01-{1 + n // 86400:02}T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}.000001Z"


class Fake(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """`objects` is a list of (date added, object). What a server may do wrong is an attribute or a method to replace."""
    daemon_threads = True
    block_on_close = False

    def __init__(self, node, version="2.1", port=None):
        self.version, self.requests, self.objects = version, [], []
        self.page, self.next, self.dates, self.type = 100, True, True, None
        self.answers = []                   # what the next requests get: functions of the handler, before all else
        self.login, self.max_content, self.gzip = None, 10_000_000, False
        self.posted, self.statuses, self.after = [], {}, lambda status: status
        self.can_read, self.can_write = True, True
        self.node = node
        super().__init__(("127.0.0.1", node.port if port is None else port), Handler)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(node.file("tls", "node.crt"), node.file("tls", "node.key"))
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self):
        return f"https://127.0.0.1:{self.server_address[1]}"

    def get_request(self):
        raw, address = super().get_request()
        raw.settimeout(20)
        return self.context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request, client_address):
        pass                                # clients that go away are part of the story

    def add(self, *objects):
        for o in objects:
            self.objects.append((date(len(self.objects)), o))

    def pages(self):
        """Requests for objects."""
        return [r for r in self.requests if "/objects/" in r.path and r.method == "GET"]

    def close(self):
        self.shutdown()
        self.server_close()


class Asked:
    def __init__(self, h):
        self.method, self.path, self.headers = h.command, h.path, dict(h.headers)
        self.query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(h.path).query))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    # -- answers

    def say(self, status, body, *headers, kind=None, length=None):
        s = self.server
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind or s.type or (TAXII21 if s.version == "2.1" else TAXII20))
        if s.gzip and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for h in headers:
            name, _, value = h.partition(": ")
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, title, *headers):
        self.say(status, {"title": title, "http_status": str(status)}, *headers)

    # -- requests

    def do_GET(self):
        self.serve(b"")

    def do_POST(self):
        self.serve(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def serve(self, body):
        s, path = self.server, urllib.parse.urlsplit(self.path).path
        s.requests.append(Asked(self))
        if s.answers:
            answer = s.answers.pop(0)
            if answer is not None:
                answer(self)
                return
        if s.login and not self.may():
            self.refuse(401, "Who are you?", 'WWW-Authenticate: Basic realm="fake"')
            return
        want = TAXII21 if s.version == "2.1" else "application/vnd.oasis."
        if not self.headers.get("Accept", "").startswith(want):
            self.refuse(406, "Not in that version")
            return
        for pattern, method, run in ROUTES:
            m = re.fullmatch(pattern, path)
            if m and method == self.command:
                run(self, body, *m.groups())
                return
        self.refuse(404, "Nothing there")

    def may(self):
        name, value = self.server.login
        return self.headers.get(name) == value

    def discovery(self, _):
        self.say(200, {"title": "Fake", "default": "/root/", "api_roots": ["/root/"]})

    def root(self, _):
        s = self.server
        self.say(200, {"title": "Root", "versions": [TAXII21 if s.version == "2.1" else "taxii-2.0"],
                       "max_content_length": s.max_content})

    def collections(self, _):
        s = self.server
        self.say(200, {"collections": [{"id": COLLECTION, "title": "Feed", "alias": "feed",
                                        "can_read": s.can_read, "can_write": s.can_write}]})

    def chosen(self):
        """What the question selects, oldest first."""
        q = self.server.requests[-1].query
        types = q.get("match[type]", "").split(",") if "match[type]" in q else None
        return [(d, o) for d, o in self.server.objects
                if d > q.get("added_after", "") and (types is None or o["type"] in types)]

    def objects(self, _, cid):
        s, q = self.server, self.server.requests[-1].query
        if s.version == "2.0":
            self.objects20()
            return
        rows = self.chosen()
        at = int(q["next"]) if q.get("next") else 0
        size = min(s.page, int(q.get("limit", s.page)))
        page, more = rows[at:at + size], at + size < len(rows)
        self.envelope(page, more, str(at + size) if more and s.next else None)

    def envelope(self, page, more, following):
        body = {"objects": [o for _, o in page]} if page else {}
        if more:
            body["more"] = True
        if following is not None:
            body["next"] = following
        dates = [f"X-TAXII-Date-Added-{w}: {page[i][0]}" for w, i in (("First", 0), ("Last", -1)) if page]
        self.say(200, body, *(dates if self.server.dates else []))

    def objects20(self):
        s, rows = self.server, self.chosen()
        m = re.fullmatch(r"items[= ](\d+)-(\d+)", self.headers.get("Range", ""))
        at, end = (int(m[1]), int(m[2])) if m else (0, s.page - 1)
        page = rows[at:min(end + 1, at + s.page)]
        if at > 0 and not page:
            self.say(416, {"title": "No such items"}, f"Content-Range: items */{len(rows)}")
            return
        body = {"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "spec_version": "2.0"}
        if page:
            body["objects"] = [o for _, o in page]
        headers = [f"Content-Range: items {at}-{at + len(page) - 1}/{len(rows)}"] if page else []
        if page and s.dates:
            headers += [f"X-TAXII-Date-Added-First: {page[0][0]}", f"X-TAXII-Date-Added-Last: {page[-1][0]}"]
        self.say(206 if page and len(page) < len(rows) else 200, body, *headers, kind=STIX20)

    def post(self, body, cid):
        s = self.server
        if len(body) > s.max_content:
            self.refuse(413, "Too large")
            return
        message = json.loads(body)
        s.posted.append(message)
        n = len(message["objects"])
        status = {"id": str(uuid.uuid4()), "status": "complete", "total_count": n, "success_count": n,
                  "failure_count": 0, "pending_count": 0}
        status = s.after(status)
        s.statuses[status["id"]] = status
        self.say(202, status)

    def status(self, _, sid):
        status = self.server.statuses.get(sid)
        if callable(status):
            status = status()
        if status is None:
            self.refuse(404, "No such status")
        else:
            self.say(200, status)


ROUTES = [
    (r"/taxii2?/", "GET", Handler.discovery),
    (r"/root/", "GET", Handler.root),
    (r"/root/collections/", "GET", Handler.collections),
    (r"/root/collections/([^/]+)/objects/", "GET", Handler.objects),
    (r"/root/collections/([^/]+)/objects/", "POST", Handler.post),
    (r"/root/status/([^/]+)/", "GET", Handler.status),
]


class Proxy:
    """An HTTP proxy that knows CONNECT and, if told, one login."""

    def __init__(self, login=None, answer=None):
        self.login, self.answer, self.asked = login, answer, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                c, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(c,), daemon=True).start()

    def talk(self, c):
        with contextlib.suppress(OSError, ValueError), c:
            head = b""
            while b"\r\n\r\n" not in head:
                piece = c.recv(4096)
                if not piece:
                    return
                head += piece
            lines = head.decode("latin-1").split("\r\n")
            self.asked.append(lines)
            if self.answer is not None:
                c.sendall(self.answer)
                return
            if self.login and f"Proxy-Authorization: Basic {self.login}" not in lines:
                c.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"p\"\r\n"
                          b"Content-Length: 0\r\n\r\n")
                return
            host, _, port = lines[0].split()[1].rpartition(":")
            with socket.create_connection((host, int(port))) as there:
                c.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                self.carry(c, there)

    @staticmethod
    def carry(a, b):
        def copy(source, to):
            with contextlib.suppress(OSError):
                while data := source.recv(65536):
                    to.sendall(data)
                to.shutdown(socket.SHUT_WR)
        t = threading.Thread(target=copy, args=(a, b), daemon=True)
        t.start()
        copy(b, a)
        t.join()

    def close(self):
        self.listener.close()
