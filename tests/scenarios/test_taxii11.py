"""TAXII 1.1: what a client such as cabby or an older SIEM does, and what it must not get."""
import base64
import json
import os
import signal
import sqlite3
import xml.etree.ElementTree as ET

import pytest

from lab import ONE, indicator, laboratory, stix_id, until

NS = "http://taxii.mitre.org/messages/taxii_xml_binding-1.1"
T = "{" + NS + "}"
STIX = "urn:stix.mitre.org:xml:1.2"
PAGE = 20
PASSWORD = "quite a long pass phrase"
HEADERS = {"Content-Type": "application/xml", "Accept": "application/xml",
           "X-TAXII-Content-Type": "urn:taxii.mitre.org:message:xml:1.1",
           "X-TAXII-Accept": "urn:taxii.mitre.org:message:xml:1.1",
           "X-TAXII-Services": "urn:taxii.mitre.org:services:1.1",
           "X-TAXII-Protocol": "urn:taxii.mitre.org:protocol:https:1.0"}

COLLECTIONS = """
collection box
    title        "The <box> & more"

collection feed
    title        "Feed"

collection ties
    title        "Ties"

collection empty
    title        "Empty"

collection secret
    title        "Only for those who name it"
    hidden       yes

"""

PACKAGE = """<stix:STIX_Package xmlns:stix="http://stix.mitre.org/stix-1" xmlns:ind="http://stix.mitre.org/Indicator-2"
 xmlns:cybox="http://cybox.mitre.org/cybox-2" xmlns:addr="http://cybox.mitre.org/objects#AddressObject-2"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:example="http://example.com/"
 id="example:package-{n}" version="1.2" timestamp="2026-11-20T08:00:00Z">
 <stix:Indicators><stix:Indicator id="example:indicator-00000000-0000-4000-8000-{n:012}" timestamp="2026-11-20T08:00:00Z"
  xsi:type="ind:IndicatorType"><ind:Title>Inbox {n}</ind:Title>
  <ind:Observable id="example:observable-{n}"><cybox:Object id="example:object-{n}"><cybox:Properties
   xsi:type="addr:AddressObjectType" category="ipv4-addr"><addr:Address_Value condition="Equals">198.51.100.{n}</addr:Address_Value>
  </cybox:Properties></cybox:Object></ind:Observable></stix:Indicator></stix:Indicators></stix:STIX_Package>"""


@pytest.fixture(scope="module")
def node():
    with laboratory("cert-a", redis=False, extra=COLLECTIONS, limits=f"    page-objects {PAGE}\n",
                    consumers={"siem": ["relation own", "read *", "write box"], "reader": ["relation own", "read feed"],
                               "two": ["relation own", "write box empty"],
                               "walker": ["relation own", "read *", "write ties"], "modern": ["relation own", "read *", "taxii11 no"],
                               "basic": ["relation own", "read feed"]},
                    trust=lambda lab: lab["cert-a"].add_password("basic", PASSWORD)) as lab:
        yield lab["cert-a"]


def send(node, text, place="", who="siem", **headers):
    return node.request("POST", "/taxii11/" + place, who, text.encode(), {**HEADERS, **headers})


def message(name, attrs="", inner="", ident="q1"):
    return f'<t:{name} xmlns:t="{NS}" message_id="{ident}" {attrs}>{inner}</t:{name}>'


def ask(node, name, attrs="", inner="", place="", who="siem", ident="q1"):
    r = send(node, message(name, attrs, inner, ident), place, who)
    assert r.status == 200, (r.status, r.body)
    assert r.headers["Content-Type"] == "application/xml"
    assert r.headers["X-TAXII-Content-Type"] == HEADERS["X-TAXII-Content-Type"]
    assert r.headers["X-TAXII-Protocol"] == HEADERS["X-TAXII-Protocol"]
    assert r.headers["X-TAXII-Services"] == HEADERS["X-TAXII-Services"]
    root = ET.fromstring(r.body)
    assert root.get("in_response_to") == ident and root.get("message_id")
    return root


def poll(node, collection, begin=None, end=None, kind="FULL", how="", who="siem"):
    times = (f"<t:Exclusive_Begin_Timestamp>{begin}</t:Exclusive_Begin_Timestamp>" if begin else "") + \
        (f"<t:Inclusive_End_Timestamp>{end}</t:Inclusive_End_Timestamp>" if end else "")
    return ask(node, "Poll_Request", f'collection_name="{collection}"', times +
               f'<t:Poll_Parameters allow_asynch="false"><t:Response_Type>{kind}</t:Response_Type>{how}</t:Poll_Parameters>',
               "poll", who)


def inbox(node, *blocks, to=("box",), who="siem"):
    return ask(node, "Inbox_Message", "", "".join(f"<t:Destination_Collection_Name>{d}</t:Destination_Collection_Name>" for d in to) +
               "".join(f'<t:Content_Block><t:Content_Binding binding_id="{b}"/><t:Content>{c}</t:Content></t:Content_Block>'
                       for b, c in blocks), "inbox", who)


def status(root, kind, detail=None):
    assert root.tag == T + "Status_Message", ET.tostring(root)
    assert root.get("status_type") == kind, ET.tostring(root)
    return [d.text for d in root.iter(T + "Detail") if d.get("name") == detail]


def titles(root):
    """Of all indicators in all blocks."""
    return [e.text for b in root.iter(T + "Content_Block") for e in b.iter("{http://stix.mitre.org/Indicator-2}Title")]


def test_discovery_leads_to_collections(node):
    """If this fails, QRadar shows an empty list of collections: it believes discovery alone."""
    root = ask(node, "Discovery_Request", place="discovery")
    found = {s.get("service_type"): s for s in root.findall(T + "Service_Instance")}
    assert set(found) == {"DISCOVERY", "COLLECTION_MANAGEMENT", "POLL", "INBOX"}
    for s in found.values():
        assert s.get("available") == "true" and s.get("service_version") == HEADERS["X-TAXII-Services"]
        assert s.findtext(T + "Address").startswith(node.url + "/taxii11/")
        assert s.findtext(T + "Message_Binding") == HEADERS["X-TAXII-Content-Type"]
    place = found["COLLECTION_MANAGEMENT"].findtext(T + "Address")[len(node.url + "/taxii11/"):]
    root = ask(node, "Collection_Information_Request", place=place)
    got = {c.get("collection_name"): c for c in root.findall(T + "Collection")}
    assert {"box", "feed", "empty"} <= set(got) and all(c.get("collection_type") == "DATA_FEED" for c in got.values())
    assert "The <box> & more" in got["box"].findtext(T + "Description")
    assert got["box"].find(T + "Receiving_Inbox_Service") is not None and got["feed"].find(T + "Receiving_Inbox_Service") is None
    assert got["feed"].find(T + "Polling_Service") is not None
    few = {c.get("collection_name"): c for c in ask(node, "Collection_Information_Request", who="reader").findall(T + "Collection")}
    assert "secret" not in few
    assert [n for n, c in few.items() if c.find(T + "Polling_Service") is not None] == ["feed"]


def test_basic_login_and_refusals_of_the_road(node):
    """If this fails, a SIEM cannot log in as it can, or a stranger reads."""
    r = send(node, message("Discovery_Request"), who=None)
    assert r.status == 401 and r.headers["WWW-Authenticate"].startswith("Basic")
    status(ET.fromstring(r.body), "UNAUTHORIZED")
    login = base64.b64encode(f"basic:{PASSWORD}".encode()).decode()
    r = send(node, message("Discovery_Request"), who=None, Authorization="Basic " + login)
    assert r.status == 200
    assert node.request("GET", "/taxii11/", "siem", headers=HEADERS).status == 405
    assert send(node, message("Discovery_Request"), "nothing").status == 404


@pytest.mark.parametrize("header,value,kind", [
    ("X-TAXII-Content-Type", None, "FAILURE"), ("X-TAXII-Content-Type", "urn:taxii.mitre.org:message:xml:1.0", "UNSUPPORTED_MESSAGE"),
    ("X-TAXII-Services", None, "FAILURE"), ("X-TAXII-Services", "urn:taxii.mitre.org:services:1.0", "FAILURE"),
    ("X-TAXII-Protocol", "urn:taxii.mitre.org:protocol:smoke:1.0", "UNSUPPORTED_PROTOCOL"),
], ids=range(5))
def test_headers_say_which_version(node, header, value, kind):
    """If this fails, a client of another version is answered what it does not understand."""
    r = send(node, message("Discovery_Request"), **{header: value})
    assert r.status == 200
    status(ET.fromstring(r.body), kind)


@pytest.mark.parametrize("text,to", [
    ("", "0"), ("nonsense", "0"), ("<a/>", "0"), (f'<t:Discovery_Request xmlns:t="{NS}"/>', "0"),
    ('<t:Discovery_Request xmlns:t="http://taxii.mitre.org/messages/taxii_xml_binding-1" message_id="1"/>', "0"),
    (f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><t:Discovery_Request xmlns:t="{NS}" message_id="&e;"/>', "0"),
    ("<a>" * 5000, "0"),
    (message("Make_Coffee"), "q1"), (message("Poll_Request"), "q1"),
    (message("Poll_Request", 'collection_name="feed"'), "q1"),
    (message("Poll_Request", 'collection_name="feed"', "<t:Subscription_ID>1</t:Subscription_ID><t:Poll_Parameters/>"), "q1"),
    (message("Poll_Request", 'collection_name="feed"', "<t:Exclusive_Begin_Timestamp>yesterday</t:Exclusive_Begin_Timestamp>"
             "<t:Poll_Parameters/>"), "q1"),
    (message("Poll_Fulfillment", 'collection_name="feed" result_id="x" result_part_number="-1"'), "q1"),
], ids=range(13))
def test_hostile_messages(node, text, to):
    """If this fails, a broken message has an answer that its sender cannot match, or is believed."""
    r = send(node, text)
    assert r.status == 200, (r.status, r.body)
    root = ET.fromstring(r.body)
    status(root, "BAD_MESSAGE")
    assert root.get("in_response_to") == to


def test_what_cannot_be_polled(node):
    """If this fails, a client takes a refusal for an empty feed."""
    assert status(poll(node, "no such"), "NOT_FOUND", "ITEM") == ["no such"]
    status(poll(node, "secret", who="reader"), "NOT_FOUND")
    status(poll(node, "box", who="reader"), "DENIED")
    status(poll(node, "feed", "2026-11-20T08:00:00Z", "2026-11-20T08:00:00Z"), "FAILURE")
    how = '<t:Content_Binding binding_id="urn:stix.mitre.org:xml:1.0"/>'
    assert status(poll(node, "feed", how=how), "UNSUPPORTED_CONTENT", "SUPPORTED_CONTENT") == [STIX]
    status(poll(node, "feed", how='<t:Query format_id="x"/>'), "UNSUPPORTED_QUERY")
    status(ask(node, "Subscription_Management_Request", 'collection_name="feed" action="STATUS"'), "FAILURE")
    root = poll(node, "empty", "2026-11-20T08:00:00Z")
    assert root.tag == T + "Poll_Response" and root.get("more") == "false" and root.find(T + "Content_Block") is None


@pytest.fixture(scope="module")
def feed(node):
    pile = [indicator(f"eleven {i}", f"[ipv4-addr:value = '203.0.113.{i}']", tlp="green") for i in range(50)]
    for i in range(0, 50, 10):
        node.insist("siem", "box", *pile[i:i + 10])
    return pile


def test_count(node, feed):
    """If this fails, a client that asks before it fetches fetches nothing, or for ever."""
    root = poll(node, "box", kind="COUNT_ONLY")
    assert root.find(T + "Content_Block") is None
    assert int(root.findtext(T + "Record_Count")) >= 3
    assert int(root.findtext(T + "Message").split()[0]) >= 50
    assert poll(node, "box", end="2001-01-01T00:00:00Z", kind="COUNT_ONLY").findtext(T + "Record_Count") == "0"
    assert poll(node, "empty", kind="COUNT_ONLY").findtext(T + "Record_Count") == "0"


def part(node, result, number, who="siem", collection="box"):
    return ask(node, "Poll_Fulfillment", f'collection_name="{collection}" result_id="{result}" result_part_number="{number}"', who=who)


def test_a_feed_in_parts(node, feed):
    """If this fails, what a SIEM polls misses indicators or has them twice."""
    first = poll(node, "box")
    assert first.tag == T + "Poll_Response", ET.tostring(first)
    assert first.get("more") == "true" and first.get("result_part_number") == "1"
    result, seen, number, last = first.get("result_id"), titles(first), 1, first
    while last.get("more") == "true":
        number += 1
        last = part(node, result, number)
        assert last.tag == T + "Poll_Response" and last.get("result_part_number") == str(number), ET.tostring(last)
        assert last.get("result_id") == result
        seen += titles(last)
    assert number >= 3 and len(seen) == len(set(seen)) and {o["name"] for o in feed} <= set(seen)
    assert titles(part(node, result, 2)) == titles(part(node, result, 2)) != []
    assert titles(part(node, result, 1)) == titles(first)
    assert status(part(node, result, number + 5), "INVALID_RESPONSE_PART", "MAX_PART_NUMBER") == [str(number)]
    status(part(node, result, 2, collection="feed"), "NOT_FOUND")
    status(part(node, "f" * 32, 2), "NOT_FOUND")
    status(part(node, "../../x", 2), "NOT_FOUND")
    labels = [b.findtext(T + "Timestamp_Label") for b in last.iter(T + "Content_Block")]
    assert last.findtext(T + "Inclusive_End_Timestamp") == labels[-1]
    after = poll(node, "box", labels[-1])
    assert after.get("more") == "false" and after.find(T + "Content_Block") is None
    assert after.findtext(T + "Exclusive_Begin_Timestamp") == labels[-1]
    end = first.findtext(T + "Inclusive_End_Timestamp")
    ended = poll(node, "box", end=end)
    assert titles(ended) == titles(first) and ended.get("more") == "false"


def pages_told(node, who):
    """How many objects each page had that the audit says this reader was shown."""
    with sqlite3.connect(f"file:{node.file('state', 'tocsin.db')}?mode=ro", uri=True) as db:
        rows = [json.loads(line) for (line,) in db.execute("SELECT line FROM audit ORDER BY seq")]
    return [r["objects"] for r in rows if r.get("ev") == "page" and r.get("consumer") == who]


def test_the_audit_tells_what_was_released(node, feed):
    """If this fails, the audit says that a SIEM got objects which lay behind the end of its poll: nobody can
    tell afterwards whom a secret reached."""
    labels = [o["date_added"] for o in node.request("GET", "/api/collections/box/manifest/?limit=20", "siem").json["objects"]]
    middle = labels[6]
    before = len(pages_told(node, "walker"))
    got = poll(node, "box", end=middle, who="walker")
    assert got.get("more") == "false" and 0 < len(titles(got)) < PAGE
    told = until("the audit", lambda: pages_told(node, "walker")[before:])
    assert told == [len(titles(got))]
    until("the consumer's book", lambda: node.ask("consumer", "status", "walker", "--json")["consumers"][0]["pages"] >= 1)
    assert int(poll(node, "box", end=middle, kind="COUNT_ONLY").findtext(T + "Message").split()[0]) == len(titles(got))


def tie(kind, source, target, n):
    return {"type": "relationship", "spec_version": "2.1", "id": stix_id("relationship", f"tie {kind} {n}"),
            "created": "2026-11-20T08:00:00.000Z", "modified": "2026-11-20T08:00:00.000Z", "relationship_type": kind,
            "source_ref": source, "target_ref": target,
            "object_marking_refs": ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"]}


def test_a_relation_across_parts_is_told(node):
    """If this fails, a SIEM has the indicator and the malware and never learns that one indicates the other."""
    ends = [indicator(f"tied {i}", f"[ipv4-addr:value = '203.0.113.{100 + i}']", tlp="green") for i in range(30)]
    base = {"spec_version": "2.1", "created": "2026-11-20T08:00:00.000Z", "modified": "2026-11-20T08:00:00.000Z",
            "object_marking_refs": ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"]}
    family = {"type": "malware", "id": stix_id("malware", "tied"), "name": "tied", "is_family": False, **base}
    cure = {"type": "course-of-action", "id": stix_id("course-of-action", "tied"), "name": "cure", **base}
    node.insist("walker", "ties", family, cure, *ends)
    ties = [tie("indicates", i["id"], family["id"], n) for n, i in enumerate(ends)]
    ties.append(tie("mitigates", cure["id"], ends[0]["id"], 0))
    node.insist("walker", "ties", *ties)
    last = poll(node, "ties", who="walker")
    parts = [last]
    while last.get("more") == "true":
        last = part(node, last.get("result_id"), len(parts) + 1, who="walker", collection="ties")
        parts.append(last)
    assert len(parts) >= 3
    inside = "{http://stix.mitre.org/Indicator-2}"
    told = [e for p in parts for e in p.iter("{http://stix.mitre.org/stix-1}Indicator") if e.find(inside + "Indicated_TTP") is not None]
    assert {e.get("id").split("indicator-")[1] for e in told} == {i["id"].split("--")[1] for i in ends}
    assert [e for p in parts for e in p.iter(inside + "Suggested_COA")]


def test_a_client_that_is_told_to_speak_21(node):
    """If this fails, `taxii11 no` of a consumer means nothing, or everybody is locked out by it."""
    r = send(node, message("Discovery_Request"), who="modern")
    assert r.status == 404
    assert send(node, message("Discovery_Request"), who="siem").status == 200


def test_errors_of_the_road_are_messages(node):
    """If this fails, libtaxii takes a refusal for a broken server: it looks at X-TAXII-Content-Type first."""
    for r, status_, kind in [(send(node, message("Discovery_Request"), who=None), 401, "UNAUTHORIZED"),
                             (send(node, message("Discovery_Request"), "nothing"), 404, "NOT_FOUND"),
                             (node.request("GET", "/taxii11/", "siem", headers=HEADERS), 405, "FAILURE"),
                             (node.request("POST", "/taxii11/", "siem", b"x", {**HEADERS, "Content-Length": str(17 << 20)}), 413, "FAILURE"),
                             (send(node, message("Discovery_Request"), **{"Content-Encoding": "gzip"}), 415, "UNSUPPORTED_MESSAGE")]:
        assert r.status == status_, (status_, r.status, r.body[:300])
        assert r.headers["X-TAXII-Content-Type"] == HEADERS["X-TAXII-Content-Type"], r.headers
        assert r.headers["X-TAXII-Services"] == HEADERS["X-TAXII-Services"]
        assert r.headers["Content-Type"] == "application/xml"
        status(ET.fromstring(r.body), kind)


# As the two clients of that time put it on the wire.
LIBTAXII = """<taxii_11:Poll_Request xmlns:taxii="http://taxii.mitre.org/messages/taxii_xml_binding-1"
 xmlns:taxii_11="http://taxii.mitre.org/messages/taxii_xml_binding-1.1" xmlns:tdq="http://taxii.mitre.org/query/taxii_default_query-1"
 message_id="4711" collection_name="box"><taxii_11:Exclusive_Begin_Timestamp>2001-01-01T01:00:00.000001+01:00</taxii_11:Exclusive_Begin_Timestamp>
 <taxii_11:Poll_Parameters allow_asynch="false"><taxii_11:Response_Type>FULL</taxii_11:Response_Type>
 <taxii_11:Content_Binding binding_id="urn:stix.mitre.org:xml:1.1.1"/>
 <taxii_11:Content_Binding binding_id="urn:stix.mitre.org:xml:1.2"><taxii_11:Subtype subtype_id="example"/></taxii_11:Content_Binding>
 </taxii_11:Poll_Parameters></taxii_11:Poll_Request>"""


@pytest.mark.parametrize("headers", [
    {"User-Agent": "libtaxii.httpclient", "Content-Type": "application/xml", "Accept": "application/xml"},
    {"User-Agent": "Cabby 0.1.23", "Content-Type": "application/xml", "Accept": "application/xml"},
    {"User-Agent": "old", "Content-Type": "application/xml; charset=utf-8", "Accept": "*/*"},
    {"User-Agent": "older", "Content-Type": "text/xml", "Accept": "text/xml, application/xml;q=0.9"},
], ids=["libtaxii", "cabby", "charset", "text"])
def test_as_clients_of_that_time_send(node, feed, headers):
    """If this fails, the clients that TAXII 1.1 is there for are turned away for their manners."""
    r = node.request("POST", "/taxii11/poll", "siem", LIBTAXII.encode(), {
        "X-TAXII-Content-Type": HEADERS["X-TAXII-Content-Type"], "X-TAXII-Services": HEADERS["X-TAXII-Services"],
        "X-TAXII-Protocol": HEADERS["X-TAXII-Protocol"], **headers})
    root = ET.fromstring(r.body)
    assert r.status == 200 and root.tag == T + "Poll_Response", r.body[:300]
    assert root.get("in_response_to") == "4711" and len(titles(root)) == PAGE
    assert root.findtext(T + "Exclusive_Begin_Timestamp").startswith("2001-01-01T00:00:00.000001")


def test_content_ids_and_packages_without_room(node, feed):
    """If this fails, a client of STIX 1.1.1 gets what it cannot read, or the feed seems empty."""
    one = '<t:Content_Binding binding_id="urn:stix.mitre.org:xml:1.1.1"/>'
    assert status(poll(node, "box", how=one), "UNSUPPORTED_CONTENT", "SUPPORTED_CONTENT") == [STIX]
    got = poll(node, "box", how=one + f'<t:Content_Binding binding_id="{STIX}"/>')
    assert {b.get("binding_id") for b in got.iter(T + "Content_Binding")} == {STIX}


@pytest.mark.skipif(bool(ONE), reason="there is one process")
def test_a_worker_dies_between_parts(node, feed):
    """If this fails, a SIEM that was half through its poll begins again, or has a gap."""
    first = poll(node, "box")
    result, seen = first.get("result_id"), titles(first)
    for p in node.ask("status")["processes"]:
        if p["kind"] == "worker":
            os.kill(p["pid"], signal.SIGKILL)
    until("new workers", node.is_ready)

    def second():
        try:
            return part(node, result, 2)
        except (OSError, AssertionError):
            return None
    last, number = until("the second part", second), 2
    seen += titles(last)
    while last.get("more") == "true":
        number += 1
        last = part(node, result, number)
        seen += titles(last)
    assert len(seen) == len(set(seen)) and {o["name"] for o in feed} <= set(seen)


def test_inbox(node):
    """If this fails, what an older peer sends is lost, or taken from who may not send."""
    good = [(STIX, PACKAGE.format(n=n)) for n in (1, 2)]
    root = inbox(node, *good, ("urn:example:other", "<x/>"), (STIX, "<broken/>"), (STIX, f"<![CDATA[{PACKAGE.format(n=3)}]]>"))
    status(root, "SUCCESS")
    names = {o.get("name") for o in node.objects("siem", "box")}
    assert {"Inbox 1", "Inbox 2", "Inbox 3"} <= names
    assert root.findtext(T + "Message").endswith("2 refused")
    status(inbox(node, good[0], to=()), "SUCCESS")
    assert status(inbox(node, ("urn:example:other", "x")), "UNSUPPORTED_CONTENT", "SUPPORTED_CONTENT") == [STIX]
    status(inbox(node, (STIX, "<broken/>")), "FAILURE")
    assert status(inbox(node, good[0], to=("feed",)), "DESTINATION_COLLECTION_ERROR", "ACCEPTABLE_DESTINATION") == ["box"]
    status(inbox(node, good[0], to=("box", "nowhere")), "DESTINATION_COLLECTION_ERROR")
    status(inbox(node, good[0], who="reader"), "DESTINATION_COLLECTION_ERROR")
    assert status(inbox(node, good[0], to=(), who="two"), "DESTINATION_COLLECTION_ERROR", "ACCEPTABLE_DESTINATION") == ["box", "empty"]
    status(inbox(node, good[0], to=("Empty",), who="two"), "SUCCESS")


def test_switched_off():
    """If this fails, `taxii11 no` leaves a door open."""
    with laboratory("cert-a", redis=False, extra=COLLECTIONS, consumers={"siem": ["relation own", "read *"]}) as lab:
        n = lab["cert-a"]
        path = n.file("tocsin.conf")
        with open(path) as f:
            text = f.read()
        with open(path, "w") as f:
            f.write(text.replace("\ntaxii\n", "\ntaxii\n    taxii11      no\n"))
        n.reload()
        assert send(n, message("Discovery_Request")).status == 404
