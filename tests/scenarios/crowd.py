#!/usr/bin/python3
"""Strangers at a node's door, many in one process, for test_strangers.py.

    crowd.py KIND COUNT ADDRESS PORT CA TOKEN

COUNT connections from ADDRESS to 127.0.0.1:PORT. Kinds: `idle` asks once and is silent; `head`, `body` and `handshake` send their
part at one byte a second; `good` is one client that asks all the time. Says "open" when all are there, begins at a line on
its input, says what came of them as JSON for every further line, and ends with its input.
"""
import contextlib
import http.client
import json
import os
import select
import socket
import ssl
import sys
import time

TAXII = "application/taxii+json;version=2.1"
HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(1, 240))       # begins like a ClientHello


class Crowd:
    def __init__(self, kind, count, address, port, ca, token):
        self.kind, self.count, self.address, self.port = kind, count, address, port
        self.ctx, self.session = ssl.create_default_context(cafile=ca), None
        self.asking = (f"GET /api/ HTTP/1.1\r\nHost: localhost\r\nAccept: {TAXII}\r\n"
                       f"Authorization: Bearer {token}\r\n\r\n").encode()
        self.posting = (f"POST /api/collections/advisories/objects/ HTTP/1.1\r\nHost: localhost\r\nAccept: {TAXII}\r\n"
                        f"Content-Type: {TAXII}\r\nContent-Length: 1000000\r\nAuthorization: Bearer {token}\r\n\r\n").encode()
        self.there, self.begun, self.lives, self.statuses, self.refused = {}, {}, [], {}, 0
        self.poll = select.epoll()

    # -- opening

    def connect(self):
        raw = socket.socket()
        raw.bind((self.address, 0))
        raw.settimeout(60)
        raw.connect(("127.0.0.1", self.port))
        if self.kind == "handshake":
            return raw
        s = self.ctx.wrap_socket(raw, server_hostname="127.0.0.1", session=self.session)
        if self.kind == "idle" or self.session is None:
            self.ask(s)
            self.session = self.session or s.session
        return s

    def ask(self, s):
        s.sendall(self.asking)
        text = b""
        while b"\r\n\r\n" not in text:
            more = s.recv(65536)
            if not more:
                raise ConnectionResetError
            text += more
        if not text.startswith(b"HTTP/1.1 200 "):
            raise SystemExit(f"{self.kind}: {text!r}")

    def open(self):
        for _ in range(self.count):
            try:
                s = self.connect()
            except OSError:
                self.refused += 1
                continue
            s.setblocking(False)
            self.there[s.fileno()] = s
            self.poll.register(s.fileno(), select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR)

    # -- being slow

    def gone(self, fd, text=b""):
        s = self.there.pop(fd)
        self.poll.unregister(fd)
        self.lives.append(time.monotonic() - self.begun.pop(fd, time.monotonic()))
        status = text[9:12].decode() if text.startswith(b"HTTP/1.1 ") else "cut"
        self.statuses[status] = self.statuses.get(status, 0) + 1
        with contextlib.suppress(OSError):
            s.close()

    def heard(self, fd):
        """Something came: the answer to being slow, the end, or TLS's own."""
        s, text = self.there[fd], b""
        try:
            while True:
                more = s.recv(65536)
                if not more:
                    break
                text += more
        except (BlockingIOError, ssl.SSLWantReadError):
            if not text:
                return
        except OSError:
            pass
        self.gone(fd, text)

    def drip(self, turn):
        for fd, s in list(self.there.items()):
            part = {"handshake": HELLO, "head": self.asking, "body": b" " * 1000}[self.kind]
            byte = part[turn % len(part):turn % len(part) + 1]
            if turn == 0 and self.kind == "body":
                byte = self.posting
            try:
                s.send(byte)
                self.begun.setdefault(fd, time.monotonic())
            except (BlockingIOError, ssl.SSLWantWriteError):
                pass
            except OSError:
                self.heard(fd)

    def report(self):
        print(json.dumps({"left": len(self.there), "refused": self.refused, "gone": len(self.lives), "statuses": self.statuses,
                          "longest": max(self.lives, default=0), "shortest": min(self.lives, default=0)}), flush=True)

    def listen(self, seconds):
        """Handle what comes for so long; False when our own input has ended."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for fd, _ in self.poll.poll(left):
                if fd == 0:
                    if not sys.stdin.readline():
                        return False
                    self.report()
                elif fd in self.there:
                    self.heard(fd)
        return True

    def run(self):
        os.nice(10)             # strangers have machines of their own
        if self.kind != "handshake":
            self.open()
        print("open", flush=True)
        if not sys.stdin.readline():
            return
        if self.kind == "handshake":
            self.open()
        self.poll.register(0, select.EPOLLIN)
        turn = 0
        while True:
            if self.kind != "idle":
                self.drip(turn)
            turn += 1
            if not self.listen(1):
                return


def good(address, port, ca, token):
    """One honest client: a page on its kept connection, now and then on a new one. Milliseconds of each."""
    ctx, times, bad, kept = ssl.create_default_context(cafile=ca), [], [], None
    print("open", flush=True)
    sys.stdin.readline()
    turn = 0
    while True:
        if select.select([0], [], [], 0.01)[0]:
            if not sys.stdin.readline():
                return
            times.sort()
            print(json.dumps({"asked": len(times), "bad": bad, "p50": times[len(times) // 2], "p99": times[int(len(times) * 0.99)],
                              "worst": times[-1]}), flush=True)
        begin = time.monotonic()
        try:
            if kept is None or turn % 20 == 0:
                kept = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=ctx, source_address=(address, 0))
            kept.request("GET", "/api/collections/advisories/objects/?limit=10", headers={
                "Accept": TAXII, "Authorization": "Bearer " + token})
            r = kept.getresponse()
            r.read()
            if r.status != 200:
                bad.append(r.status)
        except (OSError, http.client.HTTPException) as e:
            bad.append(repr(e))
            kept = None
        times.append((time.monotonic() - begin) * 1000)
        turn += 1


def main():
    kind, count, address, port, ca, token = sys.argv[1:]
    if kind == "good":
        good(address, int(port), ca, token)
    else:
        Crowd(kind, int(count), address, int(port), ca, token).run()


if __name__ == "__main__":
    main()
