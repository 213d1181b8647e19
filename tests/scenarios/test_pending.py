"""Large POSTs that are answered first and worked off afterwards: status resources that are true in every state, whatever
dies meanwhile.
"""
import datetime
import errno
import json
import os
import random
import signal

import pytest

from faults import Faults, family, is_alive, kill_all, strike
from lab import ONE, TAXII, TLP, indicator, laboratory, stix_id, until

LIMITS = "    body         128m\n    pending-over 64k\n    objects      400000"
OBJECTS = "/api/collections/advisories/objects/"
SIX = {"id", "status", "request_timestamp", "total_count", "success_count", "failure_count", "pending_count"}


@pytest.fixture(scope="module")
def lab():
    with laboratory("cert-p", limits=LIMITS, redis=False, extra="collection doomed\n", consumers={
            "both": ["relation own", "read *", "write *"], "other": ["relation own", "read *", "write *"]}) as made:
        yield made


@pytest.fixture(scope="module")
def node(lab):
    return lab["cert-p"]


def check(status, total=None):
    """What MISP's library and taxii2-client look at, and what the standard says; returns the status."""
    assert SIX <= set(status), status.keys()
    counted = [status[k] for k in ("success_count", "failure_count", "pending_count")]
    assert min(counted) >= 0 and sum(counted) == status["total_count"], counted
    for name, count in zip(("successes", "failures", "pendings"), counted):
        if name in status:
            assert status[name] and len(status[name]) == count
            assert all({"id", "version"} <= set(x) for x in status[name])
    assert status["status"] in ("pending", "complete")
    if status["status"] == "complete":
        assert status["pending_count"] == 0
        assert len(status.get("successes", [])) == status["success_count"]
        assert len(status.get("failures", [])) == status["failure_count"]
        assert all(x["message"] for x in status.get("failures", []))
    if total is not None:
        assert status["total_count"] == total
    return status


def envelope(name, n, size=0, more=()):
    objects = [indicator(f"{name} {i}", f"[mutex:name = '{name} {i}']", description="x" * size) for i in range(n)]
    return json.dumps({"objects": objects + list(more)}, separators=(",", ":"))


def ids(name, n):
    return [stix_id("indicator", f"{name} {i}") for i in range(n)]


def ask(node, status_id, who="both"):
    return node.request("GET", f"/api/status/{status_id}/", who)


def finished(node, status_id, total):
    """Poll as a client does, through restarts; every answer on the way is checked, and nothing goes backwards."""
    seen = [0]

    def once():
        try:
            r = ask(node, status_id)
        except OSError:
            return None
        if r.status in (502, 503):
            return None
        assert r.status == 200, r.body
        s = check(r.json, total)
        done = s["success_count"] + s["failure_count"]
        assert done >= seen[0]
        seen[0] = done
        return s if s["status"] == "complete" else None
    return until("the status to be complete", once, seconds=120)


def post(node, body, who="both"):
    r = node.request("POST", OBJECTS, who, body)
    return r


SINCE = [""]


@pytest.fixture(autouse=True)
def begin():
    """What a story looks at came after it began."""
    SINCE[0] = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def stored(node, name, collection="advisories"):
    rows = node.objects("both", collection, f"match[version]=all&added_after={SINCE[0]}", limit=1000)
    return [o["id"] for o in rows if o.get("name", "").startswith(name + " ")]


def pending_files(node):
    return os.listdir(node.file("state", "bodies", "pending"))


def test_large_post_is_answered_first(node):
    """If this fails, a client that sends much is kept waiting, or its status lies, or is another client's to read."""
    body = envelope("first", 3000)
    r = post(node, body)
    assert r.status == 202
    s = check(r.json, 3000)
    assert s["status"] == "pending" and s["pending_count"] == 3000
    assert ask(node, s["id"], "other").status == 404
    done = finished(node, s["id"], 3000)
    assert done["success_count"] == 3000 and done["request_timestamp"] == s["request_timestamp"]
    assert [x["id"] for x in done["successes"]] == ids("first", 3000)
    assert sorted(stored(node, "first")) == sorted(ids("first", 3000))
    # it never changes again, and its bytes are gone
    assert ask(node, s["id"]).json == done
    assert ask(node, s["id"], "other").status == 404
    until("the body to be gone", lambda: not pending_files(node))
    assert node.metric("tocsin_pending_envelopes") == 0


def mixture(name, fill):
    """One of everything that can become of an element, among `fill` good ones; they stand in two parts at least."""
    twice = indicator(f"{name} twice", "[mutex:name = 'twice']")
    other = dict(twice, name=f"{name} twice, otherwise")
    known = indicator(f"{name} known", "[mutex:name = 'known']")
    clash = indicator(f"{name} clash", "[mutex:name = 'clash']")
    address = {"type": "ipv4-addr", "id": stix_id("ipv4-addr", name), "value": "192.0.2.7"}
    odd = [7, {}, {"type": "tool"}, {"type": "tool", "id": "tool--x"}, {"type": "", "id": "--"},
           dict(indicator(f"{name} time", "[mutex:name = 'time']"), modified="yesterday"), {"type": "bundle", "id": "bundle--x"}]
    objects = [indicator(f"{name} {i}", f"[mutex:name = '{name} {i}']", description="y" * 60) for i in range(fill)]
    for i, o in enumerate([twice, odd[0], known, twice, odd[1], other, address, odd[2], clash, odd[3], odd[4], address, odd[5], odd[6]]):
        objects.insert(i * fill // 13, o)
    return known, dict(clash, name="it was otherwise"), objects


def verdicts(status):
    """In words that do not depend on dates and places."""
    return ([(x["id"], x["version"][:4], x.get("message")) for x in status.get("successes", [])],
            [(x["id"], x["version"], x["message"].split(":")[0]) for x in status.get("failures", [])])


def test_mixture_says_of_each_what_became_of_it(node):
    """If this fails, a client believes that something is stored which is not, or the other way round, as soon as it sends much."""
    known, clash, objects = mixture("mix", 2600)
    assert node.post("both", "advisories", known, clash).json["success_count"] == 2
    big = post(node, json.dumps({"objects": objects}))
    assert big.status == 202 and big.json["status"] == "pending"
    done = finished(node, big.json["id"], len(objects))
    # what a client learns that sends the same in the usual way to a node that has never seen it
    with laboratory("cert-q", limits="    pending-over 0", redis=False, consumers={"both": ["relation own", "read *", "write *"]}) as lab:
        assert lab["cert-q"].post("both", "advisories", known, clash).json["success_count"] == 2
        usual = check(lab["cert-q"].request("POST", OBJECTS, "both", {"objects": objects}).json, len(objects))
        assert usual["status"] == "complete"
        assert verdicts(done) == verdicts(usual)
        words = {x["message"].split(":")[0] for x in done["failures"]}
        assert words >= {"VERSION_CONFLICT", "BAD_OBJECT", "MISSING_PROPERTY", "BAD_ID", "BAD_TIMESTAMP", "NESTED_BUNDLE"}
        here, there = (sorted(n.versions("both", "advisories")) for n in (node, lab["cert-q"]))
        assert [v for v in here if v in set(there)] == there and len(set(here)) == len(here)


@pytest.mark.parametrize("body,status", [
    (b"nonsense", 400), (b"{", 400), (b'{"objects": [%s]} x', 400), (b'{"objects": [%s, {"a": {"b": 1, "b": 2}}]}', 400),
    (b'{"objects": [%s, {"a": "\xff"}]}', 400), (b'{"objects": [%s, {"a": "\\ud800"}]}', 422), (b'{"Objects": [%s]}', 422),
    (b'{"objects": {"a": %s}}', 422), (b'{"objects": [%s, ' + b"[" * 200 + b"]" * 200 + b"]}", 422), (b"[%s]", 422),
    (b'{"objects": []}', 422),
])
def test_what_is_no_envelope_is_refused_at_once(node, body, status):
    """If this fails, a client whose document is broken is told that all is well, and learns it too late or never."""
    before = node.versions("both", "advisories")
    body = body.replace(b"%s", json.dumps(indicator("no envelope", "[mutex:name = 'none']", description="z" * 70000)).encode())
    r = post(node, body + b" " * 70000)
    assert r.status == status, r.body
    assert r.headers["Content-Type"] == TAXII
    assert node.versions("both", "advisories") == before and pending_files(node) == []
    assert node.metric("tocsin_pending_envelopes") == 0


def send_until_taken(node, body):
    """As a client that gets no answer, or 503: again. The status that it was given in the end."""
    def once():
        try:
            r = post(node, body)
        except OSError:
            return None
        if r.status == 503:
            assert int(r.headers["Retry-After"]) >= 1
            return None
        assert r.status == 202, r.body
        return check(r.json)
    return until("the envelope to be taken", once)


POINTS = ["counted", "kept", "opened", "resumed", "removed", "parsed:2", "claimed:2", "admitted:3", "routed:3", "committing:2",
          "committed:1", "committed:3", "confirmed:2"]


@pytest.mark.parametrize("alone", ["", "1"])
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_every_step(node, point, alone):
    """If this fails, a power cut, or the death of one process, at the wrong moment loses objects that were promised, or counts
    them twice."""
    if alone and ONE:
        pytest.skip("there is but one process")
    name = f"crash {point} {alone}"
    body, n = envelope(name, 3500), 3500
    node.restart(TOCSIN_CRASH_AT=point, **({"TOCSIN_CRASH_ONLY": "1"} if alone else {}))
    status = None
    try:
        r = post(node, body)
        status = r.json if r.status == 202 else None
    except OSError:
        pass
    if not alone:
        assert node.gone() == -signal.SIGKILL
        node.start()
    if status is None:
        status = send_until_taken(node, body)
    done = finished(node, status["id"], n)
    assert done["success_count"] == n
    assert sorted(stored(node, name)) == sorted(ids(name, n)), "each once"
    # whoever else had no answer: nothing of it stays unfinished
    until("nothing to be pending", lambda: node.metric("tocsin_pending_envelopes") == 0 and pending_files(node) == [])
    node.restart()
    assert pending_files(node) == [] and ask(node, status["id"]).json == done


def test_killed_at_any_time(node):
    """If this fails, 50 MB that were promised come in with holes, or twice, when processes die again and again."""
    rng, n = random.Random(20261122), 60000
    body = envelope("any time", n, size=420)
    assert len(body) > 50 << 20 or len(body) > 45_000_000
    node.restart()
    status = send_until_taken(node, body)
    grown, last, struck = set(), 0, 0

    def progress():
        try:
            r = ask(node, status["id"])
        except OSError:
            return None
        return check(r.json, n) if r.status == 200 else None
    while struck < 12:
        s = until("an answer", progress)
        done = s["success_count"] + s["failure_count"]
        assert done >= last, "it went backwards"
        grown.add(done)
        if s["status"] == "complete":
            break
        if done == last and struck:
            continue            # let it move between two strikes
        last = done
        if struck == 6:
            kill_all(node)
            node.start()
        elif strike(node, rng):
            node.start()
        struck += 1
    done = finished(node, status["id"], n)
    assert done["success_count"] == n and len(grown) > 3 and struck >= 3, (len(grown), struck)
    assert [x["id"] for x in done["successes"]] == ids("any time", n)
    got = stored(node, "any time")
    assert len(got) == n and set(got) == set(ids("any time", n))
    node.verify_audit()


def hold(node, kind):
    """Stop the processes of a kind; they go on when somebody lets them."""
    pids = [p["pid"] for p in node.ask("status")["processes"] if p["kind"] == kind]
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    return pids


def let_go(pids):
    for pid in pids:
        if is_alive(pid):
            os.kill(pid, signal.SIGCONT)


def test_answer_waits_for_the_count(node):
    """If this fails, a status gives a number of objects that nobody has counted."""
    if ONE:
        pytest.skip("there is nobody to stop")
    node.restart()
    body = envelope("held", 2500).encode()
    held = hold(node, "translator")
    try:
        with node.connect() as c:
            c.sendall(f"POST {OBJECTS} HTTP/1.1\r\nHost: x\r\nAccept: {TAXII}\r\nContent-Type: {TAXII}\r\nAuthorization: Bearer "
                      f"{node.tokens['both']}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            until("the body to be there", lambda: node.metric("tocsin_translations_waiting") == 1)
            assert pending_files(node) == [] and node.metric("tocsin_pending_envelopes") == 0
            let_go(held)
            answer = b""
            while b"}" not in answer:
                answer += c.recv(65536)
        status = check(json.loads(answer[answer.index(b"{"):]), 2500)
        assert finished(node, status["id"], 2500)["success_count"] == 2500
    finally:
        let_go(held)


def test_a_full_house_says_so(node):
    """If this fails, clients fill the disk with what nobody has worked off, or what was promised to one makes another wait for ever."""
    if ONE:
        pytest.skip("the storekeeper cannot be stopped alone")
    node.lab.limits = LIMITS + "\n    pending-bodies 1"
    node.lab.write_conf(node)
    node.restart()
    first = post(node, envelope("house 1", 12000))
    held = hold(node, "storekeeper")
    try:
        s = check(ask(node, first.json["id"]).json, 12000)
        assert s["status"] == "pending", "it was stopped in the middle"
        r = post(node, envelope("house 2", 2500))
        assert r.status == 503 and int(r.headers["Retry-After"]) >= 1, r.body
        assert len(pending_files(node)) == 1
    finally:
        let_go(held)
    assert finished(node, first.json["id"], 12000)["success_count"] == 12000
    second = send_until_taken(node, envelope("house 2", 2500))
    assert finished(node, second["id"], 2500)["success_count"] == 2500
    node.lab.limits = LIMITS
    node.lab.write_conf(node)
    node.restart()


def change(node, name, old, new):
    with open(node.file(name), encoding="utf-8") as f:
        text = f.read()
    assert old in text, name
    with open(node.file(name), "w", encoding="utf-8") as f:
        f.write(text.replace(old, new))
    return text


def in_the_middle(node, name, n, act):
    """Post, let it begin, do something while the storekeeper stands still; the status and how far it was."""
    r = post(node, envelope(name, n))
    assert r.status == 202, r.body
    held = [] if ONE else hold(node, "storekeeper")
    try:
        before = check(ask(node, r.json["id"]).json, n)
        act()
    finally:
        let_go(held)
    return r.json["id"], before


def test_reload_in_the_middle(node):
    """If this fails, a reload loses what was promised."""
    if ONE:
        pytest.skip("the storekeeper cannot be stopped alone")
    n = 15000
    status, before = in_the_middle(node, "reload", n, lambda: node.process.send_signal(signal.SIGHUP))
    assert before["status"] == "pending"
    assert finished(node, status, n)["success_count"] == n
    assert sorted(stored(node, "reload")) == sorted(ids("reload", n))


@pytest.mark.parametrize("what", ["sender", "right", "collection"])
def test_taken_away_in_the_middle(node, what):
    """If this fails, who may not write any more still does, or is never told what became of the rest."""
    if ONE:
        pytest.skip("the storekeeper cannot be stopped alone")
    n = 20000
    name, file = f"away {what}", "tocsin.conf" if what == "collection" else "trust.conf"
    node.restart()
    path = "/api/collections/doomed/objects/"
    r = node.request("POST", path, "both", envelope(name, n))
    assert r.status == 202, r.body
    held = hold(node, "storekeeper")
    before = check(ask(node, r.json["id"]).json, n)
    assert before["status"] == "pending"
    if what == "sender":
        text = change(node, file, "consumer both", "consumer nobody")
    elif what == "right":
        with open(node.file(file), encoding="utf-8") as f:
            text = f.read()
        head, tail = text.split("consumer both", 1)
        with open(node.file(file), "w", encoding="utf-8") as f:
            f.write(head + "consumer both" + tail.replace("write *", "write advisories", 1))
    else:
        text = change(node, file, "\ncollection doomed\n", "\n")
    reloaded = node.metric('tocsin_reloads_total{result="done"}')
    node.process.send_signal(signal.SIGHUP)
    let_go(held)
    until("the reload", lambda: node.metric('tocsin_reloads_total{result="done"}') > reloaded)
    until("nothing to be pending", lambda: node.metric("tocsin_pending_envelopes") == 0)
    with open(node.file(file), "w", encoding="utf-8") as f:
        f.write(text)
    assert node.reload()
    done = finished(node, r.json["id"], n)
    assert done["success_count"] >= before["success_count"]
    if done["failure_count"]:       # else it was quicker than the reload
        assert {x["message"].split(":")[0] for x in done["failures"]} == {"NOT_ALLOWED"}
        assert {x["id"] for x in done["failures"]} == {"unknown"}
    assert sorted(stored(node, name, "doomed")) == sorted(x["id"] for x in done.get("successes", []))


def test_stopped_in_the_middle(node):
    """If this fails, a restart loses what was promised, or a node waits until all of it is done before it stops."""
    n = 20000
    r = post(node, envelope("stopped", n))
    assert r.status == 202
    assert node.stop() == 0, node.log()[-3000:]
    assert pending_files(node) == [r.json["id"]]
    node.start()
    assert finished(node, r.json["id"], n)["success_count"] == n
    assert sorted(stored(node, "stopped")) == sorted(ids("stopped", n))


def test_upgraded_in_the_middle(node):
    """If this fails, an upgrade loses what was promised, or two generations of workers count it twice."""
    if ONE:
        pytest.skip("the whole node is one process")
    n = 20000
    before = node.log().count("ev=upgrade.done")
    r = post(node, envelope("upgraded", n))
    assert r.status == 202
    done = node.run("upgrade", "--config", node.conf)
    assert done.returncode == 0, done.stdout + done.stderr
    until("the new one", lambda: node.log().count("ev=upgrade.done") == before + 1)
    assert finished(node, r.json["id"], n)["success_count"] == n
    assert sorted(stored(node, "upgraded")) == sorted(ids("upgraded", n))


def test_bytes_that_are_lost(node):
    """If this fails, a status stays pending for ever when a disk was changed, or says that all is well."""
    n = 20000
    r = post(node, envelope("lost", n))
    kill_all(node)
    os.remove(node.file("state", "bodies", "pending", r.json["id"]))
    with open(node.file("state", "bodies", "pending", "3e6b2a5c-6f0e-4d56-9a2c-000000000000"), "w", encoding="utf-8") as f:
        f.write(envelope("nobody's", 2))
    node.start()
    done = finished(node, r.json["id"], n)
    assert done["failure_count"] > 0 and {x["message"].split(":")[0] for x in done["failures"]} == {"LOST"}
    assert sorted(stored(node, "lost")) == sorted(x["id"] for x in done.get("successes", []))
    until("what is nobody's to be removed", lambda: pending_files(node) == [])
    assert stored(node, "nobody's") == []


def test_disks_that_take_nothing(lab, node):
    """If this fails, something is promised that is on no disk; or a full disk leaves a status that never completes."""
    faults = Faults(lab.folder, node.folder)
    node.restart(**faults.env)
    body, n = envelope("full", 3000), 3000
    for kinds in (("fdatasync",), ("fsync",)):
        faults.fail(*kinds, error=errno.EIO)
        r = post(node, body)
        faults.heal()
        assert r.status == 503 and int(r.headers["Retry-After"]) >= 1, (kinds, r.body)
        until("no file to be left", lambda: pending_files(node) == [])
        node.restart(**faults.env)      # a store whose sync failed writes nothing until then
    assert stored(node, "full") == []
    r = post(node, body)
    assert r.status == 202
    faults.fail("write", "pwrite", "ftruncate", error=errno.ENOSPC)     # the store's file from now on
    s = check(ask(node, r.json["id"]).json, n)
    faults.heal()
    assert finished(node, r.json["id"], n)["success_count"] == n >= s["success_count"]
    assert sorted(stored(node, "full")) == sorted(ids("full", n))
    node.restart()


def test_taxii20_has_it_too(node):
    """If this fails, a client of TAXII 2.0 that sends much is told something its library does not read."""
    objects = [dict(indicator(f"two {i}", f"[mutex:name = 'two {i}']"), description="x" * 100) for i in range(1000)]
    for o in objects:
        del o["spec_version"]
    body = {"type": "bundle", "id": "bundle--3e6b2a5c-6f0e-4d56-9a2c-000000000001", "spec_version": "2.0", "objects": objects}
    taxii, stix = "application/vnd.oasis.taxii+json; version=2.0", "application/vnd.oasis.stix+json; version=2.0"
    r = node.request("POST", OBJECTS, "both", body, {"Accept": taxii, "Content-Type": stix})
    assert r.status == 202 and r.headers["Content-Type"] == taxii, r.body
    s = r.json
    assert s["status"] == "pending" and s["total_count"] == s["pending_count"] == 1000 and s["success_count"] == s["failure_count"] == 0

    def complete():
        s = node.request("GET", f"/api/status/{r.json['id']}/", "both", headers={"Accept": taxii}).json
        assert s["success_count"] + s["failure_count"] + s["pending_count"] == s["total_count"] == 1000
        return s if s["status"] == "complete" else None
    assert until("it to be complete", complete)["successes"] == [o["id"] for o in objects]


def test_peers_are_answered_as_before():
    """If this fails, what is relayed is booked as delivered, or as failed, before anybody has looked at it."""
    with laboratory("cert-a", "cert-b", redis=False, limits="    pending-over 1k") as lab:
        a, b = lab["cert-a"], lab["cert-b"]
        some = [indicator(f"relayed {i}", f"[mutex:name = 'relayed {i}']", "green") for i in range(50)]
        r = a.request("POST", OBJECTS, "sensor", {"objects": some})
        assert r.status == 202 and r.json["status"] == "pending"
        until("all to arrive", lambda: set(b.ids("soc", "inbox-cert-a")) == {o["id"] for o in some})
        assert "pending.taken" not in b.log() and "pending.taken" in a.log()
        until("the outbox to be empty", lambda: a.metric('tocsin_outbox_objects{peer="cert-b",state="queued"}') == 0)
        assert b.metric('tocsin_http_requests_total{route="post",status="202"}') >= 1


def test_an_envelope_that_breaks_translators(node):
    """If this fails, one poisoned envelope is tried again for ever, and nobody is told."""
    node.restart(TOCSIN_CAGE_FAULT="crash:boom-boom")
    if not ONE:
        r = post(node, envelope("poison", 500, size=100, more=[indicator("poison x", "[mutex:name = 'boom-boom']")]))
        assert r.status == 422 and "three times" in r.body.decode(), r.body
        assert pending_files(node) == []
        assert finished(node, post(node, envelope("beside", 2500)).json["id"], 2500)["success_count"] == 2500
    node.restart()


def test_an_answer_that_takes_too_long(lab, node):
    """If this fails, what a client sent is gone because the answer was late, or its second try is held against it."""
    if ONE:
        pytest.skip("the storekeeper cannot be stopped alone")
    node.lab.limits = LIMITS + "\n    answer-timeout 300ms"
    node.lab.write_conf(node)
    node.restart()
    late = [indicator(f"late {i}", f"[mutex:name = 'late {i}']") for i in range(20)]
    held = hold(node, "storekeeper")
    try:
        r = node.post("both", "advisories", *late)
        assert r.status == 503 and int(r.headers["Retry-After"]) >= 1
    finally:
        let_go(held)
    until("it to be taken in all the same", lambda: sorted(stored(node, "late")) == sorted(o["id"] for o in late))
    again = check(node.insist("both", "advisories", *late), 20)
    assert again["success_count"] == 20 and again["status"] == "complete"
    node.lab.limits = LIMITS
    node.lab.write_conf(node)
    node.restart()


def test_another_user_goes_on():
    """If this fails, what was promised is out of reach as soon as a node's processes get accounts of their own."""
    if ONE or os.getuid() != 0:
        pytest.skip("only root can be somebody else")
    n = 20000
    with laboratory("cert-u", redis=False, limits=LIMITS, consumers={"both": ["relation own", "read *", "write *"]}) as lab:
        node = lab["cert-u"]
        r = post(node, envelope("users", n))
        assert r.status == 202
        kill_all(node)
        folder = node.file("state", "bodies", "pending")
        assert {os.stat(os.path.join(folder, x)).st_uid for x in os.listdir(folder)} == {0}
        for f in (lab.folder, node.folder, node.file("spool")):
            os.chmod(f, 0o755)
        node.start()
        assert finished(node, r.json["id"], n)["success_count"] == n
        assert sorted(stored(node, "users")) == sorted(ids("users", n))
        assert os.stat(folder).st_uid != 0 and pending_files(node) == []
        # and what is new is theirs
        assert finished(node, post(node, envelope("users too", 2500)).json["id"], 2500)["success_count"] == 2500


@pytest.mark.parametrize("workers", [1, 3])
def test_another_number_of_workers(node, workers):
    """If this fails, nobody owns what was promised after the number of workers was changed."""
    if ONE:
        pytest.skip("there is but one process")
    n, name = 8000, f"workers {workers}"
    sent = [post(node, envelope(f"{name} {k}", n)) for k in range(3)]
    assert {r.status for r in sent} == {202}
    assert node.stop() == 0
    text = change(node, "tocsin.conf", "workers      2", f"workers      {workers}")
    node.start()
    for k, r in enumerate(sent):
        assert finished(node, r.json["id"], n)["success_count"] == n
        assert sorted(stored(node, f"{name} {k}")) == sorted(ids(f"{name} {k}", n))
    assert node.stop() == 0
    with open(node.file("tocsin.conf"), "w", encoding="utf-8") as f:
        f.write(text)
    node.start()


def test_large_ones_take_turns(node):
    """If this fails, one client that sends very much keeps the large messages of all others waiting until it is done."""
    if ONE:
        pytest.skip("there is no queue before a translator in the same process")
    node.lab.limits = LIMITS.replace("pending-over 64k", "pending-over 6m")
    node.lab.write_conf(node)
    change(node, "tocsin.conf", "workers      2", "workers      1")
    node.restart()
    n, usual = 40000, envelope("other", 9000, size=200)
    assert 4 << 20 < len(usual) < 6 << 20, "so large that it waits for its turn, and is answered in the usual way"
    first = post(node, envelope("turns", n, size=100))
    assert first.status == 202 and first.json["status"] == "pending"
    r = post(node, usual)
    assert r.status == 202 and check(r.json, 9000)["status"] == "complete" and r.json["success_count"] == 9000
    then = check(ask(node, first.json["id"]).json, n)
    assert then["status"] == "pending", "it had to wait until all was done"
    assert finished(node, first.json["id"], n)["success_count"] == n
    assert sorted(stored(node, "turns")) == sorted(ids("turns", n))
    node.lab.limits = LIMITS
    node.lab.write_conf(node)
    node.restart()
