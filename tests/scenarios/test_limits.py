"""When something runs out, is too big, or is not what it should be: service goes on, nothing leaks, nothing is lost."""
import http.client
import json
import os
import re
import resource
import socket
import subprocess

import pytest

from lab import TOCSIN, Client, Lab, Tap, basic, free_port, indicator, laboratory, until


def text_of(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def edit(node, name, old, new, reload=True):
    text = text_of(node.file(name))
    assert old in text, (old, text)
    write(node.file(name), text.replace(old, new))
    if reload:
        assert node.reload(), node.log()[-2000:]


def peer(node, name):
    return next(p for p in node.ask("peer", "list")["peers"] if p["name"] == name)


@pytest.fixture(scope="module")
def lab():
    with laboratory("cert-a", "cert-b", redis=False) as lab:
        yield lab


@pytest.fixture
def tapped():
    with laboratory("cert-a", "tap", absent=("tap",), redis=False) as lab:
        yield lab
        if hasattr(lab, "tap"):
            lab.tap.close()


# ---- relay

def test_a_backlog_larger_than_one_delivery(lab):
    """If this fails, a partner who was away for a week never catches up."""
    a, b = lab["cert-a"], lab["cert-b"]
    edit(a, "tocsin.conf", "    retry-min", "    relay-objects 100\n    relay-bytes 32k\n    retry-min")
    b.stop()
    sent = [indicator(f"backlog {i}", f"[mutex:name = 'backlog {i}']", x_n="y" * (i % 50)) for i in range(700)]
    for i in range(0, 700, 350):
        a.insist("sensor", "advisories", *sent[i:i + 350])
    b.start()
    wanted = {(o["id"], o["modified"]) for o in sent}
    until("all of it", lambda: wanted <= set(b.versions("soc", "inbox-cert-a")))
    got = b.versions("soc", "inbox-cert-a")
    assert len(got) == len(set(got))


def test_a_peer_that_takes_only_small_envelopes(lab):
    """If this fails, what does not fit into one envelope of a peer is given up."""
    a, b = lab["cert-a"], lab["cert-b"]
    edit(b, "tocsin.conf", "    retry-min", "    body 4k\n    retry-min")
    sent = [indicator(f"small {i}", f"[mutex:name = 'small {i}']") for i in range(60)]
    a.insist("sensor", "advisories", *sent)
    huge = indicator("huge", "[mutex:name = 'huge']", x_n="y" * 5000)
    last = indicator("after huge", "[mutex:name = 'after huge']")
    a.insist("sensor", "advisories", huge)
    a.insist("sensor", "advisories", last)
    wanted = {o["id"] for o in [*sent, last]}
    until("all that fits", lambda: wanted <= set(b.ids("soc", "inbox-cert-a")))
    until("the end", lambda: peer(a, "cert-b")["queued"] == 0)
    assert peer(a, "cert-b")["dead"] == 1, "the one that never fits, and no other"
    edit(b, "tocsin.conf", "    body 4k\n", "")
    assert a.run("peer", "retry", "cert-b", "--config", a.conf).returncode == 0
    until("the big one", lambda: huge["id"] in b.ids("soc", "inbox-cert-a"))


def test_a_rate_for_a_peer_delays_and_drops_nothing(lab):
    """If this fails, our own limit for a slow peer loses advisories, or stops at a parcel larger than the burst."""
    a, b = lab["cert-a"], lab["cert-b"]
    edit(a, "trust.conf", "    relation   partner\n", "    relation   partner\n    limit      out 6000/min burst 10\n")
    sent = [indicator(f"rate {i}", f"[mutex:name = 'rate {i}']") for i in range(60)]
    a.insist("sensor", "advisories", *sent[:30])
    for o in sent[30:]:
        a.insist("sensor", "advisories", o)
    wanted = {o["id"] for o in sent}
    until("all of it", lambda: wanted <= set(b.ids("soc", "inbox-cert-a")))
    edit(a, "trust.conf", "    limit      out 6000/min burst 10\n", "")


def test_another_key_at_a_peers_address_gets_nothing(tapped, tmp_path):
    """If this fails, whoever takes over a partner's address or CA reads what is meant for the partner."""
    a = tapped["cert-a"]
    impostor = Lab(str(tmp_path / "i"), ("tap",), redis=False).build()["tap"]
    impostor.port = tapped["tap"].port
    # a CA that cert-a accepts has certified another key for the same name and address
    with open(a.file("tls", "peer-ca.crt"), "a", encoding="utf-8") as f:
        f.write(text_of(impostor.file("tls", "ca.crt")))
    with open(impostor.file("tls", "peer-ca.crt"), "a", encoding="utf-8") as f:
        f.write(text_of(a.file("tls", "ca.crt")))
    assert a.reload()
    tapped.tap = Tap(impostor)
    o = indicator("not for you", "[mutex:name = 'not for you']")
    a.insist("sensor", "advisories", o)
    until("three attempts", lambda: peer(a, "tap")["failures"] >= 3)
    assert tapped.tap.requests == [] and "pin" in peer(a, "tap")["last_error"].lower(), peer(a, "tap")
    tapped.tap.close()
    tapped.tap = Tap(tapped["tap"])
    until("the right one to get it", lambda: o["id"] in [x["id"] for e in tapped.tap.envelopes() for x in e["objects"]])


def test_a_certificate_for_another_name_gets_nothing(tapped):
    """If this fails, the name in a partner's certificate does not matter."""
    a = tapped["cert-a"]
    tapped.tap = Tap(tapped["tap"], "0.0.0.0")
    # the certificate is for 127.0.0.1 and localhost; the same host under another address
    edit(a, "trust.conf", f"{tapped['tap'].url}/api/", f"https://127.0.0.2:{tapped['tap'].port}/api/")
    o = indicator("other name", "[mutex:name = 'other name']")
    a.insist("sensor", "advisories", o)
    until("two attempts", lambda: peer(a, "tap")["failures"] >= 2)
    assert tapped.tap.requests == []
    edit(a, "trust.conf", "https://127.0.0.2:", "https://127.0.0.1:")
    until("the right name to get it", lambda: o["id"] in [x["id"] for e in tapped.tap.envelopes() for x in e["objects"]])


def test_a_peer_by_name(tapped):
    """If this fails, a partner's address has to be a number."""
    a = tapped["cert-a"]
    tapped.tap = Tap(tapped["tap"])
    edit(a, "trust.conf", "https://127.0.0.1:", "https://localhost:")
    o = indicator("by name", "[mutex:name = 'by name']")
    a.insist("sensor", "advisories", o)
    until("it", lambda: o["id"] in [x["id"] for e in tapped.tap.envelopes() for x in e["objects"]])


def test_a_peer_that_hangs_blocks_no_other(tapped):
    """If this fails, one dead line stops the relay to everybody and the service besides."""
    a = tapped["cert-a"]
    silent = socket.create_server(("127.0.0.1", tapped["tap"].port))        # takes connections, says nothing
    sent = [indicator(f"hang {i}", f"[mutex:name = 'hang {i}']") for i in range(5)]
    for o in sent:
        a.insist("sensor", "advisories", o)
    assert len(a.ids("soc", "indicators")) == 5
    silent.close()


# ---- the node's own resources

def test_a_full_disk_refuses_and_recovers(lab):
    """If this fails, a full disk loses what was acknowledged, or the node with it."""
    a = lab["cert-a"]
    a.stop()
    most = os.path.getsize(a.file("state", "tocsin.db")) + 300_000
    env = dict(os.environ)
    with open(a.log_path, "ab") as log:      # a child's limit is not ours to lift: test_durable.py has the node of many
        a.process = subprocess.Popen([TOCSIN, "serve", "--one", "--config", a.conf], stdout=log, stderr=log, env=env,
                                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY)))
    until("service", a.is_ready)
    good, statuses = [], []
    for i in range(400):
        o = indicator(f"disk {i}", f"[mutex:name = 'disk {i}']", x_n="z" * 3000)
        r = a.post("sensor", "advisories", o)
        statuses.append(r.status)
        if r.status == 202:
            good.append(o)
        else:
            assert r.status == 503 and int(r.headers["Retry-After"]) >= 1, (r.status, r.body)
        if statuses.count(503) >= 3:
            break
    assert 503 in statuses and good, "the limit was not reached"
    assert a.request("GET", "/api/collections/advisories/objects/?limit=1", "soc").status == 200, "reading goes on"
    a.drop("abuse", "full.csv", "id;seen_at;last_day;kind;value;what;label;trust;tags;family;report;ticket\n"
           "F-1;20/11/2026 09:00;;host;full.example;C2;A;;;;;\n")
    until("the file to be tried", lambda: a.metric('tocsin_spool_files_total{result="later"}') >= 1)
    assert os.path.exists(a.file("spool", "abuse", "incoming", "full.csv"))
    resource.prlimit(a.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    o = indicator("disk again", "[mutex:name = 'disk again']")
    a.insist("sensor", "advisories", o)
    until("the file", lambda: os.path.exists(a.file("spool", "abuse", "done", "full.csv")))
    assert {x["id"] for x in [*good, o]} <= set(a.ids("soc", "advisories"))
    a.restart()
    assert {x["id"] for x in [*good, o]} <= set(a.ids("soc", "advisories"))
    a.verify_audit()


def test_no_file_descriptors_left(lab):
    """If this fails, a burst of connections ends the node, or makes it spin."""
    a = lab["cert-a"]
    a.stop()
    with open(a.log_path, "ab") as log:
        a.process = subprocess.Popen([TOCSIN, "serve", "--config", a.conf], stdout=log, stderr=log,
                                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48)))
    until("service", a.is_ready)
    crowd = []
    for _ in range(100):
        s = socket.socket()
        s.settimeout(2)
        try:
            s.connect(("127.0.0.1", a.port))
            crowd.append(s)
        except OSError:
            s.close()
    until("the log to say so", lambda: re.search("ev=http.accept|open files", a.log()))
    lines = len(a.log().splitlines())
    for s in crowd:
        s.close()
    until("service again", lambda: served(a))
    assert len(a.log().splitlines()) - lines < 300, "it logs without end"
    a.restart()


def served(node):
    try:
        return node.request("GET", "/api/", "soc").status == 200
    except (OSError, http.client.HTTPException):
        return False


def test_wrong_passwords_are_slowed_down_and_tokens_are_not(lab):
    """If this fails, passwords can be guessed at the speed of the line, or guessing locks everybody out."""
    a = lab["cert-a"]
    a.add_password("soc", "right")
    edit(a, "tocsin.conf", "    retry-min", "    guesses 30/min burst 4\n    retry-min")
    got = [a.request("GET", "/api/", headers={"Authorization": basic("soc", f"wrong {i}")}) for i in range(12)]
    assert [r.status for r in got[:2]] == [401] * 2         # each worker has its share of the four
    late = [r for r in got if r.status == 429]
    assert late and all(int(r.headers["Retry-After"]) >= 1 for r in late)
    assert a.request("GET", "/api/", "soc").status == 200, "a token from the same address"
    right = {"Authorization": basic("soc", "right")}
    until("the right one to be let in again", lambda: a.request("GET", "/api/", headers=right).status == 200)
    until("every worker to have checked it once, and to remember",
          lambda: all(a.request("GET", "/api/", headers=right).status == 200 for _ in range(20)))
    edit(a, "tocsin.conf", "    guesses 30/min burst 4\n", "")


def test_a_client_above_its_rate(lab):
    """If this fails, one client takes the whole node."""
    a = lab["cert-a"]
    c = Client(a, "meter")
    got = [c.get("/api/collections/") for _ in range(14)]
    assert [r.status for r in got[:10]] == [200] * 10 and got[-1].status == 429
    assert int(got[-1].headers["Retry-After"]) >= 1 and got[-1].json["http_status"] == "429"
    before = a.metric('tocsin_rate_limited_total{client="meter"}')
    assert before >= 1
    c.close()


# ---- odd things in folders

def test_odd_things_in_a_spool_folder(lab):
    """If this fails, a link, a folder or a half-copied file stops or fools the spool."""
    a = lab["cert-a"]
    base = a.file("spool", "drop", "incoming")
    os.symlink("/etc/passwd", os.path.join(base, "link"))
    os.mkdir(os.path.join(base, "folder"))
    os.mkfifo(os.path.join(base, "pipe"))
    good = json.dumps({"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001",
                       "objects": [indicator("odd", "[mutex:name = 'odd']")]})
    for name in (".hidden", "half.tmp", "half.part"):
        write(os.path.join(base, name), good)
    for name in ("with blank", "ünïcode", "new\nline", "a" * 200, "-dash", "%s%n", "quote\"'"):
        a.drop("drop", name, good)
        until(f"{name!r} to be taken", lambda name=name: os.path.exists(a.file("spool", "drop", "done", name)))
    assert sorted(os.listdir(base)) == sorted([".hidden", "half.tmp", "half.part", "link", "folder", "pipe"])
    a.drop("drop", "with blank", good)
    until("the second of that name", lambda: os.path.exists(a.file("spool", "drop", "done", "with blank.1")))
    assert all("\n" not in line and line.startswith("t=") for line in a.log().splitlines())
    for name in os.listdir(base):
        path = os.path.join(base, name)
        os.rmdir(path) if name == "folder" else os.remove(path)


def test_a_file_too_large_is_rejected_and_named(lab):
    """If this fails, a mistaken copy of a disk image fills the memory."""
    a = lab["cert-a"]
    edit(a, "tocsin.conf", "spool drop\n", "spool drop\n    file 100k\n")
    a.drop("drop", "large.json", " " * 200_000)
    reason = a.file("spool", "drop", "rejected", "large.json.reason")
    until("the verdict", lambda: os.path.exists(reason))
    assert "large.json" in text_of(reason) and "100" in text_of(reason) or "102400" in text_of(reason)
    edit(a, "tocsin.conf", "    file 100k\n", "")


def test_a_folder_that_vanishes_comes_back(lab):
    """If this fails, who cleans up a folder by hand has to restart the node."""
    a = lab["cert-a"]
    base = a.file("spool", "drop", "incoming")
    os.rename(base, base + ".away")
    until("the log to say so", lambda: "ev=spool.look" in a.log())
    os.rename(base + ".away", base)
    a.drop("drop", "back.json", json.dumps({"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000002",
                                            "objects": [indicator("back", "[mutex:name = 'back']")]}))
    until("the file", lambda: os.path.exists(a.file("spool", "drop", "done", "back.json")))


# ---- shapes of configuration

def test_a_node_without_an_address_of_its_own(lab):
    """If this fails, discovery of a node without `url` sends clients nowhere."""
    a = lab["cert-a"]
    edit(a, "tocsin.conf", f"    url          {a.url}\n", "")
    d = a.request("GET", "/taxii2/", "soc").json
    assert d["default"] in d["api_roots"] and d["default"] in ("/api/", f"{a.url}/api/"), d
    d = a.request("GET", "/taxii2/", "soc", headers={"Host": "taxii.example:8443"}).json
    assert d["default"] in ("/api/", "https://taxii.example:8443/api/")
    edit(a, "tocsin.conf", "    state        state\n", f"    state        state\n    url          {a.url}\n")


def test_a_view_that_is_defined_later_shows_what_was_there(lab):
    """If this fails, a new feed begins empty."""
    a = lab["cert-a"]
    greens = "collection greens\n    mode view\n    tlp green\n\n"
    edit(a, "tocsin.conf", "collection indicators\n", greens + "collection indicators\n", reload=False)
    green, amber = indicator("view green", "[mutex:name = 'vg']", tlp="green"), indicator("view amber", "[mutex:name = 'va']")
    a.insist("sensor", "advisories", green, amber)
    assert a.reload()
    until("the old ones", lambda: green["id"] in a.ids("soc", "greens"))
    assert amber["id"] not in a.ids("soc", "greens")
    later = indicator("view later", "[mutex:name = 'vl']", tlp="green")
    a.insist("sensor", "advisories", later)
    assert later["id"] in a.ids("soc", "greens")
    edit(a, "tocsin.conf", "    tlp green\n", "    tlp amber\n")
    until("the other ones", lambda: amber["id"] in a.ids("soc", "greens") and green["id"] not in a.ids("soc", "greens"))
    edit(a, "tocsin.conf", "collection greens\n    mode view\n    tlp amber\n\n", "")
    assert a.request("GET", "/api/collections/greens/", "soc").status == 404


def test_everybody_reads_where_authentication_is_off():
    """If this fails, a trial without passwords does not work, or lets strangers write."""
    with laboratory("cert-a", redis=False) as lab:
        a = lab["cert-a"]
        edit(a, "tocsin.conf", "taxii\n", "taxii\n    authentication no\n", reload=False)
        free = "release all\n    object tlp clear\n    to relation public\n\n"
        edit(a, "trust.conf", "release own-tools\n", free + "release own-tools\n", reload=False)
        assert a.reload(), a.log()[-1000:]
        clear, green = (indicator(f"pub {x}", f"[mutex:name = '{x}']", tlp=x) for x in ("clear", "green"))
        a.insist("sensor", "advisories", clear, green)
        r = a.request("GET", "/api/collections/advisories/objects/")
        assert r.status == 200 and [o["id"] for o in r.json.get("objects", [])] == [clear["id"]], r.body
        assert a.request("POST", "/api/collections/advisories/objects/", body={"objects": [green]}).status in (401, 403)
        assert a.request("GET", "/api/", headers={"Authorization": "Bearer nonsense"}).status == 401


def test_ipv6_and_two_addresses():
    """If this fails, a node serves one address only, or no IPv6."""
    if not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6") or not open("/proc/net/if_inet6").read().strip():
        pytest.skip("no IPv6 here")
    with laboratory("cert-a", redis=False) as lab:
        a = lab["cert-a"]
        port = free_port()
        a.stop()
        edit(a, "tocsin.conf", f"operations 127.0.0.1:{a.ops_port}\n", f"listen [::1]:{port}\n    clients none\n\n"
             f"operations 127.0.0.1:{a.ops_port}\n", reload=False)
        a.start()
        ctx = a.context()
        ctx.check_hostname = False
        c = http.client.HTTPSConnection("::1", port, timeout=10, context=ctx)
        c.request("GET", "/api/", headers={"Authorization": "Bearer " + a.tokens["soc"]})
        assert c.getresponse().status == 200
        assert a.request("GET", "/api/", "soc").status == 200


# ---- limits of pages and messages

def test_pages_are_cut_by_bytes_too(lab):
    """If this fails, one poll of fat objects fills the memory, or a fat object hides all behind it."""
    a = lab["cert-a"]
    edit(a, "tocsin.conf", "    retry-min", "    page-bytes 64k\n    page-objects 50\n    retry-min")
    sent = [indicator(f"page {i}", f"[mutex:name = 'page {i}']", x_n="z" * (100_000 if i % 7 == 3 else 10_000 if i % 2 else 10))
            for i in range(80)]
    kind = [dict(o, type="x-fat", id="x-fat--" + o["id"][11:]) for o in sent]
    for i in range(0, 80, 40):
        a.insist("sensor", "advisories", *kind[i:i + 40])
    c = Client(a, "soc")
    got, more, pages = [], "", 0
    while True:
        r = c.get(f"/api/collections/advisories/objects/?match[type]=x-fat{more}")
        objects = r.json.get("objects", [])
        assert objects and len(objects) <= 50, (pages, r.status, r.body[:300])
        assert len(r.body) < 64 * 1024 + 1000 or len(objects) == 1, (len(r.body), len(objects))
        got += objects
        pages += 1
        if not r.json.get("more"):
            break
        more = "&next=" + r.json["next"]
    c.close()
    assert got == kind and pages > 10
    rows = a.request("GET", "/api/collections/advisories/manifest/?match[type]=x-fat", "soc").json
    assert len(rows["objects"]) == 50 and rows["more"]
    edit(a, "tocsin.conf", "    page-bytes 64k\n    page-objects 50\n", "")


def test_messages_with_too_many_or_too_large_objects(lab):
    """If this fails, the limits of a message are not limits, or cost the good objects."""
    a = lab["cert-a"]
    edit(a, "tocsin.conf", "    retry-min", "    objects 20\n    object 1k\n    retry-min")
    few = [indicator(f"few {i}", f"[mutex:name = 'few {i}']") for i in range(20)]
    assert a.insist("sensor", "advisories", *few)["success_count"] == 20
    r = a.post("sensor", "advisories", *few, indicator("one more", "[mutex:name = 'one more']"))
    assert r.status in (413, 422), r.body
    assert few[0]["id"] in a.ids("soc", "advisories")
    fat = indicator("fat", "[mutex:name = 'fat']", x_n="z" * 2000)
    r = a.post("sensor", "advisories", fat, indicator("thin", "[mutex:name = 'thin']"))
    assert r.status == 202 and (r.json["success_count"], r.json["failure_count"]) == (1, 1)
    assert r.json["failures"][0]["id"] == fat["id"]
    edit(a, "tocsin.conf", "    objects 20\n    object 1k\n", "")
