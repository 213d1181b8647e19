"""Redis makes it fast and fair, the store makes it right: with Redis in any state, service goes on."""
import glob
import os
import subprocess
import threading

import pytest

from lab import free_port, indicator, laboratory, until

PASSWORD = "correct horse battery staple"
WORDS = ("canary-name-7151", "canary-host-7151.example", "canary-red-7151.example")


@pytest.fixture(scope="module")
def lab():
    meters = {"meter-2": ["relation own", "read *", "limit in 30/min burst 10"],
              "single": ["relation own", "read *", "limit in 6/min burst 1"]}
    with laboratory("cert-a", "cert-b", redis_password=PASSWORD, consumers=meters) as lab:
        yield lab


@pytest.fixture(autouse=True)
def redis_is_back(lab):
    """Every story begins with a Redis that both nodes use."""
    if lab.redis.process is None:
        lab.redis.start()
    lab.redis.resume()
    lab.redis.ask("REPLICAOF", "NO", "ONE")
    for n in lab.nodes.values():
        until(f"{n.name} to use Redis", lambda n=n: set(n.samples("tocsin_redis_up")) == {1})


def is_down(n):
    return n.metric("tocsin_redis_up") == 0


def complete(lab, sent):
    """All of it at cert-b, each version once."""
    b, wanted = lab["cert-b"], {(o["id"], o["modified"]) for o in sent}
    until("everything at cert-b", lambda: wanted <= set(b.versions("soc", "inbox-cert-a")))
    for n, collection in ((lab["cert-a"], "advisories"), (b, "inbox-cert-a")):
        got = n.versions("soc", collection)
        assert wanted <= set(got) and len(got) == len(set(got))


def some(word, n=20):
    return [indicator(f"{word} {i}", f"[mutex:name = '{word} {i}']") for i in range(n)]


def burst(lab, who="meter", n=24):
    """Alternating requests at both nodes; the statuses."""
    nodes = list(lab.nodes.values())
    return [nodes[i % 2].request("GET", "/api/collections/", who).status for i in range(n)]


def test_claims_are_made_in_redis(lab):
    """If this fails, nodes that share a store do each other's work twice."""
    a = lab["cert-a"]
    lab.redis.ask("FLUSHALL")
    seen = a.metric('tocsin_claims_total{answer="seen"}')
    o = indicator("claimed", "[mutex:name = 'claimed']")
    a.insist("sensor", "advisories", o)
    keys = lab.redis.ask("KEYS", "*").splitlines()
    assert [k for k in keys if k.startswith("tocsin:claim:")] and all(k.startswith("tocsin:") for k in keys)
    lives = {k: int(lab.redis.ask("PTTL", k)) for k in keys}     # -2: gone since it was listed; -1: for ever
    assert all(ms == -2 or 0 <= ms <= 7 * 86400 * 1000 for ms in lives.values()), lives
    a.insist("sensor", "advisories", o)
    assert a.metric('tocsin_claims_total{answer="seen"}') > seen
    complete(lab, [o])


def test_one_budget_for_two_nodes(lab):
    """If this fails, a client doubles its rate by asking both nodes."""
    lab.redis.ask("FLUSHALL")
    got = burst(lab, n=24)
    assert 10 <= got.count(200) <= 13 and got.count(200) + got.count(429) == 24
    r = lab["cert-b"].request("GET", "/api/collections/", "meter")
    assert r.status == 429 and int(r.headers["Retry-After"]) >= 1
    assert r.json["http_status"] == "429"
    assert lab["cert-a"].request("GET", "/api/collections/", "soc").status == 200, "another client has its own budget"


def test_a_killed_redis_changes_nothing_but_fairness(lab):
    """If this fails, the gateway is down whenever Redis is."""
    a, sent = lab["cert-a"], []
    for o in some("killed before", 5):
        a.insist("sensor", "advisories", o)
        sent.append(o)
    lab.redis.kill()
    for o in some("killed while"):
        r = a.post("sensor", "advisories", o)
        assert r.status == 202, (r.status, r.body)
        sent.append(o)
    until("both nodes to notice", lambda: all(map(is_down, lab.nodes.values())))
    got = burst(lab, "meter-2", 40)
    assert 429 in got and 6 <= got.count(200) <= 14, "neither unlimited nor closed"
    assert a.request("GET", "/api/collections/", "single").status == 200, "half of one is not none"
    # a worker that few came to has spent less
    assert burst(lab, "meter", 16).count(200) <= 4, "what was spent with Redis is spent"
    lab.redis.start()
    for n in lab.nodes.values():
        until("the way back", lambda n=n: not is_down(n))
    sent += some("killed after", 5)
    a.insist("sensor", "advisories", *sent[-5:])
    a.insist("sensor", "advisories", *sent[:5])     # the empty Redis does not know them, the store does
    complete(lab, sent)


def test_a_redis_that_hangs_costs_a_moment_not_the_service(lab):
    """If this fails, a stuck Redis makes every request wait."""
    a, b = lab["cert-a"], lab["cert-b"]
    lab.redis.pause()
    try:
        sent = some("paused")
        for o in sent:
            r = a.post("sensor", "advisories", o)
            assert r.status == 202, (r.status, r.body)
        assert b.request("GET", "/api/collections/indicators/objects/?limit=1", "soc").status == 200
        until("the circuit to open", lambda: is_down(a))
    finally:
        lab.redis.resume()
    complete(lab, sent)


def test_a_flushed_redis_forgets_and_nothing_else_does(lab):
    """If this fails, an administrator's FLUSHALL doubles what partners get."""
    a, sent, stop = lab["cert-a"], [], threading.Event()

    def flush():
        while not stop.is_set():
            lab.redis.ask("FLUSHALL")
    flusher = threading.Thread(target=flush)
    flusher.start()
    try:
        for o in some("flushed"):
            a.insist("sensor", "advisories", o)
            a.insist("sensor", "advisories", o)
            sent.append(o)
    finally:
        stop.set()
        flusher.join()
    complete(lab, sent)


def test_a_read_only_redis_is_as_good_as_none(lab):
    """If this fails, a fail-over of Redis stops the gateway."""
    a = lab["cert-a"]
    lab.redis.ask("REPLICAOF", "127.0.0.1", "1")
    until("redis to refuse writes", lambda: lab.redis.ask("SET", "x", "y").startswith("READONLY"))
    sent = some("readonly")
    for o in sent:
        r = a.post("sensor", "advisories", o)
        assert r.status == 202, (r.status, r.body)
    lab.redis.ask("REPLICAOF", "NO", "ONE")
    complete(lab, sent)


def test_a_full_redis_is_as_good_as_none(lab):
    """If this fails, somebody else's keys in Redis stop the gateway."""
    a = lab["cert-a"]
    lab.redis.ask("CONFIG", "SET", "maxmemory", "1")
    try:
        sent = some("full")
        for o in sent:
            assert a.post("sensor", "advisories", o).status == 202
    finally:
        lab.redis.ask("CONFIG", "SET", "maxmemory", "0")
    complete(lab, sent)


def test_redis_dies_and_returns_while_everybody_writes(lab):
    """If this fails, a flapping Redis loses or doubles advisories."""
    a, sent, stop, trouble = lab["cert-a"], [], threading.Event(), []

    def write():
        i = 0
        try:
            while not stop.is_set():
                o = indicator(f"flap {i}", f"[mutex:name = 'flap {i}']")
                a.insist("sensor", "advisories", o)
                sent.append(o)
                i += 1
        except AssertionError as e:
            trouble.append(e)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(4):
            goal = len(sent) + 15
            until("some to go through", lambda: len(sent) >= goal or trouble)
            lab.redis.kill()
            goal = len(sent) + 15
            until("some to go through without it", lambda: len(sent) >= goal or trouble)
            lab.redis.start()
    finally:
        stop.set()
        writer.join()
    assert not trouble, trouble
    complete(lab, sent)


def test_nothing_of_an_advisory_is_in_redis(lab):
    """If this fails, who reads Redis reads advisories, and RED ones too."""
    a, redis = lab["cert-a"], lab.redis
    redis.ask("FLUSHALL")
    name, host, red_host = WORDS
    red = indicator("red canary", f"[domain-name:value = '{red_host}']", tlp="red")
    amber = indicator(name, f"[domain-name:value = '{host}']")
    a.insist("sensor", "advisories", red)
    assert not [k for k in redis.ask("KEYS", "*").splitlines() if not is_budget(k)], "a claim of a RED object"
    a.insist("sensor", "advisories", amber)
    complete(lab, [amber])
    keys = redis.ask("KEYS", "*").splitlines()
    assert [k for k in keys if not is_budget(k)], "a claim of the other one"
    redis.ask("CONFIG", "SET", "rdbcompression", "no")
    redis.ask("SAVE")
    dump = b"".join(open(p, "rb").read() for p in glob.glob(os.path.join(redis.folder, "*.rdb")))
    assert dump.startswith(b"REDIS")
    everything = dump + b"".join(k.encode() + redis.ask_raw("DUMP", k) for k in keys)
    for word in (*WORDS, amber["id"], red["id"], amber["id"][-12:], "sensor", "cert-b", "soc"):
        assert word.encode() not in everything, f"{word} is in Redis"


def is_budget(key):
    """A bucket of the limiter: the requests themselves are counted there, not what they carry."""
    return key.startswith("tocsin:rate:")


def test_a_wrong_password_is_as_good_as_no_redis(lab):
    """If this fails, a changed password stops the gateway, or Redis is open to anybody."""
    a = lab["cert-a"]
    assert "NOAUTH" in os.popen(f"redis-cli -s {lab.redis.path} KEYS '*' 2>&1").read()
    with open(a.file("keys", "redis.password"), "w", encoding="utf-8") as f:
        f.write("wrong\n")
    try:
        a.restart()
        sent = some("wrong password", 5)
        for o in sent:
            assert a.post("sensor", "advisories", o).status == 202
        assert is_down(a)
    finally:
        with open(a.file("keys", "redis.password"), "w", encoding="utf-8") as f:
            f.write(PASSWORD + "\n")
    a.restart()
    until("the right password", lambda: not is_down(a))
    complete(lab, sent)
    assert PASSWORD not in a.log() and "wrong" not in [w for w in a.log().split() if "password" in w.lower()]


def test_a_node_stops_while_redis_hangs(lab):
    """If this fails, a stuck Redis keeps a node from being stopped, or crashes it on the way out."""
    a, b = lab["cert-a"], lab["cert-b"]
    for turn in range(3):
        o = indicator(f"hangs {turn}", f"[mutex:name = 'hangs {turn}']")
        a.insist("sensor", "advisories", o)
        lab.redis.pause()
        threads = [threading.Thread(target=quietly, args=(a, indicator(f"hanging {turn} {i}", "[mutex:name = 'h']")))
                   for i in range(5)]
        for t in threads:
            t.start()
        until("work that waits for Redis", lambda: a.metric("tocsin_http_connections") >= 1
              or not any(t.is_alive() for t in threads))
        status = a.stop()
        lab.redis.resume()
        for t in threads:
            t.join()
        assert status == 0, a.log()[-2000:]
        a.start()
        until("it at cert-b", lambda o=o: o["id"] in b.ids("soc", "inbox-cert-a"))


def quietly(node, o):
    try:
        node.post("sensor", "advisories", o)
    except OSError:
        pass


def test_redis_over_tls(tmp_path):
    """If this fails, claims and budgets cross the network in the clear, or not at all."""
    with laboratory("cert-a", "cert-b", redis=False) as lab:
        a, b = lab["cert-a"], lab["cert-b"]
        port = free_port()
        ca, other = a.file("tls", "ca.crt"), b.file("tls", "ca.crt")
        server = subprocess.Popen(["redis-server", "--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1", "--save", "",
                                   "--tls-cert-file", a.file("tls", "node.crt"), "--tls-key-file", a.file("tls", "node.key"),
                                   "--tls-ca-cert-file", ca, "--tls-auth-clients", "no", "--dir", str(tmp_path)],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            def cli(*words):
                return subprocess.run(["redis-cli", "-p", str(port), "--tls", "--cacert", ca, *words],
                                      capture_output=True, text=True, timeout=10, check=False).stdout
            until("redis over TLS", lambda: "PONG" in cli("PING"))
            for n, trusted in ((a, ca), (b, other)):
                with open(n.conf, encoding="utf-8") as f:
                    text = f.read()
                with open(n.conf, "w", encoding="utf-8") as f:
                    f.write(text.replace("limits\n", f"redis rediss://127.0.0.1:{port}\n    ca {trusted}\n\nlimits\n", 1))
                n.restart()
            until("cert-a to use Redis", lambda: set(a.samples("tocsin_redis_up")) == {1})
            sent = [indicator(f"tls {i}", f"[mutex:name = 'tls {i}']") for i in range(5)]
            a.insist("sensor", "advisories", *sent)
            assert "tocsin:claim:" in cli("KEYS", "*")
            until("them at cert-b", lambda: {o["id"] for o in sent} <= set(b.ids("soc", "inbox-cert-a")))
            assert b.metric("tocsin_redis_up") == 0, "a certificate of a CA that it does not trust"
        finally:
            server.kill()
            server.wait()
