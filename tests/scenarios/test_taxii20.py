"""TAXII 2.0 beside 2.1: the same store and rights, STIX 2.0 alone, walked by ranges."""
import json
import re
import threading
import uuid

import pytest

from lab import TAXII, TLP, Client, indicator, laboratory, stix_id, until

T20 = "application/vnd.oasis.taxii+json; version=2.0"
S20 = "application/vnd.oasis.stix+json; version=2.0"
STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
BUNDLE_ID = re.compile(r"^bundle--[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
PAGE = 40

COLLECTIONS = "".join(f"""
collection {name}
    title        "Collection {name}"
""" for name in ("box", "stock", "mixed", "empty", "flow", "mine", "soar", "octi", "moved", "bytes", "two", "marks", "ruled")) + """
collection secret
    title        "Only for those who name it"
    hidden       yes

"""


@pytest.fixture(scope="module")
def node():
    with laboratory("cert-a", redis=False, extra=COLLECTIONS, limits=f"    page-objects {PAGE}\n    page-bytes 1m\n",
                    consumers={"both": ["relation own", "read *", "write *"], "reader": ["relation own", "read stock"],
                               "other": ["relation own", "read *"], "marked": ["relation own", "read *"],
                               "writer": ["relation own", "write box"]}) as lab:
        yield lab["cert-a"]


def old(name, modified="2026-11-20T08:00:00.000Z", **more):
    """An indicator as STIX 2.0 has it."""
    return {"type": "indicator", "id": stix_id("indicator", f"stix 2.0 {name}"), "created": "2026-11-20T08:00:00.000Z",
            "modified": modified, "labels": ["malicious-activity"], "name": name,
            "pattern": f"[domain-name:value = '{stix_id('x', name)[3:]}.example']",
            "valid_from": "2026-11-20T08:00:00.000Z", **more}


def bundle(*objects):
    return {"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "spec_version": "2.0", "objects": list(objects)}


def get(node, path, accept=S20, who="both", **headers):
    return node.request("GET", path, who, headers={"Accept": accept, **headers})


def post(node, collection, *objects, who="both"):
    r = node.request("POST", f"/api/collections/{collection}/objects/", who, bundle(*objects),
                     {"Accept": T20, "Content-Type": S20})
    assert r.status == 202, (r.status, r.body)
    assert r.json["failure_count"] == 0, r.json
    return r.json


def objects(collection, rest=""):
    return f"/api/collections/{collection}/objects/{rest}"


def span(r):
    """first, last, total of a 206."""
    return [int(x) for x in re.fullmatch(r"items (\d+)-(\d+)/(\d+)", r.headers["Content-Range"]).groups()]


@pytest.fixture(scope="module")
def stock(node):
    """500 objects of STIX 2.0, and among them 50 of 2.1 that nobody sees here."""
    pile = [old(f"stock {i}") for i in range(500)]
    new = [indicator(f"stock {i}", f"[mutex:name = 'stock {i}']") for i in range(50)]
    for i in range(0, 500, 50):
        post(node, "stock", *pile[i:i + 50])
        node.insist("both", "stock", *new[i // 10:i // 10 + 5])
    return pile


# ---- which version

@pytest.mark.parametrize("accept,kind", [
    (T20, T20), ("application/vnd.oasis.taxii+json;version=2.0", T20), ("application/vnd.oasis.taxii+json", T20),
    ('APPLICATION/vnd.oasis.TAXII+json ; Version="2.0"', T20), ("text/html, application/vnd.oasis.taxii+json;q=0.2", T20),
    (TAXII, TAXII), ("application/taxii+json", TAXII), ("*/*", TAXII), ("application/*", TAXII), (None, TAXII),
    (f"{T20}, {TAXII}", TAXII), (f"{T20}, */*", T20), (f"{T20};q=0.9, */*;q=0.8", T20), (f"{T20};q=0.5, */*", TAXII),
    (f"{T20};q=0.9, {TAXII};q=0.8", T20), (f"{TAXII};q=0.9, {T20};q=0.8", TAXII), (f"{TAXII};q=0.001, {T20};q=0", TAXII),
    (S20, None), ("application/vnd.oasis.taxii+json; version=2.1", None), (T20 + ";q=0", None),
    ("application/taxii+json;version=2.0", None),
])
def test_the_accept_header_decides(node, accept, kind):
    """If this fails, a client that tries both versions is served one that it does not read, or none."""
    for path in ("/api/", "/api/collections/", "/api/collections/empty/"):
        r = get(node, path, accept)
        assert (r.status, r.headers["Content-Type"]) == ((200, kind) if kind else (406, TAXII)), path
    for path in ("/api/collections/empty/objects/", "/api/collections/empty/objects"):
        r = get(node, path, accept)
        assert r.status == (200 if kind or accept == S20 else 406), path
        if r.status == 200:
            assert r.headers["Content-Type"] == (TAXII if kind == TAXII else S20)


def test_discovery_of_each_version_speaks_only_that(node):
    """If this fails, MineMeld and XSOAR, which turn to the other version on 406 alone, never do."""
    r = get(node, "/taxii/", T20)
    assert r.status == 200 and r.headers["Content-Type"] == T20
    assert r.json["default"] == r.json["api_roots"][0] == node.url + "/api/"
    for accept in (None, "*/*", "application/vnd.oasis.taxii+json"):
        assert get(node, "/taxii", accept).status == 200
    r = get(node, "/taxii/", TAXII)
    assert r.status == 406 and r.headers["Content-Type"] == T20 and r.json["http_status"] == "406"
    r = get(node, "/taxii2/", T20)
    assert r.status == 406 and r.json["http_status"] == "406"
    assert get(node, "/taxii/", T20, who=None).status == 401


def test_without_taxii20(node):
    """If this fails, an operator who wants one version gets two."""
    with open(node.conf, encoding="utf-8") as f:
        text = f.read()
    try:
        with open(node.conf, "w", encoding="utf-8") as f:
            f.write(text.replace("\ntaxii\n", "\ntaxii\n    taxii20      no\n"))
        assert node.reload()
        for path in ("/api/", objects("empty")):
            r = get(node, path, T20)
            assert r.status == 406 and r.headers["Content-Type"] == TAXII
            assert get(node, path, "*/*").headers["Content-Type"] == TAXII
        assert get(node, "/taxii/", T20).status == 404
    finally:
        with open(node.conf, "w", encoding="utf-8") as f:
            f.write(text)
        assert node.reload()
    assert get(node, "/api/", T20).status == 200


# ---- resources

def test_resources(node):
    """If this fails, a 2.0 client finds nothing to read."""
    r = get(node, "/api/", T20).json
    assert r["versions"] == ["taxii-2.0"] and r["title"] and r["max_content_length"] > 0
    r = get(node, "/api/collections/", T20)
    assert r.status == 200 and r.headers["Accept-Ranges"] == "items"
    box = next(c for c in r.json["collections"] if c["title"] == "Collection box")
    assert box == {"id": box["id"], "title": "Collection box", "can_read": True, "can_write": True, "media_types": [S20]}
    assert get(node, f"/api/collections/{box['id']}/", T20).json == box
    assert not any(c["title"].startswith("Only") for c in r.json["collections"])
    titles = [c["title"] for c in r.json["collections"]]
    r = get(node, "/api/collections/", T20, Range="items=1-2")
    assert r.status == 206 and span(r) == [1, 2, len(titles)]
    assert [c["title"] for c in r.json["collections"]] == titles[1:3]
    r = get(node, "/api/collections/", T20, Range="items 0-999")
    assert r.status == 206 and span(r) == [0, len(titles) - 1, len(titles)]
    r = get(node, "/api/collections/", T20, Range=f"items={len(titles)}-")
    assert r.status == 416 and r.headers["Content-Range"] == f"items */{len(titles)}"


def test_errors_and_rights(node):
    """If this fails, 2.0 is a way round the rights of 2.1."""
    for path, who, status in ((objects("secret"), "both", 404), (objects("nowhere"), "both", 404), (objects("stock"), "writer", 403),
                              (objects("box"), "writer", 403), ("/api/status/" + str(uuid.uuid4()) + "/", "both", 404),
                              (objects("stock"), None, 401), ("/api/nothing/", "both", 404)):
        r = get(node, path, T20, who=who)
        assert r.status == status and r.headers["Content-Type"] == T20 and r.json["http_status"] == str(status), path
    r = node.request("POST", objects("stock"), "reader", bundle(old("refused")), {"Accept": T20, "Content-Type": S20})
    assert r.status == 403
    r = node.request("DELETE", objects("box", stix_id("indicator", "x") + "/"), "both", headers={"Accept": T20})
    assert r.status == 406          # it is a method of 2.1
    for query in ("added_after=yesterday", "match[type]=", "match[version]=2026-01-01T00:00:00Z,2026-01-02T00:00:00Z"):
        r = get(node, objects("box", "?" + query))
        assert r.status == 400 and r.headers["Content-Type"] == T20, query
    for query in ("limit=0", "next=nonsense", "match[spec_version]=2.1", "match[colour]=red"):
        assert get(node, objects("empty", "?" + query)).status == 200, query


def test_an_empty_list(node):
    """If this fails, clients stumble over a collection that has nothing yet."""
    r = get(node, objects("empty"))
    assert r.status == 200 and r.headers["Content-Type"] == S20 and "Content-Range" not in r.headers
    assert sorted(r.json) == ["id", "spec_version", "type"] and r.json["type"] == "bundle" and r.json["spec_version"] == "2.0"
    assert BUNDLE_ID.match(r.json["id"])
    assert r.headers["X-TAXII-Date-Added-Last"] == "1970-01-01T00:00:00.000000Z"
    assert get(node, "/api/collections/empty/manifest/", T20).json == {}
    r = get(node, objects("empty"), Range="items=0-9")
    assert r.status == 416 and r.headers["Content-Range"] == "items */0"
    # nothing of STIX 2.0 is as good as nothing
    node.insist("both", "mixed", indicator("mixed", "[mutex:name = 'mixed']"))
    assert "objects" not in get(node, objects("mixed")).json


# ---- what comes in

def test_what_was_posted_comes_back(node):
    """If this fails, STIX 2.0 is changed on its way."""
    o = old("verbatim", description="é \u0000x01 \\u00e9", x_n=12345678901234567890.5, x_list=[None, [], {}], **{"": "empty name"})
    text = json.dumps(bundle(o)).replace('"x_n": 1.2345678901234567e+19', '"x_n": 12345678901234567890.50')
    r = node.request("POST", objects("box"), "both", text, {"Accept": T20, "Content-Type": S20})
    assert r.status == 202 and r.headers["Content-Type"] == T20
    status = r.json
    assert status["status"] == "complete" and status["successes"] == [o["id"]] and "failures" not in status
    assert (status["total_count"], status["success_count"], status["failure_count"], status["pending_count"]) == (1, 1, 0, 0)
    assert get(node, f"/api/status/{status['id']}/", T20).json == status
    r = get(node, objects("box", o["id"] + "/"))
    assert r.status == 200 and r.headers["Content-Type"] == S20 and b"12345678901234567890.50" in r.body
    want = json.loads(text)["objects"]
    assert r.json["objects"] == want and r.json["spec_version"] == "2.0" and BUNDLE_ID.match(r.json["id"])
    assert get(node, objects("box", f"?match[id]={o['id']}")).json["objects"] == want
    # and in 2.1, as what it is
    r = node.request("GET", objects("box", "?match[spec_version]=2.0"), "both")
    assert want[0] in r.json["objects"]
    assert o["id"] not in node.ids("both", "box", "match[spec_version]=2.1")
    entry = next(x for x in node.request("GET", "/api/collections/box/manifest/", "both").json["objects"] if x["id"] == o["id"])
    assert entry["media_type"] == "application/stix+json;version=2.0"


def test_failures_are_listed_with_reasons(node):
    """If this fails, a sender does not learn what was not taken."""
    good, bad = old("good"), old("bad")
    bad["id"] = "indicator--no-uuid"
    r = node.request("POST", objects("box"), "both", bundle(good, bad), {"Accept": T20, "Content-Type": S20})
    assert r.status == 202
    assert r.json["successes"] == [good["id"]] and r.json["failures"][0]["id"] == bad["id"] and r.json["failures"][0]["message"]
    assert sorted(r.json["failures"][0]) == ["id", "message"]
    assert r.json["success_count"] == r.json["failure_count"] == 1 and r.json["total_count"] == 2


@pytest.mark.parametrize("kind,body,status", [
    (T20, None, 415), ("application/json", None, 415), (None, None, 415), ("application/vnd.oasis.stix+json; version=2.1", None, 415),
    (S20, "{", 400), (S20, '{"type":"bundle","type":"bundle"}', 400), (S20, "[]", 422), (S20, '{"type":"bundle"}', 422),
    (S20, '{"type":"bundle","objects":[]}', 422), (S20, '{"objects":[{}]}', 422), (S20, '{"type":"indicator","objects":[{}]}', 422),
    ("application/vnd.oasis.stix+json", None, 202), ('Application/Vnd.Oasis.Stix+JSON;version="2.0"; charset=utf-8', None, 202),
])
def test_bodies(node, kind, body, status):
    """If this fails, something that is no bundle is taken for one."""
    o = old(f"body {kind}")
    r = node.request("POST", objects("box"), "both", body or json.dumps(bundle(o)), {"Accept": T20, "Content-Type": kind})
    assert r.status == status and r.headers["Content-Type"] == T20, r.body
    if body is None:
        assert (get(node, objects("box", o["id"] + "/")).status == 200) == (status == 202)
    big = json.dumps(bundle(*[o] * 4000))       # read an object at a time
    if body is None and status == 202:
        assert node.request("POST", objects("box"), "both", big, {"Accept": T20, "Content-Type": kind}).status == 202
        big = big.replace('"type": "bundle"', '"type": "bottle"', 1)
        assert node.request("POST", objects("box"), "both", big, {"Accept": T20, "Content-Type": kind}).status == 422


def test_twins_of_both_versions_are_one_sighting(node):
    """If this fails, one and the same indicator stands twice in a feed because it was written in two versions."""
    a = old("twin")
    b = dict(indicator("twin", a["pattern"]), id=stix_id("indicator", "the other twin"))
    post(node, "two", a)
    node.insist("both", "two", b)
    feed = node.ids("both", "indicators")
    assert (a["id"] in feed) + (b["id"] in feed) == 1
    assert get(node, objects("two")).json["objects"] == [a]


def test_an_object_of_21_alone(node):
    """If this fails, an object of 2.1 gets into a 2.0 bundle."""
    o = indicator("of 2.1", "[mutex:name = 'of 2.1']")
    node.insist("both", "mixed", o)
    assert get(node, objects("mixed", o["id"] + "/")).status == 406
    assert get(node, objects("mixed", stix_id("indicator", "never was") + "/")).status == 404
    # the same id in both versions: each client gets its own
    post(node, "mixed", dict(old("x"), id=o["id"], modified="2026-11-20T08:30:00.000Z"))
    assert [x["modified"] for x in get(node, objects("mixed", o["id"] + "/")).json["objects"]] == ["2026-11-20T08:30:00.000Z"]
    assert get(node, objects("mixed", f"{o['id']}/?match[version]={o['modified']}")).status == 406
    assert get(node, objects("mixed", f"{o['id']}/?match[version]=2001-01-01T00:00:00Z")).status == 404


# ---- ranges

@pytest.mark.parametrize("asked,first,last", [
    ("items=0-9", 0, 9), ("items 0-9", 0, 9), ("Items = 10 - 19", 10, 19), ("items=490-499", 490, 499), ("items=490-", 490, 499),
    ("items=495-99999999999999999999999", 495, 499), ("items=0-0", 0, 0), ("items=499-499", 499, 499), ("items=123-150", 123, 150),
    ("items=0-400", 0, PAGE - 1), ("items=300-", 300, 300 + PAGE - 1),
])
def test_ranges(node, stock, asked, first, last):
    """If this fails, a client gets other items than it asked for, or believes that it did."""
    r = get(node, objects("stock"), Range=asked)
    assert r.status == 206 and r.headers["Content-Type"] == S20 and r.headers["Accept-Ranges"] == "items"
    assert span(r) == [first, last, 500]
    assert r.json["objects"] == stock[first:last + 1]
    m = get(node, "/api/collections/stock/manifest/", T20, Range=asked)
    assert m.status == 206 and m.headers["Content-Type"] == T20 and span(m) == [first, last, 500]
    entries = m.json["objects"]
    assert [e["id"] for e in entries] == [o["id"] for o in stock[first:last + 1]]
    for x in (r, m):
        assert x.headers["X-TAXII-Date-Added-First"] == entries[0]["date_added"]
        assert x.headers["X-TAXII-Date-Added-Last"] == entries[-1]["date_added"]
    assert all(e["versions"] == ["2026-11-20T08:00:00.000Z"] and e["media_types"] == [S20] and STAMP.match(e["date_added"])
               for e in entries)


@pytest.mark.parametrize("asked", ["items=500-", "items=500-599", "items 9999-10000", "items=18446744073709551615-",
                                   "items=99999999999999999999999-99999999999999999999999"])
def test_beyond_the_end(node, stock, asked):
    """If this fails, a client that asks too far loops or reads the beginning again."""
    for path, accept in ((objects("stock"), S20), ("/api/collections/stock/manifest/", T20)):
        r = get(node, path, accept, Range=asked)
        assert r.status == 416 and r.headers["Content-Range"] == "items */500"
        assert r.headers["Content-Type"] == T20 and r.json["http_status"] == "416"


@pytest.mark.parametrize("asked", ["bytes=0-9", "items=9-0", "items=a-b", "items=-5", "items=", "items", "items=0", "items=0-9,20-29",
                                   "items=+1-2", "items0-9", "0-9", "items=0-9-10", "items==0-9"])
def test_what_is_no_range_is_ignored(node, stock, asked):
    """If this fails, a proxy's or client's odd header stands between a reader and the list."""
    r = get(node, objects("stock"), Range=asked)
    assert r.status == 206 and span(r) == [0, PAGE - 1, 500]


def test_more_than_a_page_unasked(node, stock):
    """If this fails, a client believes that the first page is everything."""
    r = get(node, objects("stock"))
    assert r.status == 206 and span(r) == [0, PAGE - 1, 500] and r.json["objects"] == stock[:PAGE]
    again = get(node, objects("stock"))
    assert again.body == r.body and BUNDLE_ID.match(r.json["id"])
    assert get(node, objects("stock"), Range=f"items={PAGE}-").json["id"] != r.json["id"]
    r = get(node, objects("stock", f"?match[id]={stock[7]['id']},{stock[3]['id']}"))
    assert r.status == 200 and "Content-Range" not in r.headers and r.json["objects"] == [stock[3], stock[7]]
    r = get(node, objects("stock", f"?match[id]={stock[7]['id']},{stock[3]['id']}"), Range="items=1-5")
    assert r.status == 206 and span(r) == [1, 1, 2] and r.json["objects"] == [stock[7]]
    assert get(node, objects("stock", "?match[type]=malware")).status == 200
    r = node.request("HEAD", objects("stock"), "both", headers={"Accept": S20, "Range": "items=1-2"})
    assert r.status == 206 and span(r) == [1, 2, 500] and r.body == b""


def test_filters(node, stock):
    """If this fails, a poll reads everything again or leaves something out."""
    dates = [e["date_added"] for e in get(node, "/api/collections/stock/manifest/", T20, Range="items=0-39").json["objects"]]
    r = get(node, objects("stock", f"?added_after={dates[9]}"), Range="items=0-4")
    assert r.status == 206 and r.json["objects"] == stock[10:15] and span(r) == [0, 4, 490]
    r = get(node, objects("stock", f"?added_after={dates[9]}"), Range="items=5-6")
    assert r.json["objects"] == stock[15:17] and span(r) == [5, 6, 490]
    last = get(node, objects("stock"), Range="items=499-").headers["X-TAXII-Date-Added-Last"]
    r = get(node, objects("stock", f"?added_after={last}"))
    assert r.status == 200 and "objects" not in r.json and r.headers["X-TAXII-Date-Added-Last"] == last
    # the common library polls like this: nothing new is no error
    for asked in ("items=0-99", "items 0-99"):
        r = get(node, objects("stock", f"?added_after={last}"), Range=asked)
        assert r.status == 200 and "objects" not in r.json and "Content-Range" not in r.headers
        assert r.headers["X-TAXII-Date-Added-Last"] == last
    assert get(node, objects("stock", "?match[type]=malware"), Range="items=0-99").status == 200
    assert get(node, "/api/collections/stock/manifest/?match[type]=malware", T20, Range="items=0-99").json == {}
    r = get(node, objects("stock", f"?added_after={last}"), Range="items=1-99")
    assert r.status == 416 and r.headers["Content-Range"] == "items */0"


def test_versions(node):
    """If this fails, a client sees versions that it did not ask for, or in an order that it does not expect."""
    times = ["2026-11-20T08:00:00.000Z", "2026-11-20T10:00:00.000Z", "2026-11-20T09:00:00.000Z"]
    a = [old("versioned", modified=t) for t in times]
    b = old("single")
    post(node, "moved", a[0])
    post(node, "moved", b)
    for o in a[1:]:
        post(node, "moved", o)

    def seen(query=""):
        return [o["modified"] for o in get(node, objects("moved", query)).json.get("objects", []) if o["id"] == a[0]["id"]]

    def entry(query=""):
        found = [e for e in get(node, "/api/collections/moved/manifest/" + query, T20).json.get("objects", []) if e["id"] == a[0]["id"]]
        assert len(found) <= 1
        return found[0]["versions"] if found else None

    newest = [times[1], times[2], times[0]]
    assert seen() == [times[1]] and entry() == [times[1]]
    assert seen("?match[version]=last") == [times[1]] and entry("?match[version]=last") == [times[1]]
    assert seen("?match[version]=first") == [times[0]] and entry("?match[version]=first") == [times[0]]
    assert seen("?match[version]=all") == times and entry("?match[version]=all") == newest
    assert seen(f"?match[version]={times[2]}") == [times[2]] and entry(f"?match[version]={times[2]}") == [times[2]]
    assert entry("?match[version]=2001-01-01T00:00:00Z") is None
    assert entry(f"?match[version]=first,last,{times[2]}") == newest
    assert [o["modified"] for o in get(node, objects("moved", f"{a[0]['id']}/?match[version]=all")).json["objects"]] == times
    r = get(node, "/api/collections/moved/manifest/?match[version]=all", T20, Range="items=0-0")
    assert r.status == 206 and span(r) == [0, 0, 2] and r.json["objects"][0]["id"] == b["id"]


# ---- clients that walk while others write

def as_pages(ask, size):
    """taxii2-client: the size of the first answer is kept for all that follow."""
    r = ask(f"items=0-{size - 1}")
    yield r
    first, last, total = span(r)
    if total > size and last - first + 1 != size:
        size = last - first + 1
    start = size
    while start < total:
        r = ask(f"items={start}-{start + size - 1}")
        yield r
        _, _, total = span(r)
        start += size


class Writer:
    """Adds new objects, and new versions of those that were there, between the pages of a reader."""

    def __init__(self, node, collection, n):
        self.node, self.collection, self.latest, self.turn = node, collection, {}, 0
        pile = [old(f"{collection} {i}") for i in range(n)]
        for i in range(0, n, 100):
            self.put(*pile[i:i + 100])

    def put(self, *new):
        post(self.node, self.collection, *new)
        for o in new:
            self.latest[o["id"]] = o["modified"]

    def work(self, least=0):
        """Touches what lies at the beginning: everything behind it moves up."""
        self.turn += 1
        at = f"2026-11-21T{self.turn // 60:02}:{self.turn % 60:02}:00.000Z"
        self.put(*[old(f"{self.collection} {least + 3 * self.turn + k}", modified=at) for k in range(3)],
                 old(f"{self.collection} fresh {self.turn}", modified=at),
                 )
        self.node.insist("both", self.collection, indicator(f"{self.collection} {self.turn}", f"[mutex:name = '{self.turn}']"))


def check(seen, writer):
    """Every object in its latest version, and no version twice."""
    versions = [(o["id"], o["modified"]) for o in seen]
    assert len(versions) == len(set(versions)), "something came twice"
    assert set(writer.latest.items()) <= set(versions), "something never came"


def test_taxii2_client_walks_while_others_write(node):
    """If this fails, whoever uses the common Python library loses what lies behind an object that was updated."""
    w = Writer(node, "flow", 300)
    seen, n = [], 0

    def ask(r):
        nonlocal n
        n += 1
        answer = get(node, objects("flow"), Range=r)        # on a connection of its own: any worker
        assert answer.status == 206, (r, answer.status, answer.headers["Content-Range"])
        if n < 7:
            w.work()
        elif n == 7:
            node.kill()                                         # what a client goes on from was on disk before he had it
            node.start()
        return answer

    for r in as_pages(ask, 25):
        seen += r.json["objects"]
    assert n > 12
    check(seen, w)
    # a poll goes on from the last date
    last = r.headers["X-TAXII-Date-Added-Last"]
    w.work()
    r = get(node, objects("flow", f"?added_after={last}"))
    assert sorted((o["id"], o["modified"]) for o in r.json["objects"]) == \
        sorted(x for x in w.latest.items() if x not in [(o["id"], o["modified"]) for o in seen])


def test_two_walks_under_one_name(node):
    """If this fails, two tools that share a password take objects away from each other: the second begins anew and passes the place
    where the first will go on, and that place lies further on for it."""
    w = Writer(node, "bytes", 200)
    first, second = (as_pages(lambda r: get(node, objects("bytes"), Range=r), 20) for _ in "ab")
    seen = {"first": [], "second": []}
    for _ in range(3):
        seen["first"] += next(first).json["objects"]
    for _ in range(4):
        w.work()
    for _ in range(3):
        seen["second"] += next(second).json["objects"]
    for walk, name in ((first, "first"), (second, "second")):
        for r in walk:
            seen[name] += r.json["objects"]
        assert set(w.latest.items()) <= {(o["id"], o["modified"]) for o in seen[name]}, name


def test_minemeld(node):
    """If this fails, MineMeld polls for ever or leaves something out. It tries 2.0 first, asks for no range until it is told one,
    counts one too many in the next, and goes on from the newest `modified` it has seen."""
    w = Writer(node, "mine", 130)
    c = Client(node, "both")
    assert c.get("/taxii/", Accept=T20).status == 200
    root = c.get("/taxii/", Accept=T20).json["api_roots"][0].removeprefix(node.url)
    ids = c.get(root + "collections/", Accept=T20).json["collections"]
    own = next(x for x in ids if x["title"] == "Collection mine")["id"]
    seen, ranges, added_after = [], {}, ""

    def poll():
        nonlocal ranges
        while True:
            r = c.get(f"{root}collections/{own}/objects/{added_after}", Accept=T20, **ranges)
            if r.status not in (200, 206):
                return
            seen.extend(r.json.get("objects", []))
            if "Content-Range" not in r.headers:
                return
            first, last, total = span(r)
            if last + 1 >= total:
                return
            ranges = {"Range": f"items {last + 1}-{last + 1 + last - first + 1}"}
            if w.turn < 2:
                w.work()

    poll()
    check(seen, w)
    newest = max(o["modified"] for o in seen)
    added_after, ranges, before = f"?added_after={newest}", {}, len(seen)
    poll()
    assert len(seen) == before or all(o in seen[:before] for o in seen[before:]), "date_added lies behind any `modified`"
    c.close()


def test_xsoar(node):
    """If this fails, XSOAR reads neither version: it tries 2.1 at an address that ends in taxii, and 2.0 after 406 alone."""
    w = Writer(node, "soar", 150)
    assert get(node, "/taxii/", TAXII).status == 406
    root = get(node, "/taxii/", T20).json["api_roots"][0].removeprefix(node.url)
    own = next(x for x in get(node, root + "collections/", T20).json["collections"] if x["title"] == "Collection soar")["id"]
    seen = []

    def ask(r):
        answer = get(node, f"{root}collections/{own}/objects/?match[type]=indicator,relationship", Range=r)
        if w.turn < 3:
            w.work()
        return answer

    for r in as_pages(ask, 100):
        assert r.status == 206
        seen += r.json["objects"]
    check(seen, w)
    r = get(node, f"{root}collections/{own}/objects/?match[type]=indicator&added_after={r.headers['X-TAXII-Date-Added-Last']}",
            Range="items=0-99")
    assert r.status == 200 and "objects" not in r.json, "an error here is one at every poll that finds nothing new"


def test_connector_taxii2(node):
    """If this fails, OpenCTI's connector loops: it asks the manifest for the date of the last object it got, and goes on behind it."""
    w = Writer(node, "octi", 150)
    c = Client(node, "both")
    r = c.get(objects("octi"), Accept=S20)
    seen, pages = [], 0
    while r.json.get("objects"):
        assert r.json["spec_version"] == "2.0"
        seen += r.json["objects"]
        pages += 1
        assert pages < 30
        if w.turn < 3:
            w.work()
        last = r.json["objects"][-1]["id"]
        m = c.get(f"/api/collections/octi/manifest/?match[id]={last}", Accept=T20)
        added_after = m.json["objects"][0]["date_added"]
        r = c.get(objects("octi", f"?added_after={added_after}"), Accept=S20)
    check(seen, w)
    c.close()


def test_pages_cut_by_bytes(node):
    """If this fails, large objects make the Python library, which does not look how much it got, jump over some."""
    pile = [old(f"large {i}", description="x" * (1000 if i < 20 else 60000)) for i in range(70)]
    for i in range(0, 70, 10):
        post(node, "mixed", *pile[i:i + 10])
    seen = []
    for r in as_pages(lambda r: get(node, objects("mixed"), Range=r, who="other"), 20):
        assert r.status == 206
        seen += r.json["objects"]
    ids = [o["id"] for o in seen]
    assert len(ids) == len(set(ids)) and {o["id"] for o in pile} <= set(ids)


def test_many_read_and_write_at_once(node):
    """If this fails, a reader loses something when several write while it walks."""
    node.insist("both", "flow", indicator("crowd", "[mutex:name = 'crowd']"))
    stop, put = threading.Event(), []

    def write(k):
        i = 0
        while not stop.is_set() and i < 60:
            o = old(f"crowd {k} {i}")
            post(node, "flow", o)
            put.append(o["id"])
            i += 1

    writers = [threading.Thread(target=write, args=(k,)) for k in range(2)]
    for t in writers:
        t.start()
    seen = []
    for r in as_pages(lambda r: get(node, objects("flow"), Range=r, who="other"), 30):
        assert r.status == 206
        seen += r.json["objects"]
    stop.set()
    for t in writers:
        t.join()
    last = r.headers["X-TAXII-Date-Added-Last"]
    while True:
        r = get(node, objects("flow", f"?added_after={last}"), who="other")
        if not r.json.get("objects"):
            break
        seen += r.json["objects"]
        last = r.headers["X-TAXII-Date-Added-Last"]
    ids = [o["id"] for o in seen]
    assert len(ids) == len(set(ids)) and set(put) <= set(ids)


# ---- what the node says of them

def test_the_book_of_the_consumer(node, stock):
    """If this fails, nobody can tell the operator of a 2.0 client what it got."""
    seen = 0
    for r in as_pages(lambda r: get(node, objects("stock"), Range=r, who="reader"), 30):
        seen += len(r.json["objects"])
    assert seen == 500

    def book():
        found = node.ask("consumer", "status", "reader", "--json")["consumers"][0]
        return found if found["objects"] >= 500 else None

    found = until("the book of the reader", book)
    assert found["version"] == "2.0" and found["objects"] == 500 and found["pages"] == 17, found
    answers = [get(node, objects("stock"), who="reader", Range="items=0-9").status for _ in range(200)]
    assert set(answers) <= {206, 429}
    assert get(node, objects("stock"), who="reader", Range="items=10-19").status == 206


def test_a_bookmark(node):
    """If this fails, a client that remembers nothing gets everything again at every poll, or misses what was there."""
    with open(node.file("trust.conf"), encoding="utf-8") as f:
        text = f.read()
    with open(node.file("trust.conf"), "w", encoding="utf-8") as f:
        f.write(text.replace("consumer marked\n", "consumer marked\n    bookmark yes\n"))
    assert node.reload()
    w = Writer(node, "marks", 130)
    c, seen = Client(node, "marked"), []

    def ask(r, path=objects("marks")):
        return c.get(path, Accept=S20, Range=r)

    for n, r in enumerate(as_pages(ask, 30)):
        assert r.status == 206
        seen += r.json["objects"]
        if n == 1:      # the answer was lost: asked again, it comes again
            assert ask("items=30-59").json["objects"] == r.json["objects"]
        if n < 3:
            w.work()
    check(seen, w)
    until("the mark to have come to the end", lambda: ask("items=0-29").status == 200)
    w.work()
    r = ask("items=0-29")
    assert r.status == 206 and span(r) == [0, 3, 4]
    until("the mark to move on", lambda: ask("items=0-29").status == 200)
    # what it reads in 2.1 has a mark of its own
    assert len(c.get("/api/collections/marks/objects/?limit=200").json["objects"]) > 30
    c.close()


def test_the_reader_has_his_own_words_for_labels(node):
    """If this fails, a client of 2.0 that knows TLP 1 alone sees unlabelled advisories."""
    one = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"     # TLP:GREEN of TLP 1
    o = old("labelled", object_marking_refs=[one])
    post(node, "two", o)
    assert o in get(node, objects("two"), who="other").json["objects"]
    with open(node.file("trust.conf"), encoding="utf-8") as f:
        text = f.read()
    with open(node.file("trust.conf"), "w", encoding="utf-8") as f:
        f.write(text.replace("consumer other\n", "consumer other\n    tlp-vocab 2.0\n    empty-list yes\n"))
    assert node.reload()
    found = next(x for x in get(node, objects("two"), who="other").json["objects"] if x["id"] == o["id"])
    assert found["object_marking_refs"] == ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"]
    assert get(node, objects("two", o["id"] + "/"), who="other").json["objects"] == [found]
    r = get(node, objects("empty"), who="other")
    assert r.status == 200 and r.json["objects"] == []
    assert get(node, "/api/collections/empty/manifest/", T20, who="other").json == {"objects": []}


def test_a_strict_collection_takes_good_20(node):
    """If this fails, `validate strict` and TAXII 2.0 exclude each other: STIX 2.0 is refused for not being 2.1."""
    with open(node.conf, encoding="utf-8") as f:
        text = f.read()
    with open(node.conf, "w", encoding="utf-8") as f:
        f.write(text + "\ncollection picky\n    validate     strict\n")
    assert node.reload()
    good, bad = old("picky"), old("sloppy")
    del bad["valid_from"]
    r = node.request("POST", objects("picky"), "both", bundle(good, bad), {"Accept": T20, "Content-Type": S20})
    assert r.status == 202 and r.json["successes"] == [good["id"]] and r.json["failures"][0]["id"] == bad["id"], r.body
    assert get(node, objects("picky")).json["objects"] == [good]


def test_a_total_is_that_of_todays_policy(node):
    """What is broken if it fails: a client that stops at the total misses what it may have since the last reload."""
    post(node, "ruled", *(old(f"ruled {i}", object_marking_refs=[TLP["clear" if i % 2 else "amber"]]) for i in range(2 * PAGE + 10)))
    with open(node.file("trust.conf"), encoding="utf-8") as f:
        wide = f.read()
    def rules(text):
        with open(node.file("trust.conf"), "w", encoding="utf-8") as f:
            f.write(text)
        assert node.reload()
    try:
        rules(wide.replace("object     tlp clear green amber amber+strict", "object     tlp clear"))
        until("both workers to agree", lambda: {span(get(node, objects("ruled")))[2] for _ in range(8)} == {PAGE + 5})
    finally:
        rules(wide)
    assert {span(get(node, objects("ruled")))[2] for _ in range(8)} == {2 * PAGE + 10}
