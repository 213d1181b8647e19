"""If these stories fail, a collection of somebody else is read half, twice, for ever or not at all, and nobody is told why."""
import contextlib
import gzip
import itertools
import json
import re
import socket
import ssl
import struct
import threading
import time
import zlib

import pytest
from lab import Client, indicator, laboratory, stix_id, until
from taxii_fake import COLLECTION, Fake, Proxy, date

names = itertools.count()


def control(node, /, **question):
    """Ask the running node as its commands do."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(node.file("state", "control.sock"))
        s.sendall(json.dumps(question).encode() + b"\n")
        text = b""
        while piece := s.recv(65536):
            text += piece
    return json.loads(text)


def pull_section(name, **keys):
    keys = {"peer": "feed", "into": "advisories", "every": "1h", **keys}
    return f"\npull {name}\n" + "".join(f"    {k.replace('_', '-')} {v}\n" for k, v in keys.items())


def peer_section(lab, name="feed", **keys):
    n = lab.nodes[name]
    lines = {"pin": n.pin(), "relation": "partner", "speaks-for": "any", "wire": "taxii21",
             "url": f"https://127.0.0.1:{n.port}/", **{k.replace("_", "-"): v for k, v in keys.items()}}
    return f"\npeer {name}\n" + "".join(f"    {k} {v}\n" for k, v in lines.items() if v is not None)


class Stage:
    """One node, and a server next door that the story plays."""

    def __init__(self, lab):
        self.lab, self.node, self.fake, self.sections = lab, lab["cert-a"], None, ""

    def write(self, sections, **peer):
        with open(self.node.file("trust.conf"), "w", encoding="utf-8") as f:
            f.write(peer_section(self.lab, **peer) + "\nconsumer soc\n    relation own\n    read *\n"
                    "\nrelease own-tools\n    object tlp clear green amber amber+strict\n    to relation own\n")
        self.lab.write_conf(self.node, sections)

    def begin(self, version="2.1", peer=None, **keys):
        """A fresh fake and a fresh pull of it; not asked yet."""
        self.end()
        self.fake = Fake(self.lab["feed"], version)
        self.name = f"p{next(names)}"
        self.keys, self.peer = keys, peer or {}
        return self.fake

    def go(self, ends=1):
        """Let the node know, and wait for that many runs to end."""
        self.write(pull_section(self.name, **self.keys), **self.peer)
        assert self.node.reload(), self.node.log()[-2000:]
        return self.ran(ends)

    def show(self):
        return control(self.node, cmd="pull-progress", name=self.name)

    def ran(self, ends):
        return until(f"run {ends} of {self.name} to end",
                     lambda: (lambda a: a if a["runs"] >= ends and not a["running"] else None)(self.show()))

    def wrong(self):
        """Let the node know, and wait for a run that fails: at which step, and why. (It tries again soon.)"""
        failures = self.failures()
        self.write(pull_section(self.name, **self.keys), **self.peer)
        assert self.node.reload(), self.node.log()[-2000:]
        return until(f"{self.name} to fail", lambda: self.failures()[len(failures):])[0]

    def failures(self):
        return re.findall(rf'ev=pull.failed pull={self.name} .*cause=(\S+) .*error="(.*)"', self.node.log())

    def good(self):
        """Let the node know, and wait for a run that goes well."""
        before = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        self.write(pull_section(self.name, **self.keys), **self.peer)
        assert self.node.reload(), self.node.log()[-2000:]
        return until(f"{self.name} to go well", lambda: (
            lambda a: a if a.get("began", "") >= before and not a["failures"] and not a["running"] else None)(self.show()))

    def wrong_again(self):
        failures = self.failures()
        control(self.node, cmd="pull", name=self.name)
        return until(f"{self.name} to fail", lambda: self.failures()[len(failures):])[0]

    def again(self):
        runs = self.show()["runs"]
        assert control(self.node, cmd="pull", name=self.name)["ok"]
        return self.ran(runs + 1)

    def end(self):
        if self.fake:
            self.fake.close()
            self.fake = None

    def stored(self, *objects):
        """Which of these the node has, by version."""
        c, found = Client(self.node, "soc"), []
        cid = next(x["id"] for x in c.get("/api/collections/").json["collections"] if x["title"].startswith("Advisories"))
        for o in objects:
            r = c.get(f"/api/collections/{cid}/objects/{o['id']}/?match%5Bversion%5D=all")
            found += [x["modified"] for x in r.json.get("objects", [])] if r.status == 200 else []
        return found


@pytest.fixture(scope="module")
def stage():
    with laboratory("cert-a", "feed", absent=("feed",), redis=False) as lab:
        s = Stage(lab)
        yield s
        s.end()


def some(n, word):
    return [indicator(f"pulled {word} {i}", f"[ipv4-addr:value = '198.51.{i // 250}.{i % 250}']", tlp="green")
            for i in range(n)]


# ---- the usual way


def test_all_pages_in_one_run_and_then_only_what_is_new(stage):
    """If this fails, a feed is read in part, or from the beginning each time."""
    fake = stage.begin(page=100)
    objects = some(250, "drain")
    fake.add(*objects)
    done = stage.go()
    assert (done["pages"], done["objects"], done["new"], done["refused"]) == (3, 250, 250, 0), done
    assert done["mark"] == date(249) and done["failures"] == 0 and done["version"] == "2.1"
    first = fake.pages()[0]
    assert "added_after" not in first.query and first.query["limit"] == "100"
    late = indicator("pulled drain late", "[ipv4-addr:value = '203.0.113.7']", tlp="green")
    fake.add(late)
    done = stage.again()
    assert (done["pages"], done["objects"], done["new"]) == (1, 1, 1), done
    assert fake.pages()[-1].query["added_after"] == date(249)       # six digits, always
    assert stage.stored(objects[0], objects[249], late) == [o["modified"] for o in (objects[0], objects[249], late)]
    done = stage.again()
    assert (done["objects"], done["failures"]) == (0, 0), done


@pytest.mark.parametrize("path", ["", "/taxii2/", "/root/", "/root/collections/", f"/root/collections/{COLLECTION}/",
                                  f"/root/collections/{COLLECTION}/objects/"])
def test_addresses_as_people_paste_them(stage, path):
    """If this fails, somebody who copies an address from a portal reads nothing."""
    fake = stage.begin(peer={"url": f"https://127.0.0.1:{stage.lab['feed'].port}{path}"})
    fake.add(*some(2, "path" + path))
    done = stage.go()
    assert (done["objects"], done["failures"]) == (2, 0), done


@pytest.mark.parametrize("word", [COLLECTION, "feed", "Feed"])
def test_a_collection_by_id_alias_or_title(stage, word):
    """If this fails, the name that a person knows a collection by does not find it."""
    fake = stage.begin(collection=word, kinds="indicator")
    fake.add(*some(1, "name" + word))
    assert stage.go()["new"] == 1
    assert fake.pages()[0].query["match[type]"] == "indicator"


def test_a_collection_that_is_not_there_is_named_with_those_that_are(stage):
    """If this fails, a typing error looks like an empty feed."""
    stage.begin(collection="Fed")
    cause, error = stage.wrong()
    assert cause == "collection" and "Feed" in error, error


@pytest.mark.parametrize("peer,section,words", [
    ({"url": "https://h.example:99999/"}, "{pull}", "is no port"),
    ({}, "", "neither a collection to send to nor a `pull`"),
    ({}, "\npull x\n    peer fed\n    into advisories\n", "unknown peer 'fed', did you mean 'feed'"),
    ({}, "\npull x\n    peer soc\n    into advisories\n", "'soc' has no `url`"),
])
def test_mistakes_are_found_before_they_are_made(stage, peer, section, words):
    """If this fails, a pull that can never work is found out by its silence."""
    stage.write(section.format(pull=pull_section("checked")), **peer)
    done = stage.node.run("check", "--config", stage.node.conf)
    assert words in done.stdout + done.stderr


# ---- servers met in the wild


def test_no_dates_at_all(stage):
    """If this fails, a server without date headers is read from the beginning each time, or loses what came meanwhile."""
    fake = stage.begin(page=10, skew="1s")
    fake.dates = False
    fake.add(*some(25, "dateless"))
    done = stage.go()
    assert (done["pages"], done["new"], done["failures"]) == (3, 25, 0), done
    assert done["mark"] <= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())      # its own clock, when the walk began
    stage.again()
    assert fake.pages()[-1].query["added_after"] == done["mark"]


def test_an_empty_collection_that_says_404(stage):
    """If this fails, an empty collection is an alarm."""
    fake = stage.begin()
    fake.answers = [None, None, None, lambda h: h.refuse(404, "Nothing")]
    done = stage.go()
    assert (done["objects"], done["failures"]) == (0, 0), done


def test_other_media_types_and_empty_lists(stage):
    """If this fails, a server that is a little wrong about its types is not read at all."""
    fake = stage.begin()
    fake.type = "application/json; charset=utf-8"
    fake.add(*some(3, "json"))
    assert stage.go()["new"] == 3
    fake.answers = [lambda h: h.say(200, {"objects": [], "more": False})]
    assert stage.again()["failures"] == 0


def test_added_after_taken_as_inclusive(stage):
    """If this fails, a server that repeats its last object is read for ever, or not any more."""
    fake = stage.begin(page=2)
    fake.next = False
    rows = fake.objects
    fake.add(*some(5, "inclusive"))
    fake.RequestHandlerClass = type("Inclusive", (fake.RequestHandlerClass,), {
        "chosen": lambda h: [(d, o) for d, o in rows if d >= h.server.requests[-1].query.get("added_after", "")]})
    done = stage.go()
    assert done["new"] == 5 and done["failures"] == 0, done
    assert stage.again()["failures"] == 0


def test_objects_out_of_order_are_not_lost(stage):
    """If this fails, the last date of an unsorted page hides what came before it."""
    fake = stage.begin(page=10, skew="1s")
    objects = some(25, "unsorted")
    fake.objects = [(date(n * 7 % 25), o) for n, o in enumerate(objects)]
    done = stage.go()
    assert (done["new"], done["failures"]) == (25, 0), done
    assert date(13) <= done["mark"] <= date(24)         # all that the pages' dates vouch for


def test_html_is_no_page(stage):
    """If this fails, a login page in front of a server is taken for an empty feed."""
    fake = stage.begin(every="1h")
    html = b"<html><body><h1>Please log in</h1></body></html>"
    fake.answers = [lambda h: h.say(200, html, kind="text/html")]
    cause, error = stage.wrong()
    assert cause == "discovery" and error
    stage.good()
    stage.again()
    fake.answers = [lambda h: h.say(200, html, kind="text/html")]
    cause, error = stage.wrong_again()
    assert cause == "page" and "HTML" in error, error


# ---- guards


def more_of(body, *headers):
    return lambda h: h.say(200, body, *headers)


@pytest.mark.parametrize("cause,answers", [
    ("repeated-page", lambda o: [more_of({"more": True, "next": str(i), "objects": [o]}) for i in range(9)]),
    ("repeated-next", lambda o: [more_of({"more": True, "next": "x", "objects": [dict(o, name=str(i))]})
                                 for i in range(9)]),
    ("no-next", lambda o: [more_of({"more": True, "objects": [o]})] * 9),
    ("no-progress", lambda o: [more_of({"more": True, "objects": [dict(o, name=str(i))]},
                                       f"X-TAXII-Date-Added-First: {date(1)}", f"X-TAXII-Date-Added-Last: {date(1)}")
                               for i in range(9)]),
    ("one-date", lambda o: [more_of({"more": True, "objects": [o, dict(o, modified="2026-11-21T08:00:00.000Z")]},
                                    f"X-TAXII-Date-Added-First: {date(1)}", f"X-TAXII-Date-Added-Last: {date(1)}")] * 9),
    ("empty-pages", lambda o: [more_of({"more": True, "next": str(i)}) for i in range(40)]),
])
def test_a_walk_that_would_never_end_does(stage, cause, answers):
    """If this fails, one broken server keeps the node busy for ever."""
    fake = stage.begin()
    o = some(1, cause)[0]
    fake.answers = [None, None, None] + answers(o)
    word, error = stage.wrong()
    assert word == cause and error
    assert "mark" not in stage.show()


def test_a_page_full_of_words_but_without_json(stage):
    """If this fails, a cut or garbled page moves the mark, or is tried in vain without anybody being told."""
    fake = stage.begin()
    broken = b'{"objects":[{"type":"indicator","type":"indicator"}]}'
    fake.answers = [None, None, None, lambda h: h.say(200, broken)]
    cause, _ = stage.wrong()
    assert cause == "unreadable" and "mark" not in stage.show()


def test_dates_in_the_future_never_become_the_mark(stage):
    """If this fails, one object of the year 2099 hides everything that comes until then, or in the next minutes."""
    fake = stage.begin(skew="1m")
    o = some(3, "future")
    fake.objects = [("2099-01-01T00:00:00.000000Z", o[0])]
    done = stage.go()
    assert done["new"] == 1 and done["mark"] < "2030" and "future" in done["warning"], done
    for other, ahead in ((o[1], 120), (o[2], 0)):
        fake.objects.insert(0, (time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(time.time() + ahead)), other))
        assert stage.again()["new"] == 1, other


def test_a_bad_object_goes_to_quarantine_and_the_rest_comes_in(stage):
    """If this fails, one bad object stops a feed, or vanishes without a word."""
    fake = stage.begin()
    good = some(2, "beside a bad one")
    fake.add(good[0], {"type": "indicator", "id": "indicator--no-uuid"}, good[1])
    done = stage.go()
    assert (done["new"], done["refused"], done["failures"], done["mark"]) == (2, 1, 0, date(2)), done
    held = stage.node.ask("quarantine", "list")["quarantine"]
    assert any(q["source"] == "feed" and q["object"] == "indicator--no-uuid" for q in held)


# ---- broken connections and bodies


def cut(h):
    h.send_response(200)
    h.send_header("Content-Type", "application/taxii+json;version=2.1")
    h.send_header("Content-Length", "100000")
    h.end_headers()
    h.wfile.write(b'{"objects":[')
    h.wfile.flush()
    h.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    h.close_connection = True
    h.connection.close()


def test_a_connection_lost_in_the_middle_of_a_page(stage):
    """If this fails, half a page is taken for a whole one, or a run of hours begins anew."""
    fake = stage.begin(page=10)
    fake.add(*some(30, "lost"))
    fake.answers = [None, None, None, None, cut, None, cut, cut]
    done = stage.go()
    assert (done["pages"], done["new"], done["failures"]) == (3, 30, 0), done


def test_come_again_later_is_heard(stage):
    """If this fails, a server that asks for patience is pestered, or its answer ends the run."""
    fake = stage.begin(page=10)
    fake.add(*some(20, "busy"))
    fake.answers = [None, None, None, None, lambda h: h.refuse(429, "Slow down", "Retry-After: 1"),
                    lambda h: h.refuse(503, "Tea", "Retry-After: 0")]
    began = time.monotonic()
    done = stage.go()
    assert (done["new"], done["failures"]) == (20, 0) and time.monotonic() - began >= 1, done


def test_who_waits_long_keeps_nobody_waiting(stage):
    """If this fails, four servers that ask for patience silence all others."""
    fake = stage.begin()
    fake.add(*some(1, "patience"))
    usual = fake.RequestHandlerClass.serve
    fake.RequestHandlerClass = type("Patient", (fake.RequestHandlerClass,), {
        "serve": lambda h, body: h.refuse(503, "In an hour", "Retry-After: 3600") if "malware" in h.path else usual(h, body)})
    waiting = [f"w{next(names)}" for _ in range(5)]
    stage.write("".join(pull_section(n, kinds="malware") for n in waiting))
    assert stage.node.reload()
    until("five to wait", lambda: all(control(stage.node, cmd="pull-progress", name=n)["state"] == "paused" for n in waiting))
    stage.write("".join(pull_section(n, kinds="malware") for n in waiting) + pull_section(stage.name))
    assert stage.node.reload()
    done = stage.ran(1)
    assert (done["new"], done["failures"]) == (1, 0), done


def gzipped(data):
    return lambda h: (h.send_response(200), h.send_header("Content-Encoding", "gzip"),
                      h.send_header("Content-Length", str(len(data))), h.end_headers(), h.wfile.write(data))


def test_gzip_is_taken_off(stage):
    """If this fails, a server that compresses is not read."""
    fake = stage.begin()
    fake.gzip = True
    fake.add(*some(50, "gzip"))
    assert stage.go()["new"] == 50
    assert "gzip" in fake.requests[0].headers["Accept-Encoding"]


def test_gzip_in_chunks(stage):
    """If this fails, an answer that is compressed while it is made is not read."""
    fake = stage.begin()
    o = some(4, "chunks")

    def answer(h):
        h.send_response(200)
        for name, value in (("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked")):
            h.send_header(name, value)
        h.end_headers()
        data = gzip.compress(json.dumps({"objects": o}).encode())
        for i in range(0, len(data), 7):
            h.wfile.write(b"%x\r\n%b\r\n" % (len(data[i:i + 7]), data[i:i + 7]))
        h.wfile.write(b"0\r\n\r\n")
    fake.answers = [None, None, None, answer]
    assert stage.go()["new"] == 4


def test_a_page_that_is_too_large_is_asked_for_in_halves(stage):
    """If this fails, one large page stops a feed for good."""
    fake = stage.begin(page=8)
    fake.add(*some(8, "halves"))
    huge = b'{"objects":[' + b" " * (40 << 20) + b"]}"
    fake.answers = [None, None, None, lambda h: h.say(200, huge), lambda h: h.say(200, huge)]
    done = stage.go()
    assert (done["new"], done["failures"]) == (8, 0), done
    assert [p.query["limit"] for p in fake.pages()][:3] == ["8", "4", "2"]


def bomb():
    z = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([z.compress(b'{"objects":[' + b" " * (1 << 20))] +
                    [z.compress(b" " * (1 << 20)) for _ in range(200)] + [z.flush()])


@pytest.mark.parametrize("data,words", [
    (bomb, "bomb"), (lambda: gzip.compress(b'{"objects":[]}')[:-5], "cut short"), (lambda: b"no gzip", "broken"),
    (lambda: gzip.compress(b'{"objects":[]}') + b"rest", "broken"),
])
def test_gzip_that_is_a_trap(stage, data, words):
    """If this fails, two hundred kilobytes on the wire become gigabytes in memory, or half a page a whole one."""
    fake = stage.begin(page=1)
    text = data()
    fake.answers = [None, None, None] + [gzipped(text)] * 20
    cause, error = stage.wrong()
    assert cause == "answer" and "gzip" in error and words in error, error


# ---- who are you


def login(stage, *words, secret):
    done = stage.node.run("peer", "login", "feed", *words, "--config", stage.node.conf, stdin=secret + "\n")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("words,secret,header", [
    (["--basic", "us"], "s3cret", ("Authorization", "Basic dXM6czNjcmV0")),
    (["--bearer"], "t0ken", ("Authorization", "Bearer t0ken")),
    (["--header", "X-Api-Key"], "k3y", ("X-Api-Key", "k3y")),
])
def test_logins(stage, words, secret, header):
    """If this fails, a server that wants to know who we are is not read, and nobody is told what to do."""
    fake = stage.begin(every="1h")
    fake.login = header
    fake.add(*some(1, "login" + words[0]))
    cause, error = stage.wrong()
    assert cause == "auth" and "tocsin peer login feed" in error, error
    login(stage, *words, secret=secret)
    assert stage.good()["new"] == 1
    stage.node.run("peer", "login", "feed", "--remove", "--config", stage.node.conf)


@pytest.mark.parametrize("answers,cause,words", [
    (lambda: [None, None, None, lambda h: h.refuse(403, "Not you")], "rights", "Not you"),
    (lambda: [lambda h: h.refuse(406, "No")] * 2, "version", "version"),
    (lambda: [lambda h: h.refuse(302, "Elsewhere", "Location: https://other.example/")], "http", "https://other.example/"),
    (lambda: [None, None, None] + [lambda h: h.refuse(500, "Oops")] * 5, "http", "Oops"),
])
def test_refusals_in_words(stage, answers, cause, words):
    """If this fails, a refusal is a number."""
    fake = stage.begin()
    fake.answers = answers()
    word, error = stage.wrong()
    assert word == cause and words in error, (word, error)


def test_a_collection_that_may_not_be_read(stage):
    """If this fails, we ask for what the server said we may not have."""
    fake = stage.begin()
    fake.can_read = False
    cause, _ = stage.wrong()
    assert cause == "rights" and not fake.pages()


def test_a_root_on_another_host_is_not_followed(stage):
    """If this fails, our login goes to whatever host an answer names."""
    fake = stage.begin()
    fake.answers = [lambda h: h.say(200, {"title": "t", "default": "https://other.example/root/"})]
    cause, error = stage.wrong()
    assert cause == "discovery" and "other.example" in error, error


def test_our_certificate_and_a_login_beside_it(stage):
    """If this fails, a server that asks for both is not read."""
    fake = stage.begin()
    fake.context.load_verify_locations(stage.lab["feed"].file("tls", "peer-ca.crt"))
    fake.context.verify_mode = ssl.CERT_REQUIRED
    fake.login = ("Authorization", "Bearer b0th")
    fake.add(*some(1, "both"))
    assert stage.wrong()[0] == "auth"
    login(stage, "--bearer", secret="b0th")
    assert stage.good()["new"] == 1
    stage.node.run("peer", "login", "feed", "--remove", "--config", stage.node.conf)


def test_a_peer_brings_only_what_it_may_speak_for(stage):
    """If this fails, a feed puts words into the mouth of others."""
    fake = stage.begin(peer={"speaks-for": None, "identity": stix_id("identity", "them")})
    theirs, forged = some(2, "speaks")
    theirs["created_by_ref"], forged["created_by_ref"] = stix_id("identity", "them"), stix_id("identity", "us")
    fake.add(theirs, forged)
    done = stage.go()
    assert (done["new"], done["refused"]) == (1, 1), done
    assert stage.stored(forged) == [] and len(stage.stored(theirs)) == 1


# ---- reloads, stops


def slow(event, started):
    def answer(h):
        started.set()
        event.wait(20)
        h.refuse(503, "Too late")
    return answer


def test_reloaded_in_the_middle_of_a_page(stage):
    """If this fails, a reload loses a page, or two pulls of one name run beside each other."""
    fake = stage.begin(page=5)
    objects = some(20, "reloaded")
    fake.add(*objects)
    go_on, started = threading.Event(), threading.Event()
    fake.answers = [None, None, None, None, slow(go_on, started)]
    stage.write(pull_section(stage.name, **stage.keys))
    assert stage.node.reload()
    assert started.wait(20)
    assert stage.node.reload()
    go_on.set()
    done = until("all to be read", lambda: (lambda a: a if a.get("mark") == date(19) and not a["running"] else None)(
        stage.show()))
    assert done["failures"] == 0, done
    assert len(stage.stored(*objects)) == 20


def test_taken_out_of_the_configuration(stage):
    """If this fails, what an administrator took out goes on."""
    fake = stage.begin(every="100ms")
    fake.add(*some(1, "taken out"))
    stage.good()
    stage.write("")
    assert stage.node.reload()
    assert control(stage.node, cmd="pull-progress", name=stage.name)["ok"] is False
    asked = len(fake.requests)
    stage.node.ask("status")
    assert len(fake.requests) == asked


def test_stopped_in_the_middle_of_a_page():
    """If this fails, a node that is told to stop waits for a slow server, or loses what it had begun."""
    with laboratory("cert-a", "feed", absent=("feed",), redis=False) as lab:
        s = Stage(lab)
        fake = s.begin(page=5)
        fake.add(*some(12, "stopped"))
        go_on, started = threading.Event(), threading.Event()
        fake.answers = [None, None, None, None, slow(go_on, started)]
        s.write(pull_section(s.name, **s.keys))
        assert s.node.reload()
        assert started.wait(20)
        began = time.monotonic()
        assert s.node.stop() == 0
        assert time.monotonic() - began < 15
        go_on.set()
        s.node.start()
        done = s.ran(1)
        assert (done["failures"], done["mark"]) == (0, date(11)), done
        s.end()


# ---- proxies


def test_through_a_proxy(stage):
    """If this fails, nodes behind a proxy read nothing, or their login for it goes to the wrong place."""
    proxy = Proxy()
    fake = stage.begin(peer={"proxy": f"http://127.0.0.1:{proxy.port}"})
    fake.add(*some(3, "proxy"))
    done = stage.go()
    assert (done["new"], done["failures"]) == (3, 0), done
    assert proxy.asked[0][0] == f"CONNECT 127.0.0.1:{stage.lab['feed'].port} HTTP/1.1"
    assert not any("Proxy-Authorization" in r.headers for r in fake.requests)
    proxy.close()


def test_a_proxy_that_wants_a_login(stage):
    """If this fails, 407 is a riddle, or the proxy's password is shown to the server."""
    proxy = Proxy(login="dXM6cHc=")
    fake = stage.begin(peer={"proxy": f"http://127.0.0.1:{proxy.port}"})
    fake.add(*some(1, "proxy login"))
    cause, error = stage.wrong()
    assert cause == "proxy" and "407" in error, error
    login(stage, "--proxy", "us", secret="pw")
    assert stage.good()["new"] == 1
    assert not any("Authorization" in h for r in fake.requests for h in r.headers)
    proxy.close()


@pytest.mark.parametrize("answer", [b"HTTP/1.1 502 Bad Gateway\r\n\r\n", b"SSH-2.0-x\r\n\r\n", b"",
                                    b"HTTP/1.1 200 OK\r\n\r\nearly"])
def test_proxies_that_are_none(stage, answer):
    """If this fails, what is no tunnel is used as one."""
    proxy = Proxy(answer=answer)
    stage.begin(peer={"proxy": f"http://127.0.0.1:{proxy.port}"})
    assert stage.wrong()[0] == "proxy"
    proxy.close()


def test_a_server_that_shows_another_key(stage):
    """If this fails, a feed is read from whoever answers at its address."""
    stage.begin(peer={"pin": "sha256:" + "0" * 64})
    cause, error = stage.wrong()
    assert cause == "tls" and "pin" in error, error


def test_name_and_chain_are_enough_where_said_so(stage):
    """If this fails, servers whose keys change every month cannot be read."""
    fake = stage.begin(peer={"pin": None, "verify": "name"})
    fake.add(*some(1, "by name"))
    assert stage.go()["new"] == 1


# ---- TAXII 2.0


def indicator20(name):
    return {"type": "indicator", "id": stix_id("indicator", name), "created": "2026-11-20T08:00:00.000Z",
            "modified": "2026-11-20T08:00:00.000Z", "labels": ["malicious-activity"], "name": name,
            "pattern": "[ipv4-addr:value = '198.51.100.9']", "valid_from": "2026-11-20T08:00:00Z",
            "object_marking_refs": ["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"]}


@pytest.mark.parametrize("wire", ["taxii20", "taxii21"])
def test_a_server_of_2_0(stage, wire):
    """If this fails, older servers are not read, or in part."""
    fake = stage.begin("2.0", page=10, peer={"wire": wire})
    fake.page = 7
    fake.add(*[indicator20(f"old {wire} {i}") for i in range(25)])
    done = stage.go()
    assert (done["version"], done["objects"], done["failures"]) == ("2.0", 25, 0), done
    assert done["new"] == 25 and done["mark"] == date(24), done
    done = stage.again()
    assert done["objects"] == 0 and fake.pages()[-1].query["added_after"] == date(24)


# ---- crashes


@pytest.mark.parametrize("times", [1, 2])
def test_killed_between_page_and_mark(times):
    """If this fails, a crash at the wrong moment loses a page, or doubles it."""
    with laboratory("cert-a", "feed", absent=("feed",), redis=False) as lab:
        s = Stage(lab)
        fake = s.begin(page=10)
        objects = some(35, "crash")
        fake.add(*objects)
        assert s.node.stop() == 0
        s.write(pull_section(s.name, **s.keys))
        s.node.launch(TOCSIN_CRASH_AT=f"pulled:{times}")
        s.node.gone()
        s.node.start()
        done = s.ran(1)
        assert done["failures"] == 0 and done["mark"] == date(34), done
        with contextlib.closing(Client(s.node, "soc")) as c:
            cid = next(x["id"] for x in c.get("/api/collections/").json["collections"] if x["title"].startswith("Adv"))
            ids = [o["id"] for o in c.get(f"/api/collections/{cid}/objects/?limit=1000").json["objects"]]
        assert sorted(ids) == sorted(o["id"] for o in objects)
        assert s.again()["objects"] == 0
        s.end()


# ---- two nodes


def test_two_nodes_that_read_each_other_come_to_rest():
    """If this fails, two nodes hand the same objects to each other for ever."""
    def trust(lab):
        for a, b in (("cert-a", "cert-b"), ("cert-b", "cert-a")):
            n, other = lab[a], lab[b]
            with open(n.file("trust.conf"), "w", encoding="utf-8") as f:
                f.write(f"community cert-net\n    members {b}\n    green yes\n"
                        f"peer {b}\n    pin {other.pin()}\n    relation partner\n    speaks-for any\n    read advisories\n"
                        f"    wire taxii21\n    url {other.url}/api/\n"
                        "consumer soc\n    relation own\n    read *\nconsumer sensor\n    relation own\n    write *\n"
                        "release cert-net\n    object tlp clear green amber\n    to community cert-net\n"
                        "release own\n    object tlp clear green amber amber+strict\n    to relation own\n")
            lab.write_conf(n, pull_section("other", peer=b, collection=f'"Advisories of {b}"', every="100ms", page=3))

    with laboratory("cert-a", "cert-b", redis=False, trust=trust) as lab:
        mine, theirs = some(7, "mine"), some(7, "theirs")
        for n, objects in (("cert-a", mine), ("cert-b", [dict(o, id=stix_id("indicator", o["name"] + "b")) for o in theirs])):
            c = Client(lab[n], "sensor")
            r = Client(lab[n], "soc")
            cid = next(x["id"] for x in r.get("/api/collections/").json["collections"] if x["title"].startswith("Adv"))
            assert c.request("POST", f"/api/collections/{cid}/objects/", {"objects": objects}).status == 202

        def ids(n):
            c = Client(lab[n], "soc")
            cid = next(x["id"] for x in c.get("/api/collections/").json["collections"] if x["title"].startswith("Adv"))
            return [o["id"] for o in c.get(f"/api/collections/{cid}/objects/").json.get("objects", [])]

        until("both to have all", lambda: len(ids("cert-a")) == len(ids("cert-b")) == 14)
        assert sorted(ids("cert-a")) == sorted(ids("cert-b")) and len(set(ids("cert-a"))) == 14

        def quiet():
            shows = [control(lab[n], cmd="pull-progress", name="other") for n in ("cert-a", "cert-b")]
            return all(x["objects"] == 0 and x["failures"] == 0 and not x["running"] for x in shows) and shows
        shows = until("both to find nothing new", quiet)
        runs = [x["runs"] for x in shows]
        fresh = [lab[n].metric('tocsin_pull_objects_total{outcome="new"}') for n in ("cert-a", "cert-b")]
        until("five more runs of each", lambda: all(
            control(lab[n], cmd="pull-progress", name="other")["runs"] >= r + 5 for n, r in zip(("cert-a", "cert-b"), runs)))
        assert [lab[n].metric('tocsin_pull_objects_total{outcome="new"}') for n in ("cert-a", "cert-b")] == fresh == [7.0, 7.0]
        assert len(ids("cert-a")) == len(ids("cert-b")) == 14
