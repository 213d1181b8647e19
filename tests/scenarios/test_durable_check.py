"""A damaged page or object: `tocsin check --store` names it, the node serves around it, and no partner ever gets it."""
import json
import os
import random
import re
import shutil

import pytest

from faults import say_ready
from lab import indicator, laboratory, until

PAGE = 4096


def thing(name, **more):
    return indicator(name, f"[mutex:name = '{name}']", **more)


def check(node, *words):
    """(exit status, answer) of `tocsin check --store`."""
    done = node.run("check", "--store", "--json", "--config", node.conf, *words)
    assert done.returncode in (0, 1), (done.returncode, done.stdout, done.stderr)
    answer = json.loads(done.stdout)
    assert (done.returncode == 0) == answer["whole"] == (not answer["damaged"])
    return done.returncode, answer


def fill(node, word, n=300):
    objects = [thing(f"{word} {i}", x_n="n" * 500) for i in range(n)]
    for i in range(0, n, 100):
        node.insist("sensor", "advisories", *objects[i:i + 100])
    return objects


def overwrite(path, at, data):
    with open(path, "r+b") as f:
        f.seek(at)
        f.write(data)


def page_with(path, text):
    """Where the page of this text begins."""
    with open(path, "rb") as f:
        at = f.read().index(text.encode())
    return at - at % PAGE


@pytest.fixture
def lab():
    with laboratory("cert-a", "cert-b", redis=False, link=lambda a, b: a == "cert-a") as lab:
        yield lab


def test_a_whole_store_is_called_whole(lab):
    """If this fails, an administrator restores a backup for nothing, or the check disturbs the node."""
    a = lab["cert-a"]
    many = fill(a, "whole")
    newer = dict(many[0], modified="2026-11-21T08:00:00.000Z", name="newer")
    older = dict(many[1], modified="2026-11-19T08:00:00.000Z", name="older")
    other = {k: v for k, v in many[2].items() if k != "x_n"} | {"modified": "2026-11-22T08:00:00.000Z", "spec_version": "2.1"}
    a.insist("sensor", "advisories", newer, older, other)
    assert a.request("DELETE", f"/api/collections/advisories/objects/{many[3]['id']}/", "sensor").status in (200, 403, 404)
    status, answer = check(a)
    assert status == 0 and answer["objects"] == 300 and answer["versions"] == 303, answer
    assert answer["memberships"] >= 600 and answer["audit_records"] > 0 and answer["pages"] > 10
    assert check(a, "--quick")[0] == 0
    a.insist("sensor", "advisories", thing("beside the check"))
    a.kill()
    assert check(a)[0] == 0, "with a log that nobody has taken in yet"
    a.start()
    a.stop()
    before = os.stat(a.file("state", "tocsin.db"))
    assert check(a)[0] == 0
    after = os.stat(a.file("state", "tocsin.db"))
    assert (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size), "it only reads"
    text = a.run("check", "--store", "--config", a.conf)
    assert "is whole: " in text.stdout and text.stderr == ""
    a.start()


def test_a_damaged_page_is_found_served_around_and_not_spread(lab):
    """If this fails, one bad sector is the end of a node, stays unnoticed, or reaches partners."""
    a, b = lab["cert-a"], lab["cert-b"]
    b.stop()
    many = fill(a, "page")
    a.stop()
    db = a.file("state", "tocsin.db")
    victim = many[150]
    at = page_with(db, victim["id"])
    with open(db, "rb") as f:
        f.seek(at)
        damaged = [o for o, seen in ((o, f.seek(at) and o["id"].encode() in f.read(PAGE)) for o in many) if seen]
    assert 1 <= len(damaged) <= 8
    overwrite(db, at, random.Random(1).randbytes(PAGE))

    status, answer = check(a)
    lost = [x for x in answer["damaged"] if x["part"] == "object"]
    assert status == 1 and any(x["part"] == "page" for x in answer["damaged"])
    assert len(lost) == len(damaged) and all("advisories" in x["collections"] for x in lost), lost
    assert check(a, "--quick")[0] == 1

    a.start()
    assert say_ready(a) == "ready"
    good = [o for o in many if o not in damaged]
    r = a.request("GET", "/api/collections/advisories/objects/?limit=1000", "soc")
    assert r.status == 200 and r.json["objects"] == many[:many.index(damaged[0])] and r.json["more"], "what lies before it"
    r = a.request("GET", f"/api/collections/advisories/objects/?limit=1000&next={r.json['next']}", "soc")
    assert r.status == 503, "the page that would begin there is refused, never left out in silence"
    for o in (good[0], good[140], good[-1]):
        r = a.request("GET", f"/api/collections/advisories/objects/{o['id']}/", "soc")
        assert r.status == 200 and r.json["objects"] == [o]
    last = re.search(r"added (\S+)\)", lost[-1]["text"]).group(1)
    after = a.objects("soc", "advisories", f"added_after={last}")
    assert after == many[many.index(damaged[-1]) + 1:], "what lies behind it"
    assert a.metric("tocsin_store_damages_total") >= 1 and "ev=store.damaged" in a.log()
    new = thing("written beside the damage")
    assert a.insist("sensor", "advisories", new)["success_count"] == 1, "writing goes on where it can"

    b.start()
    wanted = {o["id"] for o in [*good, new]}
    until("all that is whole at the partner", lambda: wanted <= set(b.ids("soc", "inbox-cert-a")))
    got = b.objects("soc", "inbox-cert-a")
    assert all(o in [*many, new] for o in got) and {o["id"] for o in got} == wanted
    until("an end", lambda: a.ask("peer", "list")["peers"][0]["queued"] == 0)
    assert a.ask("peer", "list")["peers"][0]["dead"] == len(damaged)
    assert check(b)[0] == 0


def test_a_changed_object_is_named_and_never_sent(lab):
    """If this fails, a flipped bit becomes somebody's block list."""
    a, b = lab["cert-a"], lab["cert-b"]
    b.stop()
    many = fill(a, "bit")
    a.stop()
    db = a.file("state", "tocsin.db")
    with open(db, "rb") as f:
        at = f.read().index(b"'bit 77'")
    overwrite(db, at, b"'bit 99'")
    status, answer = check(a)
    assert status == 1 and len(answer["damaged"]) == 1, answer
    finding = answer["damaged"][0]
    assert (finding["part"], finding["id"]) == ("object", many[77]["id"]) and "bytes" in finding["text"]
    assert "advisories" in finding["collections"] and "indicators" in finding["collections"]
    text = a.run("check", "--store", "--config", a.conf).stdout
    assert f"damaged: object {many[77]['id']} in " in text and "DAMAGED: 1 finding." in text
    a.start()
    b.start()
    wanted = {o["id"] for o in many} - {many[77]["id"]}
    until("the others", lambda: wanted <= set(b.ids("soc", "inbox-cert-a")))
    assert a.ask("peer", "list")["peers"][0]["dead"] == 1
    assert many[77]["id"] not in b.ids("soc", "inbox-cert-a")
    assert many[77]["id"] in [line for line in a.log().splitlines() if "ev=store.damaged" in line][0]
    assert a.metric("tocsin_store_damages_total") >= 1 and say_ready(a) == "ready"


def test_a_changed_audit_record_is_found(lab):
    """If this fails, who covers his tracks in the file is not noticed by the check of the store."""
    a = lab["cert-a"]
    fill(a, "audit", 100)
    a.stop()
    db = a.file("state", "tocsin.db")
    with open(db, "rb") as f:
        at = f.read().index(b'"ev":"intake"')
    overwrite(db, at, b'"ev":"intook"')
    status, answer = check(a)
    assert status == 1 and [x["part"] for x in answer["damaged"]] == ["audit"], answer
    overwrite(db, at, b'"ev":"intake"')
    assert check(a)[0] == 0
    a.start()


def test_garbage_anywhere_is_an_answer(lab):
    """If this fails, some damage crashes the check or the node, or is called whole."""
    a = lab["cert-a"]
    many = fill(a, "garbage", 200)
    a.stop()
    db, whole = a.file("state", "tocsin.db"), a.file("whole.db")
    shutil.copy(db, whole)
    pages = os.path.getsize(db) // PAGE
    rng = random.Random(7)
    every = int(os.environ.get("TOCSIN_FAULT_EVERY", "0")) or max(1, pages // 12)
    served = 0
    for page in [1, 2, 3, *range(4, pages + 1, every)]:
        shutil.copy(whole, db)
        for old in ("-wal", "-shm"):
            if os.path.exists(db + old):
                os.remove(db + old)
        offset = rng.choice((0, 0, rng.randrange(PAGE - 64)))       # a whole page, or a piece of it
        overwrite(db, (page - 1) * PAGE + offset, rng.randbytes(PAGE if offset == 0 else 64))
        if offset == 0:
            assert check(a)[0] == 1, f"garbage in page {page} is called whole"
        else:
            check(a)                # 64 bytes may lie in what nobody reads
        a.launch()
        until("an end or service", lambda: a.process.poll() is not None or answers(a))
        if a.process.poll() is None:
            statuses = {a.request("GET", f"/api/collections/advisories/objects/{o['id']}/", "soc").status for o in rng.sample(many, 5)}
            statuses.add(a.post("sensor", "advisories", thing(f"garbage {page}")).status)
            assert statuses <= {200, 202, 404, 503}, (page, statuses)
            served += 1
            assert a.stop() == 0
        else:
            assert a.gone() == 2 and not a.log().strip().splitlines()[-1].startswith("t="), page
    assert served > 0
    shutil.copy(whole, db)
    a.start()


def answers(node):
    try:
        say_ready(node)
        return True
    except OSError:
        return False


def test_files_that_are_no_store(lab, tmp_path):
    """If this fails, a wrong name is called a damaged store, or a broken one is called whole."""
    a = lab["cert-a"]
    fill(a, "short", 100)
    a.stop()
    db = a.file("state", "tocsin.db")
    short, none, text = tmp_path / "short.db", tmp_path / "none.db", tmp_path / "text.db"
    shutil.copy(db, short)
    os.truncate(short, os.path.getsize(db) // 2 // PAGE * PAGE)
    assert check(a, "--file", str(short))[0] == 1
    done = a.run("check", "--store", "--config", a.conf, "--file", str(none))
    assert done.returncode == 2 and "none.db" in done.stderr and not none.exists()
    text.write_text("no database at all " * 1000)
    assert check(a, "--file", str(text))[0] == 1
    a.start()
