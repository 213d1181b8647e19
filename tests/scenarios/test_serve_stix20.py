"""STIX 2.1 shown to clients of TAXII 2.0, by a collection that says `serve-as stix20`."""
import json
import uuid

import pytest

from lab import TAXII, TLP, indicator, laboratory, stix_id, until

T20 = "application/vnd.oasis.taxii+json; version=2.0"
S20 = "application/vnd.oasis.stix+json; version=2.0"
AT = "2026-11-20T08:00:00.123456Z"
PAGE = 10

COLLECTIONS = "".join(f"""
collection {name}
    title        "Collection {name}"
    serve-as     stix20
""" for name in ("box", "walk", "rights", "both")) + """
collection plain
    title        "As it was sent"
"""


@pytest.fixture(scope="module")
def node():
    with laboratory("cert-a", redis=False, extra=COLLECTIONS, limits=f"    page-objects {PAGE}\n",
                    consumers={"both": ["relation own", "read *", "write *"],
                               "client": ["relation client", "read *"]}) as lab:
        n = lab["cert-a"]
        with open(n.file("trust.conf"), "a", encoding="utf-8") as f:
            f.write("\nrelease clients\n    object     tlp clear green\n    to         relation client\n")
        assert n.reload()
        yield n


def made(kind, name, **more):
    return {"type": kind, "spec_version": "2.1", "id": stix_id(kind, f"serve {name}"), "created": AT, "modified": AT, **more}


def address(value, **more):
    """An observable under the id that the standard gives it."""
    name = '{"value":"%s"}' % value
    return {"type": "ipv4-addr", "spec_version": "2.1", "value": value,
            "id": f"ipv4-addr--{uuid.uuid5(uuid.UUID('00abedb4-aa42-466c-9c01-fed23315a9b7'), name)}", **more}


def get(node, path, accept=S20, who="both", **headers):
    return node.request("GET", path, who, headers={"Accept": accept, **headers})


def by_id(objects):
    assert len({o["id"] for o in objects}) == len(objects)
    return {o["id"]: o for o in objects}


def test_each_object_in_the_words_of_20(node):
    """If this fails, a SIEM that speaks TAXII 2.0 alone gets nothing of what partners write today, or what it cannot read."""
    ip, domain = address("198.51.100.77"), {"type": "domain-name", "spec_version": "2.1", "value": "seen.example",
                                           "id": "domain-name--3a1f5e0e-6b0c-4c6e-8a55-000000000001"}
    domain["resolves_to_refs"] = [ip["id"]]
    seen = made("observed-data", "od", first_observed=AT, last_observed=AT, number_observed=3, object_refs=[domain["id"]])
    mark = indicator("serve", "[file:ctime > t'2024-01-01T00:00:00Z']", indicator_types=["benign"], labels=["own"], confidence=70)
    foreign = indicator("serve other", "alert tcp", pattern_type="snort")
    note = made("note", "n", content="c", object_refs=[mark["id"]])
    link = made("relationship", "r", relationship_type="based-on", source_ref=mark["id"], target_ref=ip["id"])
    node.insist("both", "box", ip, domain, seen, mark, foreign, note, link)

    r = get(node, "/api/collections/box/objects/")
    assert r.status in (200, 206) and r.json["spec_version"] == "2.0" and r.headers["Content-Type"] == S20
    objects = by_id(r.json["objects"])
    assert len(objects) == 7 and not any("spec_version" in o for o in objects.values())
    mine = objects[mark["id"]]
    assert mine["labels"] == ["benign", "own"] and mine["x_tocsin_confidence"] == 70 and "pattern_type" not in mine
    assert mine["pattern"] == "[file:created > t'2024-01-01T00:00:00Z']" and mine["modified"] == mark["modified"]
    assert objects["x-tocsin-" + foreign["id"]]["type"] == "x-tocsin-indicator"
    assert objects["x-tocsin-" + note["id"]]["content"] == "c"
    held = objects[seen["id"]]["objects"]
    assert held["0"]["value"] == "seen.example" and held["0"]["resolves_to_refs"] == ["1"] and held["1"]["value"] == ip["value"]
    alone = objects[objects[link["id"]]["target_ref"]]
    assert alone["type"] == "observed-data" and alone["objects"]["0"]["value"] == ip["value"]
    assert alone["first_observed"] == alone["modified"] and alone["x_tocsin_generated"] is True

    manifest = get(node, "/api/collections/box/manifest/", T20).json["objects"]
    assert [m["id"] for m in manifest] == [o["id"] for o in r.json["objects"]]
    for m in manifest:
        one = objects[m["id"]]
        assert m["versions"] == [one["modified"]], m
        if one["type"] != "observed-data" or "x_tocsin_generated" not in one or one is alone:
            again = get(node, f"/api/collections/box/objects/{m['id']}/")
            assert again.status == 200 and again.json["objects"] == [one], m
            found = get(node, f"/api/collections/box/manifest/?match[id]={m['id']}", T20).json["objects"]
            assert found == [m]
    only = get(node, "/api/collections/box/objects/?match[type]=x-tocsin-note").json["objects"]
    assert [o["id"] for o in only] == ["x-tocsin-" + note["id"]]
    assert len(get(node, "/api/collections/box/objects/?match[type]=observed-data").json["objects"]) == 3
    # to who asks for TAXII 2.1 it is what it was
    assert len(get(node, "/api/collections/box/objects/", TAXII).json["objects"]) == 7


def test_stix20_stays_as_it_was_sent(node):
    """If this fails, an object of STIX 2.0 changes because its collection also shows 2.1."""
    old = {"type": "indicator", "id": stix_id("indicator", "serve 2.0"), "created": "2026-11-20T08:00:00.000Z",
           "modified": "2026-11-20T08:00:00.000Z", "labels": ["malicious-activity", "own"], "valid_from": "2026-11-20T08:00:00Z",
           "pattern": "[process:name = 'a']"}
    body = {"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "spec_version": "2.0", "objects": [old]}
    r = node.request("POST", "/api/collections/both/objects/", "both", body, {"Accept": T20, "Content-Type": S20})
    assert r.status == 202 and r.json["failure_count"] == 0
    node.insist("both", "both", indicator("serve beside", "[mutex:name = 'b']"))
    objects = get(node, "/api/collections/both/objects/").json["objects"]
    assert objects[0] == old and len(objects) == 2
    assert get(node, "/api/collections/both/objects/", TAXII).json["objects"][0] == old


def test_numbers_are_those_of_the_list(node):
    """If this fails, a client that walks by ranges misses objects or gets some twice."""
    pile = [indicator(f"serve walk {i}", f"[mutex:name = 'w{i}']") for i in range(18)] + \
        [address(f"198.51.100.{i}") for i in range(7)]
    for i in range(0, 25, 5):
        node.insist("both", "walk", *pile[i:i + 5])
    seen, first = [], 0
    while True:
        r = get(node, "/api/collections/walk/objects/", Range=f"items={first}-{first + PAGE - 1}")
        assert r.status == 206
        assert r.headers["Content-Range"] == f"items {first}-{first + len(r.json['objects']) - 1}/25"
        seen += r.json["objects"]
        first += len(r.json["objects"])
        if first == 25:
            break
    assert len(by_id(seen)) == 25
    assert get(node, "/api/collections/walk/objects/", Range="items=25-30").status == 416


def test_rights_are_those_of_the_original(node):
    """If this fails, an observable that a reader may not have reaches him inside an observed-data, or a label is lost."""
    red = address("203.0.113.7", object_marking_refs=[TLP["amber+strict"]])
    clear = address("203.0.113.8", object_marking_refs=[TLP["clear"]])
    seen = made("observed-data", "rights", first_observed=AT, last_observed=AT, number_observed=1,
                object_refs=[red["id"], clear["id"]], object_marking_refs=[TLP["clear"]])
    node.insist("both", "rights", red, clear, seen)
    everything = get(node, "/api/collections/rights/objects/").json["objects"]
    assert len(everything) == 3 and "203.0.113.7" in str(everything)
    mine = by_id(everything)[seen["id"]]
    assert {"marking_ref": "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", "selectors": ["objects.0"]} \
        in mine["granular_markings"], "AMBER+STRICT is RED in the words of TLP 1"
    theirs = get(node, "/api/collections/rights/objects/", who="client").json["objects"]
    assert len(theirs) == 2 and "203.0.113.7" not in str([o.get("objects") for o in theirs])
    assert "203.0.113.8" in str(by_id(theirs)[seen["id"]]["objects"])


def test_without_the_line_nothing_changes(node):
    """If this fails, clients of 2.0 get converted objects that nobody asked for."""
    node.insist("both", "plain", indicator("serve plain", "[mutex:name = 'p']"))
    assert "objects" not in get(node, "/api/collections/plain/objects/").json


def test_a_bundle_of_20_in_a_spool(node):
    """If this fails, what an older tool drops into a folder stays in words that no reader of 2.1 finds by."""
    at = "2026-11-20T08:00:00.000Z"
    mark = {"type": "indicator", "id": stix_id("indicator", "serve spool"), "created": at, "modified": at, "valid_from": at,
            "labels": ["benign", "own"], "pattern": "[file:created > t'2024-01-01T00:00:00Z']",
            "object_marking_refs": ["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"]}
    seen = {"type": "observed-data", "id": stix_id("observed-data", "serve spool"), "created": at, "modified": at,
            "first_observed": at, "last_observed": at, "number_observed": 1, "objects": {"0": {"type": "ipv4-addr", "value": "192.0.2.55"}}}
    node.drop("drop", "old.json", json.dumps({"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": [mark, seen],
                                              "spec_version": "2.0"}))
    kept = until("the file to be taken in", lambda: [o for o in get(
        node, "/api/collections/advisories/objects/", TAXII).json.get("objects", []) if "serve" not in o.get("name", "")])
    by_type = {o["type"]: o for o in kept}
    assert all(o["spec_version"] == "2.1" for o in kept)
    assert by_type["indicator"]["indicator_types"] == ["benign"] and by_type["indicator"]["labels"] == ["own"]
    assert by_type["indicator"]["pattern"] == "[file:ctime > t'2024-01-01T00:00:00Z']"
    assert by_type["observed-data"]["object_refs"] == [by_type["ipv4-addr"]["id"]]
