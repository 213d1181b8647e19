"""A page that is asked for again is shown from memory. It must never be an old one, nor somebody else's."""
import gzip
import re
import threading
import time

import pytest

from lab import Client, indicator, laboratory

PAGE = "/api/collections/advisories/objects/?limit=10"


@pytest.fixture(name="node", scope="module")
def the_node():
    with laboratory("cert-a", consumers={"desk": ["relation own", "read *", "write *"],
                                         "guest": ["relation client", "read *"]}) as lab:
        yield lab["cert-a"]


def again(node):
    return node.metric('tocsin_pages_total{how="again"}')


def one(name, **more):
    return indicator(name, f"[domain-name:value = '{name}.example']", tlp="green", **more)


def ids(client, path=PAGE):
    answer = client.get(path)
    assert answer.status == 200, answer.body
    return [o["id"] for o in answer.json.get("objects", [])]


def warm(node, client, path=PAGE):
    """Ask until the answer comes from memory; that answer."""
    for _ in range(50):
        before = again(node)
        seen = ids(client, path)
        if again(node) > before:
            return seen
    raise AssertionError("the page is read each time")


def test_the_same_page_again_comes_from_memory_and_is_audited(node):
    # If this fails, either every reader pays for every page anew, or reads leave no trace.
    node.insist("desk", "advisories", one("first"))
    soc = Client(node, "soc")
    warm(node, soc)
    shown, before = again(node), len(page_records(node))
    answers = [soc.get(PAGE) for _ in range(5)]
    assert again(node) == shown + 5
    assert len({(a.body, a.headers["X-TAXII-Date-Added-First"], a.headers["X-TAXII-Date-Added-Last"]) for a in answers}) == 1
    time.sleep(0.2)         # an audit record of a page may wait 50 ms for company
    records = page_records(node)[before:]
    assert len(records) == 5 and all('"consumer":"soc"' in r and '"objects":' in r for r in records)


def page_records(node):
    time.sleep(0.2)
    done = node.run("audit", "export", "--config", node.conf)
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if '"ev":"page"' in line]


def test_a_new_object_is_in_the_very_next_answer(node):
    # If this fails, a client that polls right after somebody's 202 misses the advisory.
    soc, desk = Client(node, "soc"), Client(node, "desk")
    for i in range(20):
        seen = warm(node, soc, "/api/collections/advisories/objects/")
        o = one(f"new {i}".replace(" ", "-"))
        assert desk.request("POST", "/api/collections/advisories/objects/", body={"objects": [o]}).status == 202
        assert ids(soc, "/api/collections/advisories/objects/") == seen + [o["id"]]


def test_a_new_version_hides_the_old_one_at_once(node):
    # If this fails, a withdrawn indicator is blocked on for as long as the page is kept.
    soc = Client(node, "soc")
    node.insist("desk", "advisories", one("versions"))
    path = f"/api/collections/advisories/objects/{one('versions')['id']}/"
    assert warm(node, soc, path) == [one("versions")["id"]]
    node.insist("desk", "advisories", one("versions", modified="2026-11-20T09:00:00.000Z", revoked=True))
    objects = soc.get(path).json["objects"]
    assert [o["modified"] for o in objects] == ["2026-11-20T09:00:00.000Z"] and objects[0]["revoked"]


def test_a_deleted_object_is_gone_from_the_next_answer(node):
    # If this fails, what a team took back is still handed out.
    soc, desk = Client(node, "soc"), Client(node, "desk")
    o = one("deleted")
    node.insist("desk", "advisories", o)
    paths = ["/api/collections/advisories/objects/", "/api/collections/advisories/manifest/",
             f"/api/collections/advisories/objects/{o['id']}/versions/"]
    for path in paths[:2]:
        assert o["id"] in warm(node, soc, path)
    assert soc.get(paths[2]).json["versions"]
    assert desk.request("DELETE", f"/api/collections/advisories/objects/{o['id']}/").status == 200
    for path in paths[:2]:
        assert o["id"] not in ids(soc, path)
    assert soc.get(paths[2]).status == 404


def test_a_compressed_page_is_the_same_page(node):
    # If this fails, clients that ask for gzip (most do) get the page of another moment, or pay for it each time.
    soc = Client(node, "soc")
    for i in range(5):
        node.insist("desk", "advisories", one(f"gzip-{i}", description="x" * 500))
    path = "/api/collections/advisories/objects/"
    for _ in range(2):
        plain = soc.get(path)
        for _ in range(3):
            packed = soc.get(path, **{"Accept-Encoding": "gzip"})
            assert packed.headers["Content-Encoding"] == "gzip" and len(packed.body) < len(plain.body)
            assert gzip.decompress(packed.body) == plain.body
        again_plain = soc.get(path)
        assert again_plain.body == plain.body and not again_plain.headers["Content-Encoding"]
        node.insist("desk", "advisories", one("gzip-more", modified=f"2026-11-20T08:00:0{len(plain.body) % 10}.000Z"))


def test_each_reader_has_pages_of_its_own(node):
    # If this fails, a client reads what was shown to our own systems.
    soc, guest = Client(node, "soc"), Client(node, "guest")
    path = "/api/collections/advisories/objects/"
    assert warm(node, soc, path)
    assert ids(guest, path) == []       # no rule releases anything to clients
    assert warm(node, soc, path)
    assert ids(guest, path) == []


def test_a_reload_of_trust_shows_at_once(node):
    # If this fails, a suspended consumer goes on reading.
    soc = Client(node, "soc")
    path = "/api/collections/advisories/objects/"
    seen = warm(node, soc, path)
    assert seen
    trust = node.file("trust.conf")
    with open(trust, encoding="utf-8") as f:
        text = f.read()
    try:
        with open(trust, "w", encoding="utf-8") as f:
            f.write(text.replace("object     tlp clear green", "object     tlp clear"))
        assert node.reload()
        assert ids(soc, path) == []
        assert ids(soc, path) == []
    finally:
        with open(trust, "w", encoding="utf-8") as f:
            f.write(text)
        assert node.reload()
    assert ids(soc, path) == seen


def test_pages_stay_right_while_somebody_writes(node):
    # If this fails, a poller that asks while others write is told of an old state as if it were now.
    desk, soc = Client(node, "desk"), Client(node, "soc")
    path = "/api/collections/advisories/objects/?match[type]=indicator&limit=1000"
    done, stored, wrong = threading.Event(), [], []

    def read():
        while not done.is_set():
            sure = len(stored)          # acknowledged before we ask
            seen = ids(soc, path)
            wrong.extend(x for x in stored[:sure] if x not in seen)
    reader = threading.Thread(target=read)
    reader.start()
    for i in range(60):
        o = one(f"while-{i}")
        assert desk.request("POST", "/api/collections/advisories/objects/", body={"objects": [o]}).status == 202
        stored.append(o["id"])
    done.set()
    reader.join()
    assert not wrong


def test_a_full_page_stands_while_others_write_behind_it(node):
    # If this fails, every advisory that comes in makes every reader's drain read the whole store again.
    soc = Client(node, "soc")
    for i in range(12):
        node.insist("desk", "advisories", one(f"full-{i}"))
    path = "/api/collections/advisories/objects/?limit=5"
    seen = warm(node, soc, path)
    node.insist("desk", "advisories", one("behind"))
    shown = again(node)
    assert ids(soc, path) == seen and again(node) == shown + 1
    node.insist("desk", "advisories", one("full-0", modified="2026-11-20T10:00:00.000Z"))
    assert ids(soc, "/api/collections/advisories/objects/?limit=5") == [x for x in ids(soc, "/api/collections/advisories/objects/")][:5]


def test_a_slow_reader_gets_every_byte_of_every_page(node):
    # If this fails, what the socket did not take at once is lost, doubled, or mixed with the next answer.
    for i in range(8):
        node.post("desk", "advisories", *[one(f"bulk-{i}-{k}", description="y" * 600) for k in range(100)])
    path = "/api/collections/advisories/objects/?limit=1000"
    want = Client(node, "soc").get(path).body
    assert len(want) > 500000
    head = (f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: application/taxii+json;version=2.1\r\n"
            f"Authorization: Bearer {node.tokens['soc']}\r\n\r\n").encode()
    small = head.replace(b"limit=1000", b"limit=1")
    with node.connect() as s:
        s.sendall((head + small) * 15)          # more than any socket's buffer, asked in one breath
        time.sleep(0.3)
        text, bodies = b"", []
        while len(bodies) < 30:
            while b"\r\n\r\n" not in text:
                text += s.recv(1 << 16)
            top, text = text.split(b"\r\n\r\n", 1)
            assert top.startswith(b"HTTP/1.1 200 "), top
            size = int(re.search(rb"Content-Length: (\d+)", top).group(1))
            while len(text) < size:
                more = s.recv(1 << 16)
                assert more
                text += more
            bodies.append(text[:size])
            text = text[size:]
    assert all(b == want for b in bodies[::2])
    assert len(set(bodies[1::2])) == 1 and len(bodies[1]) < 2000


def test_every_worker_sees_what_was_done_through_another(node):
    # If this fails, a client of one process is shown what a client of another has taken back.
    clients, desk = [Client(node, "soc") for _ in range(8)], Client(node, "desk")
    path = "/api/collections/advisories/objects/?match[type]=indicator&limit=1000"
    for i in range(6):
        o = one(f"workers-{i}")
        for c in clients:
            assert o["id"] not in ids(c, path)
        assert desk.request("POST", "/api/collections/advisories/objects/", body={"objects": [o]}).status == 202
        for c in clients:
            assert o["id"] in ids(c, path)
        assert desk.request("DELETE", f"/api/collections/advisories/objects/{o['id']}/").status == 200
        for c in clients:
            assert o["id"] not in ids(c, path)
