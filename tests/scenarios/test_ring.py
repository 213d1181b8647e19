"""More than two nodes: what travels on, and what must not go round."""
import pytest

from lab import indicator, laboratory, until

RING = {"cert-a": "cert-b", "cert-b": "cert-c", "cert-c": "cert-a"}
ALL = list(RING)


def sent(lab):
    """{(from, to): objects sent} over all links."""
    return {(n.name, p["name"]): p["sent"] for n in lab.nodes.values() for p in n.ask("peer", "list")["peers"]
            if "sent" in p}


def settled(lab):
    for n in lab.nodes.values():
        until(f"the outbox of {n.name} to be empty",
              lambda n=n: all(p.get("queued", 0) == 0 and p.get("state", "idle") == "idle"
                              for p in n.ask("peer", "list")["peers"]))


def everywhere(lab, o):
    def has(n):
        return any((o["id"], o["modified"]) in n.versions("soc", c)
                   for c in ["advisories"] + [f"inbox-{m}" for m in ALL if m != n.name])
    for n in lab.nodes.values():
        until(f"{o['name']} at {n.name}", lambda n=n: has(n))


@pytest.mark.parametrize("shape", ["ring", "mesh"])
def test_each_version_crosses_each_link_at_most_once(shape):
    """If this fails, two CERTs that relay for each other flood themselves and everybody between them."""
    link = (lambda a, b: RING[a] == b) if shape == "ring" else None
    with laboratory(*ALL, redis=False, link=link) as lab:
        free = [indicator(f"{shape} {n}", f"[mutex:name = '{shape} {n}']", tlp="clear") for n in ALL]
        for n, o in zip(lab.nodes.values(), free):
            n.insist("sensor", "advisories", o)
        for o in free:
            everywhere(lab, o)
        newer = [dict(o, modified="2026-11-21T00:00:00.000Z") for o in free]
        for n, o in zip(lab.nodes.values(), newer):
            n.insist("sensor", "advisories", o)
        for o in newer:
            everywhere(lab, o)
        # the same thing again from everybody: nobody needs it
        for n in lab.nodes.values():
            n.insist("sensor", "advisories", *[indicator(f"{o['name']} again at {n.name}", o["pattern"], tlp="clear")
                                               for o in free])
        settled(lab)
        crossings = sent(lab)
        for (a, b), n in crossings.items():
            got = lab[b].versions("soc", f"inbox-{a}")
            # a version that both sides send at the same moment counts as theirs, so `sent` may be less
            assert len(got) == len(set(got)) >= n, (a, b, n, got)
        if shape == "ring":     # every version crosses two of the three links and stops
            for o in free:
                for v in (o, dict(o, modified="2026-11-21T00:00:00.000Z")):
                    times = sum((v["id"], v["modified"]) in lab[b].versions("soc", f"inbox-{a}") for a, b in RING.items())
                    assert times == 2, (v["name"], times)
        quiet = sent(lab)
        settled(lab)
        assert sent(lab) == quiet


def test_received_amber_goes_no_further_than_its_source_said():
    """If this fails, a CERT passes on to others what it was given for itself."""
    def knows(a, b):        # a chain: the ends have never heard of each other
        return "cert-b" in (a, b)
    with laboratory(*ALL, redis=False, knows=knows) as lab:
        a, b, c = lab.nodes.values()
        amber = indicator("chain amber", "[mutex:name = 'chain amber']")
        green = indicator("chain green", "[mutex:name = 'chain green']", tlp="green")
        clear = indicator("chain clear", "[mutex:name = 'chain clear']", tlp="clear")
        for o in (amber, green, clear):
            a.insist("sensor", "advisories", o)
        until("CLEAR at the far end", lambda: clear["id"] in c.ids("soc", "inbox-cert-b"))
        until("GREEN, which may circulate in the community", lambda: green["id"] in c.ids("soc", "inbox-cert-b"))
        until("the decision", lambda: [d for d in b.ask("explain", amber["id"], "cert-c")["delivery"]
                                       if d["peer"] == "cert-c" and d["state"] == "denied"])
        settled(lab)
        assert amber["id"] in b.ids("soc", "inbox-cert-a")
        assert amber["id"] not in c.ids("soc", "inbox-cert-b")
        back = a.request("GET", f"/api/collections/inbox-cert-b/objects/{clear['id']}/", "soc")
        assert back.status == 404, "it came back to its source"
