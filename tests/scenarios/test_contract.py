"""What every TAXII client may rely on: one story a line of the contract (C1 to C21)."""
import base64
import datetime
import itertools
import json
import random
import re
import uuid

import pytest

import clients
from lab import TAXII, TLP, Client, indicator, laboratory, stix_id, until

STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
PASSWORD = "Grüße: from afar"
TLP1 = {"white": "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
        "green": "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
        "amber": "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"}
EXTRA = """
collection box
    title        "Box"
    id           2f7d2cd1-2dd5-4a5a-9b0a-6a2d6c1c9d10

collection walk
    title        "Walk"

collection blank
    title        "Blank"

collection marked
    title        "Marked"

"""
CONSUMERS = {
    "both": ["relation own", "read *", "write *"],
    "form": ["relation own", "read *"],
    "badge": ["relation own", "read *"],
    "elastic": ["relation own", "read *", "empty-list yes"],
    "old": ["relation own", "read *", "tlp-vocab 1.0"],
    "new": ["relation own", "read *", "tlp-vocab 2.0"],
    "any": ["relation own", "read *", "tlp-vocab both"],
    "modern": ["relation own", "read *"],
    "forgetful": ["relation own", "read *", "bookmark yes"],
    "hasty": ["relation own", "read *", "limit in 600/min burst 3"],
}


def keys(lab):
    n = lab["cert-a"]
    n.add_password("form", PASSWORD)
    with open(n.file("trust.conf"), encoding="utf-8") as f:
        text = f.read()
    with open(n.file("trust.conf"), "w", encoding="utf-8") as f:
        f.write(text.replace("consumer badge\n", f"consumer badge\n    pin        {lab['badge'].pin()}\n"))
    with open(n.conf, encoding="utf-8") as f:
        text = f.read()
    with open(n.conf, "w", encoding="utf-8") as f:
        f.write(text.replace("taxii\n", "taxii\n    token-header X-Api-Key\n", 1))


@pytest.fixture(scope="module")
def node():
    with laboratory("cert-a", "badge", absent=("badge",), knows=lambda a, b: False, redis=False, extra=EXTRA,
                    consumers=CONSUMERS, limits="    body 300k\n", trust=keys) as lab:
        n = lab["cert-a"]
        n.badge = lab["badge"]
        objects = [indicator(f"walk {i}", f"[ipv4-addr:value = '198.51.100.{i % 250}' OR mutex:name = '{i}']") for i in range(230)]
        n.insist("both", "walk", *objects)
        n.walk = objects
        yield n


@pytest.fixture
def client(node):
    c = Client(node, "both")
    yield c
    c.close()


def objects_of(page):
    return (page.json or {}).get("objects", [])


def walk(c, path):
    """Every page of a walk by `next`."""
    more = None
    while True:
        r = c.get(path + (f"&next={more}" if more else ""))
        assert r.status == 200, r.body
        yield r
        more = r.json.get("next")
        if not more:
            return


def test_c01_the_slash_does_not_matter(client):
    """If this fails, a client that leaves the last slash out is redirected, loses its credentials, or sees nothing."""
    one = client.get("/api/collections/walk/objects/?limit=1").json["objects"][0]["id"]
    for path in ("/taxii2", "/api", "/api/collections", "/api/collections/walk", "/api/collections/walk/objects",
                 "/api/collections/walk/manifest", f"/api/collections/walk/objects/{one}",
                 f"/api/collections/walk/objects/{one}/versions", "/api/nothing", "/api/collections/nope"):
        bare, slashed = client.get(path), client.get(path + "/")
        assert (bare.status, bare.headers["Content-Type"]) == (slashed.status, slashed.headers["Content-Type"])
        if bare.status == 200:
            assert bare.body == slashed.body
        assert bare.status in (200, 404)
    status = client.request("POST", "/api/collections/box/objects", {"objects": [indicator("c1", "[mutex:name = 'c1']")]})
    assert status.status == 202


@pytest.mark.parametrize("accept", [
    TAXII, "application/taxii+json; version=2.1", 'application/taxii+json;version="2.1"', "application/taxii+json",
    "APPLICATION/TAXII+JSON;VERSION=2.1", "application/taxii+json;version=2.1;charset=utf-8", "*/*", "application/*", None,
    "text/html, application/taxii+json;version=2.1;q=0.1", "application/taxii+json;version=2.1, application/stix+json;version=2.1"])
def test_c02_accept(client, accept):
    """If this fails, the client of some maker is refused for the way it writes a media type."""
    r = client.get("/api/collections/walk/objects/?limit=1", Accept=accept)
    assert r.status == 200 and r.headers["Content-Type"] == TAXII


def test_c03_every_answer_is_taxii(client, node):
    """If this fails, a client shows its user a page of HTML, or nothing, when something is wrong."""
    long_path = "/api/" + "x" * 20000
    for method, path, who, headers in (
            ("GET", "/", "both", {}), ("GET", "/nothing/at/all", "both", {}), ("GET", long_path, "both", {}),
            ("GET", "/api/", None, {}), ("PUT", "/api/", "both", {}), ("BREW", "/api/", "both", {}),
            ("GET", "/api/collections/walk/objects/?limit=x", "both", {}),
            ("GET", "/api/", "both", {"Accept": "text/html"}),
            ("POST", "/api/collections/box/objects/", "both", {"Content-Type": "text/plain"}),
            ("POST", "/api/collections/box/objects/", "both", {"Content-Length": "9999999"})):
        r = node.request(method, path, who, headers=headers, body=b"{" if method == "POST" else None)
        assert r.status >= 400 and r.headers["Content-Type"] == TAXII, (path[:60], r.status)
        error = r.json
        assert error["title"] and error["http_status"] == str(r.status) and error["error_code"]
    again = node.request("GET", "/api/collections/walk/objects/?limit=x", "both").json
    assert again["error_code"] == node.request("GET", "/api/collections/walk/objects/?limit=y", "both").json["error_code"]


def test_c04_discovery(client, node):
    """If this fails, clients that compare URLs letter by letter find no API root."""
    found = client.get("/taxii2/").json
    assert found["default"] in found["api_roots"]
    for url in found["api_roots"]:
        assert re.fullmatch(re.escape(node.url) + r"/[^/]+/", url), url
        assert client.get(clients.path_of(url)).json["versions"] == [TAXII]
    host = client.get("/taxii2/", Host="elsewhere.example").json
    assert host == found, "the base is configured, not what a client says"


def test_c05_collections(client):
    """If this fails, Sentinel's form refuses a collection, or a client that knows it by title takes another."""
    def listed():
        return client.get("/api/collections/").json["collections"]
    first = listed()
    assert [uuid.UUID(c["id"]).version for c in first] == [4] * len(first)
    titles = [c["title"] for c in first]
    assert len(set(titles)) == len(titles) and all(t.isprintable() and t for t in titles)
    assert listed() == first
    for c in first:
        assert client.get(f"/api/collections/{c['id']}/").json == c == client.get(f"/api/collections/{c['alias']}/").json


def test_c06_ways_to_log_in(client, node):
    """If this fails, a product that can say who it is in one way only is locked out."""
    path = "/api/collections/walk/objects/?limit=1"
    refused = node.request("GET", path)
    assert refused.status == 401 and refused.headers["WWW-Authenticate"].startswith("Basic ")
    token = node.tokens["elastic"]
    pair = base64.b64encode(f"form:{PASSWORD}".encode()).decode()
    for headers in ({"Authorization": f"Bearer {token}"}, {"Authorization": f"Token {token}"},
                    {"authorization": f"bearer {token}"}, {"Authorization": f"Basic {pair}"}, {"X-Api-Key": token}):
        assert node.request("GET", path, headers=headers).status == 200, headers
    assert node.request("GET", path, certificate_of=node.badge).status == 200
    assert node.request("GET", path, certificate_of=node.badge, headers={"Authorization": "Bearer " + node.tokens["badge"]}).status == 200
    assert node.request("GET", path, certificate_of=node.badge, headers={"X-Api-Key": token}).status == 401, "two identities"
    for headers in ({"X-Api-Key": token[:-1]}, {"X-Api-Key": ""}, {"Authorization": f"Basic {pair[:-4]}"}):
        assert node.request("GET", path, headers=headers).status == 401


def test_c07_next(client, node):
    """If this fails, a walk breaks when the answer is lost, the node restarts, or the client repeats its filters."""
    base = "/api/collections/walk/objects/?match[type]=indicator&limit=50"
    pages = list(walk(client, base))
    assert [len(objects_of(p)) for p in pages] == [50, 50, 50, 50, 30]
    token = pages[0].json["next"]
    assert re.fullmatch(r"[A-Za-z0-9_.~-]+", token)
    node.restart()
    fresh = Client(node, "both")
    assert fresh.get(f"{base}&next={token}").json == pages[1].json
    assert fresh.get(f"{base}&next={token}").json == pages[1].json, "and again"
    both = f"&next={token}&added_after={pages[0].headers['X-TAXII-Date-Added-Last']}"
    assert objects_of(fresh.get(base + both)) == objects_of(pages[1])
    assert objects_of(fresh.get(f"/api/collections/walk/objects/?limit=50&next={token}")) == objects_of(pages[1])
    for bad in (token[:-1], token[1:], token.swapcase(), "A" * len(token), "%00", "../../etc"):
        r = fresh.get(base + f"&next={bad}")
        assert r.status == 400 and "next" in r.json["description"], bad
    assert fresh.get(f"/api/collections/box/objects/?next={token}").status == 400, "of another collection"
    fresh.close()


@pytest.mark.parametrize("limit", [1, 7, 100, 230, 231])
def test_c08_c09_more_and_full_pages(client, limit):
    """If this fails, clients that stop at a short page stop early, and those that follow `next` never do."""
    for what, query in itertools.product(("objects", "manifest"), ("", "&match[type]=indicator", "&match[version]=all")):
        got = []
        for r in walk(client, f"/api/collections/walk/{what}/?limit={limit}{query}"):
            n = len(objects_of(r))
            if r.json.get("more"):
                assert r.json["next"] and n == limit
            else:
                assert "next" not in r.json and n <= limit
            got += [o["id"] for o in objects_of(r)]
        assert got == [o["id"] for o in node_ids(client)], (what, query)


def node_ids(client):
    return objects_of(client.get("/api/collections/walk/manifest/?limit=1000"))


def test_c10_dates(client, node):
    """If this fails, a client that cuts or rounds dates misses what another added in the same millisecond."""
    rng, last_ms = random.Random(3), -1
    before = None
    for i in range(12):
        names = [f"c10 {i} {k}" for k in range(rng.randrange(1, 9))]
        node.insist("both", "box", *(indicator(x, f"[mutex:name = '{x}']") for x in names))
        rows = objects_of(client.get("/api/collections/box/manifest/" + (f"?added_after={before}" if before else "")))
        rows = [r for r in rows if r["id"] in {stix_id("indicator", x) for x in names}]
        dates = [r["date_added"] for r in rows]
        assert len(rows) == len(names) and dates == sorted(set(dates)) and all(STAMP.match(d) for d in dates)
        first_ms = int(dates[0][20:23]) + 1000 * int(clients.instant(dates[0]).timestamp())
        assert first_ms > last_ms and dates[0][23:26] in ("000", "001"), "a commit begins on a fresh millisecond"
        last_ms, before = int(dates[-1][20:23]) + 1000 * int(clients.instant(dates[-1]).timestamp()), dates[-1]
    rows = {r["id"]: r["date_added"] for r in objects_of(client.get("/api/collections/box/manifest/?limit=1000"))}
    node.insist("both", "box", indicator(names[0], f"[mutex:name = '{names[0]}']"))
    assert {r["id"]: r["date_added"] for r in objects_of(client.get("/api/collections/box/manifest/?limit=1000"))} == rows
    assert clients.instant(max(rows.values())) < datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1)


def test_c11_date_headers(client):
    """If this fails, clients that keep X-TAXII-Date-Added-Last as their mark lose or repeat."""
    dates = {r["id"]: r["date_added"] for r in node_ids(client)}
    for r in walk(client, "/api/collections/walk/objects/?limit=60"):
        got = [dates[o["id"]] for o in objects_of(r)]
        assert [r.headers["X-TAXII-Date-Added-First"], r.headers["X-TAXII-Date-Added-Last"]] == [got[0], got[-1]]


def test_c12_added_after(client):
    """If this fails, a client whose language prints times another way is refused, or is given the wrong objects."""
    rows = node_ids(client)
    middle = rows[100]["date_added"]
    def after(text):
        return [o["id"] for o in objects_of(client.get("/api/collections/walk/objects/?limit=1000&added_after=" + text))]
    want = [r["id"] for r in rows[101:]]
    assert after(middle) == want
    assert after(middle[:-1] + "000Z") == want
    assert after(middle.replace(":", "%3A")) == want
    cut = after(middle[:23] + "Z")
    assert cut[-len(want):] == want and len(cut) > len(want), "who cuts sees some again and misses none"
    assert after(middle[:19] + "Z")[-len(want):] == want
    for bad in ("yesterday", "2026", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z",
                "1,2", "2026-01-01T00:00:00.0000000000Z"):
        r = client.get("/api/collections/walk/objects/?added_after=" + bad.replace(" ", "%20"))
        assert r.status == 400 and re.search(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", r.json["description"]), (bad, r.json)


def test_c13_nothing(client, node):
    """If this fails, an empty answer ends the integration of Elastic, or breaks a client that keeps to the standard."""
    for path in ("/api/collections/blank/objects/", "/api/collections/walk/objects/?added_after=9999-01-01T00:00:00Z",
                 "/api/collections/walk/manifest/?match[type]=none"):
        assert client.get(path).json == {}
        r = node.request("GET", path, "elastic")
        assert r.status == 200 and r.json == {"objects": []}
    assert node.request("GET", "/api/collections/blank/manifest/", "elastic").json == {"objects": []}


def test_c14_posts(node):
    """If this fails, MISP's push or Splunk's app stops with an error of its own about the status."""
    http = clients.Http(node, clients.bearer(node, "both"))
    cid = "2f7d2cd1-2dd5-4a5a-9b0a-6a2d6c1c9d10"
    things = [indicator(f"c14 {i}", f"[mutex:name = 'c14 {i}']", description="x" * 900) for i in range(700)]
    statuses = clients.MispPush(http, "/api/", cid).push(things)
    assert len(statuses) > 1 and sum(s["success_count"] for s in statuses) == len(things)
    again = clients.MispPush(http, "/api/", cid).push(things[:9])[0]
    assert again["success_count"] == 9, "duplicates succeed"
    bad = [dict(things[0], id="indicator--no"), "nothing", dict(things[1], modified="soon")]
    status = clients.SplunkCtis(http, "/api/", cid).push(bad + things[200:203])
    assert (status["status"], status["total_count"], status["success_count"], status["failure_count"]) == ("complete", 6, 3, 3)
    assert all(f["message"] for f in status["failures"]) and len({f["message"] for f in status["failures"]}) == 3
    http.close()


def test_c15_sizes(client, node):
    """If this fails, a client that splits by what we announce is refused, or one that does not is cut off."""
    most = client.get("/api/").json["max_content_length"]
    frame = json.dumps({"objects": [indicator("c15", "[mutex:name = 'c15']", description="")]})
    full = frame.replace('"description": ""', '"description": "' + "x" * (most - len(frame)) + '"')
    assert len(full) == most
    assert client.request("POST", "/api/collections/box/objects/", full).status == 202
    r = node.request("POST", "/api/collections/box/objects/", "both", body=full + " ", headers={"Content-Type": TAXII})
    assert r.status == 413 and str(most) in r.body.decode()
    assert client.get("/api/collections/walk/objects/?limit=1000").status == 200
    assert client.get("/api/collections/walk/objects/?match[id]=" + ",".join(["indicator--x"] * 900)).status == 200


def test_c16_slow_down(node):
    """If this fails, a client that is told to wait does not know how long, or one full read of a collection is not allowed."""
    c = Client(node, "hasty")
    answers = [c.get("/api/collections/walk/objects/?limit=1") for _ in range(12)]
    late = [r for r in answers if r.status == 429]
    assert late and all(int(r.headers["Retry-After"]) >= 1 and r.json["description"] for r in late)
    assert "600" in late[0].json["description"], "the policy is in the body"
    c.close()


def walk_seen(c, path):
    """Each object of a walk with the ids that its page and those before hold."""
    seen = set()
    for r in walk(c, path):
        seen |= {o["id"] for o in objects_of(r)}
        for o in objects_of(r):
            yield o, seen


def test_c17_what_is_named_is_there(client, node):
    """If this fails, a client drops an object, or guesses its marking, because what it names came too late or never."""
    statement = {"type": "marking-definition", "spec_version": "2.1", "id": stix_id("marking-definition", "c17"),
                 "created": "2026-01-01T00:00:00Z", "definition_type": "statement", "definition": {"statement": "ours"}}
    who = {"type": "identity", "spec_version": "2.1", "id": stix_id("identity", "c17"), "name": "c17", "identity_class": "group",
           "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z"}
    things = [dict(indicator(f"c17 {i}", f"[domain-name:value = 'c17-{i}.example']", tlp="green"), created_by_ref=who["id"],
                   object_marking_refs=[TLP["green"], statement["id"]]) for i in range(20)]
    node.insist("both", "marked", who, statement, *things)
    for path in ("/api/collections/marked/objects/?limit=5", "/api/collections/indicators/objects/?limit=5"):
        found = 0
        for o, seen in walk_seen(client, path):
            if o["id"] in {t["id"] for t in things}:
                found += 1
                assert o["created_by_ref"] in seen and set(o["object_marking_refs"]) <= seen | set(TLP.values()), path
        assert found == 20, path


def test_c18_vocabularies_of_tlp(node):
    """If this fails, a product that knows one version of TLP reads AMBER+STRICT as nothing at all."""
    things = {word: indicator(f"c18 {word}", f"[domain-name:value = 'c18-{word[:5]}{len(word)}.example']", tlp=word)
              for word in ("clear", "green", "amber", "amber+strict")}
    node.insist("both", "marked", *things.values())
    ids = ",".join(o["id"] for o in things.values())
    def refs(who):
        r = node.request("GET", "/api/collections/marked/objects/?match[id]=" + ids, who)
        return {o["name"].split()[1]: set(o["object_marking_refs"]) for o in r.json.get("objects", [])}
    twos = {word: {TLP[word]} for word in things}
    assert refs("modern") == twos and refs("new") == twos
    assert refs("old") == {"clear": {TLP1["white"]}, "green": {TLP1["green"]}, "amber": {TLP1["amber"]}}, "the strict one is withheld"
    both = refs("any")
    assert both["green"] == {TLP["green"], TLP1["green"]} and both["clear"] == {TLP["clear"], TLP1["white"]}
    assert both["amber+strict"] == {TLP["amber+strict"]}


def test_c19_revoked_and_expired(client, node):
    """If this fails, a client blocks for ever what its maker has taken back."""
    o = indicator("c19", "[domain-name:value = 'c19.example']", valid_until="2026-11-20T08:00:01.000Z")
    node.insist("both", "box", o)
    mark = client.get("/api/collections/box/manifest/?match[id]=" + o["id"]).headers["X-TAXII-Date-Added-Last"]
    assert objects_of(client.get("/api/collections/box/objects/?match[id]=" + o["id"])) == [o], "expired, and delivered as such"
    gone = dict(o, revoked=True, modified="2026-11-20T09:00:00.000Z")
    node.insist("both", "box", gone)
    path = f"/api/collections/box/objects/?match[id]={o['id']}&added_after="
    assert objects_of(client.get(path + mark)) == [gone]
    later = client.get(path + mark).headers["X-TAXII-Date-Added-Last"]
    assert objects_of(client.get(path + later)) == [], "once"


def test_c20_bookmark(client, node):
    """If this fails, a product that keeps no mark of its own pays for the same objects with every poll."""
    def poll():
        got, more = [], None
        while True:
            r = node.request("GET", "/api/collections/walk/objects/?limit=100&added_after=1970-01-01T00:00:00Z"
                             + (f"&next={more}" if more else ""), "forgetful")
            got += [o["id"] for o in objects_of(r)]
            more = r.json.get("next")
            if not more:
                return got
    assert poll() == [o["id"] for o in node.walk]
    until("the bookmark to be kept", lambda: poll() == [])
    fresh = indicator("c20", "[mutex:name = 'c20']")
    node.insist("both", "walk", fresh)
    assert poll() == [fresh["id"]]
    node.kill()
    node.start()
    assert set(poll()) <= {fresh["id"]}, "all but the last page is kept over a crash"
    done = node.run("consumer", "reset", "forgetful", "--from", "start", "--config", node.conf)
    assert done.returncode == 0, done.stderr
    assert len(poll()) == len(node.walk) + 1
    node.walk.append(fresh)


def test_c21_what_a_consumer_did(node):
    """If this fails, nobody can say why a product shows nothing."""
    r = node.request("GET", "/api/collections/walk/objects/?limit=10", "modern", headers={"User-Agent": "Product/7.1"})
    assert r.status == 200
    assert node.request("GET", "/api/collections/walk/objects/?limit=none", "modern", headers={"User-Agent": "Product/7.1"}).status == 400

    def told():
        text = json.dumps(node.ask("consumer", "status", "modern"))
        return text if all(x in text for x in ("Product/7.1", "indicator", "limit")) else None
    until("the node to tell what the consumer did", told)
