"""Peers that are ill in one way each, for test_doctor.py: certificates made by openssl, servers on loopback."""
import json
import os
import re
import socket
import ssl
import subprocess
import threading
import time

from lab import TAXII, TOCSIN, free_port

TAXII20 = "application/vnd.oasis.taxii+json; version=2.0"
BOX = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
CA_CONF = """[ca]
default_ca = this
[this]
dir = {folder}
database = {folder}/index.txt
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
"""


class Authority:
    """A CA in a folder; what it signs lies there too."""

    def __init__(self, folder, name, above=None):
        self.folder = os.path.join(folder, re.sub(r"\W", "-", name))
        os.mkdir(self.folder)
        self.crt, self.key = self.file("ca.crt"), self.file("ca.key")
        with open(self.file("ca.conf"), "w", encoding="utf-8") as f:
            f.write(CA_CONF.format(folder=self.folder))
        open(self.file("index.txt"), "w", encoding="utf-8").close()
        with open(self.file("serial"), "w", encoding="utf-8") as f:
            f.write("01\n")
        extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
        if above is None:
            openssl("req", "-x509", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    self.key, "-out", self.crt, "-days", "30", "-subj", f"/CN={name}", "-addext",
                    "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        else:
            above.sign(name, extensions, self.crt, self.key)

    def file(self, name):
        return os.path.join(self.folder, name)

    def sign(self, name, extensions, crt, key, dates=()):
        with open(self.file("ext"), "w", encoding="utf-8") as f:
            f.write(extensions)
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
                self.file("csr"), "-subj", f"/CN={name}")
        openssl("ca", "-batch", "-notext", "-config", self.file("ca.conf"), "-cert", self.crt, "-keyfile", self.key,
                "-in", self.file("csr"), "-out", crt, "-extfile", self.file("ext"), *(dates or ["-days", "30"]))

    def issue(self, name, alt="DNS:localhost,IP:127.0.0.1", dates=(), more=""):
        """A server's certificate and key, as two files."""
        crt, key = self.file(f"{name}.crt"), self.file(f"{name}.key")
        self.sign(name, f"basicConstraints=CA:FALSE\nsubjectAltName={alt}\n{more}", crt, key, dates)
        return crt, key


def openssl(*words):
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"openssl {' '.join(words)}: {done.stderr}"
    return done.stdout


def pin_of(crt):
    return subprocess.run([TOCSIN, "key", "pin", crt], capture_output=True, text=True, check=True).stdout.split()[0]


def join(out, *parts):
    with open(out, "w", encoding="utf-8") as f:
        for part in parts:
            with open(part, encoding="utf-8") as g:
                f.write(g.read())
    return out


class Server:
    """One listener. `talk` gets each connection; the default is a small TAXII server that `answers` bends."""

    def __init__(self, certificate=None, clients=None, talk=None, answers=None, version=TAXII, date=0, tls=None):
        self.listener = socket.create_server(("127.0.0.1", free_port()))
        self.port = self.listener.getsockname()[1]
        self.answers, self.version, self.date = answers or {}, version, date
        self.requests, self.context = [], None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
            if clients:
                self.context.load_verify_locations(clients)
                self.context.verify_mode = ssl.CERT_REQUIRED
            if tls:
                self.context.minimum_version = self.context.maximum_version = tls
        self.talk = talk or self.serve
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()

    def accept(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.guard, args=(raw,), daemon=True).start()

    def guard(self, raw):
        try:
            raw.settimeout(30)
            with raw if self.context is None else self.context.wrap_socket(raw, server_side=True) as c:
                self.talk(c)
        except (OSError, ValueError):
            pass

    def serve(self, c):
        with c.makefile("rb") as f:
            while True:
                line = f.readline()
                if not line:
                    return
                headers = {}
                for header in iter(f.readline, b"\r\n"):
                    name, _, value = header.decode().partition(":")
                    headers[name.lower()] = value.strip()
                path = line.split()[1].decode()
                self.requests.append((path, headers))
                c.sendall(self.reply(path, headers))

    def reply(self, path, headers):
        answer = self.answers.get(path) or self.answers.get("*")
        if callable(answer):
            answer = answer(path, headers)
        status, kind, body, more = answer or self.usual(path)
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        at = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + self.date))
        head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", f"Date: {at}", *more]
        return "\r\n".join(head).encode() + b"\r\n\r\n" + body

    def usual(self, path):
        kind = self.version
        box = {"id": BOX, "title": "The box", "alias": "box", "can_read": True, "can_write": True, "media_types": []}
        if path == "/api/":
            versions = ["taxii-2.0"] if kind == TAXII20 else [TAXII]
            return "200 OK", kind, {"title": "Root", "versions": versions, "max_content_length": 10000000}, []
        if path == "/taxii2/":
            return "200 OK", kind, {"title": "Here", "default": "/api/", "api_roots": ["/api/", "/more/"]}, []
        if path == "/api/collections/":
            return "200 OK", kind, {"collections": [box]}, []
        if path in (f"/api/collections/{BOX}/", "/api/collections/box/"):
            return "200 OK", kind, box, []
        return error(404, "Not Found")


def error(status, title, *more, kind=TAXII):
    return f"{status} {title}", kind, {"title": title, "http_status": str(status)}, list(more)


def proxy(answer, login=None):
    """An HTTP proxy that says `answer`, or opens the tunnel; with `login` only to who sends it."""
    def talk(c):
        with c.makefile("rb", buffering=0) as f:
            line, headers = f.readline(), b""
            for header in iter(f.readline, b"\r\n"):
                headers += header
            if answer or (login and login not in headers):
                c.sendall((answer or 'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="out"'
                           "\r\nContent-Length: 0\r\n\r\n").encode())
                return
            host, _, port = line.split()[1].decode().rpartition(":")
            with socket.create_connection((host, int(port))) as there:
                c.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                threading.Thread(target=pour, args=(there, c), daemon=True).start()
                pour(c, there)
    return talk


def pour(a, b):
    try:
        while True:
            piece = a.recv(65536)
            if not piece:
                b.shutdown(socket.SHUT_WR)
                return
            b.sendall(piece)
    except OSError:
        pass


class Clinic:
    """A node's files, never served: the doctor needs no more. Each case writes one peer and looks at it."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "node")
        self.conf = os.path.join(self.folder, "tocsin.conf")
        done = subprocess.run([TOCSIN, "init", "--name", "cert-a", "--dir", self.folder], capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0, done.stderr

    def run(self, *words, stdin=None):
        return subprocess.run([TOCSIN, *words, "--config", self.conf], capture_output=True, text=True, input=stdin,
                              timeout=60, check=False)

    def peer(self, url, *lines, wire="taxii21", verify="name", ca=None):
        """trust.conf with this one peer."""
        with open(os.path.join(self.folder, "trust.conf"), "w", encoding="utf-8") as f:
            f.write(f"peer ill\n    relation partner\n    url {url}\n    wire {wire}\n")
            f.write(f"    verify {verify}\n" if verify == "name" else f"    pin {verify}\n")
            f.write(f"    ca {ca}\n" if ca else "")
            f.write("".join(f"    {line}\n" for line in lines))

    def login(self, *words, secret):
        done = self.run("peer", "login", "ill", *words, stdin=secret + "\n")
        assert done.returncode == 0, done.stderr

    def look(self, *words, status=None):
        """What the doctor says, as JSON, with the step and cause of what is wrong."""
        done = self.run("peer", "doctor", "ill", "--json", "--timeout", "5s", *words)
        assert done.stdout, done.stderr
        said = json.loads(done.stdout)
        assert done.returncode == (0 if said["ok"] else 1), done
        said["steps"] = {step["step"]: step for step in said["steps"]}
        return said
