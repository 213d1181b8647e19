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


def test_two_nodes_that_share_a_redis_send_once():
    """If this fails, a federation of two floods every peer that both of them have."""
    def knows(a, b):        # cert-a and cert-b both deliver to cert-c, which sends nothing
        return True

    def link(a, b):
        return b == "cert-c" or (a == "cert-a" and b == "cert-b")
    with laboratory(*ALL, knows=knows, link=link) as lab:
        a, b, c = lab.nodes.values()

        def everything():
            return set(c.ids("soc", "inbox-cert-a")) | set(c.ids("soc", "inbox-cert-b"))
        first = [indicator(f"shared {i}", f"[mutex:name = 'shared {i}']", tlp="clear") for i in range(10)]
        a.insist("sensor", "advisories", *first)
        wanted = {o["id"] for o in first}
        until("all at cert-b", lambda: wanted <= set(b.ids("soc", "inbox-cert-a")))
        until("all at cert-c", lambda: wanted <= everything())
        settled(lab)
        # what both have of their own
        both = [indicator(f"both {i}", f"[mutex:name = 'both {i}']", tlp="clear") for i in range(10)]
        for o in both:
            b.insist("sensor", "advisories", o)
            until("it at cert-c", lambda o=o: o["id"] in c.ids("soc", "inbox-cert-b"))
            a.insist("sensor", "advisories", o)
        settled(lab)
        assert not {o["id"] for o in both} & set(c.ids("soc", "inbox-cert-a")), "the other node had sent it"
        # a Redis that forgets costs a second copy, never one
        lab.redis.ask("FLUSHALL")
        late = [indicator(f"late {i}", f"[mutex:name = 'late {i}']", tlp="clear") for i in range(5)]
        a.insist("sensor", "advisories", *late)
        lab.redis.ask("FLUSHALL")
        until("them at cert-c", lambda: {o["id"] for o in late} <= everything())
        settled(lab)
        lab.redis.kill()
        more = [indicator(f"more {i}", f"[mutex:name = 'more {i}']", tlp="clear") for i in range(5)]
        a.insist("sensor", "advisories", *more)
        until("them without Redis", lambda: {o["id"] for o in more} <= everything())


def test_nothing_travels_further_than_the_hop_limit():
    """If this fails, an advisory wanders through a federation for ever."""
    def knows(a, b):
        return "cert-b" in (a, b)
    with laboratory(*ALL, redis=False, knows=knows, limits="    hops 1\n") as lab:
        a, b, c = lab.nodes.values()
        far = indicator("far", "[mutex:name = 'far']", tlp="clear")
        a.insist("sensor", "advisories", far)
        until("it at cert-b", lambda: far["id"] in b.ids("soc", "inbox-cert-a"))
        near = indicator("near", "[mutex:name = 'near']", tlp="clear")
        b.insist("sensor", "advisories", near)
        until("cert-b's own at cert-c", lambda: near["id"] in c.ids("soc", "inbox-cert-b"))
        settled(lab)
        assert far["id"] not in c.ids("soc", "inbox-cert-b")
