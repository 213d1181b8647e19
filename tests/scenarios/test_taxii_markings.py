"""Which markings a consumer reads: labels in the vocabulary he knows, never weaker than they are."""
import gzip
import json

import pytest

from lab import TLP, indicator, laboratory

TLP1 = {
    "clear": "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
    "green": "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
    "amber": "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
}
STATEMENT = "marking-definition--7a1f4c8e-9d0b-4f3f-8c55-0b1f3fd1a001"

CONSUMERS = {
    "old": ["relation own", "read *", "tlp-vocab 1.0"],
    "new": ["relation own", "read *", "tlp-vocab 2.0"],
    "two": ["relation own", "read *", "tlp-vocab both"],
    "plain": ["relation own", "read *"],
    "desk": ["relation own", "write *"],
    "client": ["relation client", "read *", "tlp-vocab 1.0"],
}

EXTRA = """
collection sure
    title        "Only what is sure"
    mode         view
    kinds        indicator
    confidence   70

collection routed
    title        "What a route brings"

route by-type
    from         desk
    kinds        indicator
    collections  routed
"""

RULES = """release everybody
    object     tlp clear green amber amber+strict
    to         relation own client
"""


@pytest.fixture(scope="module")
def node():
    def rules(lab):
        n = lab["cert-a"]
        with open(n.file("trust.conf"), encoding="utf-8") as f:
            text = f.read()
        with open(n.file("trust.conf"), "w", encoding="utf-8") as f:
            f.write(text[:text.index("release own-tools")] + RULES)
    with laboratory("cert-a", redis=False, trust=rules, consumers=CONSUMERS, extra=EXTRA) as lab:
        yield lab["cert-a"]


@pytest.fixture(scope="module")
def pile(node):
    pile = [{"type": "marking-definition", "spec_version": "2.1", "id": STATEMENT, "created": "2026-11-20T08:00:00.000Z",
             "definition_type": "statement", "definition": {"statement": "As is"}, "object_marking_refs": [TLP["clear"]]}]
    for label in ("clear", "green", "amber", "amber+strict"):
        o = indicator(f"two {label}", f"[mutex:name = 'two {label}']", tlp=label, x_number=1.10)
        o["object_marking_refs"].append(STATEMENT)
        pile.append(o)
        if label in TLP1:
            pile.append(indicator(f"one {label}", f"[mutex:name = 'one {label}']", tlp=None, object_marking_refs=[TLP1[label]]))
    pile.append(indicator("unmarked", "[mutex:name = 'unmarked']", tlp=None))
    assert node.insist("desk", "advisories", *pile)["failure_count"] == 0
    return pile


def said(o, how):
    """The same object with its labels said in a vocabulary."""
    level = {**{v: k for k, v in TLP.items()}, **{v: k for k, v in TLP1.items()}}
    refs = []
    for r in o.get("object_marking_refs", []):
        refs += how(level[r]) if r in level else [r]
    return {**o, "object_marking_refs": refs} if "object_marking_refs" in o else o


HOW = {
    "old": lambda label: [TLP1[label]],
    "new": lambda label: [TLP[label]],
    "two": lambda label: [TLP[label]] + ([TLP1[label]] if label in TLP1 else []),
}


@pytest.mark.parametrize("who", ["old", "new", "two"])
def test_labels_in_the_vocabulary_of_the_consumer(node, pile, who):
    """If this fails, a SIEM takes what is limited for what is free, because it does not know the marking."""
    strict = {o["id"] for o in pile if TLP["amber+strict"] in o.get("object_marking_refs", [])}
    want = [said(o, HOW[who]) for o in pile if who != "old" or o["id"] not in strict]
    for limit in (1, 3, 500):
        assert node.objects(who, "advisories", limit=limit) == want
    for o in want:
        assert node.request("GET", f"/api/collections/advisories/objects/{o['id']}/", who).json == {"objects": [o]}
    for i in strict:
        status = node.request("GET", f"/api/collections/advisories/objects/{i}/", who).status
        assert status == (404 if who == "old" else 200)
    # kept pages, compressed ones and their headers are of this consumer too
    for _ in range(3):
        r = node.request("GET", "/api/collections/advisories/objects/", who, headers={"Accept-Encoding": "gzip"})
        body = gzip.decompress(r.body) if r.headers.get("Content-Encoding") == "gzip" else r.body
        assert json.loads(body)["objects"] == want and int(r.headers["Content-Length"]) == len(r.body)


def test_others_get_what_was_sent(node, pile):
    """If this fails, what a team signed or hashed comes to others changed."""
    assert node.objects("plain", "advisories") == pile
    strict = [o for o in pile if TLP["amber+strict"] in o.get("object_marking_refs", [])]
    # of relation client: nothing is changed, and what it cannot read is withheld all the same
    assert node.objects("client", "advisories") == [o for o in pile if o not in strict]


def test_the_reason_for_a_withheld_object_is_told(node, pile):
    """If this fails, nobody can tell a SOC why an advisory is missing."""
    strict = next(o["id"] for o in pile if TLP["amber+strict"] in o.get("object_marking_refs", []))
    done = node.run("explain", strict, "old", "--config", node.conf)
    assert done.returncode == 1 and "LABEL_VOCAB" in done.stdout, done.stdout
    assert node.run("explain", strict, "two", "--config", node.conf).returncode == 0


def thing(kind, number, **members):
    at = "2026-11-20T08:00:00.000Z"
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--7a1f4c8e-9d0b-4f3f-8c55-{number:012}", "created": at,
            **({} if kind == "marking-definition" else {"modified": at}), **members}


@pytest.mark.parametrize("limit", [1, 2, 100])
@pytest.mark.parametrize("collection", ["indicators", "sure"])
def test_what_a_page_names_is_in_it_or_before_it(node, named, collection, limit):
    """If this fails, a client drops advisories whose creator or marking it cannot look up, or shows them without."""
    seen, refs = set(), 0
    for o in node.objects("plain", collection, limit=limit):
        for ref in o.get("object_marking_refs", []) + [o.get("created_by_ref")]:
            if ref in named:
                refs += 1
                assert ref in seen, (o["id"], ref)
        seen.add(o["id"])
    assert refs >= 20 and {o["type"] for o in node.objects("plain", collection)} == \
        {"indicator", "identity", "marking-definition"}


@pytest.fixture(scope="module")
def named(node, pile):
    """Creators and markings that came before, behind and in other messages than those who name them."""
    marking = thing("marking-definition", 1, definition_type="statement", definition={"statement": "Said here"},
                    object_marking_refs=[TLP["clear"]])
    makers = [thing("identity", i, name=f"Team {i}", identity_class="organization",
                    object_marking_refs=[TLP["clear"], marking["id"]]) for i in range(2, 6)]

    def some(i, maker):
        return indicator(f"named {i}", f"[mutex:name = 'named {i}']", tlp="clear", created_by_ref=makers[maker]["id"], confidence=80)
    # in one message with its marking; the identities of earlier ones are in no view yet
    assert node.insist("desk", "advisories", makers[0], marking)["failure_count"] == 0
    assert node.insist("desk", "advisories", *(some(i, 0) for i in range(10)))["failure_count"] == 0
    assert node.insist("desk", "advisories", *(some(10 + i, 1) for i in range(10)), makers[1], marking)["failure_count"] == 0
    return {x["id"] for x in (marking, *makers[:2])}


def test_a_kept_collection_keeps_the_order_of_the_sender(node, named):
    """If this fails, what a client put into a collection comes back in another order."""
    ids = node.ids("plain", "advisories")
    late = "identity--7a1f4c8e-9d0b-4f3f-8c55-000000000003"
    assert named <= set(ids) and ids.index(late) == len(ids) - 1


def test_what_a_route_brings_comes_with_what_it_names(node, named):
    """If this fails, a feed that a route fills by type shows advisories without their creators."""
    seen, refs = set(), 0
    for o in node.objects("plain", "routed", limit=1):
        for ref in o.get("object_marking_refs", []) + [o.get("created_by_ref")]:
            refs += ref in named
            assert ref not in named or ref in seen, (o["id"], ref)
        seen.add(o["id"])
    assert refs >= 20 and named <= seen
