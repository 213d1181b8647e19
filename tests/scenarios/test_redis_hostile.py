"""A Redis that lies, floods, stutters or is not there: service goes on, within bounds, and converges when a good one is back."""
import contextlib
import itertools
import os
import random
import socket
import threading
import time

import pytest

from faults import family, strike
from lab import indicator, laboratory, until

ERRORS = ["-LOADING Redis is loading the dataset in memory", "-BUSY Redis is busy running a script", "-MISCONF Redis is configured",
          "-OOM command not allowed", "-READONLY You can't write", "-CLUSTERDOWN The cluster is down", "-NOAUTH Authentication required.",
          "-NOSCRIPT No matching script.", "-ERR unknown command", "-MOVED 3999 127.0.0.1:1", "-", "-EXECABORT"]
ODD = [b"+OK\r\n", b"$-1\r\n", b":1\r\n", b":-9223372036854775808\r\n", b"*0\r\n", b"*-1\r\n", b"$0\r\n\r\n", b"*2\r\n:1\r\n$1\r\nx\r\n",
       b"$6\r\nc:1234\r\n", b"$1\r\nc\r\n", b":99999999999999999999\r\n", b"*3\r\n:0\r\n:-1\r\n:999999999999\r\n", b"+PONG\r\n"]
POSTS = 12
BOUND_SECONDS = 15.0            # for all posts of a story: a stuck Redis may cost a moment, not each request one
BOUND_BYTES = 64 << 20


def mood_errors(rng):
    return lambda: (rng.choice(ERRORS) + "\r\n").encode()


def mood_odd(rng):
    return lambda: rng.choice(ODD)


MOODS = {
    "answers every word with an error": mood_errors,
    "answers with other types than asked for": mood_odd,
    "says that everything is known already": lambda rng: lambda: b"$-1\r\n",
    "says yes to everything": lambda rng: lambda: b"+OK\r\n",
    "announces two billion elements": lambda rng: lambda: b"*2147483647\r\n" + b":1\r\n" * 1000,
    "announces two gigabytes": lambda rng: lambda: b"$2147483647\r\n" + b"x" * 100000,
    "sends a line without an end": lambda rng: lambda: b"+" + b"x" * (8 << 20),
    "nests without an end": lambda rng: lambda: b"*1\r\n" * 10000,
    "speaks no RESP at all": lambda rng: lambda: b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "answers twice": lambda rng: lambda: b"+OK\r\n:1\r\n",
    "answers half and is silent": lambda rng: lambda: b"$10\r\nabc",
    "closes at every word": lambda rng: lambda: None,
}


class Liar:
    """A server on the socket of a Redis. `say` makes its answer to each thing it reads; None closes."""

    def __init__(self, path, say):
        self.say, self.asked, self.open = say, 0, []
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                c, _ = self.listener.accept()
                self.open.append(c)
                threading.Thread(target=self.talk, args=(c,), daemon=True).start()

    def talk(self, c):
        with contextlib.suppress(OSError), c:
            while c.recv(65536):
                self.asked += 1
                words = self.say()
                if words is None:
                    return
                c.sendall(words)

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for c in self.open:
            with contextlib.suppress(OSError):
                c.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def lab():
    with laboratory("cert-a", "cert-b", link=lambda a, b: a == "cert-a") as lab:
        yield lab


def resident_bytes(node):
    """Of all processes of a node."""
    total = 0
    for pid in family(node):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/statm", encoding="ascii") as f:
                total += int(f.read().split()[1]) * 4096
    return total


def post_all(node, word):
    sent, began = [], time.monotonic()
    for i in range(POSTS):
        o = indicator(f"{word} {i}", f"[mutex:name = '{word} {i}']")
        r = node.post("sensor", "advisories", o)
        assert r.status == 202 and r.json["success_count"] == 1, (r.status, r.body)
        assert node.request("GET", "/api/collections/", "soc").status == 200
        sent.append(o)
    assert time.monotonic() - began < BOUND_SECONDS, "every request waits for Redis"
    return sent


def complete(lab, sent):
    """All of it at both nodes, each version once."""
    wanted = {(o["id"], o["modified"]) for o in sent}
    until("everything at cert-b", lambda: wanted <= set(lab["cert-b"].versions("soc", "inbox-cert-a")))
    for node, collection in ((lab["cert-a"], "advisories"), (lab["cert-b"], "inbox-cert-a")):
        got = node.versions("soc", collection)
        assert wanted <= set(got) and len(got) == len(set(got))


def good_again(lab):
    """A real Redis is back, and used."""
    with contextlib.suppress(FileNotFoundError):
        os.remove(lab.redis.path)
    lab.redis.start()
    for n in lab.nodes.values():
        until(f"{n.name} to use Redis", lambda n=n: n.metric("tocsin_redis_up") >= 1)


@pytest.mark.parametrize("mood", MOODS)
def test_a_redis_that(lab, mood):
    """If this fails, who gets at Redis stops the gateway, fills its memory, or makes it forget advisories."""
    a = lab["cert-a"]
    lab.redis.kill()
    before = resident_bytes(a)
    liar = Liar(lab.redis.path, MOODS[mood](random.Random(mood)))
    try:
        until("the nodes to ask it", lambda: liar.asked >= 2)
        sent = post_all(a, f"liar {mood}")
        complete(lab, sent)
        assert resident_bytes(a) - before < BOUND_BYTES, "what a liar sends is kept"
    finally:
        liar.close()
        good_again(lab)
    again = post_all(a, f"after {mood}")
    a.insist("sensor", "advisories", *sent)         # known, by whatever the liar said
    complete(lab, [*sent, *again])


def test_a_redis_that_changes_its_mood(lab):
    """If this fails, a Redis that is good and bad by turns leaves claims that nobody can undo."""
    rng = random.Random(14)
    moods = [m(rng) for m in MOODS.values()]
    lab.redis.kill()
    liar = Liar(lab.redis.path, lambda: rng.choice(moods)())
    try:
        until("the nodes to ask it", lambda: liar.asked >= 2)
        sent = post_all(lab["cert-a"], "moody")
        complete(lab, sent)
    finally:
        liar.close()
        good_again(lab)


def test_a_node_begins_without_redis_and_finds_it_later(lab):
    """If this fails, nodes have to be started after Redis, or never find it."""
    a = lab["cert-a"]
    lab.redis.kill()
    with contextlib.suppress(FileNotFoundError):
        os.remove(lab.redis.path)
    a.restart()
    sent = post_all(a, "without")
    assert a.metric("tocsin_redis_up") == 0
    good_again(lab)
    complete(lab, [*sent, *post_all(a, "with")])
    a.restart()
    complete(lab, sent)


def test_redis_and_processes_die_together(lab):
    """If this fails, two failures at once lose what each alone does not."""
    a, rng = lab["cert-a"], random.Random(15)
    sent = []
    for turn in itertools.count():
        o = indicator(f"together {turn}", f"[mutex:name = 'together {turn}']")
        a.insist("sensor", "advisories", o)
        sent.append(o)
        if turn == 12:
            break
        if turn % 3 == 0:
            lab.redis.kill()
        if turn % 3 == 1 and strike(a, rng):
            a.start()
        if turn % 3 == 2:
            lab.redis.start()
    if lab.redis.process is None:
        lab.redis.start()
    complete(lab, sent)
