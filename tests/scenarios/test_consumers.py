"""If this fails, nobody can say why a SIEM shows nothing: what a consumer asked and got is lost, or told wrong."""
import pytest

from lab import TAXII, Client, basic, indicator, laboratory, until

CONSUMERS = {name: ["relation own", "read *"] for name in ("siem", "looper", "steady", "idle", "hasty")}
CONSUMERS["client"] = ["relation client", "read *"]


def fill(n, count, start=0, tlp="green"):
    n.insist("sensor", "advisories", *[indicator(f"{tlp} {i}", f"[domain-name:value = '{tlp}{i}.example']", tlp=tlp)
                                       for i in range(start, start + count)])


@pytest.fixture(scope="module")
def node():
    with laboratory("cert-a", consumers=CONSUMERS, redis=False, limits="    repeats      5\n") as lab:
        fill(lab["cert-a"], 25)
        yield lab["cert-a"]


def status(n, name):
    return n.ask("consumer", "status", name, "--json")["consumers"][0]


def settled(n, name, **want):
    """The status once it says so: what a worker knows is written down within a second."""
    def fits():
        found = status(n, name)
        return found if all(found.get(k) == v for k, v in want.items()) else None
    try:
        return until(f"{name} to be {want}", fits)
    except AssertionError as e:
        raise AssertionError(f"{e}: {status(n, name)}") from None


def poll(n, who, query="", collection="advisories", **headers):
    """On a connection of its own: any worker may have it."""
    return n.request("GET", f"/api/collections/{collection}/objects/?{query}", who, headers=headers)


def test_never_seen_then_seen_at_once(node):
    """If this fails, `press Add, look here` does not work."""
    assert status(node, "idle")["state"] == "never seen"
    r = poll(node, "idle", **{"User-Agent": "Some SIEM/4.2 caf\xe9"})
    assert r.status == 200 and len(r.json["objects"]) == 25
    found = settled(node, "idle", pages=1, state="healthy")
    assert found["client"] == "Some SIEM/4.2 caf?" and found["remote"] == "127.0.0.1" and found["version"] == "2.1"
    assert found["objects"] == 25 and found["types"] == [{"type": "indicator", "objects": 25}] and found["bytes"] > 1000
    shown = node.run("consumer", "status", "idle", "--config", node.conf)
    assert shown.returncode == 0 and "25 objects in 1 pages" in shown.stdout
    assert "idle" in node.run("consumer", "status", "--config", node.conf).stdout
    assert node.run("consumer", "status", "nobody", "--config", node.conf).returncode == 2


def test_behind_and_then_healthy(node):
    """If this fails, it cannot be seen that a SIEM has fetched only a part."""
    r = poll(node, "steady", "limit=10")
    found = settled(node, "steady", pages=1, state="behind")
    assert found["waiting"] == 15 and "15 more objects of advisories wait" in found["words"]
    while r.json.get("more"):
        r = poll(node, "steady", "limit=10&next=" + r.json["next"])
    found = settled(node, "steady", pages=3, state="healthy")
    assert found["waiting"] == 0 and found["objects"] == 25 and found["repeats"] == 0
    last = r.headers["X-TAXII-Date-Added-Last"]
    for _ in range(6):              # nothing new: asked again and again, and no loop
        assert poll(node, "steady", "added_after=" + last).status == 200
    settled(node, "steady", pages=9, state="healthy", repeats=0)


def test_a_loop_is_seen_at_the_third_poll_and_slowed_down(node):
    """If this fails, a client that polls for ever costs the node and nobody knows."""
    for i in range(3):
        assert poll(node, "looper", "limit=10").status == 200
    found = settled(node, "looper", pages=3, state="looping")
    assert "asked the same 3 times" in found["words"] and found["objects"] == 30
    c = Client(node, "looper")      # on one connection: one worker
    answers = [c.get("/api/collections/advisories/objects/?limit=10") for _ in range(12)]
    slowed = [a for a in answers if a.status == 429]
    assert slowed and all(a.status == 200 for a in answers if a not in slowed)
    assert int(slowed[0].headers["Retry-After"]) >= 1 and "its cursor does not move" in slowed[0].json["description"]
    assert c.get("/api/collections/advisories/objects/?limit=11").status == 200     # another question is served
    c.close()
    found = until("the slowing down to be told", lambda: (lambda s: s if s["slowed"] == len(slowed) else None)(status(node, "looper")))
    assert found["repeats"] >= 2 and found["repeated_objects"] >= 20 and found["errors"] == 0
    assert node.metric('tocsin_consumer_slowed_total{consumer="looper"}') == len(slowed)
    assert node.metric('tocsin_consumer_state{consumer="looper",state="behind"}') == 1


def test_a_loop_over_all_workers_is_one(node):
    """If this fails, a client whose connections are spread over the workers looks healthy to each."""
    for _ in range(4):
        assert poll(node, "hasty").status == 200
    assert "25 objects" in settled(node, "hasty", pages=4, state="looping")["words"]


def test_withheld_is_counted_once_and_why(node):
    """If this fails, `how many does he not get, and why` is answered wrong."""
    fill(node, 7, tlp="amber+strict")
    for i in range(4):
        r = poll(node, "client", f"limit={20 + i}")
        while r.json.get("more"):
            r = poll(node, "client", "next=" + r.json["next"])
        settled(node, "client", pages=2 * i + 2 if "objects" in r.json else 2 * i + 1) if r.json else None
    found = status(node, "client")
    assert sum(w["objects"] for w in found["withheld"]) >= 7 and found["withheld"][0]["reason"]
    assert node.metric('tocsin_consumer_withheld_total{consumer="client"}') >= 7


def test_errors_are_told_in_words(node):
    """If this fails, the last error is in the log of a machine that the SOC cannot read."""
    assert poll(node, "siem", "added_after=yesterday").status == 400
    found = settled(node, "siem", state="failing", errors=1)
    assert found["error"].startswith("400 ") and "added_after" in found["error"]
    assert poll(node, "siem").status == 200
    settled(node, "siem", state="healthy")
    node.add_password("siem", "right")
    assert node.reload()
    wrong = poll(node, None, Authorization=basic("siem", "wrong"))
    assert wrong.status == 401
    found = settled(node, "siem", logins_failed=1, state="failing")
    assert found["login_failed_from"] == "127.0.0.1" and "its last login failed" in found["words"]
    assert poll(node, None, Authorization=basic("siem", "right")).status == 200
    settled(node, "siem", state="healthy", logins_failed=1)


def test_books_outlive_a_kill_and_a_restart():
    """If this fails, one restart hides what was sent."""
    with laboratory("cert-a", consumers=CONSUMERS, redis=False) as lab:
        n = lab["cert-a"]
        fill(n, 5)
        for _ in range(6):
            assert poll(n, "siem").status == 200
        before = settled(n, "siem", pages=6, objects=30, state="looping")
        n.kill()
        n.start()
        after = status(n, "siem")
        for member in ("pages", "objects", "bytes", "first", "last", "client", "types", "repeats", "state"):
            assert after[member] == before[member], member
        assert poll(n, "siem").status == 200
        settled(n, "siem", pages=7, objects=35)
        n.restart()                 # in order: nothing waits to be written
        assert status(n, "siem")["objects"] == 35
