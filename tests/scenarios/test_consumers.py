"""If this fails, nobody can say why a SIEM shows nothing: what a consumer asked and got is lost, or told wrong."""
import datetime
import json
import os
import signal
import sqlite3

import pytest

from lab import ONE, Client, basic, indicator, laboratory, until

CONSUMERS = {name: ["relation own", "read *"] for name in ("siem", "looper", "steady", "idle", "hasty")}
CONSUMERS["client"] = ["relation client", "read *"]


def fill(n, count, start=0, tlp="green"):
    n.insist("sensor", "advisories", *[indicator(f"{tlp} {i}", f"[domain-name:value = '{tlp}{i}.example']", tlp=tlp)
                                       for i in range(start, start + count)])


def with_clients(lab):
    for n in lab.nodes.values():
        with open(n.file("trust.conf"), "a", encoding="utf-8") as f:
            f.write("\nrelease clients\n    object     tlp clear green\n    to         relation client\n")


@pytest.fixture(scope="module")
def node():
    with laboratory("cert-a", consumers=CONSUMERS, redis=False, limits="    repeats      5\n", trust=with_clients) as lab:
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


def notes(n, space, name):
    """What is in the store: what is only in a worker's memory is lost with a kill."""
    db = sqlite3.connect(f"file:{n.file('state', 'tocsin.db')}?mode=ro", uri=True)
    try:
        return [text for text, in db.execute("SELECT text FROM note WHERE space = ? AND name LIKE ?", (space, name + " %"))]
    finally:
        db.close()


def written(n, name, member):
    """The sum of that over the books of all workers."""
    return sum(json.loads(text)[member] for text in notes(n, "consumer", name))


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
    pages = 0
    for i in range(4):              # from the start each time, over all workers
        r, pages = poll(node, "client", f"limit={20 + i}"), pages + 1
        while r.json.get("more"):
            r, pages = poll(node, "client", "next=" + r.json["next"]), pages + 1
        assert len(r.json["objects"]) == 5 - i
        found = settled(node, "client", pages=pages)
        withheld = {w["reason"]: w["objects"] for w in found["withheld"]}
        assert list(withheld) == ["NO_RELEASE"] and 7 <= withheld["NO_RELEASE"] <= 14, "once, at most once a worker"
    assert node.metric('tocsin_consumer_withheld_total{consumer="client"}') == withheld["NO_RELEASE"]


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
        until("the books to be written down", lambda: written(n, "siem", "pages") == 6)
        n.kill()
        n.start()
        after = status(n, "siem")
        for member in ("pages", "objects", "bytes", "first", "last", "client", "types", "repeats", "state"):
            assert after[member] == before[member], member
        assert poll(n, "siem").status == 200
        settled(n, "siem", pages=7, objects=35)
        n.restart()                 # in order: nothing waits to be written
        assert status(n, "siem")["objects"] == 35


MARKED = {**CONSUMERS, "zero": ["relation own", "read *", "bookmark yes"], "two": ["relation own", "read *", "bookmark yes"]}


@pytest.fixture(scope="module")
def marked():
    with laboratory("cert-a", consumers=MARKED, redis=False) as lab:
        fill(lab["cert-a"], 25)
        yield lab["cert-a"]


def names(answer):
    return [o["name"] for o in answer.json.get("objects", [])]


def drain(n, who, query, connect=True, most=20):
    """Ask the same again and again, as a client without a cursor does, until nothing comes."""
    seen = []
    for _ in range(most):
        r = poll(n, who, query)
        assert r.status == 200, r.body
        if not names(r):
            return seen
        seen += names(r)
    raise AssertionError(f"no end: {len(seen)} objects")


def bookmark_settles(n, who, query):
    """Until every worker knows that it has all."""
    until(f"{who} to have all", lambda: all(not names(poll(n, who, query)) for _ in range(4)))


def test_a_client_without_cursor_gets_everything_once(marked):
    """If this fails, a client that always asks from the start never gets anything new, or never stops."""
    c = Client(marked, "zero")
    path = "/api/collections/advisories/objects/?limit=10&added_after=1970-01-01T00:00:00Z"
    answers = [c.get(path) for _ in range(4)]
    assert [len(names(a)) for a in answers] == [10, 10, 5, 0], "on one connection nothing comes twice"
    assert len({x for a in answers for x in names(a)}) == 25
    fill(marked, 3, start=100)
    assert names(c.get(path)) == ["green 100", "green 101", "green 102"] and not names(c.get(path))
    c.close()
    bookmark_settles(marked, "zero", "limit=10&added_after=1970-01-01T00:00:00Z")
    # whatever it says, also of the future; and a question of its own for one object is no poll
    fill(marked, 1, start=200)
    assert names(poll(marked, "zero", "added_after=2090-01-01T00:00:00Z")) == ["green 200"]
    one = indicator("green 3", "x")["id"]
    assert names(poll(marked, "zero", f"match[id]={one}")) == ["green 3"]
    assert len(poll(marked, "zero", "match[type]=indicator&limit=100").json["objects"]) >= 29, "other filters, other place"


def test_next_works_within_a_walk_and_manifests_move_nothing(marked):
    """If this fails, an ordinary client is broken by its bookmark."""
    path = "/api/collections/advisories/"
    manifest = marked.request("GET", path + "manifest/?limit=50", "two")
    assert len(manifest.json["objects"]) >= 25
    all_names = [o["name"] for o in marked.objects("siem", "advisories")]
    seen, r = [], poll(marked, "two", "limit=10")
    while True:
        seen += names(r)
        if not r.json.get("more"):
            break
        r = poll(marked, "two", f"limit=10&added_after=2090-01-01T00:00:00Z&next={r.json['next']}")
    assert seen == all_names
    bookmark_settles(marked, "two", "limit=10")
    # an answer that never arrived moves nothing
    head = marked.request("HEAD", path + "objects/?limit=10", "two")
    assert head.status == 200
    fill(marked, 2, start=300)
    marked.request("HEAD", path + "objects/?limit=10", "two")
    assert names(poll(marked, "two", "limit=10")) == ["green 300", "green 301"]


def test_a_bookmark_outlives_a_kill_and_can_be_reset(marked):
    """If this fails, a crash makes a SIEM pay for everything again, or nobody can bring it back."""
    drain(marked, "zero", "added_after=1970-01-01T00:00:00Z", most=60)
    last = marked.request("GET", "/api/collections/advisories/manifest/?limit=500", "siem").headers["X-TAXII-Date-Added-Last"]
    last_us = round(datetime.datetime.fromisoformat(last.replace("Z", "+00:00")).timestamp() * 1_000_000)
    until("the bookmark to be on disk", lambda: f"{last_us}" in [text.split()[1] for text in notes(marked, "bookmark", "zero")])
    marked.kill()
    marked.start()
    assert not names(poll(marked, "zero", "added_after=1970-01-01T00:00:00Z"))
    done = marked.run("consumer", "reset", "zero", "--from", "start", "--collection", "advisories", "--config", marked.conf)
    assert done.returncode == 0 and "from the start in 1 collection: advisories" in done.stdout, done.stdout + done.stderr
    every = [o["name"] for o in marked.objects("siem", "advisories")]
    assert names(poll(marked, "zero", "limit=500")) == every
    bookmark_settles(marked, "zero", "limit=500")
    manifest = marked.request("GET", "/api/collections/advisories/manifest/?limit=500", "siem").json["objects"]
    done = marked.run("consumer", "reset", "zero", "--from", manifest[-3]["date_added"], "--config", marked.conf)
    assert done.returncode == 0, done.stderr
    assert names(poll(marked, "zero", "limit=500")) == every[-2:]
    for words in (["zero"], ["zero", "--from", "soon"], ["nobody", "--from", "start"], ["zero", "--from", "start", "--collection", "x"]):
        assert marked.run("consumer", "reset", *words, "--config", marked.conf).returncode == 2, words


def test_reset_brings_back_a_consumer_without_bookmark(marked):
    """If this fails, the only way to send history again is a new consumer."""
    r = poll(marked, "steady", "limit=500")
    every, last = names(r), r.headers["X-TAXII-Date-Added-Last"]
    assert not names(poll(marked, "steady", "added_after=" + last))
    assert marked.ask("consumer", "reset", "steady", "--from", "start")["bookmark"] is False
    # a client that sends both; the walk is served whole
    r = poll(marked, "steady", f"limit=10&added_after={last}")
    seen = names(r)
    while r.json.get("more"):
        r = poll(marked, "steady", f"limit=10&added_after={last}&next={r.json['next']}")
        seen += names(r)
    assert seen == every
    bookmark_settles(marked, "steady", "added_after=" + last)   # its own cursor counts again
    assert names(poll(marked, "steady", "added_after=" + last.replace("Z", "") + "Z")) == []
    assert names(poll(marked, "looper", "limit=500")) == every, "nobody else is concerned"


def test_revoke_takes_the_secrets_away(marked):
    """If this fails, a stolen token works for ever."""
    assert poll(marked, "idle").status == 200
    assert marked.run("consumer", "revoke", "idle", "--config", marked.conf).returncode == 0
    assert marked.run("consumer", "revoke", "idle", "--config", marked.conf).returncode == 1
    assert marked.reload()
    assert poll(marked, "idle").status == 401 and poll(marked, "siem").status == 200
    assert marked.run("consumer", "show", "idle", "--config", marked.conf).returncode == 0



@pytest.mark.skipif(bool(ONE), reason="about the process that writes the store")
def test_a_dead_storekeeper_costs_no_page_and_no_book(marked):
    """If this fails, what a consumer got is forgotten because another process died."""
    pid = next(p["pid"] for p in marked.ask("status")["processes"] if p["kind"] == "storekeeper")
    before = status(marked, "hasty")["pages"]
    os.kill(pid, signal.SIGKILL)
    for i in range(3):
        assert poll(marked, "hasty", f"limit={i + 1}").status == 200
    until("the books to be written down", lambda: poll(marked, "hasty", "limit=9").status == 200 and
          written(marked, "hasty", "pages") >= before + 3)
    drain(marked, "two", "limit=500")
    bookmark_settles(marked, "two", "limit=500")
