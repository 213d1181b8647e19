"""POST and DELETE of TAXII 2.1: a verdict for every object, and everything back as it was sent."""
import json
import threading

import pytest

from lab import TAXII, Client, indicator, stix_id

BOX = "/api/collections/box/objects/"
AT = "2026-11-20T08:00:00.000Z"


@pytest.fixture(scope="module")
def client(server):
    c = Client(server, "both")
    yield c
    c.close()


def post(c, body):
    return c.request("POST", BOX, body=body)


def counts(r):
    s = r.json
    lists = [len(s.get(k, [])) for k in ("successes", "failures", "pendings")]
    assert lists == [s["success_count"], s["failure_count"], s["pending_count"]]
    assert sum(lists) == s["total_count"] and s["status"] == "complete"
    return tuple(lists[:2])


def stored(c, i):
    r = c.get(f"{BOX}{i}/?match[version]=all")
    return r.json.get("objects", []) if r.status == 200 else []


# ---- envelopes

GOOD = json.dumps(indicator("envelope", "[mutex:name = 'envelope']"))


@pytest.mark.parametrize("body,status", [
    (b"", 400), (b" ", 400), (b"{", 400), (b"nonsense", 400), (b"{}x", 400), (b"{} {}", 400), (b'{"objects": [NaN]}', 400),
    (b'{"objects": [{"a": 01}]}', 400), (b'{"objects": [1,]}', 400), (b'{"objects": [] /* x */}', 400), (b"\xef\xbb\xbf{}", 400),
    (b'{"objects": ["\xff"]}', 400), (b'{"objects": ["\xed\xa0\x80"]}', 400), (b"{'objects': []}", 400), (b'{"a": "\x01"}', 400),
    (b'{"objects": [' + GOOD.encode() + b'], "objects": [' + GOOD.encode() + b"]}", 400),
    (b'{"objects": [{"type": "x", "type": "y"}]}', 400), (b'{"objects": [{"a": {"b": 1, "\\u0062": 2}}]}', 400),
    (b"[]", 422), (b"1", 422), (b'"x"', 422), (b"null", 422), (b"{}", 422), (b'{"objects": []}', 422), (b'{"objects": {}}', 422),
    (b'{"objects": null}', 422), (b'{"objects": "x"}', 422), (b'{"Objects": [1]}', 422),
    (b'{"objects": [{"a": "\\ud800"}]}', 422), (b'{"objects": [{"\\udc00": 1}]}', 422),
    (b'{"objects": ' + b"[" * 200 + b"]" * 200 + b"}", 422), (b"[" * 100000, 422),
])
def test_bodies_that_are_no_envelope(server, client, body, status):
    """If this fails, half-read documents are stored, or a client is told the wrong thing."""
    before = server.ids("both", "box")
    r = post(client, body)
    assert r.status == status, r.body
    assert r.headers["Content-Type"] == TAXII and r.json["http_status"] == str(status)
    assert server.ids("both", "box") == before


def test_other_members_of_an_envelope_are_ignored(client):
    """If this fails, Splunk's bundles are refused."""
    o = indicator("bundle", "[mutex:name = 'bundle']")
    r = post(client, {"type": "bundle", "id": "bundle--" + stix_id("x", "b")[3:], "more": True, "next": "x", "x_foo": [None],
                      "spec_version": "2.1", "objects": [o]})
    assert r.status == 202 and counts(r) == (1, 0) and stored(client, o["id"]) == [o]
    r = client.request("POST", BOX + "?limit=x&match[type]=,,", body={"objects": [o]})
    assert r.status == 202, "query parameters mean nothing here"


def test_a_hundred_levels_are_served(client):
    """If this fails, deep but honest objects are refused."""
    deep = 1
    for _ in range(97):
        deep = [deep]
    o = indicator("deep", "[mutex:name = 'deep']", x_n_deep=deep)
    r = post(client, {"objects": [o]})
    assert r.status == 202 and counts(r) == (1, 0)
    assert stored(client, o["id"]) == [o]


# ---- objects

ID = "indicator--00000000-0000-4000-8000-%012d"


@pytest.mark.parametrize("item", [
    1, "x", None, [], {}, {"type": "indicator"}, {"id": ID % 1}, {"type": 1, "id": ID % 2}, {"type": "indicator", "id": 1},
    {"type": "", "id": "--" + (ID % 3)[11:]}, {"type": "indicator", "id": "malware" + (ID % 4)[9:]},
    {"type": "indicator", "id": "indicator--x"}, {"type": "indicator", "id": "indicator"},
    {"type": "indicator", "id": ID % 5 + "0"}, {"type": "indicator", "id": (ID % 6).replace("-8000-", "_8000_")},
    {"type": "indicator", "id": ID % 7, "created": "yesterday"}, {"type": "indicator", "id": ID % 8, "modified": 1},
    {"type": "indicator", "id": ID % 9, "modified": "2026-11-20T08:00:00+01:00"},
    {"type": "indicator", "id": ID % 10, "created": "2026-02-30T08:00:00Z"},
    {"type": "indicator", "id": ID % 11, "modified": None},
    {"type": "Indicator", "id": ID % 12},
])
def test_one_bad_object_costs_itself_only(client, item):
    """If this fails, one bad object costs the good ones, or comes in."""
    name = json.dumps(item)
    before, after = indicator("before " + name, "[mutex:name = 'x']"), indicator("after " + name, "[mutex:name = 'y']")
    r = post(client, {"objects": [before, item, after]})
    assert r.status == 202 and counts(r) == (2, 1)
    s = r.json
    assert [x["id"] for x in s["successes"]] == [before["id"], after["id"]]
    f = s["failures"][0]
    assert isinstance(f["id"], str) and isinstance(f["version"], str) and f["message"]
    if isinstance(item, dict) and isinstance(item.get("id"), str) and item["id"]:
        assert f["id"] == item["id"]
        assert stored(client, item["id"]) == []
    assert stored(client, before["id"]) == [before] and stored(client, after["id"]) == [after]


@pytest.mark.parametrize("o", [
    {"type": "x-none-of-ours", "id": "x-none-of-ours--00000000-0000-4000-8000-000000000001", "anything": [1, {}]},
    {"type": "indicator", "id": ID % 20, "created": "2026-11-20T08:00:00Z", "modified": "2026-11-20T08:00:00.123456789012Z"},
    {"type": "indicator", "id": ID % 21, "pattern": "this is no pattern [[[", "pattern_type": "sigma"},
    {"type": "indicator", "id": ID % 22, "spec_version": "2.0", "created": AT, "modified": AT, "labels": ["x"]},
    {"type": "indicator", "id": (ID % 23).replace("-4000-", "-5000-")},
    {"type": "indicator", "id": "indicator--ABCDEF00-0000-4000-8000-000000000024"},
    {"type": "ipv4-addr", "id": "ipv4-addr--00000000-0000-5000-8000-000000000001", "value": "not an address"},
    {"type": "extension-definition", "id": "extension-definition--00000000-0000-4000-8000-000000000001", "version": "1.2.3",
     "spec_version": "2.1", "created": AT, "modified": AT},
    {"type": "sighting", "id": "sighting--00000000-0000-4000-8000-000000000001", "sighting_of_ref": "nonsense"},
    {"type": "marking-definition", "id": "marking-definition--00000000-0000-4000-8000-000000000001", "created": AT},
])
def test_content_is_not_judged(client, o):
    """If this fails, what other makers put into STIX is lost here."""
    r = post(client, {"objects": [o]})
    assert r.status == 202 and counts(r) == (1, 0), r.body
    assert stored(client, o["id"])[-1] == o
    assert r.json["successes"][0]["id"] == o["id"]
    if "modified" in o:
        assert r.json["successes"][0]["version"] == o["modified"]


def test_versions_and_conflicts(client):
    """If this fails, an object is overwritten, or a correction is lost."""
    o = indicator("versions", "[mutex:name = 'versions']", modified="2026-11-20T09:00:00.100Z")
    assert counts(post(client, {"objects": [o]})) == (1, 0)
    rows = client.get("/api/collections/box/manifest/?match[id]=" + o["id"]).body
    same = [o, json.loads(json.dumps(o)), dict(reversed(o.items()))]
    assert counts(post(client, {"objects": same})) == (3, 0), "the same again, in any order of members"
    spaced = json.dumps({"objects": [o]}, indent=3).replace("/", "\\/")
    assert counts(post(client, spaced)) == (1, 0), "and with any white space and escapes"
    assert client.get("/api/collections/box/manifest/?match[id]=" + o["id"]).body == rows, "its date stays"
    other = dict(o, name="other content")
    r = post(client, {"objects": [other]})
    assert r.status == 202 and counts(r) == (0, 1) and "VERSION_CONFLICT" in r.json["failures"][0]["message"]
    assert stored(client, o["id"]) == [o]
    equal = dict(o, modified="2026-11-20T09:00:00.100000Z")
    post(client, {"objects": [equal]})
    assert len(stored(client, o["id"])) == 1, "the same instant is the same version"
    newer, older = dict(o, modified="2026-11-20T09:00:00.100001Z"), dict(o, modified="2026-11-19T09:00:00Z")
    assert counts(post(client, {"objects": [newer, older]})) == (2, 0)
    assert stored(client, o["id"]) == [o, newer, older], "in the order in which they came"
    assert client.get(f"{BOX}{o['id']}/").json["objects"] == [newer]
    assert client.get(f"{BOX}{o['id']}/?match[version]=first").json["objects"] == [older]


def test_many_post_the_same_at_once(server, client):
    """If this fails, a feed that two tools push is stored twice."""
    o = [indicator(f"race {i}", f"[mutex:name = 'race {i}']") for i in range(20)]
    results = []

    def once():
        results.append(server.insist("both", "box", *o))
    threads = [threading.Thread(target=once) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert [(s["success_count"], s["failure_count"]) for s in results] == [(20, 0)] * 8
    got = server.versions("both", "box")
    assert all(got.count((x["id"], x["modified"])) == 1 for x in o)


# ---- fidelity

def test_objects_come_back_byte_for_byte(client):
    """If this fails, signatures over objects break and numbers change their value."""
    i = stix_id("indicator", "fidelity")
    text = ('{"type" : "indicator","id":"%s",\n\t"spec_version":"2.1", "created":"%s","modified":"%s", "zz":1,"aa":2,'
            '"version":"mine","more":true,"next":"x","_id":1,"$ref":"#","":"empty name","%s":1,'
            '"int":123456789012345678901234567890,"big":9007199254740993,"neg":-0,"dec":1.10,"exp":1E+400,"small":1e-999,'
            '"frac":0.1000000000000000055511151231257827,"null":null,"list":[],"obj":{},"nest":[[{"a":[1,2.0,3e0]}]],'
            '"esc":"\\u00e9\\u002F\\/\\b\\f\\n\\r\\t\\"\\\\","raw":"é/\u2028\U0001F600","pair":"\\uD83D\\uDE00","nfd":"e\u0301",'
            '"true":true,"false":false,"order":["b","a","b"]}') % (i, AT, AT, "n" * 250)
    r = post(client, ('{"objects":[' + text + "]}").encode())
    assert r.status == 202 and counts(r) == (1, 0), r.body
    assert text.encode() in client.get(f"{BOX}{i}/").body
    assert text.encode() in client.get(BOX + "?match[id]=" + i).body
    assert json.loads(client.get(f"{BOX}{i}/").body)["objects"] == [json.loads(text)], "nothing was added"


def test_zero_in_a_string_is_kept_or_refused(client):
    """If this fails, strings are cut at U+0000."""
    o = indicator("nul", "[mutex:name = 'nul']", x_n="before\u0000after")
    r = post(client, {"objects": [o]})
    assert r.status == 422 or (r.status == 202 and stored(client, o["id"]) == [o])


def test_a_member_of_half_a_megabyte(client):
    """If this fails, reports with a picture in them do not pass."""
    o = indicator("big", "[mutex:name = 'big']", x_n="z" * 600_000)
    assert counts(post(client, {"objects": [o]})) == (1, 0)
    assert stored(client, o["id"]) == [o]


def test_a_thousand_objects_in_one_envelope(client):
    """If this fails, the first synchronisation of a peer does not fit."""
    o = [indicator(f"thousand {i}", f"[mutex:name = 'thousand {i}']") for i in range(1500)]
    r = post(client, {"objects": o})
    assert r.status == 202 and counts(r) == (1500, 0)
    assert [x["id"] for x in r.json["successes"]] == [x["id"] for x in o]


# ---- size

def test_too_large_is_said_before_it_is_read(server):
    """If this fails, anybody fills the memory, or a client is cut off without a word."""
    big = b'{"objects":[' + b" " * (1 << 20) + b"]}"
    r = server.request("POST", BOX, "both", big)
    assert r.status == 413 and r.json["http_status"] == "413" and str(1 << 20) in r.json["description"], "the limit is told"
    with server.connect() as s:         # the declared length alone is enough
        s.sendall((f"POST {BOX} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.tokens['both']}\r\nAccept: {TAXII}\r\n"
                   f"Content-Type: {TAXII}\r\nContent-Length: 99999999999\r\n\r\n").encode())
        assert s.recv(4096).startswith(b"HTTP/1.1 413 ")
    with server.connect() as s:         # chunked: as soon as it is too much
        s.sendall((f"POST {BOX} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.tokens['both']}\r\nAccept: {TAXII}\r\n"
                   f"Content-Type: {TAXII}\r\nTransfer-Encoding: chunked\r\n\r\n").encode())
        try:
            for _ in range(40):
                s.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
        except OSError:
            pass
        try:
            assert s.recv(4096).startswith(b"HTTP/1.1 413 ")
        except ConnectionResetError:
            pass
    exact = b'{"objects":[' + GOOD.encode() + b"]"
    exact += b" " * ((1 << 20) - len(exact) - 1) + b"}"
    assert len(exact) == 1 << 20 and server.request("POST", BOX, "both", exact).status == 202, "as large as promised"


# ---- DELETE

def delete(c, i, query=""):
    return c.request("DELETE", f"{BOX}{i}/{query}")


def test_delete(server, client):
    """If this fails, a retracted object stays, or another collection loses its copy."""
    o = indicator("gone", "[mutex:name = 'gone']")
    v = [dict(o, modified=f"2026-11-20T0{i}:00:00.000Z") for i in range(1, 5)]
    server.insist("both", "box", *v)
    server.insist("both", "other", *v)
    i = o["id"]
    r = delete(client, i, "?match[version]=last")
    assert r.status == 200 and r.body == b"" and r.headers["Content-Length"] == "0" and r.headers["Content-Type"] == TAXII
    assert client.get(f"{BOX}{i}/").json["objects"] == [v[2]], "the one before is now the latest"
    assert client.get(f"{BOX}{i}/?match[version]={v[3]['modified']}").status == 404
    assert delete(client, i, f"?match[version]={v[3]['modified']}").status == 404
    assert delete(client, i, "?match[spec_version]=2.0").status == 404
    assert delete(client, i, "?match[version]=x").status == 400
    assert delete(client, i, "?match[version]=first," + v[1]["modified"]).status == 200
    assert stored(client, i) == [v[2]]
    date = client.get("/api/collections/box/manifest/?match[id]=" + i).json["objects"][0]["date_added"]
    assert delete(client, i).status == 200 and stored(client, i) == []
    for path in (f"{BOX}{i}/", f"{BOX}{i}/versions/"):
        assert client.get(path).status == 404
    assert delete(client, i).status == 404
    assert i not in server.ids("both", "box") and i not in client.get("/api/collections/box/manifest/").body.decode()
    assert client.get(f"/api/collections/other/objects/{i}/?match[version]=all").json["objects"] == v, "others keep theirs"
    server.insist("both", "box", v[2])
    again = client.get("/api/collections/box/manifest/?match[id]=" + i).json["objects"]
    assert len(again) == 1 and again[0]["date_added"] > date, "put back: a new, later date"
    assert stored(client, i) == [v[2]]


def test_delete_everything_but_nothing_else(server, client):
    """If this fails, a delete takes a neighbour with it."""
    a, b = indicator("delete a", "[mutex:name = 'da']"), indicator("delete b", "[mutex:name = 'db']")
    server.insist("both", "box", a, b)
    assert delete(client, a["id"]).status == 200
    assert stored(client, b["id"]) == [b]
    for i in ("nonsense", "indicator--", stix_id("indicator", "never there")):
        assert delete(client, i).status == 404
    assert client.request("DELETE", BOX).status == 405
    assert client.request("DELETE", f"/api/collections/indicators/objects/{b['id']}/").status == 403, "a view"


def test_paging_over_a_hole(server):
    """If this fails, a walk breaks or repeats when something is deleted behind or before it."""
    c = Client(server, "both")
    kind = "x-hole"
    o = [{"type": kind, "id": stix_id(kind, str(i)), "created": AT, "modified": AT} for i in range(9)]
    server.insist("both", "box", *o)
    r = c.get(f"{BOX}?match[type]={kind}&limit=3")
    token = r.json["next"]
    for i in (2, 3):        # the last of this page, and the next one
        assert delete(c, o[i]["id"]).status == 200
    rest = c.get(f"{BOX}?match[type]={kind}&limit=100&next={token}").json["objects"]
    assert rest == o[4:]
    c.close()
