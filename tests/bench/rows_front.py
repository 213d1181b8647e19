#!/usr/bin/python3
"""Strangers at the door: TLS handshakes beside nginx with the same key, and what an idle connection costs in memory."""
import contextlib
import os
import socket
import ssl
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from bench import (CLIENT, LIB, TAXII, Nginx, alternate, cpu_us, laboratory, note, pin, pss_kb, quick, row,  # noqa: E402
                   title)

IDLE = quick(1000, 2000)
LIMITS = "    connections  16000\n    connections-per-address 16000\n    idle-timeout 10m\n"


def one_worker(node):
    """As nginx has one."""
    with open(node.conf, encoding="utf-8") as f:
        text = f.read()
    with open(node.conf, "w", encoding="utf-8") as f:
        f.write(text.replace("    workers      2\n", "    workers      1\n", 1))
    node.restart()
    pin(node.process.pid)


def build(folder):
    """The dialler, compiled."""
    path = os.path.join(folder, "tls_dial")
    subprocess.run(["cc", "-O2", "-o", path, os.path.join(LIB, "tls_dial.c"), "-lssl", "-lcrypto"], check=True)
    return path


def handshakes(dial, pid, port, node, kind, certificate):
    """Handshakes that one CPU second of the server pays for."""
    words = [node.file("tls", "node.crt"), node.file("tls", "node.key")] if certificate else []
    before = cpu_us(pid)
    done = subprocess.run(["taskset", "-c", CLIENT, dial, str(port), node.file("tls", "ca.crt"), kind, str(quick(0.7, 2)), *words],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{kind} handshakes at port {port}: {done.stderr}")
    return int(done.stdout) / (cpu_us(pid) - before) * 1e6


def show_handshakes(node, folder):
    title("TLS 1.3 handshakes by CPU of the server, same P-256 key")
    dial = build(folder)
    nginx = Nginx(node, tls="ssl_session_tickets on;")
    mutual = Nginx(node, tls=f"ssl_session_tickets on; ssl_verify_client optional; ssl_client_certificate {node.file('tls', 'peer-ca.crt')};")
    for what, theirs, kind, certificate, target in (("full", nginx, "full", False, ">=0.8"), ("resumed", nginx, "resumed", False, ">=0.8"),
                                                    ("full, client certificate", mutual, "full", True, ">=0.8"),
                                                    ("resumed, client certificate", mutual, "resumed", True, ">=0.8")):
        ours, other = alternate(lambda k=kind, c=certificate: handshakes(dial, node.process.pid, node.port, node, k, c),
                                lambda k=kind, c=certificate, t=theirs: handshakes(dial, t.process.pid, t.port, node, k, c))
        row(what, ours, other, "/CPU-s", target, "nginx; ours asks for certificates and checks a resumed one anew")
    nginx.stop()
    mutual.stop()


@contextlib.contextmanager
def crowd(node, port, request, n):
    """That many kept connections, each with one answered request behind it."""
    ctx, kept = node.context(), []
    try:
        for _ in range(n):
            s = ctx.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="127.0.0.1")
            s.sendall(request)
            head = b""
            while b"\r\n\r\n" not in head:
                head += s.recv(65536)
            if b" 200 " not in head.split(b"\r\n")[0]:
                raise SystemExit(f"no success: {head!r}")
            kept.append(s)
        yield
    finally:
        for s in kept:
            with contextlib.suppress(OSError, ssl.SSLError):
                s.close()


def idle_kb(node, pid, port, request, without=()):
    """Memory that each of a crowd of idle connections adds, kernel's buffers aside."""
    with crowd(node, port, request, 50):
        pass                    # what the first connections cost once
    before = pss_kb(pid, without)
    with crowd(node, port, request, IDLE):
        return (pss_kb(pid, without) - before) / IDLE


def show_idle(node):
    title(f"memory of an idle TLS connection after one request, {IDLE} connections, sum of PSS")
    ours = (f"GET /api/ HTTP/1.1\r\nHost: localhost\r\nAccept: {TAXII}\r\nAuthorization: Bearer {node.tokens['soc']}\r\n\r\n").encode()
    nginx = Nginx(node, tls="keepalive_timeout 600s;")
    nginx.file("x", b"x" * 500)
    a = idle_kb(node, node.process.pid, node.port, ours, (node.file("state"),))
    b = idle_kb(node, nginx.process.pid, nginx.port, b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")
    nginx.stop()
    row("each", [a], (), "KB", "<=32", f"nginx: {b:.1f} KB")


def main():
    with tempfile.TemporaryDirectory() as folder, laboratory("cert-a", redis=False, limits=LIMITS) as lab:
        one_worker(lab["cert-a"])
        show_handshakes(lab["cert-a"], folder)
        show_idle(lab["cert-a"])
    note("the kernel's socket buffers are in neither figure")


main()
