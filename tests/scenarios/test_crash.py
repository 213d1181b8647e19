"""kill -9 between any two steps: what was acknowledged stays, and arrives once."""
import os
import random
import re
import threading

import pytest

from lab import TOP, indicator, laboratory, until

with open(os.path.join(TOP, "gateway", "base", "crash.h"), encoding="utf-8") as header:
    POINTS = re.findall(r"X\((\w+)\)", header.read().split("#define CRASH_POINTS(X)")[1].split("enum crash_point")[0])
INWARD = POINTS[:POINTS.index("leased")]        # steps that the receiver of a relay goes through
OUTWARD = POINTS[POINTS.index("leased"):]


@pytest.fixture(scope="module")
def lab():
    with laboratory("cert-a", "cert-b") as lab:
        yield lab


def arrived_once(lab, acknowledged):
    """Everything that cert-a acknowledged is at both nodes, each version once, and the books are whole."""
    a, b = lab["cert-a"], lab["cert-b"]
    wanted = {(o["id"], o["modified"]) for o in acknowledged}
    until("everything at cert-b", lambda: wanted <= set(b.versions("soc", "inbox-cert-a")))
    for node, collection in ((a, "advisories"), (b, "inbox-cert-a")):
        got = node.versions("soc", collection)
        assert wanted <= set(got), f"{node.name} lost {wanted - set(got)}"
        assert len(got) == len(set(got)), f"{node.name} shows a version twice"
    for node in (a, b):
        node.verify_audit()


def advisories(word):
    """Three advisories of two objects."""
    return [[indicator(f"{word} {i} {k}", f"[mutex:name = '{word} {i} {k}']") for k in range(2)] for i in range(3)]


def test_the_list_of_points_is_the_journey():
    """If this fails, the stories below skip a step."""
    assert POINTS[0] == "received" and POINTS[-1] == "booked" and len(POINTS) >= 13


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("point", POINTS)
def test_the_sending_node_dies(lab, point, nth):
    """If this fails, a power cut at the node that took an advisory loses or doubles it."""
    a = lab["cert-a"]
    a.restart(TOCSIN_CRASH_AT=f"{point}:{nth}")
    done = []

    def post():
        for objects in advisories(f"a {point} {nth}"):
            a.insist("sensor", "advisories", *objects)
            done.extend(objects)
    sender = threading.Thread(target=post)
    sender.start()
    assert a.gone() == -9, f"cert-a did not reach {point}"
    a.start()
    sender.join()
    assert len(done) == 6
    arrived_once(lab, done)


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("point", INWARD)
def test_the_receiving_node_dies(lab, point, nth):
    """If this fails, a power cut at a partner's node loses or doubles what we relayed to him."""
    a, b = lab["cert-a"], lab["cert-b"]
    b.restart(TOCSIN_CRASH_AT=f"{point}:{nth}")
    done = []
    for objects in advisories(f"b {point} {nth}"):
        a.insist("sensor", "advisories", *objects)
        done.extend(objects)
    assert b.gone() == -9, f"cert-b did not reach {point}"
    b.start()
    arrived_once(lab, done)


def test_a_spool_file_survives_the_node(lab):
    """If this fails, a file that a desk dropped is gone although nobody took it."""
    a = lab["cert-a"]
    for point in INWARD:
        a.restart(TOCSIN_CRASH_AT=point)
        a.drop("abuse", f"{point}.csv", "id;seen_at;last_day;kind;value;what;label;trust;tags;family;report;ticket\n"
               f"C-{point};20/11/2026 09:00;;host;{point}.spool.example;C2;A;;;;;\n")
        assert a.gone() == -9, point
        a.start()
        until("the file in done/", lambda: os.path.exists(a.file("spool", "abuse", "done", f"{point}.csv")))
        kept = [o for o in a.objects("soc", "advisories", "match[version]=all")
                if f"{point}.spool.example" in o.get("pattern", "")]
        assert len({o["id"] for o in kept}) == 1, kept
    a.verify_audit()


def test_either_node_dies_again_and_again_under_load(lab):
    """If this fails, a bad week of power cuts loses advisories."""
    rng = random.Random(2026)
    a, done, stop = lab["cert-a"], [], threading.Event()
    trouble = []

    def write():
        i = 0
        try:
            while not stop.is_set():
                objects = [indicator(f"load {i} {k}", f"[mutex:name = 'load {i} {k}']") for k in range(rng.choice((1, 5)))]
                a.insist("sensor", "advisories", *objects)
                done.extend(objects)
                i += 1
        except AssertionError as e:
            trouble.append(e)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(10):
            goal = len(done) + rng.randrange(1, 40)
            until("more to be acknowledged", lambda: len(done) >= goal or trouble)
            victim = rng.choice(list(lab.nodes.values()))
            victim.kill()
            victim.start()
    finally:
        stop.set()
        writer.join()
    assert not trouble, trouble
    arrived_once(lab, done)
