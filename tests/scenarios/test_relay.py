"""Two nodes and a tap: what one CERT knows reaches the other, once, and only if it may."""
import copy
import http.client
import json
import os
import ssl

import pytest

from lab import TLP, TOP, Tap, indicator, laboratory, stix_id, until

IODEF = os.path.join(TOP, "tests", "demo", "advisory.xml")
CSV = "id;seen_at;last_day;kind;value;what;label;trust;tags;family;report;ticket\n"


@pytest.fixture(scope="module")
def lab():
    with laboratory("cert-a", "cert-b", "tap", "stranger", absent=("tap", "stranger"), trust=strangers) as lab:
        lab.tap = Tap(lab["tap"])
        yield lab
        lab.tap.close()


def strangers(lab):
    """The stranger has a certificate of a CA that everybody accepts, but nobody wrote down his pin; only
    cert-a sends to the tap."""
    for n in (lab["cert-a"], lab["cert-b"]):
        with open(n.file("trust.conf"), encoding="utf-8") as f:
            text = f.read()
        start = text.index("peer stranger\n")
        text = text[:start] + text[text.index("consumer ", start):]
        text = text.replace(" stranger", "").replace(" inbox-stranger", "")
        if n.name == "cert-b":
            text = text.replace(f"    url        {lab['tap'].url}/api/\n    collection inbox-cert-b\n", "")
        with open(n.file("trust.conf"), "w", encoding="utf-8") as f:
            f.write(text)


def ids(node, collection, query=""):
    return node.ids("soc", collection, query)


def settled(lab):
    """Nothing waits in any outbox: what was to be relayed has been."""
    def empty(n):
        return all(p.get("queued", 0) == 0 and p.get("state", "idle") == "idle"
                   for p in n.ask("peer", "list")["peers"])
    for n in lab.nodes.values():
        if n.process:
            until(f"the outbox of {n.name} to be empty", lambda n=n: empty(n))


def test_iodef_at_one_cert_is_stix_at_the_other(lab):
    """If this fails, Tocsin does not do its main job."""
    a, b = lab["cert-a"], lab["cert-b"]
    with open(IODEF, encoding="utf-8") as f:
        a.drop("drop", "advisory.xml", f.read())
    here = until("the advisory at cert-a", lambda: a.objects("soc", "advisories"))
    wanted = {o["id"] for o in here}
    until("the advisory at cert-b", lambda: wanted <= set(ids(b, "inbox-cert-a")))
    there = {o["id"]: o for o in b.objects("soc", "inbox-cert-a")}
    assert all(there[o["id"]] == o for o in here)
    patterns = sorted(o["pattern"] for o in there.values() if o["type"] == "indicator")
    assert patterns == ["[domain-name:value = 'update.grid-portal.example']",
                        "[file:hashes.'SHA-256' = 'fec178b17248937739760e910ea9081dddb4c758cc93d472dd3193d0ca342f3d']",
                        "[ipv4-addr:value = '198.51.100.23']"]
    assert all(TLP["amber"] in o["object_marking_refs"] for o in there.values() if o["type"] == "indicator")
    until("the file in done/", lambda: os.path.exists(a.file("spool", "drop", "done", "advisory.xml")))
    assert not os.path.exists(a.file("spool", "drop", "incoming", "advisory.xml"))


def test_relayed_bytes_are_the_senders_bytes(lab):
    """If this fails, a relay changes what its source signed or numbered."""
    a, b = lab["cert-a"], lab["cert-b"]
    o = indicator("bytes", "[mutex:name = 'bytes']", x_n_ratio=1)
    text = json.dumps(o, indent=1).replace('"x_n_ratio": 1', '"x_n_ratio": 1.10, "x_n_big": 123456789012345678901234567890,'
                                           ' "x_n_esc": "\\u00e9\\u002f\\/"')
    r = a.request("POST", "/api/collections/advisories/objects/", "sensor", '{"objects": [' + text + "]}")
    assert r.status == 202 and r.json["success_count"] == 1
    path = f"/api/collections/inbox-cert-a/objects/{o['id']}/"
    until("it at cert-b", lambda: b.request("GET", path, "soc").status == 200)
    assert text.encode() in b.request("GET", path, "soc").body


def test_same_meaning_again_is_a_sighting(lab):
    """If this fails, feeds fill with copies and peers are sent what they have."""
    a, b = lab["cert-a"], lab["cert-b"]
    first = indicator("sighting 1", "[ipv4-addr:value = '198.51.100.77']")
    a.insist("sensor", "advisories", first)
    until("the first at cert-b", lambda: first["id"] in ids(b, "inbox-cert-a"))
    again = [indicator("sighting 2", "[ ipv4-addr:value='198.51.100.77/32' ]"),
             indicator("sighting 3", "[ipv4-addr:value IN ('198.51.100.77')]")]
    row = CSV + "S-1;20/11/2026 09:00;;host;198[.]51.100.77;C2;A;;;;;\n"
    with open(IODEF, encoding="utf-8") as f:
        iodef = f.read().replace("198.51.100.23", "198.51.100.77").replace("grid-", "wind-").replace("2026-1120", "2026-1121")
    for n in (a, b):
        n.insist("sensor", "advisories", *again)
        n.drop("abuse", "again.csv", row)
        n.drop("drop", "again.xml", iodef)
        until("the CSV", lambda n=n: os.path.exists(n.file("spool", "abuse", "done", "again.csv")))
        until("the IODEF", lambda n=n: os.path.exists(n.file("spool", "drop", "done", "again.xml")))
    settled(lab)
    for n in (a, b):
        explained = n.ask("explain", first["id"], "cert-b" if n is a else "cert-a")
        assert {"sensor", "spool:abuse", "spool:drop"} <= {s["source"] for s in explained["sightings"]}
        shown = [o for o in n.objects("soc", "indicators") if "198.51.100.77" in o.get("pattern", "")]
        assert len(shown) == 1, "a view shows one row a group"
        assert len([o for o in n.objects("soc", "advisories") if "198.51.100.77" in o.get("pattern", "")]) >= 4
    crossed = [o for n, m in ((a, b), (b, a)) for o in n.objects("soc", f"inbox-{m.name}")
               if "198.51.100.77" in o.get("pattern", "")]
    assert [o["id"] for o in crossed] == [first["id"]]


def test_a_freer_label_is_relayed(lab):
    """If this fails, a partner never learns that he may now pass something on."""
    a, b = lab["cert-a"], lab["cert-b"]
    pattern = "[domain-name:value = 'freer.example']"
    strict, amber, green, amber_again = (indicator(f"freer {x}", pattern, tlp=x.split()[0])
                                         for x in ("amber+strict", "amber", "green", "amber later"))
    a.insist("sensor", "advisories", strict)
    until("the refusal", lambda: [d for d in a.ask("explain", strict["id"], "cert-b")["delivery"]
                                  if d["peer"] == "cert-b" and d["state"] == "denied"])
    a.insist("sensor", "advisories", amber)
    until("the amber copy", lambda: amber["id"] in ids(b, "inbox-cert-a"))
    a.insist("sensor", "advisories", green)
    until("the green copy", lambda: green["id"] in ids(b, "inbox-cert-a"))
    a.insist("sensor", "advisories", amber_again)
    settled(lab)
    got = [o["id"] for o in b.objects("soc", "inbox-cert-a") if o.get("pattern") == pattern]
    assert got == [amber["id"], green["id"]]


def test_a_newer_version_is_relayed(lab):
    """If this fails, corrections and revocations do not reach the partners."""
    a, b = lab["cert-a"], lab["cert-b"]
    old = indicator("newer", "[mutex:name = 'newer']")
    new = dict(old, modified="2026-11-20T09:00:00.000Z", name="corrected")
    revoked = dict(new, modified="2026-11-20T10:00:00.000Z", revoked=True)
    for o in (old, new, revoked):
        a.insist("sensor", "advisories", o)
        until("the version at cert-b", lambda o=o: (o["id"], o["modified"]) in b.versions("soc", "inbox-cert-a"))
    shown = [o for o in b.objects("soc", "inbox-cert-a") if o["id"] == old["id"]]
    assert shown == [revoked]
    a.insist("sensor", "advisories", new)       # known already
    settled(lab)
    assert len([v for v in b.versions("soc", "inbox-cert-a") if v[0] == old["id"]]) == 3


def test_amber_strict_stays_and_explain_says_why(lab):
    """If this fails, a secret of our constituency leaves, or nobody can tell why it did not."""
    a, b = lab["cert-a"], lab["cert-b"]
    o = indicator("strict", "[domain-name:value = 'vpn.ministry.example']", tlp="amber+strict")
    a.insist("sensor", "advisories", o)
    until("the decision", lambda: [d for d in a.ask("explain", o["id"], "cert-b")["delivery"] if d["state"] == "denied"])
    done = a.run("explain", o["id"], "cert-b", "--config", a.conf)
    assert done.returncode == 1 and "strict-needs-assurance" in done.stdout and "trust.conf:" in done.stdout
    assert o["id"] in ids(a, "advisories")
    assert b.request("GET", f"/api/collections/inbox-cert-a/objects/{o['id']}/", "soc").status == 404
    assert o["id"] not in [x["id"] for e in lab.tap.envelopes() for x in e["objects"]]


def test_red_is_taken_and_shown_to_nobody(lab):
    """If this fails, TLP:RED is in a page that a tool or a partner reads."""
    a, b = lab["cert-a"], lab["cert-b"]
    red = indicator("red", "[domain-name:value = 'red.example']", tlp="red")
    status = a.insist("sensor", "advisories", red)
    assert (status["success_count"], status["failure_count"]) == (1, 0)
    after = indicator("after red", "[mutex:name = 'after red']")
    a.insist("sensor", "advisories", after)
    until("what came later at cert-b", lambda: after["id"] in ids(b, "inbox-cert-a"))
    for collection in ("advisories", "indicators"):
        base = f"/api/collections/{collection}/"
        assert red["id"] not in ids(a, collection, "match[version]=all")
        assert red["id"].encode() not in a.request("GET", base + "manifest/", "soc").body
        assert a.request("GET", f"{base}objects/{red['id']}/", "soc").status == 404
        assert a.request("GET", f"{base}objects/{red['id']}/versions/", "soc").status == 404
    assert b.request("GET", f"/api/collections/inbox-cert-a/objects/{red['id']}/", "soc").status == 404
    assert red["id"] not in [x["id"] for e in lab.tap.envelopes() for x in e["objects"]]
    done = a.run("explain", red["id"], "cert-b", "--config", a.conf)
    assert done.returncode == 1 and "tlp" in done.stdout.lower()


def test_what_names_a_withheld_object_is_withheld(lab):
    """If this fails, a report tells partners that something exists which they may not know of."""
    a, b = lab["cert-a"], lab["cert-b"]
    secret = indicator("named secret", "[domain-name:value = 'named.example']", tlp="amber+strict")
    free = indicator("named free", "[domain-name:value = 'free.example']")
    at = "2026-11-20T08:00:00.000Z"
    def report(name, *refs):
        return {"type": "report", "spec_version": "2.1", "id": stix_id("report", name), "created": at, "modified": at,
                "name": name, "published": at, "object_refs": list(refs), "object_marking_refs": [TLP["amber"]]}
    def link(name, one, two):
        return {"type": "relationship", "spec_version": "2.1", "id": stix_id("relationship", name), "created": at,
                "modified": at, "relationship_type": "related-to", "source_ref": one, "target_ref": two,
                "object_marking_refs": [TLP["amber"]]}
    bad, good = report("names a secret", secret["id"], free["id"]), report("names nothing secret", free["id"])
    tie, chain = link("tie", secret["id"], free["id"]), link("chain", bad["id"], good["id"])
    a.insist("sensor", "advisories", secret, free, bad, good, tie, chain)
    late = report("names it later", secret["id"])
    a.insist("sensor", "advisories", late)
    last = indicator("after report", "[mutex:name = 'after report']")
    a.insist("sensor", "advisories", last)
    until("what may go at cert-b", lambda: {free["id"], good["id"], last["id"]} <= set(ids(b, "inbox-cert-a")))
    settled(lab)
    assert not {o["id"] for o in (secret, bad, tie, chain, late)} & set(ids(b, "inbox-cert-a"))
    assert secret["id"] not in json.dumps(b.objects("soc", "inbox-cert-a"))


def test_an_identity_goes_with_what_names_it(lab):
    """If this fails, a partner reads indicators of a creator whom he cannot look up."""
    a, b = lab["cert-a"], lab["cert-b"]
    at = "2026-11-20T08:00:00.000Z"
    who = {"type": "identity", "spec_version": "2.1", "id": stix_id("identity", "creator"), "created": at, "modified": at,
           "name": "CERT A", "identity_class": "organization"}
    o = indicator("with creator", "[mutex:name = 'with creator']", created_by_ref=who["id"])
    a.insist("sensor", "advisories", who, o)
    until("both at cert-b", lambda: {who["id"], o["id"]} <= set(ids(b, "inbox-cert-a")))


@pytest.mark.parametrize("collection", ["inbox-cert-a", "inbox-cert-b", "inbox-tap", "advisories"])
def test_only_the_pinned_key_opens_an_inbox(lab, collection):
    """If this fails, anybody can put advisories into a peer's inbox in that peer's name."""
    b, stranger = lab["cert-b"], lab["stranger"]
    o = indicator("forged " + collection, "[mutex:name = 'forged']")
    path = f"/api/collections/{collection}/objects/"
    assert b.request("POST", path, body={"objects": [o]}).status == 401
    assert b.request("POST", path, body={"objects": [o]}, certificate_of=stranger).status == 401
    if collection != "advisories":
        assert b.request("POST", path, "sensor", {"objects": [o]}).status in (403, 404)
    if collection != "inbox-cert-a":
        assert b.request("POST", path, body={"objects": [o]}, certificate_of=lab["cert-a"]).status in (403, 404)
    assert o["id"] not in ids(b, "inbox-cert-a") and o["id"] not in ids(b, "advisories")


def test_a_foreign_ca_is_refused(lab, tmp_path):
    """If this fails, a self-made certificate is as good as one of a peer's."""
    from lab import Lab
    foreign = Lab(str(tmp_path / "foreign"), ("cert-a",), redis=False)
    foreign.build()
    with pytest.raises((ssl.SSLError, OSError, http.client.HTTPException)):
        r = lab["cert-b"].request("POST", "/api/collections/inbox-cert-a/objects/", certificate_of=foreign["cert-a"],
                                  body={"objects": [indicator("foreign", "[mutex:name = 'foreign']")]})
        assert r.status == 401, r.status        # refused above TLS would do as well
        raise ssl.SSLError
    assert stix_id("indicator", "foreign") not in ids(lab["cert-b"], "inbox-cert-a")


def signed_by_a(lab, name):
    """A real envelope as cert-a signed it for the tap, with an object that cert-b has not got."""
    a = lab["cert-a"]
    o = indicator(name, f"[mutex:name = '{name}']", tlp="green")
    a.insist("sensor", "advisories", o)
    body = until("the envelope at the tap", lambda: next(
        (body for _, body in lab.tap.requests if o["id"].encode() in body), None))
    assert compact(json.loads(body)) == body.decode()       # so that what is changed below is all that differs
    return json.loads(body)


def compact(envelope):
    return json.dumps(envelope, separators=(",", ":"))


def replay(lab, envelope):
    return lab["cert-b"].request("POST", "/api/collections/inbox-cert-a/objects/", certificate_of=lab["cert-a"],
                                 body=compact(envelope))


def flip(what):
    def label(e):
        e["x_tocsin"]["label"] = "clear"

    def hops(e):
        e["x_tocsin"]["hops"] = ["elsewhere", "cert-a"]

    def audience(e):
        e["x_tocsin"]["audience"].append("tap2")

    def sender(e):
        e["x_tocsin"]["from"] = "tap"

    def digest(e):
        e["x_tocsin"]["digest"] = "0" * 64

    def content(e):
        e["objects"][0]["name"] = "changed on the way"

    def more(e):
        e["objects"].append(indicator("smuggled", "[mutex:name = 'smuggled']"))

    def signature(e):
        e["x_tocsin"]["sig"] = "A" * 86 + "=="

    def no_signature(e):
        del e["x_tocsin"]["sig"]
    return locals()[what]


@pytest.mark.parametrize("what", ["label", "hops", "audience", "sender", "digest", "content", "more", "signature",
                                  "no_signature"])
def test_a_changed_envelope_is_refused(lab, what):
    """If this fails, who sits between two CERTs can change labels, audience or content."""
    b = lab["cert-b"]
    envelope = copy.deepcopy(signed_by_a(lab, f"tamper {what}"))
    flip(what)(envelope)
    envelope["objects"][0]["id"] = stix_id("indicator", f"new id {what}") if what == "content" else envelope["objects"][0]["id"]
    before = b.metric('tocsin_refused_total{reason="ENVELOPE_BAD"}')
    r = replay(lab, envelope)
    assert r.status == 422, (r.status, r.body)
    assert b.metric('tocsin_refused_total{reason="ENVELOPE_BAD"}') == before + 1
    assert stix_id("indicator", "smuggled") not in ids(b, "inbox-cert-a")


def test_an_unchanged_envelope_may_come_twice(lab):
    """If this fails, a delivery whose answer was lost is an error or a double."""
    b = lab["cert-b"]
    envelope = signed_by_a(lab, "twice")
    for _ in range(2):
        r = replay(lab, envelope)
        assert r.status == 202 and r.json["success_count"] == len(envelope["objects"])
    got = [v for v in b.versions("soc", "inbox-cert-a") if v[0] == envelope["objects"][0]["id"]]
    assert len(got) == 1


def counts(node, peer):
    return next(p for p in node.ask("peer", "list")["peers"] if p["name"] == peer)


def test_a_peer_that_stumbles_gets_it_later(lab):
    """If this fails, an advisory is lost to a 503, a cut connection or an answer that is no answer."""
    a, tap = lab["cert-a"], lab.tap
    settled(lab)
    error = {"title": "no", "http_status": "503"}
    tap.script[:] = [lambda e: Tap.say("503 Service Unavailable", error, "Retry-After: 1"), lambda e: Tap.cut(),
                     lambda e: Tap.cut(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n{"),
                     lambda e: Tap.say("202 Accepted", {"status": "pending"}),
                     lambda e: Tap.cut(b"\x00\x01\x02 what is this\r\n\r\n")]
    o = indicator("stumble", "[mutex:name = 'stumble']")
    a.insist("sensor", "advisories", o)
    until("five stumbles", lambda: not tap.script)
    settled(lab)
    times = [e for e in tap.envelopes() if o["id"] in [x["id"] for x in e["objects"]]]
    assert len(times) == 6
    assert counts(a, "tap")["dead"] == 0 and counts(a, "tap")["failures"] == 0


def test_what_a_peer_refuses_for_good_is_a_dead_letter(lab):
    """If this fails, one object that a peer will never take blocks everything behind it."""
    a, tap = lab["cert-a"], lab.tap
    settled(lab)
    bad, good = indicator("dead", "[mutex:name = 'dead']"), indicator("alive", "[mutex:name = 'alive']")
    dead = counts(a, "tap")["dead"]
    tap.script[:] = [lambda e: Tap.say("422 Unprocessable Entity", {"title": "never", "http_status": "422"})]
    a.insist("sensor", "advisories", bad)
    until("the refusal", lambda: not tap.script)
    a.insist("sensor", "advisories", good)
    until("what comes behind", lambda: good["id"] in [x["id"] for e in tap.envelopes() for x in e["objects"]])
    settled(lab)
    assert counts(a, "tap")["dead"] == dead + 1
    explained = [d for d in a.ask("explain", bad["id"], "tap")["delivery"] if d["peer"] == "tap"]
    assert [d["state"] for d in explained] == ["dead"] and "422" in explained[0]["reason"]


def test_a_peer_that_was_away_gets_everything(lab):
    """If this fails, a CERT that was down for a night misses the night."""
    a, b = lab["cert-a"], lab["cert-b"]
    settled(lab)
    b.kill()
    sent = [indicator(f"away {i}", f"[ipv4-addr:value = '203.0.113.{i}']") for i in range(1, 101)]
    for i in range(0, 100, 5):
        a.insist("sensor", "advisories", *sent[i:i + 5])
    until("the link to be seen as down", lambda: counts(a, "cert-b")["failures"] > 0)
    newer = dict(sent[0], modified="2026-11-20T12:00:00.000Z")
    a.insist("sensor", "advisories", newer)
    b.start()
    wanted = {(o["id"], o["modified"]) for o in [*sent, newer]}
    until("everything at cert-b", lambda: wanted <= set(b.versions("soc", "inbox-cert-a")))
    settled(lab)
    got = [v for v in b.versions("soc", "inbox-cert-a") if v in wanted]
    assert len(got) == len(set(got)) == len(wanted)


def test_a_reload_takes_a_peer_off_and_on(lab):
    """If this fails, trust that was withdrawn is still given, or a repaired entry needs a restart."""
    a, b = lab["cert-a"], lab["cert-b"]
    with open(a.file("trust.conf"), encoding="utf-8") as f:
        trust = f.read()
    def write(text):
        with open(a.file("trust.conf"), "w", encoding="utf-8") as f:
            f.write(text)
    write(trust.replace("release cert-net\n    object     tlp clear green amber amber+strict",
                        "release cert-net\n    object     tlp clear"))
    assert a.reload()
    kept, free = indicator("kept", "[mutex:name = 'kept']"), indicator("let", "[mutex:name = 'let']", tlp="clear")
    a.insist("sensor", "advisories", kept, free)
    until("what is CLEAR", lambda: free["id"] in ids(b, "inbox-cert-a"))
    settled(lab)
    assert kept["id"] not in ids(b, "inbox-cert-a")
    write(trust)
    assert a.reload()
    later = indicator("later", "[mutex:name = 'later']")
    a.insist("sensor", "advisories", later)
    until("what may go again", lambda: later["id"] in ids(b, "inbox-cert-a"))


def failed_delivery(node, o, peer):
    return [d for d in node.ask("explain", o["id"], peer)["delivery"] if d["peer"] == peer and d["state"] == "dead"]


def test_the_same_version_with_other_content_is_kept_apart(lab):
    """If this fails, one CERT overwrites what another one said, or blocks the line with a quarrel."""
    a, b = lab["cert-a"], lab["cert-b"]
    ours = indicator("quarrel", "[mutex:name = 'ours']")
    theirs = dict(ours, pattern="[mutex:name = 'theirs']")
    b.insist("sensor", "advisories", theirs)
    settled(lab)
    known = a.insist("sensor", "advisories", ours)      # b has relayed its own to a already
    assert known["failure_count"] == 1 and "VERSION_CONFLICT" in known["failures"][0]["message"]
    assert [q["code"] for q in a.ask("quarantine", "list")["quarantine"] if q["object"] == ours["id"]] == ["VERSION_CONFLICT"]
    assert [o for o in a.objects("soc", "advisories") if o["id"] == ours["id"]] == []
    assert [o for o in a.objects("soc", "inbox-cert-b") if o["id"] == ours["id"]] == [theirs]


def test_a_peer_with_a_sign_key_signs(lab):
    """If this fails, leaving the envelope out is a way around its signature."""
    b = lab["cert-b"]
    o = indicator("unsigned", "[mutex:name = 'unsigned']")
    r = b.request("POST", "/api/collections/inbox-cert-a/objects/", certificate_of=lab["cert-a"], body={"objects": [o]})
    assert r.status == 422 and "x_tocsin" in r.json["description"]
    assert o["id"] not in ids(b, "inbox-cert-a")


def test_a_peer_speaks_for_whom_it_may(lab):
    """If this fails, one CERT publishes in the name of another."""
    a, b = lab["cert-a"], lab["cert-b"]
    settled(lab)
    mine, other = stix_id("identity", "mine"), stix_id("identity", "other")
    with open(b.file("trust.conf"), encoding="utf-8") as f:
        trust = f.read()
    def write(text):
        with open(b.file("trust.conf"), "w", encoding="utf-8") as f:
            f.write(text)
        assert b.reload(), b.log()[-1000:]
    write(trust.replace("speaks-for any", f"speaks-for {mine}", 1))
    good = indicator("speaks for itself", "[mutex:name = 'good']", created_by_ref=mine)
    bad = indicator("speaks for others", "[mutex:name = 'bad']", created_by_ref=other)
    nobody = indicator("speaks for nobody", "[mutex:name = 'nobody']")
    later = indicator("speaks for others later", "[mutex:name = 'later bad']", created_by_ref=other)
    a.insist("sensor", "advisories", bad, good, nobody, later)
    until("the good one", lambda: good["id"] in ids(b, "inbox-cert-a"))
    until("the refusal", lambda: failed_delivery(a, bad, "cert-b") and failed_delivery(a, later, "cert-b"))
    settled(lab)
    assert nobody["id"] in ids(b, "inbox-cert-a") and bad["id"] not in ids(b, "inbox-cert-a")
    rows = [q for q in b.ask("quarantine", "list")["quarantine"] if q["object"] == bad["id"]]
    assert [(q["code"], q["source"]) for q in rows] == [("IDENTITY_MISMATCH", "cert-a")]
    # the refused copy is no reason to refuse a better one
    b.insist("sensor", "advisories", bad)
    assert bad["id"] in ids(b, "advisories")
    write(trust)
    assert a.run("peer", "retry", "cert-b", "--config", a.conf).returncode == 0
    until("what it may say now", lambda: later["id"] in ids(b, "inbox-cert-a"))


def test_an_unmarked_object_is_not_weaker_at_the_peer(lab):
    """If this fails, what its source holds for AMBER+STRICT becomes AMBER on the way."""
    a, b = lab["cert-a"], lab["cert-b"]
    bare = indicator("bare", "[mutex:name = 'bare']", tlp=None)
    a.insist("sensor", "advisories", bare)
    until("it at cert-b", lambda: bare["id"] in ids(b, "inbox-cert-a"))
    assert [o for o in b.objects("soc", "inbox-cert-a") if o["id"] == bare["id"]] == [bare], "not a byte was added"
    facts = b.run("explain", bare["id"], "cert-a", "--config", b.conf).stdout
    assert "tlp amber" in facts
