"""Several API roots on one node, the words that lead to a collection, who a client is, and how much he may ask."""
import threading
from urllib.parse import urlsplit

import pytest

from lab import TAXII, Client, basic, indicator, laboratory

EXTRA = """
root sectors
    title        "Sector views"
    description  "What concerns one sector"

root vault
    title        "For insiders"

root bare

collection both-places
    title        "In two roots"
    alias        everywhere
    roots        api sectors

collection energy
    title        "Energy"
    alias        advice
    roots        sectors

collection advice-at-home
    title        "Energy at home"
    alias        advice

collection locked
    title        "Locked"
    roots        vault
    hidden       yes
"""

CONSUMERS = {
    "all": ["relation own", "read *", "write *"],
    "insider": ["relation own", "read locked", "write locked"],
    "eager": ["relation own", "read *", "empty-list yes"],
    "drain": ["relation own", "read *"],
    "person": ["relation own", "read *"],
    "badge": ["relation own", "read *"],
}


def settings(lab):
    n = lab["cert-a"]
    n.add_password("person", "secret words")
    with open(n.conf, encoding="utf-8") as f:
        text = f.read()
    text = text.replace("requests     600000/min burst 50000", "requests     60/min burst 7")
    text = text.replace("taxii\n", "taxii\n    token-header X-Api-Key\n", 1)
    with open(n.conf, "w", encoding="utf-8") as f:
        f.write(text)
    with open(n.file("trust.conf"), encoding="utf-8") as f:
        text = f.read()
    for name in CONSUMERS:
        if name != "drain":
            text = text.replace(f"consumer {name}\n", f"consumer {name}\n    limit in 60000/min burst 10000\n")
    text = text.replace("consumer badge\n", f"consumer badge\n    pin        {lab['badge'].pin()}\n")
    with open(n.file("trust.conf"), "w", encoding="utf-8") as f:
        f.write(text)


@pytest.fixture(scope="module")
def node():
    with laboratory("cert-a", "badge", absent=("badge",), knows=lambda a, b: False, redis=False, trust=settings, extra=EXTRA,
                    consumers=CONSUMERS, limits="    guesses 6000/min burst 1000\n") as lab:
        yield lab["cert-a"]


def get(node, path, who="all", **headers):
    return node.request("GET", path, who, headers=headers)


def aliases(node, root, who="all"):
    return [c["alias"] for c in get(node, f"/{root}/collections/", who).json.get("collections", [])]


# ---- roots

def test_discovery_lists_the_roots_that_a_client_can_use(node):
    """If this fails, a client is sent to an API root that does not answer, or learns of one that is not for him."""
    d = get(node, "/taxii2/").json
    assert d["api_roots"] == [f"{node.url}/{r}/" for r in ("api", "sectors", "bare")]
    assert d["default"] == d["api_roots"][0]
    assert get(node, "/taxii2/", "insider").json["api_roots"] == [f"{node.url}/{r}/" for r in ("api", "sectors", "vault", "bare")]
    for who in ("all", "insider"):
        for url in get(node, "/taxii2/", who).json["api_roots"]:
            root = get(node, urlsplit(url).path, who)
            assert root.status == 200 and root.json["versions"] == [TAXII] and root.json["title"]
            assert get(node, urlsplit(url).path.rstrip("/"), who).json == root.json
            assert get(node, urlsplit(url).path + "collections/", who).status == 200
    titles = {r: get(node, f"/{r}/", "insider").json["title"] for r in ("sectors", "vault", "bare")}
    assert titles == {"sectors": "Sector views", "vault": "For insiders", "bare": "bare"}
    assert get(node, "/bare/collections/").json == {}


@pytest.mark.parametrize("path", ["", "collections/", "collections/locked/", "collections/locked/objects/", "status/x/"])
def test_a_root_whose_collections_are_hidden_is_none(node, path):
    """If this fails, a client learns that there is something it may not know of."""
    hidden, absent = get(node, "/vault/" + path), get(node, "/no-such-root/" + path)
    assert (hidden.status, absent.status) == (404, 404)
    assert {**hidden.json, "error_id": 0} == {**absent.json, "error_id": 0}
    # and it looks the same for whoever asks in another form, or by another method
    for method, headers in (("GET", {"Accept": "text/html"}), ("PUT", {}), ("OPTIONS", {})):
        a = node.request(method, "/vault/" + path, "all", headers=headers)
        assert a.status == 404 and a.headers["Content-Type"] == TAXII, (method, a.status)


def test_each_root_answers_its_collections_only(node):
    """If this fails, a feed is found at an address where nobody put it."""
    at = {r: aliases(node, r) for r in ("api", "sectors", "bare")}
    assert "everywhere" in at["api"] and at["sectors"] == ["everywhere", "advice"] and at["bare"] == []
    assert aliases(node, "vault", "insider") == ["locked"]
    ids = {c["alias"]: c["id"] for c in get(node, "/sectors/collections/").json["collections"]}
    home = {c["alias"]: c["id"] for c in get(node, "/api/collections/").json["collections"]}
    assert ids["everywhere"] == home["everywhere"] and ids["advice"] != home["advice"]
    for root, words, status in (("sectors", (ids["advice"], "advice", "energy"), 200),
                                ("api", (ids["advice"], "energy"), 404),
                                ("api", (home["advice"], "advice", "advice-at-home"), 200),
                                ("sectors", ("advisories", home["advice"]), 404),
                                ("bare", ("everywhere", ids["everywhere"]), 404)):
        for word in words:
            for end in ("", "manifest/", "objects/"):
                assert get(node, f"/{root}/collections/{word}/{end}").status == status, (root, word, end)
    assert get(node, "/api/collections/advice/").json["id"] == home["advice"]
    assert get(node, "/sectors/collections/advice/").json["id"] == ids["advice"]


def test_one_collection_in_two_roots_is_one(node):
    """If this fails, what is written at one address is missing at the other."""
    o = indicator("two roots", "[mutex:name = 'two roots']", tlp="clear")
    r = node.request("POST", "/sectors/collections/everywhere/objects/", "all", {"objects": [o]})
    assert r.status == 202 and r.json["success_count"] == 1
    assert [get(node, f"/{root}/collections/everywhere/objects/{o['id']}/").json for root in ("api", "sectors")] == \
        [{"objects": [o]}] * 2
    # a status resource belongs to the root that was posted to
    assert get(node, f"/sectors/status/{r.json['id']}/").json == r.json
    assert get(node, f"/api/status/{r.json['id']}/").status == 404
    # a token says where in the collection, whatever the root
    o2 = indicator("two roots 2", "[mutex:name = 'two roots 2']", tlp="clear")
    node.request("POST", "/api/collections/everywhere/objects/", "all", {"objects": [o2]})
    page = get(node, "/api/collections/everywhere/objects/?limit=1").json
    rest = get(node, "/sectors/collections/everywhere/objects/?next=" + page["next"]).json
    assert [x["id"] for x in page["objects"] + rest["objects"]] == [o["id"], o2["id"]]


def test_a_root_comes_and_goes_with_a_reload(node):
    """If this fails, a new API root takes a restart, or an old one is shown that does not answer any more."""
    with open(node.conf, encoding="utf-8") as f:
        before = f.read()

    def write(text):
        with open(node.conf, "w", encoding="utf-8") as f:
            f.write(text)
    try:
        write(before + "\nroot late\n    title \"Came later\"\ncollection newcomer\n    roots late sectors\n")
        assert node.reload()
        assert f"{node.url}/late/" in get(node, "/taxii2/").json["api_roots"] and get(node, "/late/").json["title"] == "Came later"
        assert aliases(node, "late") == ["newcomer"] and "newcomer" in aliases(node, "sectors")
        write(before + "\ncollection energy-too\n    roots sectors nowhere\n    alias advice\n")
        assert not node.reload(), "a mistake changes nothing"
        assert aliases(node, "late") == ["newcomer"]
    finally:
        write(before)
        assert node.reload()
    assert get(node, "/late/").status == 404 and f"{node.url}/late/" not in get(node, "/taxii2/").json["api_roots"]


# ---- who asks

def test_a_token_in_a_header_of_its_own(node):
    """If this fails, a client that can only set one header of its choice cannot come in."""
    key = node.tokens["all"]
    asked = {"X-Api-Key": key, "Authorization": None}
    assert node.request("GET", "/api/collections/", headers=asked).status == 200
    assert node.request("GET", "/api/collections/", headers={"x-api-key": key}).status == 200
    assert node.request("GET", "/api/collections/").status == 401
    for bad in ("", "x", key + "x", key[:-1], "Bearer " + key, "x" * 5000):
        r = node.request("GET", "/api/collections/", headers={"X-Api-Key": bad})
        assert r.status == 401 and r.headers["WWW-Authenticate"].startswith("Basic "), bad


def test_all_that_says_who_must_agree(node):
    """If this fails, a stolen word beside an honest one makes somebody else of a client."""
    mine, other = node.tokens["person"], node.tokens["all"]
    words = {"X-Api-Key": mine, "Authorization": basic("person", "secret words")}
    assert node.request("GET", "/api/collections/", headers=words).status == 200
    assert node.request("GET", "/api/collections/", headers={**words, "Authorization": f"Token {mine}"}).status == 200
    for wrong in ({"X-Api-Key": other}, {"X-Api-Key": "x"}, {"Authorization": basic("person", "other words")},
                  {"Authorization": f"Bearer {other}"}, {"Authorization": "Bearer x"}):
        assert node.request("GET", "/api/collections/", headers={**words, **wrong}).status == 401, wrong


def test_a_certificate_beside_other_words(node):
    """If this fails, a certificate opens what belongs to the bearer of another word, or a proxy's word hides who it is."""
    def get_as(**headers):
        return node.request("GET", "/api/collections/", headers=headers, certificate_of=node.lab["badge"]).status
    mine, other = node.tokens["badge"], node.tokens["all"]
    assert get_as() == 200
    assert get_as(**{"X-Api-Key": mine}) == 200
    assert get_as(Authorization=f"Bearer {mine}") == 200
    assert get_as(**{"X-Api-Key": mine, "Authorization": f"Token {mine}"}) == 200
    for wrong in ({"X-Api-Key": other}, {"Authorization": f"Bearer {other}"}, {"X-Api-Key": "x"},
                  {"Authorization": basic("person", "secret words")}, {"X-Api-Key": mine, "Authorization": f"Bearer {other}"}):
        assert get_as(**wrong) == 401, wrong


# ---- what suits one client

def test_an_empty_list_for_those_who_need_one(node):
    """If this fails, a client that cannot do without `objects` breaks on every empty poll."""
    path = "/api/collections/advice/"
    for end, empty in (("objects/", {"objects": []}), ("manifest/", {"objects": []})):
        assert get(node, path + end, "eager").json == empty
        assert get(node, path + end).json == {}
        r = get(node, path + end + "?added_after=2031-01-01T00:00:00Z", "eager")
        assert r.json == empty and r.headers["X-TAXII-Date-Added-Last"] == "2031-01-01T00:00:00.000000Z"


# ---- how much he may ask

def test_a_drain_of_everything_is_not_interrupted(node):
    """If this fails, a client that reads a large collection for the first time is stopped in the middle of it."""
    pile = [indicator(f"drain {i}", f"[mutex:name = 'drain {i}']", tlp="clear") for i in range(2000)]
    for k in range(0, len(pile), 500):
        assert node.request("POST", "/api/collections/everywhere/objects/", "all", {"objects": pile[k:k + 500]}).status == 202
    c, seen, more, pages = Client(node, "drain"), [], "", 0
    while True:
        r = c.get(f"/api/collections/everywhere/objects/?limit=100{more}")
        assert r.status == 200, (pages, r.body)
        pages += 1
        seen += [o["id"] for o in r.json["objects"]]
        if not r.json.get("more"):
            break
        more = "&next=" + r.json["next"]
    assert pages >= 20 and len(set(seen)) == len(seen) and {o["id"] for o in pile} <= set(seen)
    # whoever goes round and round is stopped, and told the policy
    for _ in range(500):
        r = c.get("/api/collections/everywhere/objects/?limit=1")
        if r.status != 200:
            break
    assert r.status == 429 and r.headers["Content-Type"] == TAXII and r.json["http_status"] == "429"
    assert int(r.headers["Retry-After"]) >= 1 and "60 requests a minute" in r.json["description"], r.json
    c.close()


def test_a_reload_while_a_password_is_hashed(node):
    """What is broken if it fails: who comes with a token and a password during a reload is nobody, or ends the worker."""
    deaths, answers = node.metric("tocsin_process_restarts_total"), []
    def ask():
        answers.append(get(node, "/taxii2/", None, **{"X-Api-Key": node.tokens["person"],
                                                      "Authorization": basic("person", "secret words")}).status)
    for _ in range(6):
        threads = [threading.Thread(target=ask) for _ in range(6)]
        for t in threads:
            t.start()
        assert node.reload()
        for t in threads:
            t.join()
    assert len(answers) == 36 and set(answers) <= {200, 503}, answers
    assert node.metric("tocsin_process_restarts_total") == deaths
