"""If these stories fail, what is meant for a TAXII server of somebody else does not reach it, reaches it with more than the objects in
it, or is believed delivered when it was not."""
import json
import uuid

import pytest
import taxii_fake
from lab import Client, indicator, laboratory, stix_id, until
from taxii_fake import STIX20, Fake
from test_pull import COLLECTION, control, cut, indicator20, pull_section

RULES = """
community cert-net
    members away
    green yes

consumer soc
    relation own
    read *

consumer sensor
    relation own
    write *
    speaks-for any

release cert-net
    object tlp clear green amber
    to community cert-net

release own-tools
    object tlp clear green amber amber+strict
    to relation own
"""


class Stage:
    def __init__(self, lab):
        self.lab, self.node, self.fake = lab, lab["cert-a"], None

    def begin(self, version="2.1", extra="", **peer):
        """A fresh fake and an empty outbox: what earlier stories left is dead."""
        self.end()
        n = self.lab.nodes["away"]
        lines = {"pin": n.pin(), "relation": "partner", "speaks-for": "any", "wire": "taxii21",
                 "url": f"https://127.0.0.1:{n.port}/", "collection": "Feed", **peer}
        with open(self.node.file("trust.conf"), "w", encoding="utf-8") as f:
            f.write("peer away\n" + "".join(f"    {k} {v}\n" for k, v in lines.items()) + RULES)
        self.lab.write_conf(self.node, extra)
        self.fake = Fake(n, version)
        assert self.node.reload(), self.node.log()[-2000:]
        return self.fake

    def end(self):
        if self.fake:
            until("the outbox to be empty", lambda: self.peer()["queued"] == 0)
            self.fake.close()
            self.fake = None

    def collection(self):
        c = Client(self.node, "soc")
        return next(x["id"] for x in c.get("/api/collections/").json["collections"] if x["title"].startswith("Adv"))

    def publish(self, *objects):
        r = Client(self.node, "sensor").request("POST", f"/api/collections/{self.collection()}/objects/", {"objects": objects})
        assert r.status == 202 and r.json["failure_count"] == 0, r.body

    def peer(self):
        return self.node.ask("peer", "show", "away")

    def sent(self, objects, times=1):
        """Wait until the fake has taken exactly these."""
        want = sorted(o["id"] for o in objects for _ in range(times))
        until("all to arrive", lambda: len(self.arrived()) >= len(want))
        assert sorted(self.arrived()) == want
        until("the outbox to be empty", lambda: self.peer()["queued"] == 0)

    def arrived(self):
        return [o["id"] for m in self.fake.posted for o in m["objects"]]


@pytest.fixture(scope="module")
def stage():
    with laboratory("cert-a", "away", absent=("away",), redis=False) as lab:
        s = Stage(lab)
        yield s
        s.end()


def some(n, word, **more):
    """Indicators of which no two in this file say the same: a peer that has one is not sent the other."""
    return [indicator(f"pushed {word} {i}", f"[domain-name:value = '{stix_id('x', word)[3:]}-{i}.example']", tlp="green", **more)
            for i in range(n)]


def test_objects_and_nothing_beside_them(stage):
    """If this fails, a stranger's server is told what only our peers should know, or gets nothing."""
    fake = stage.begin()
    objects = some(3, "plain")
    stage.publish(*objects)
    stage.sent(objects)
    assert set(fake.posted[0]) == {"objects"} and fake.posted[0]["objects"] == objects
    post = next(r for r in fake.requests if r.method == "POST")
    assert post.path == f"/root/collections/{COLLECTION}/objects/"
    assert post.headers["Content-Type"] == "application/taxii+json;version=2.1"
    assert "X-Request-Id" not in post.headers
    assert stage.peer()["failures"] == 0


def test_cut_into_what_the_server_takes(stage):
    """If this fails, a server with a small limit gets nothing, or what is too large for it stops the rest."""
    fake = stage.begin()
    fake.max_content = 4000
    objects, huge = some(30, "split"), some(1, "huge", description="x" * 5000)
    stage.publish(*objects, *huge)
    stage.sent(objects)
    assert len(fake.posted) > 3
    show = stage.peer()
    assert show["dead"] == 1
    why = stage.node.ask("explain", huge[0]["id"], "away")["delivery"][0]["reason"]
    assert "takes" in why and "bytes" in why, why


def test_an_object_as_large_as_what_is_taken(stage):
    """If this fails, an object at the very limit of a server is booked as delivered, with all behind it, and never was."""
    fake = stage.begin()
    probe = some(1, "limit", description="x" * 600)[0]
    sizes = []
    usual = fake.RequestHandlerClass.post

    def post(h, body, cid):
        sizes.append(len(body))
        usual(h, body, cid)
    routes = list(taxii_fake.ROUTES)
    try:
        taxii_fake.ROUTES[:] = [(p, m, post if m == "POST" else run) for p, m, run in routes]
        stage.publish(probe)
        stage.sent([probe])
    finally:
        taxii_fake.ROUTES[:] = routes
    for spare in (255, 256, 257):
        fake = stage.begin()
        fake.max_content = sizes[0] - len('{"objects":[]}') + spare
        dead = stage.peer()["dead"]
        exact, small = some(1, f"exact {spare}")[0], some(1, f"small {spare}")[0]
        exact["description"] = ""
        exact["description"] = "x" * (len(json.dumps(probe)) - len(json.dumps(exact)))
        stage.publish(exact, small)
        until("the small one to arrive", lambda: small["id"] in stage.arrived())
        until("all to be booked", lambda: stage.peer()["queued"] == 0)
        assert exact["id"] in stage.arrived() or stage.peer()["dead"] == dead + 1, spare


def test_a_server_that_refuses_everything_is_not_sent_it_all_again(stage):
    """If this fails, a server that takes nothing gets all that is left once more for each object of it."""
    fake = stage.begin()
    objects = some(32, "all refused")
    usual = fake.RequestHandlerClass.serve
    bodies = []

    def serve(h, body):
        if h.command == "POST":
            bodies.append(json.loads(body)["objects"])
            h.refuse(422, "Never")
        else:
            usual(h, body)
    fake.RequestHandlerClass = type("Never", (fake.RequestHandlerClass,), {"serve": serve})
    dead = stage.peer()["dead"]
    stage.publish(*objects)
    until("all to be given up", lambda: stage.peer()["dead"] == dead + len(objects))
    assert sum(len(b) for b in bodies) <= 4 * len(objects), [len(b) for b in bodies]


def test_a_limit_that_was_not_announced(stage):
    """If this fails, 413 is answered with the same again, for ever."""
    fake = stage.begin()
    limit = 3000
    usual = fake.RequestHandlerClass.post

    def post(h, body, cid):
        if len(body) > limit:
            h.refuse(413, "Too large")
        else:
            usual(h, body, cid)
    fake.RequestHandlerClass = type("Small", (fake.RequestHandlerClass,), {"do_POST": lambda h: serve(h, post)})

    def serve(h, run):
        body = h.rfile.read(int(h.headers["Content-Length"]))
        run(h, body, COLLECTION)
    objects = some(20, "413")
    stage.publish(*objects)
    stage.sent(objects)
    assert sum(r.path == "/root/" for r in fake.requests) > 1        # asked what it takes now


def test_pending_is_followed(stage):
    """If this fails, an answer of "not yet" is taken for a yes, or the same is posted again and again."""
    fake = stage.begin()
    looks = []

    def after(status):
        n = status["total_count"]
        done = dict(status)
        sid = status["id"]

        def look():
            looks.append(sid)
            return done if len(looks) > 2 else {**done, "status": "pending", "pending_count": n, "success_count": 0}
        later.append(look)
        return {**status, "status": "pending", "pending_count": n, "success_count": 0}
    later = []
    fake.after = after
    routes = taxii_fake.ROUTES[:]
    taxii_fake.ROUTES[:] = [(p, m, (lambda h, _, sid: h.say(200, later[0]())) if "status" in p else r) for p, m, r in routes]
    try:
        objects = some(4, "pending")
        stage.publish(*objects)
        stage.sent(objects)
        until("the status to be complete", lambda: len(looks) == 3)
    finally:
        taxii_fake.ROUTES[:] = routes
    assert len(fake.posted) == 1


def test_single_refusals_are_booked(stage):
    """If this fails, what a server refused is believed delivered, or drags the rest with it."""
    fake = stage.begin()
    objects = some(5, "refusal")

    def after(status):
        bad = [{"id": o["id"], "version": o["modified"], "message": "do not\x1b[2J\x9b\u202elike it\0" + "\u00e9" * 400}
               for o in fake.posted[-1]["objects"] if o["id"] == objects[2]["id"]]
        return {**status, "failure_count": len(bad), "success_count": status["total_count"] - len(bad), "failures": bad}
    fake.after = after
    dead = stage.peer()["dead"]
    stage.publish(*objects)
    stage.sent(objects)
    until("the refusal to be booked", lambda: stage.peer()["dead"] == dead + 1)
    why = stage.node.ask("explain", objects[2]["id"], "away")["delivery"][0]["reason"]
    assert "do not [2J  like it \u00e9" in why and why.endswith("\u00e9") and why.isprintable(), why
    assert stage.node.ask("explain", objects[1]["id"], "away")["delivery"][0]["state"] == "sent"


@pytest.mark.parametrize("status", [422, 400])
def test_one_bad_object_does_not_stop_the_others(stage, status):
    """If this fails, one object that a server cannot read keeps all others from it."""
    fake = stage.begin()
    objects = some(9, f"bad{status}")
    usual = fake.RequestHandlerClass.serve

    def serve(h, body):
        if h.command == "POST" and objects[4]["id"].encode() in body:
            h.refuse(status, "Cannot read it")
        else:
            usual(h, body)
    fake.RequestHandlerClass = type("Picky", (fake.RequestHandlerClass,), {"serve": serve})
    dead = stage.peer()["dead"]
    stage.publish(*objects)
    stage.sent(objects[:4] + objects[5:])
    until("the bad one to be given up", lambda: stage.peer()["dead"] == dead + 1)
    assert "Cannot read it" in stage.node.ask("explain", objects[4]["id"], "away")["delivery"][0]["reason"]


def test_what_was_taken_is_not_sent_again_after_a_lost_connection(stage):
    """If this fails, a weak line repeats the same beginning for ever."""
    fake = stage.begin()
    fake.max_content = 3000
    objects = some(20, "weak")
    seen = []
    usual = fake.RequestHandlerClass.post

    def post(h):
        body = h.rfile.read(int(h.headers["Content-Length"]))
        seen.append(body)
        if len(seen) in (2, 3):
            cut(h)
        else:
            usual(h, body, COLLECTION)
    fake.RequestHandlerClass = type("Weak", (fake.RequestHandlerClass,), {"do_POST": post})
    stage.publish(*objects)
    stage.sent(objects)


@pytest.mark.parametrize("answer,words", [
    (lambda h: h.refuse(401, "Who?"), "tocsin peer login away"),
    (lambda h: h.refuse(403, "Not you"), "no right"),
    (lambda h: h.refuse(404, "Gone fishing"), "Gone fishing"),
    (lambda h: h.refuse(429, "Slow", "Retry-After: 1"), "too often"),
    (lambda h: h.refuse(500, "Oops"), "server has failed"),
])
def test_refusals_in_words_and_tried_again(stage, answer, words):
    """If this fails, a delivery that could be mended is given up, or nobody learns what to mend."""
    fake = stage.begin()
    fake.answers = [None, None, None, answer]
    objects = some(1, "words" + words)
    stage.publish(*objects)
    until("the reason to be shown", lambda: words in stage.node.log())
    stage.sent(objects)
    assert stage.peer()["failures"] == 0


def test_a_collection_that_may_not_be_written(stage):
    """If this fails, we post where the server said that we may not."""
    fake = stage.begin()
    fake.can_write = False
    objects = some(1, "rights")
    stage.publish(*objects)
    until("the reason", lambda: "may not write" in stage.peer().get("last_error", ""))
    assert not any(r.method == "POST" for r in fake.requests)
    fake.can_write = True
    stage.sent(objects)


def test_a_server_of_2_0_gets_bundles_of_2_0(stage):
    """If this fails, older servers are given what they cannot read."""
    fake = stage.begin("2.0", wire="taxii20")
    old, new = indicator20("pushed old"), some(1, "too new")[0]
    old["id"] = f"indicator--{uuid.uuid5(uuid.NAMESPACE_URL, 'pushed old')}"
    dead = stage.peer()["dead"]
    stage.publish(old, new)
    stage.sent([old])
    assert fake.posted[0]["type"] == "bundle" and fake.posted[0]["spec_version"] == "2.0"
    post = next(r for r in fake.requests if r.method == "POST")
    assert post.headers["Content-Type"] == STIX20
    until("the other to be given up", lambda: stage.peer()["dead"] == dead + 1)
    assert "2.0" in stage.node.ask("explain", new["id"], "away")["delivery"][0]["reason"]


def test_a_server_of_2_0_gets_2_1_in_its_words(stage):
    """If this fails, a partner whose server speaks TAXII 2.0 alone gets nothing of what we write today."""
    fake = stage.begin("2.0", wire="taxii20", **{"serve-as": "stix20"})
    dead = stage.peer()["dead"]
    new = some(1, "said in 2.0")[0] | {"indicator_types": ["benign"]}
    ip = {"type": "ipv4-addr", "spec_version": "2.1", "id": "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4",
          "value": "198.51.100.3", "object_marking_refs": new["object_marking_refs"]}
    stage.publish(new, ip)
    until("both to arrive", lambda: sum(len(p["objects"]) for p in fake.posted) >= 2)
    got = {o["type"]: o for p in fake.posted for o in p["objects"]}
    assert got["indicator"]["id"] == new["id"] and got["indicator"]["labels"] == ["benign"]
    assert "spec_version" not in got["indicator"] and "pattern_type" not in got["indicator"]
    assert got["observed-data"]["objects"]["0"]["value"] == ip["value"]
    assert stage.peer()["dead"] == dead


def test_too_much_would_be_lost_in_2_0(stage):
    """If this fails, a partner of 2.0 gets what was said there in other words only, although somebody said that he must not."""
    how = {"wire": "taxii20", "serve-as": "stix20"}
    fake = stage.begin("2.0", **how, **{"refuse-loss": "out 0% approximated"})
    dead = stage.peer()["dead"]
    new = some(1, "lost in 2.0")[0] | {"indicator_types": ["benign"], "confidence": 40, "lang": "en"}
    stage.publish(new)
    until("it to be given up", lambda: stage.peer()["dead"] == dead + 1)
    assert fake.posted == []
    reason = stage.node.ask("explain", new["id"], "away")["delivery"][0]["reason"]
    assert reason.startswith("LOSS: as stix20 ") and "fields would be lost" in reason, reason
    records = [json.loads(x) for x in stage.node.run("audit", "export", "--config", stage.node.conf).stdout.splitlines()]
    record = [r for r in records if r.get("ev") == "undelivered"][-1]
    assert (record["peer"], record["code"], record["as"], record["objects"]) == ("away", "LOSS", "stix20", 1), record
    assert record["approximated"] > 0 and record["kept"] > 0
    fake = stage.begin("2.0", **how, **{"refuse-loss": "out 0%"})       # what is in the extension is not lost
    stage.node.run("peer", "retry", "away", "--config", stage.node.conf)
    until("it to arrive", lambda: new["id"] in [o["id"] for p in fake.posted for o in p["objects"]])


def test_what_was_pulled_there_is_not_pushed_back(stage):
    """If this fails, a feed gets its own objects back, and the next node its echo."""
    fake = stage.begin(extra=pull_section("both", peer="away", every="1h"))
    theirs = some(3, "theirs")
    fake.add(*theirs)
    control(stage.node, cmd="pull", name="both")
    until("the pull to end", lambda: control(stage.node, cmd="pull-progress", name="both")["new"] == 3)
    ours = some(1, "ours")
    stage.publish(*ours)
    stage.sent(ours)
    history = stage.node.ask("explain", theirs[0]["id"], "away")
    assert history["sightings"][0]["source"] == "away" and history["sightings"][0]["hops"] == "away", json.dumps(history)
    assert not any(d["state"] in ("sent", "queued") for d in history["delivery"])
