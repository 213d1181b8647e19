"""TAXII 2.1 over TLS, resource by resource: what clients of other makers rely on."""
import re
import uuid

import pytest

from lab import TAXII, basic, indicator, until

STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
PASSWORD = "pass:word with a colon, and ünïcode"


def get(server, path, who="both", **headers):
    return server.request("GET", path, who, headers=headers)


def is_error(r, status):
    """The answer is this status with a TAXII error resource under the TAXII type."""
    assert r.status == status, (r.status, r.body)
    assert r.headers["Content-Type"] == TAXII
    assert r.json["http_status"] == str(status) and r.json["title"]
    assert "/" not in r.json.get("description", "").replace("application/taxii+json", "").replace("/api", "") \
        or "SELECT" not in r.json["description"]
    return True


# ---- resources

def test_discovery(server):
    """If this fails, clients that begin at /taxii2/ find nothing."""
    r = get(server, "/taxii2/")
    assert r.status == 200 and r.headers["Content-Type"] == TAXII
    d = r.json
    assert d["title"] and d["default"] in d["api_roots"]
    assert all(u == f"{server.url}/api/" for u in d["api_roots"])
    assert None not in d.values() and [] not in d.values()


def test_api_root(server):
    """If this fails, clients cannot tell how much they may send."""
    d = get(server, "/api/").json
    assert d["title"] and d["versions"] == [TAXII] and d["max_content_length"] == 1 << 20


def test_collections(server):
    """If this fails, a form that lists collections is empty or lies about rights."""
    listed = get(server, "/api/collections/").json["collections"]
    assert listed == get(server, "/api/collections/").json["collections"], "same order every time"
    names = [c["alias"] for c in listed]
    assert "box" in names and "secret" not in names and len(set(c["title"] for c in listed)) == len(listed)
    for c in listed:
        assert uuid.UUID(c["id"]).version == 4 and c["title"]
        assert c["media_types"] == [f"application/stix+json;version={v}" for v in ("2.1", "2.0")]
        assert get(server, f"/api/collections/{c['id']}/").json == c
        assert get(server, f"/api/collections/{c['alias']}/").json == c
        assert get(server, f"/api/collections/{c['id'].upper()}/").json == c
        view = c["alias"] == "indicators"
        assert (c["can_read"], c["can_write"]) == (True, not view)


def test_the_same_collection_for_different_clients(server):
    """If this fails, one client is told the rights of another."""
    seen = {who: {c["alias"]: (c["can_read"], c["can_write"])
                  for c in get(server, "/api/collections/", who).json["collections"]}
            for who in ("reader", "writer", "nobody", "insider")}
    assert seen["reader"]["box"] == (True, False) and seen["writer"]["box"] == (False, True)
    assert seen["nobody"]["box"] == (False, False)
    assert seen["insider"]["secret"] == (True, True)
    assert all("secret" not in seen[w] for w in ("reader", "writer", "nobody"))


@pytest.mark.parametrize("path", ["/", "/taxii2/x/", "/nope/", "/API/", "/api/nope/",
                                  "/api/collections/nope/", f"/api/collections/{uuid.uuid4()}/objects/",
                                  "/api/collections/box/nope/", "/api/collections/box/objects/x/y/", "//api/",
                                  "/api//collections/", "/api/collections/box/objects/x/versions/y/", "/api/status/",
                                  "/api/../api/", "/api/collections/%2e%2e/", "/api/collections/box%2Fobjects/",
                                  "/api/collections/%00/", "/api/collections/%ff/", "/etc/passwd", "/api/collections/%zz/"])
def test_what_is_not_there(server, path):
    """If this fails, something is served that should not exist, or the answer is no TAXII error."""
    is_error(get(server, path), 404)


@pytest.mark.parametrize("path", ["/taxii2", "/api", "/api/collections", "/api/collections/box",
                                  "/api/collections/empty/objects", "/api/collections/empty/manifest"])
def test_the_last_slash_does_not_matter(server, path):
    """If this fails, clients that leave it out are redirected and lose their credentials."""
    assert get(server, path).status == 200
    assert get(server, path).body == get(server, path + "/").body


def test_escapes_in_a_path_are_what_they_stand_for(server):
    """If this fails, clients that encode a minus sign get 404."""
    assert get(server, "/%61pi/collections/%62ox/").json["alias"] == "box"
    o = indicator("escaped path", "[mutex:name = 'escaped path']")
    server.insist("both", "box", o)
    assert get(server, "/api/collections/box/objects/" + o["id"].replace("-", "%2D") + "/").json["objects"] == [o]


# ---- rights

IO = [("GET", "objects/"), ("GET", "manifest/"), ("POST", "objects/"), ("GET", "objects/{id}/"),
      ("GET", "objects/{id}/versions/"), ("DELETE", "objects/{id}/"), ("GET", "")]


@pytest.mark.parametrize("who,statuses", [
    ("reader", [200, 200, 403, 200, 200, 403, 200]),
    ("writer", [403, 403, 202, 403, 403, 403, 200]),
    ("nobody", [403, 403, 403, 403, 403, 404, 200]),
    ("both", [200, 200, 202, 200, 200, 200, 200]),
    (None, [401, 401, 401, 401, 401, 401, 401]),
])
def test_rights(server, who, statuses):
    """If this fails, a client reads, writes or deletes what is not his."""
    o = indicator(f"rights {who}", "[mutex:name = 'rights']")
    server.insist("both", "box", o)
    got = []
    for (method, path), want in zip(IO, statuses):
        body = {"objects": [indicator(f"by {who}", "[mutex:name = 'by']")]} if method == "POST" else None
        r = server.request(method, "/api/collections/box/" + path.format(id=o["id"]), who, body)
        got.append(r.status)
        if want >= 400:
            is_error(r, want)
    assert got == statuses
    # whatever was refused changed nothing
    assert (o["id"] in server.ids("both", "box")) == (who != "both")
    assert (indicator(f"by {who}", "")["id"] in server.ids("both", "box")) == (who in ("writer", "both"))


@pytest.mark.parametrize("method,path", IO)
def test_a_hidden_collection_looks_like_none(server, method, path):
    """If this fails, a client learns that a collection exists that he has no right to."""
    body = {"objects": [indicator("hidden", "[mutex:name = 'hidden']")]} if method == "POST" else None
    path = path.format(id=indicator("hidden", "")["id"])
    there = server.request(method, "/api/collections/secret/" + path, "both", body)
    absent = server.request(method, "/api/collections/absent/" + path, "both", body)
    assert is_error(there, 404)
    a, b = there.json, absent.json
    assert {k: v for k, v in a.items() if k != "error_id"} == {k: v for k, v in b.items() if k != "error_id"}
    server.insist("insider", "secret", indicator("inside", "[mutex:name = 'inside']"))
    assert server.ids("insider", "secret")


def test_the_order_of_decisions(server):
    """If this fails, answers to strangers say what exists, or effects come before checks."""
    box = "/api/collections/box/objects/"
    assert server.request("GET", "/nothing/here/").status == 401            # credentials before path
    assert server.request("POST", box, body="{", headers={"Accept": "text/html"}).status == 401
    assert server.request("POST", "/api/nope/", "both", "{}").status == 404   # path before method
    assert server.request("DELETE", box, "nobody", headers={"Accept": "text/html"}).status == 405
    assert get(server, box, "nobody", Accept="text/html").status == 406       # media before rights
    assert get(server, box + "?limit=x", "nobody").status == 403             # rights before filters
    assert get(server, box + "?limit=x").status == 400
    assert get(server, box + "indicator--nope/?limit=x").status == 400       # syntax before existence
    assert server.request("POST", box, "reader", "{", {"Content-Type": "text/plain"}).status == 403
    assert server.request("POST", box, "both", "{", {"Content-Type": "text/plain"}).status == 415


# ---- credentials

def test_401_says_how(server):
    """If this fails, clients do not know that they should send a password."""
    for headers in ({}, {"Authorization": "Basic"}, {"Authorization": "Basic !!!"}, {"Authorization": "Nope x"},
                    {"Authorization": "Bearer " + "x" * 43}, {"Authorization": "Bearer"}, {"Authorization": ""},
                    {"Authorization": basic("basic", "wrong")}, {"Authorization": basic("nobody at all", "x")},
                    {"Authorization": "Basic " + "A" * 6000}, {"Authorization": basic("basic", PASSWORD)[:-4]},
                    {"Authorization": "Bearer " + server.tokens["both"] + "x"}):
        for path in ("/taxii2/", "/api/", "/api/collections/box/objects/", "/nowhere/"):
            r = server.request("GET", path, headers=headers)
            is_error(r, 401)
            assert r.headers["WWW-Authenticate"].startswith("Basic realm=") and "UTF-8" in r.headers["WWW-Authenticate"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Token", "token"])
def test_tokens(server, scheme):
    """If this fails, the commonest way to log in does not work for half of the clients."""
    assert server.request("GET", "/api/", headers={"Authorization": f"{scheme} {server.tokens['both']}"}).status == 200


def test_passwords(server):
    """If this fails, Sentinel and everybody else with a password form is locked out."""
    for spell in (lambda x: x, lambda x: x.replace("Basic", "basic"), lambda x: x.replace("Basic", "BASIC")):
        r = server.request("GET", "/api/collections/", headers={"Authorization": spell(basic("basic", PASSWORD))})
        assert r.status == 200 and len(r.json["collections"]) > 3


def test_a_certificate_is_enough(server):
    """If this fails, a client with a certificate has to have a password too."""
    badge = server.lab["badge"]
    r = server.request("GET", "/api/collections/", certificate_of=badge)
    assert r.status == 200
    r = server.request("GET", "/api/collections/", "both", certificate_of=badge)
    assert r.status == 401, "one request, two identities"
    assert server.request("GET", "/api/collections/", headers={"Authorization": basic("basic", "wrong")},
                          certificate_of=badge).status == 401


def test_a_token_that_was_removed_is_dead_after_a_reload(server):
    """If this fails, a leaked token works until the next restart."""
    server.add_token("nobody")
    fresh = server.tokens["nobody"]
    assert server.request("GET", "/api/", headers={"Authorization": "Bearer " + fresh}).status == 401
    assert server.reload()
    assert server.request("GET", "/api/", headers={"Authorization": "Bearer " + fresh}).status == 200
    with open(server.file("credentials"), encoding="utf-8") as f:
        lines = f.read().splitlines(True)
    last = max(i for i, line in enumerate(lines) if line.split()[:2] == ["token", "nobody"])
    with open(server.file("credentials"), "w", encoding="utf-8") as f:
        f.writelines(lines[:last] + lines[last + 1:])
    assert server.reload()
    assert server.request("GET", "/api/", headers={"Authorization": "Bearer " + fresh}).status == 401
    server.add_token("nobody")
    assert server.reload()


# ---- media types

@pytest.mark.parametrize("accept,status", [
    (TAXII, 200), ("application/taxii+json; version=2.1", 200), ("application/taxii+json ;  version=2.1", 200),
    ("APPLICATION/TAXII+JSON;VERSION=2.1", 200), ('application/taxii+json;version="2.1"', 200),
    ("application/taxii+json", 200), ("*/*", 200), ("application/*", 200), (None, 200),
    ("application/taxii+json;version=2.1;q=0.1", 200), ("text/html, application/taxii+json;version=2.1;q=0.5", 200),
    ("application/stix+json;version=2.1, application/taxii+json;version=2.1", 200),
    ("application/taxii+json;version=9.9, application/taxii+json;version=2.1", 200),
    ("text/html, */*;q=0.1", 200), ("application/taxii+json;version=2.1,", 200),
    ("text/html", 406), ("application/json", 406), ("application/stix+json;version=2.1", 406),
    ("application/taxii+json;version=2.2", 406), ("application/vnd.oasis.taxii+json; version=2.2", 406),
    ("application/taxii+json;version=2.1;q=0", 406), ("application/taxii+json;version=2.1;q=0.000", 406),
    ("application/taxii+json;version=2.0", 406), ("application/taxii", 406), ("text/*", 406),
])
def test_accept(server, accept, status):
    """If this fails, clients of some maker are refused, or those that try 2.0 after 406 never do."""
    for path in ("/taxii2/", "/api/collections/empty/objects/"):
        r = get(server, path, Accept=accept)
        assert r.status == status and r.headers["Content-Type"] == TAXII
        if status != 200:
            is_error(r, status)


@pytest.mark.parametrize("kind,status", [
    (TAXII, 202), ("application/taxii+json", 202), ("application/taxii+json; charset=utf-8; version=2.1", 202),
    ('Application/TAXII+json;Version="2.1"', 202), (" application/taxii+json ; version=2.1 ", 202),
    ("application/json", 415), ("application/stix+json;version=2.1", 415), ("text/plain", 415),
    ("application/taxii+json;version=2.0", 415), ("application/vnd.oasis.stix+json; version=2.0", 415), (None, 415),
    ("", 415), ("nonsense", 415),
])
def test_content_type(server, kind, status):
    """If this fails, something that is no TAXII is taken as if it were."""
    o = indicator(f"content type {kind}", "[mutex:name = 'content type']")
    import json
    r = server.request("POST", "/api/collections/box/objects/", "both", json.dumps({"objects": [o]}), {"Content-Type": kind})
    assert r.status == status and r.headers["Content-Type"] == TAXII
    assert (o["id"] in server.ids("both", "box")) == (status == 202)


def test_a_compressed_body_is_refused(server):
    """If this fails, a small body unpacks to one that fills the memory."""
    import gzip
    import json
    body = gzip.compress(json.dumps({"objects": [indicator("gzip in", "[mutex:name = 'g']")]}).encode())
    for coding in ("gzip", "deflate", "br", "x-unknown", "gzip, identity"):
        is_error(server.request("POST", "/api/collections/box/objects/", "both", body, {"Content-Encoding": coding}), 415)


def test_answers_are_compressed_on_demand(server):
    """If this fails, every poll of a big collection costs five times the line."""
    import gzip
    server.insist("both", "box", *[indicator(f"gzip {i}", f"[mutex:name = 'gzip {i}']") for i in range(30)])
    path = "/api/collections/box/objects/"
    plain = get(server, path)
    assert plain.headers["Content-Encoding"] is None
    for accept in ("gzip", "deflate, gzip;q=0.5", "GZIP", "*"):
        packed = get(server, path, **{"Accept-Encoding": accept})
        if accept == "*" and packed.headers["Content-Encoding"] is None:
            continue
        assert packed.headers["Content-Encoding"] == "gzip" and "accept-encoding" in packed.headers["Vary"].lower()
        assert gzip.decompress(packed.body) == plain.body and len(packed.body) < len(plain.body)
    for accept in ("identity", "gzip;q=0", "br", ""):
        assert get(server, path, **{"Accept-Encoding": accept}).body == plain.body


# ---- methods

def test_head_is_get_without_body(server):
    """If this fails, probes and caches see other headers than clients."""
    for path in ("/taxii2/", "/api/collections/", "/api/collections/empty/objects/", "/nowhere/"):
        g, h = get(server, path), server.request("HEAD", path, "both")
        assert h.status == g.status and h.body == b""
        assert h.headers["Content-Length"] == g.headers["Content-Length"] or g.status == 404
        assert h.headers["Content-Type"] == TAXII


@pytest.mark.parametrize("path,allow", [
    ("/taxii2/", {"GET", "HEAD", "OPTIONS"}), ("/api/collections/box/objects/", {"GET", "HEAD", "POST", "OPTIONS"}),
    ("/api/collections/box/objects/x--y/", {"GET", "HEAD", "DELETE", "OPTIONS"}),
])
def test_methods(server, path, allow):
    """If this fails, a client cannot tell a wrong method from a wrong address."""
    r = server.request("OPTIONS", path, "both")
    assert r.status in (200, 204) and set(r.headers["Allow"].replace(" ", "").split(",")) == allow
    for method in {"PUT", "PATCH", "POST", "DELETE"} - allow:
        r = server.request(method, path, "both", b"{}")
        is_error(r, 405)
        assert set(r.headers["Allow"].replace(" ", "").split(",")) == allow
    is_error(server.request("BREW", path, "both"), 501)


def test_every_answer_has_a_date(server):
    """If this fails, clients cannot correct the skew of their clocks."""
    for path in ("/taxii2/", "/nowhere/"):
        assert re.match(r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$", get(server, path).headers["Date"])


# ---- status

def test_a_status_belongs_to_who_posted(server):
    """If this fails, one client reads what another one posts."""
    o = indicator("status", "[mutex:name = 'status']")
    r = server.request("POST", "/api/collections/box/objects/", "writer", {"objects": [o, {"type": "x"}]})
    s = r.json
    assert r.status == 202 and uuid.UUID(s["id"]).version == 4 and STAMP.match(s["request_timestamp"])
    assert (s["status"], s["total_count"], s["success_count"], s["failure_count"], s["pending_count"]) == ("complete", 2, 1, 1, 0)
    assert [x["id"] for x in s["successes"]] == [o["id"]] and s["successes"][0]["version"] == o["modified"]
    assert len(s["failures"]) == 1 and s["failures"][0]["message"] and "pendings" not in s
    assert get(server, f"/api/status/{s['id']}/", "writer").json == s
    for who in ("both", "reader"):
        is_error(get(server, f"/api/status/{s['id']}/", who), 404)
    for other in (str(uuid.uuid4()), "nonsense", s["id"][:-1]):
        is_error(get(server, f"/api/status/{other}/", "writer"), 404)


def test_a_status_survives_a_restart(server):
    """If this fails, a client that asks after a restart thinks that his objects are lost."""
    s = server.post("both", "box", indicator("status kept", "[mutex:name = 'status kept']")).json
    server.restart()
    assert get(server, f"/api/status/{s['id']}/").json == s
    assert until("it to be there", lambda: indicator("status kept", "")["id"] in server.ids("both", "box"))
