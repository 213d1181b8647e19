"""Filters, pages and cursors of TAXII 2.1: every matching version once, in order, whatever the client sends."""
import itertools
import random
import re
import threading
from urllib.parse import quote

import pytest

from lab import TAXII, Client, indicator, stix_id, until

STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
EPOCH = "1970-01-01T00:00:00.000000Z"
PAGING = "/api/collections/paging/"


def thing(kind, word, **members):
    return {"type": kind, "spec_version": "2.1", "id": stix_id(kind, word), **members}


@pytest.fixture(scope="module")
def stock(server):
    """40 versions of 24 objects in `paging`, put there in several envelopes, not in the order of their versions."""
    rng = random.Random(7)
    pile = []
    for i in range(10):
        versions = [f"2026-11-{day:02}T0{i % 10}:00:00{frac}Z" for day, frac in
                    zip(rng.sample(range(1, 20), rng.randrange(1, 5)), (".000", ".1", ".123456789", ""))]
        for v in versions:
            pile.append(indicator(f"page {i}", f"[mutex:name = 'page {i}']", at="2026-11-01T00:00:00.000Z", modified=v))
    for i in range(5):
        pile.append(thing("ipv4-addr", f"page {i}", value=f"192.0.2.{i}"))
    for i in range(4):      # of STIX 2.0: no spec_version, but dates
        o = indicator(f"old {i}", f"[mutex:name = 'old {i}']", tlp=None)
        del o["spec_version"], o["pattern_type"]
        pile.append(dict(o, labels=["malicious-activity"]))
    pile.append(thing("x-custom", "page", created="2026-11-02T00:00:00Z", modified="2026-11-02T00:00:00Z", x_n=1))
    pile += [thing("malware", f"page {i}", created="2026-11-03T00:00:00Z", modified="2026-11-03T00:00:00Z", name="m",
                   is_family=False) for i in range(4)]
    rng.shuffle(pile)
    for k in range(0, len(pile), 7):
        status = server.insist("both", "paging", *pile[k:k + 7])
        assert status["failure_count"] == 0, status
    c = Client(server, "both")
    rows = walk(c, "manifest/?match[version]=all")
    assert len(rows) == len(pile)
    # the order and the dates come from the manifest; the objects are ours
    by = {(o["id"], o.get("modified")): o for o in pile}
    stock = []
    for r in rows:
        o = by.get((r["id"], r["version"])) or by[(r["id"], None)]
        stock.append({"o": o, "id": o["id"], "version": r["version"], "date": r["date_added"]})
        assert STAMP.match(r["date_added"]) and r["version"] == o.get("modified", r["date_added"])
    assert [s["o"] for s in stock] == pile, "objects keep the order in which they came"
    dates = [s["date"] for s in stock]
    assert dates == sorted(set(dates)), "dates are unique and grow"
    yield stock
    c.close()


@pytest.fixture(scope="module")
def client(server):
    c = Client(server, "both")
    yield c
    c.close()


def page(c, rest):
    r = c.get(PAGING + rest)
    assert r.status == 200, (rest, r.status, r.body)
    assert r.headers["Content-Type"] == TAXII
    return r


def check_page(r, key):
    """What must hold of every page; its items."""
    items = r.json.get(key, [])
    if r.json.get("more"):
        assert items and r.json["next"] and re.match(r"^[A-Za-z0-9_.~-]+$", r.json["next"])
    else:
        assert "next" not in r.json
    assert key not in r.json or items
    assert STAMP.match(r.headers["X-TAXII-Date-Added-First"]) and STAMP.match(r.headers["X-TAXII-Date-Added-Last"])
    return items


def walk(c, rest, limit=None, key="objects"):
    """Follow `next` to the end."""
    got, more = [], ""
    sep = "&" if "?" in rest else "?"
    size = f"{sep}limit={limit}" if limit else ""
    for turn in range(1000):
        mark = ("&" if size or "?" in rest else "?") if more else ""
        r = page(c, rest + size + mark + more)
        items = check_page(r, key)
        got += items
        if not r.json.get("more"):
            return got
        assert limit is None or len(items) == limit, "a page that is not the last is full"
        more = "next=" + r.json["next"]
    raise AssertionError("the walk does not end")


# ---- the oracle: reference/taxii.md 9

def instant(text):
    """A timestamp as something that compares."""
    whole, _, frac = text.rstrip("Z").partition(".")
    return whole, frac.rstrip("0")


def spec(o):
    return o.get("spec_version") or ("2.0" if "created" in o or "modified" in o else "2.1")


def oracle(stock, ids=None, types=None, specs=None, after=None, versions=("last",)):
    left = [s for s in stock if (ids is None or s["id"] in ids) and (types is None or s["o"]["type"] in types)
            and (specs is None or spec(s["o"]) in specs) and (after is None or s["date"] > after)]
    chosen = []
    for _, group in itertools.groupby(sorted(left, key=lambda s: s["id"]), key=lambda s: s["id"]):
        group = sorted(group, key=lambda s: instant(s["version"]))
        for s in group:
            if "all" in versions or ("last" in versions and s is group[-1]) or ("first" in versions and s is group[0]) \
                    or instant(s["version"]) in [instant(v) for v in versions if v[0].isdigit()]:
                chosen.append(s)
    return sorted(chosen, key=lambda s: s["date"])


def test_many_questions(stock, client):
    """If this fails, some filter gives too much, too little, or the wrong order."""
    rng = random.Random(11)
    for _ in range(250):
        ask, args = [], {}
        if rng.random() < .4:
            args["ids"] = [rng.choice(stock)["id"] for _ in range(rng.randrange(1, 6))] + ["no--such", "indicator--x"]
            ask.append("match[id]=" + ",".join(args["ids"]))
        if rng.random() < .4:
            args["types"] = rng.sample(["indicator", "malware", "ipv4-addr", "x-custom", "Indicator", "none"], 2)
            ask.append("match[type]=" + ",".join(args["types"]))
        if rng.random() < .4:
            args["specs"] = rng.sample(["2.0", "2.1", "9.9"], rng.randrange(1, 3))
            ask.append("match[spec_version]=" + ",".join(args["specs"]))
        if rng.random() < .5:
            args["versions"] = rng.choice([["last"], ["first"], ["all"], ["first", "last"],
                                           [rng.choice(stock)["version"]], ["first", rng.choice(stock)["version"]]])
            ask.append("match[version]=" + ",".join(args["versions"]))
        if rng.random() < .4:
            args["after"] = rng.choice(stock)["date"]
            ask.append("added_after=" + args["after"])
        rng.shuffle(ask)
        query = "&".join(ask)
        if rng.random() < .5:
            query = query.replace("[", "%5B").replace("]", "%5d").replace(",", "%2C").replace(":", "%3A")
        want = oracle(stock, **args)
        limit = rng.choice([None, 1, 2, 3, 7, 100])
        got = walk(client, "objects/?" + query, limit)
        assert got == [s["o"] for s in want], (query, limit)
        rows = walk(client, "manifest/?" + query, limit)
        assert [(r["id"], r["version"], r["date_added"]) for r in rows] == [(s["id"], s["version"], s["date"]) for s in want]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 39, 40, 41, 1000, "99999999999999999999999999"])
def test_pages_of_any_size(stock, client, limit):
    """If this fails, a client with a small page sees less, or never ends."""
    n = int(limit) if int(limit) < 1000 else None
    query = f"match[version]=all&limit={limit}"
    first = page(client, "objects/?" + query)
    assert len(check_page(first, "objects")) == min(len(stock), int(limit))
    assert walk(client, "objects/?match[version]=all", n) == [s["o"] for s in stock]


def test_a_walk_by_dates_alone(stock, client):
    """If this fails, clients that know only added_after miss or repeat objects."""
    for kind, limit in itertools.product(("objects", "manifest"), (1, 3, 7)):
        got, after = [], ""
        while True:
            r = page(client, f"{kind}/?match[version]=all&limit={limit}{after}")
            got += check_page(r, "objects")
            if not r.json.get("objects"):
                break
            after = "&added_after=" + r.headers["X-TAXII-Date-Added-Last"]
        assert [(o["id"]) for o in got] == [s["id"] for s in stock]


def test_date_headers(stock, client):
    """If this fails, clients that store the last date skip what comes next."""
    r = page(client, "objects/?match[version]=all&limit=5")
    assert (r.headers["X-TAXII-Date-Added-First"], r.headers["X-TAXII-Date-Added-Last"]) == (stock[0]["date"], stock[4]["date"])
    r2 = page(client, "objects/?match[version]=all&limit=5&next=" + r.json["next"])
    assert (r2.headers["X-TAXII-Date-Added-First"], r2.headers["X-TAXII-Date-Added-Last"]) == (stock[5]["date"], stock[9]["date"])
    # of an empty page: where we are, so that the mark never moves back and skips nothing
    last = stock[-1]["date"]
    empty = page(client, "objects/?added_after=" + last)
    assert empty.json == {} and empty.headers["X-TAXII-Date-Added-Last"] == last
    assert page(client, "objects/?added_after=2031-01-01T00:00:00Z").headers["X-TAXII-Date-Added-Last"] == \
        "2031-01-01T00:00:00.000000Z"
    assert page(client, "objects/?match[type]=none").headers["X-TAXII-Date-Added-Last"] == EPOCH
    nothing = page(client, "objects/?match[type]=none&next=" + r.json["next"])
    assert nothing.json == {} and nothing.headers["X-TAXII-Date-Added-First"] == stock[4]["date"]
    for rest in ("manifest/", f"objects/{stock[0]['id']}/", f"objects/{stock[0]['id']}/versions/"):
        r = page(client, rest)
        assert r.headers["X-TAXII-Date-Added-First"] and r.headers["X-TAXII-Date-Added-Last"]
    for path in ("/taxii2/", "/api/", "/api/collections/", PAGING):
        assert client.get(path).headers["X-TAXII-Date-Added-First"] is None


def test_a_token_can_be_used_again_and_otherwise(stock, client, server):
    """If this fails, a lost answer costs a client the rest of the collection."""
    everything = [s["o"] for s in stock]
    r = page(client, "objects/?match[version]=all&limit=4")
    token = r.json["next"]
    for _ in range(2):
        assert page(client, "objects/?match[version]=all&limit=4&next=" + token).json["objects"] == everything[4:8]
    assert page(client, "objects/?limit=9&next=" + token).json["objects"] == everything[4:13], "filters are in the token"
    assert walk(client, "objects/?next=" + token) == everything[4:]
    # a client that sends the date of the page together with its token
    both = f"objects/?match[version]=all&limit=4&next={token}&added_after={r.headers['X-TAXII-Date-Added-Last']}"
    assert page(client, both).json["objects"] == everything[4:8]
    # what is said now wins
    assert page(client, f"objects/?match[type]=x-custom&next={token}").json.get("objects", []) == \
        [o for o in everything[4:] if o["type"] == "x-custom"]
    assert page(client, "manifest/?next=" + token).json["objects"][0]["id"] == stock[4]["id"]
    assert page(client, "objects/?next=").json["objects"] == page(client, "objects/").json["objects"]
    client.close()
    server.restart()
    assert page(client, "objects/?limit=2&next=" + token).json["objects"] == everything[4:6]


def test_a_token_of_others_is_refused(stock, server):
    """If this fails, a token forged or taken from elsewhere shows what its bearer may not see."""
    c = Client(server, "both")
    token = c.get(PAGING + "objects/?limit=1").json["next"]
    server.insist("both", "other", indicator("token 1", "[mutex:name = 't1']"), indicator("token 2", "[mutex:name = 't2']"))
    bad = ["x", "AAAA", token[:-1], token + "A", token[:10], token.swapcase(), "%00", "..", "1", quote(token + "="),
           token[:5] + ("A" if token[5] != "A" else "B") + token[6:]]
    for t in bad:
        assert c.get(PAGING + "objects/?next=" + t).status == 400, t
    assert c.get("/api/collections/other/objects/?next=" + token).status == 400
    assert server.request("GET", PAGING + "objects/?next=" + token, "nobody").status == 403, "rights are today's"
    c.close()


BAD = ["added_after=", "added_after=x", "added_after=2026-11-20", "added_after=2026-11-20T10:00:00",
       "added_after=2026-11-20T10:00:00%2B01:00", "added_after=2026-11-20T10:00:00+00:00", "added_after=2026-11-20 10:00:00Z",
       "added_after=2026-02-30T10:00:00Z", "added_after=2026-11-20T25:00:00Z", "added_after=2026-11-20T10:00:00.Z",
       "added_after=2026-11-20T10:00:00Z,2026-11-20T10:00:00Z", "added_after=2026-11-20T10:00:00.1234567890Z",
       "added_after=1479600000", "added_after=%ff",
       "limit=0", "limit=-1", "limit=%2B1", "limit=1.0", "limit=1e1", "limit=", "limit=x", "limit=%201", "limit=1%20",
       "limit=0x10", "limit=1,2", "limit=%zz",
       "match[id]=", "match[id]=a,,b", "match[id]=,a", "match[id]=a,", "match[id]=a, b", "match[id]=%20",
       "match[type]=", "match[type]=a,", "match[type]=%ff", "match[type]=a b",
       "match[spec_version]=", "match[spec_version]=2", "match[spec_version]=x", "match[spec_version]=2.x",
       "match[spec_version]=2.1,", "match[spec_version]=2.1.0",
       "match[version]=", "match[version]=Last", "match[version]=ALL", "match[version]=last,last", "match[version]=all,last",
       "match[version]=x", "match[version]=2026-11-20", "match[version]=2026-11-20T10:00:00.1Z,2026-11-20T10:00:00.100Z",
       "match[version]=first,", "match[version]=last,all",
       "next=x", "limit=1&limit=1", "match[type]=a&match[type]=b",
       "added_after=2026-11-20T10:00:00Z&added_after=2026-11-20T10:00:00Z",
       "match%5Btype%5D=a&match[type]=a", "next=&next="]


def test_malformed_parameters(stock, client):
    """If this fails, a client's mistake silently selects something else."""
    for query in BAD:
        r = client.get(PAGING + "objects/?" + query.replace(" ", "%20"))
        assert r.status == 400, (query, r.status)
        assert r.json["http_status"] == "400" and r.headers["Content-Type"] == TAXII
        assert client.get(PAGING + "manifest/?" + query.replace(" ", "%20")).status == 400, query
        name = query.split("=")[0].replace("%5B", "[").replace("%5D", "]")
        assert r.json["description"].startswith(name), "which parameter it is"
        if query.startswith("added_after") and query.count("added_after") == 1 and "%ff" not in query:
            assert "2026-01-31T12:00:00.000000Z" in r.json["description"], "with an example"


def test_well_formed_and_unknown_parameters(stock, client):
    """If this fails, clients with habits of their own are refused."""
    latest = page(client, "objects/").body
    for query in ("", "x=1", "match[type", "match[type=indicator", "match[]=x", "match[foo]=x", "match[foo]=x&match[foo]=y",
                  "LIMIT=x", "Match[type]=x", "x_limit=0", "%ff=1", "a&b&&c", "added_after2=x", "=", "&&", "next=",
                  "limit[]=x", "cachebuster=%zz"):
        assert page(client, "objects/?" + query).body == latest, query
    for query in ("added_after=0001-01-01T00:00:00Z", "added_after=1999-12-31T23:59:59.9Z",
                  "added_after=2020-02-29T10:00:00.123456789Z", "added_after=1970-01-01T00:00:00.000Z"):
        assert page(client, "objects/?" + query).body == latest, query
    for query in ("added_after=9999-12-31T23:59:59Z", "match[id]=nonsense", "match[type]=none", "match[spec_version]=7.7",
                  "match[version]=1999-01-01T00:00:00Z", "match[id]=" + ",".join(["x--y"] * 300)):
        assert page(client, "objects/?" + query).json == {}, query
    assert client.get(PAGING + f"objects/{stock[0]['id']}/?match[type]=x,,y&match[id]=,").status == 200, "not defined here"


def test_a_long_list_of_ids(stock, client):
    """If this fails, a client that looks up some hundred ids has to ask for each."""
    ids = [s["id"] for s in stock] + [stix_id("indicator", f"nobody {i}") for i in range(250)]
    path = PAGING + "objects/?match[version]=all&match[id]=" + ",".join(ids)
    assert 12000 < len(path) < 16000
    assert client.get(path).json["objects"] == [s["o"] for s in stock]


def test_one_object_and_its_versions(stock, client):
    """If this fails, analysts do not see what changed."""
    groups = {}
    for s in stock:
        groups.setdefault(s["id"], []).append(s)
    for i, group in groups.items():
        newest = max(group, key=lambda s: instant(s["version"]))
        assert page(client, f"objects/{i}/").json["objects"] == [newest["o"]]
        assert walk(client, f"objects/{i}/?match[version]=all", 1) == [s["o"] for s in group]
        assert page(client, f"objects/{i}/versions/").json["versions"] == [s["version"] for s in group]
        assert walk(client, f"objects/{i}/versions/", 1, "versions") == [s["version"] for s in group]
        for s in group:
            if "modified" in s["o"]:
                assert page(client, f"objects/{i}/?match[version]={s['version']}").json["objects"] == [s["o"]]
                padded = s["version"].rstrip("Z") + ("0" if "." in s["version"] else ".000000") + "Z"
                assert page(client, f"objects/{i}/?match[version]={padded}").json["objects"] == [s["o"]]
        assert page(client, f"objects/{i}/?added_after={group[-1]['date']}").json == {}
        assert page(client, f"objects/{i}/?match[spec_version]=9.9").json == {}
        assert client.get(f"{PAGING}objects/{i}/?match[version]=1999-01-01T00:00:00Z").status == 404
    for nobody in (stix_id("indicator", "nobody"), "nonsense", "indicator--", "x" * 3000, "%20"):
        assert client.get(f"{PAGING}objects/{nobody}/").status == 404
        assert client.get(f"{PAGING}objects/{nobody}/versions/").status == 404


def test_empty(client):
    """If this fails, a new collection looks broken to its first reader."""
    for rest in ("objects/", "manifest/"):
        r = client.get("/api/collections/empty/" + rest + "?match[type]=never-put-in")
        assert r.status == 200 and r.json == {} and r.headers["X-TAXII-Date-Added-First"] == EPOCH


def test_media_types_in_the_manifest(stock, client):
    """If this fails, clients ask for objects in a version that they are not."""
    for r, s in zip(walk(client, "manifest/?match[version]=all"), stock):
        assert r["media_type"] == f"application/stix+json;version={spec(s['o'])}"


# ---- how real clients walk, while somebody writes

class Growing:
    """The collection `growing`, with a writer who goes on until told to stop."""

    def __init__(self, server, n=60):
        self.server, self.base = server, "/api/collections/growing/objects/"
        self.c, self.sent, self.n = Client(server, "both"), [], n
        self.done = threading.Event()
        self.run = random.randrange(1 << 30)
        self.kind = f"x-grow-{self.run}"
        self.thread = threading.Thread(target=self.write)
        self.thread.start()

    def write(self):
        rng = random.Random(self.run)
        i = 0
        while i < self.n:
            some = [thing(self.kind, f"{self.run} {i + k}", created="2026-11-01T00:00:00Z",
                          modified=f"2026-1{rng.randrange(2)}-0{rng.randrange(1, 9)}T00:00:00.{i + k:06}Z")
                    for k in range(rng.randrange(1, 6))]
            self.server.insist("both", "growing", *some)
            self.sent += [o["id"] for o in some]
            i += len(some)
        self.done.set()

    def get(self, query):
        r = self.c.get(f"{self.base}?match[type]={self.kind}{query}")
        assert r.status == 200, r.body
        return r

    def finish(self, got, once=True):
        self.thread.join()
        self.c.close()
        assert set(got) == set(self.sent), "somebody missed something"
        assert not once or len(got) == len(set(got)), "somebody saw something twice"


def ids(r):
    return [o["id"] for o in r.json.get("objects", [])]


@pytest.mark.parametrize("limit", [1, 4, 100])
def test_elastic(server, limit):
    """If this fails, Elastic's integration loses or repeats: it follows `next`, ignores `more`, keeps Last."""
    g, got, cursor, token = Growing(server), [], None, None
    while True:
        last_round = g.done.is_set()
        r = g.get(f"&limit={limit}" + (f"&next={token}" if token else f"&added_after={cursor}" if cursor else ""))
        got += ids(r)
        if ids(r):
            cursor = r.headers["X-TAXII-Date-Added-Last"]
        token = r.json.get("next")
        if last_round and not token and not ids(r):
            break
    g.finish(got)


def test_opencti(server):
    """If this fails, OpenCTI loses objects: one page a turn, `next` and `added_after` together, the mark in ms."""
    g, got, mark, token = Growing(server), [], None, None
    while True:
        last_round = g.done.is_set()
        r = g.get("&limit=4" + (f"&added_after={mark}" if mark else "") + (f"&next={token}" if token else ""))
        got += ids(r)
        token = r.json.get("next") if r.json.get("more") else None
        if not token:
            last = r.headers["X-TAXII-Date-Added-Last"]
            mark = last[:-4] + "Z"              # JavaScript's Date: cut to milliseconds
            assert last != EPOCH or not got
        if last_round and not token and len(set(got)) >= len(g.sent):
            break
    g.finish(got, once=False)


def test_xsoar(server):
    """If this fails, XSOAR's feed never ends or loses: it stops at the first page without objects."""
    g, got = Growing(server), []
    while True:
        last_round = g.done.is_set()
        r = g.get("&limit=100")
        page_ids, turn = ids(r), []
        while page_ids:
            turn += page_ids
            if not r.json.get("more"):
                break
            r = g.get("&limit=100&next=" + r.json["next"])
            page_ids = ids(r)
        got = sorted(set(got) | set(turn))
        assert len(turn) == len(set(turn))
        if last_round:
            break
    g.finish(got)


def test_polling_by_the_last_date(server):
    """If this fails, everybody who polls as the standard says misses objects."""
    g, got, mark = Growing(server, 150), [], EPOCH
    while True:
        last_round = g.done.is_set()
        r = g.get(f"&added_after={mark}")
        got += ids(r)
        now = r.headers["X-TAXII-Date-Added-Last"]
        assert now >= mark, "the mark moved back"
        mark = now
        if last_round and not ids(r):
            break
    g.finish(got)


def test_dates_are_never_in_the_future(stock, server):
    """If this fails, a client with the right time skips what is being added."""
    import email.utils
    r = server.request("GET", PAGING + "objects/?limit=1", "both")
    now = email.utils.parsedate_to_datetime(r.headers["Date"]).timestamp()
    import datetime
    for s in stock:
        at = datetime.datetime.strptime(s["date"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
        assert at.timestamp() < now + 1
    assert until("readiness", lambda: server.is_ready())
