"""Two nodes that speak TAXII 2.0 with each other: our client against our server, and neither forgives the other anything."""
import pytest

from lab import laboratory, until
from test_taxii20 import old, post

PAGE = 30


def who_knows_whom(lab):
    a, b = lab["cert-a"], lab["cert-b"]
    lab.write_conf(a, "\ncollection from-b\n")
    with open(a.file("trust.conf"), "a", encoding="utf-8") as f:
        f.write(f"\nconsumer cert-b\n    pin {b.pin()}\n    relation own\n    read *\n    write from-b\n")
    with open(b.file("trust.conf"), "a", encoding="utf-8") as f:
        f.write(f"\npeer cert-a\n    pin {a.pin()}\n    relation partner\n    speaks-for any\n    wire taxii20\n"
                f"    url {a.url}/\n    collection from-b\n"
                "\nrelease to-a\n    object tlp clear green amber\n    to relation partner\n")
    lab.write_conf(b, "\npull from-a\n    peer cert-a\n    collection stock\n    into advisories\n    every 1s\n    page 20\n")


@pytest.fixture(scope="module")
def pair():
    with laboratory("cert-a", "cert-b", redis=False, knows=lambda a, b: False, trust=who_knows_whom,
                    extra="\ncollection stock\n", limits=f"    page-objects {PAGE}\n",
                    consumers={"both": ["relation own", "read *", "write *"]}) as lab:
        yield lab


def test_pull(pair):
    """If this fails, two of our own nodes lose something between them."""
    a, b = pair["cert-a"], pair["cert-b"]
    have = {}

    def put(i, modified):
        o = old(f"pair {i}", modified=modified)
        post(a, "stock", o)
        have[o["id"]] = modified

    for i in range(110):
        put(i, "2026-11-20T08:00:00.000Z")
    for turn in range(5):       # while the other reads
        for i in range(3):
            put(3 * turn + i, f"2026-11-21T0{turn}:00:00.000Z")
        put(200 + turn, "2026-11-21T08:00:00.000Z")

    def arrived():
        got = {o["id"]: o["modified"] for o in b.objects("both", "advisories")}
        return got if set(have.items()) <= set(got.items()) else None

    got = until("everything to arrive", arrived)
    assert set(got) == set(have)
    assert b.objects("both", "advisories", "match[spec_version]=2.1") == []


def test_push(pair):
    """If this fails, what we push over 2.0 is refused by our own server."""
    a, b = pair["cert-a"], pair["cert-b"]
    new = [old(f"pushed {i}", object_marking_refs=["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"]) for i in range(25)]
    post(b, "stock", *new)
    wanted = {o["id"] for o in new}
    until("what was pushed", lambda: wanted <= set(a.ids("both", "from-b")))
    assert [o for o in a.objects("both", "from-b") if o["id"] == new[3]["id"]] == [new[3]]
