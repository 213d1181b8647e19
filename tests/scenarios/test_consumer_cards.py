"""If this fails, a SOC engineer types into a product what the node prints, and nothing comes."""
import base64
import json
import re
import socket
import subprocess

import pytest

from lab import indicator, laboratory, until

PRODUCTS = ["sentinel", "splunk-es", "elastic", "qradar", "opencti", "misp", "xsoar", "wazuh", "graylog", "generic"]
PASSWORD = {"sentinel", "splunk-es", "qradar", "misp", "xsoar"}
FEED = {"wazuh", "graylog"}


FEED_SECTION = """
feed lists
    collection   advisories
    formats      wazuh csv

root second
    title        "Another root"

collection apart
    title        "Only there"
    roots        second
"""


@pytest.fixture(scope="module")
def node():
    with laboratory("cert-a", redis=False, extra=FEED_SECTION) as lab:
        n = lab["cert-a"]
        n.insist("sensor", "advisories", *[indicator(f"i{i}", f"[domain-name:value = 'i{i}.somewhere.net']", tlp="green") for i in range(5)])
        yield n


def add(n, name, product, *words, stdin=None):
    done = n.run("consumer", "add", name, "--for", product, "--config", n.conf, *words, stdin=stdin)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def card(n, name, product, *words, **more):
    return json.loads(add(n, name, product, "--json", *words, **more))


def curl(line):
    """What is printed, as a shell runs it."""
    return subprocess.run(line, shell=True, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("product", PRODUCTS)
def test_what_is_printed_works(node, product):
    """If this fails, the card of this product is wrong: its login, its address, or its section."""
    name = "my-" + product
    c = card(node, name, product, "--collection", "advisories")
    fields = {f["label"]: f["value"] for f in c["fields"]}
    assert ("password" in c) == (product in PASSWORD) and ("token" in c) == (product not in PASSWORD)
    everything = json.dumps(c)
    assert "{" not in "".join(fields.values()) + c["curl"] + "".join(c["lines"] + c["traps"]), "every template is filled"
    assert c["traps"] and c["logins"] and c["interval"]
    if product not in FEED:
        assert node.url in everything
        assert c["collections"][0]["id"] in everything or product in ("qradar", "xsoar"), "the id that the store gave"
    with open(node.file("trust.conf"), "a", encoding="utf-8") as f:
        f.write("\n" + c["section"])
    assert node.reload(), node.log()[-2000:]
    again = card(node, name, product, "--collection", "advisories", "--keep")
    assert "section" not in again and again["in_trust"]
    if product in FEED:
        done = curl(c["curl"])
        assert f"{node.url}/feeds/lists." in c["curl"] and done.returncode == 0, done.stderr
        assert ("i1.somewhere.net" in done.stdout) == (product == "graylog"), done.stdout
        assert "feed_section" not in c
        assert card(node, "soc", product, "--collection", "indicators", "--keep")["feed_section"].startswith("feed indicators\n")
        return
    done = curl(c["curl"])
    assert done.returncode == 0, (c["curl"], done.stderr)
    answer = json.loads(done.stdout)
    if "limit=1" in c["curl"]:
        assert len(answer["objects"]) == 1 and answer["more"]
    else:
        assert {x["id"]: x for x in answer["collections"]}[c["collections"][0]["id"]]["can_write"] == (product == "misp")


def test_lines_that_a_product_needs(node):
    """If this fails, a product is set up and breaks at its first empty page, or cannot read a label."""
    assert re.search(r"^    empty-list +yes$", card(node, "a1", "elastic")["section"], re.M)
    xsoar = card(node, "a2", "xsoar", "--collection", "advisories")["section"]
    assert re.search(r"^    tlp-vocab +1\.0$", xsoar, re.M) and re.search(r"^    bookmark +yes$", xsoar, re.M)
    assert re.search(r"^    write +advisories$", card(node, "a3", "misp", "--collection", "advisories")["section"], re.M)
    # soc has a section without them
    assert "empty-list   yes" in add(node, "soc", "elastic", "--keep")


def test_without_a_collection_it_lists_them(node):
    """If this fails, nobody knows which id belongs into the form."""
    text = add(node, "soc", "sentinel", "--keep")
    ids = {c["name"]: c["id"] for c in card(node, "soc", "sentinel", "--keep")["collections"]}
    assert set(ids) == {"advisories", "indicators", "apart"} and all(i in text for i in ids.values())
    assert "one of the ids below" in text
    listed = [c for root in ("api", "second") for c in node.request("GET", f"/{root}/collections/", "soc").json["collections"]]
    assert {c["id"] for c in listed} == set(ids.values())


def test_the_only_feed_is_meant(node):
    """If this fails, somebody types COLLECTION into a crontab, though tocsin.conf has the feed."""
    for product in FEED | {"qradar"}:
        typed = add(node, "soc", product, "--keep")
        there = product in FEED                 # the feed has wazuh and csv, and no txt
        assert ("/feeds/lists." in typed) == there and ("/feeds/COLLECTION." in typed) != there, typed
        assert ("It may read" in typed) != there and "several" not in typed, typed
    with open(node.file("tocsin.conf"), "a", encoding="utf-8") as f:
        f.write("\nfeed others\n    collection   apart\n    formats      csv\n")
    assert "several collections" in add(node, "soc", "graylog", "--keep")
    assert "/feeds/lists." in add(node, "soc", "wazuh", "--keep")


def test_misp_gets_its_one_text(node):
    """If this fails, MISP is refused: it sends what stands in its settings as it is."""
    c = card(node, "misp-2", "misp", "--collection", "advisories")
    key = next(f["value"] for f in c["fields"] if f["label"] == "API key")
    assert base64.b64decode(key).decode() == "misp-2:" + c["password"]


def test_secrets_are_not_repeated_and_wrong_words_are_told(node):
    """If this fails, a secret lands where it does not belong, or a slip makes a second one."""
    typed = add(node, "soc", "sentinel", "--password", stdin="a long enough secret\n")
    assert "a long enough secret" not in typed and "the one you have set" in typed
    before = open(node.file("credentials"), encoding="utf-8").read()
    for words in (["soc", "--for", "nonsense"], ["soc", "--for", "elastic", "--collection", "nowhere"],
                  ["soc", "--collection", "advisories"], ["soc", "--for", "elastic", "--keep", "--token"]):
        done = node.run("consumer", "add", *words, "--config", node.conf)
        assert done.returncode == 2 and done.stderr, words
    assert "graylog" in node.run("consumer", "add", "soc", "--for", "nonsense", "--config", node.conf).stderr
    assert open(node.file("credentials"), encoding="utf-8").read() == before


# ---- the test that plays a product

def play(n, name, *words):
    done = n.run("consumer", "test", name, "--config", n.conf, "--json", *words)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert (found["state"] == "ok") == (done.returncode == 0)
    return found


def words_of(found, step):
    return " ".join(s["found"] for s in found["steps"] if s["step"] == step)


@pytest.mark.parametrize("product", ["sentinel", "splunk-es", "elastic", "qradar", "opencti", "xsoar", "generic"])
def test_every_product_can_be_played(node, product):
    """If this fails, a product that is set up as its card says does not work."""
    found = play(node, "soc", "--for", product, "--collection", "advisories")
    bad = [s for s in found["steps"] if s["state"] != "ok"]
    if product == "xsoar":      # soc has no bookmark, and its objects are older than their dates
        assert [s["step"] for s in bad] == ["next poll"] and "bookmark yes" in bad[0]["found"]
    else:
        assert not bad, bad
    assert "5 objects" in words_of(found, "pages") and "indicator" in words_of(found, "pages")


def test_the_book_knows_nothing_of_a_test(node):
    """If this fails, `last contact` is our own, and nobody sees that the product never came."""
    for product in ("generic", "sentinel", "opencti"):
        play(node, "meter", "--for", product, "--collection", "advisories")
    assert node.request("GET", "/api/collections/", "meter").status == 200
    until("the book to be written down", lambda: status(node, "meter")["requests"] >= 1)
    assert status(node, "meter")["requests"] == 1 and status(node, "meter")["pages"] == 0


def status(n, name):
    return n.ask("consumer", "status", name)["consumers"][0]


@pytest.mark.parametrize("product", sorted(FEED))
def test_files_are_played(node, product):
    """If this fails, a tool without TAXII fetches nothing, or everything each time."""
    found = play(node, "soc", "--for", product, "--collection", "advisories")
    assert "feed" in [s["step"] for s in found["steps"]], found
    if product == "graylog":
        assert found["state"] == "ok" and "304" in words_of(found, "feed again"), found
    else:               # there are names and no addresses
        assert found["state"] != "failed" and "lists.ip.cdb" in words_of(found, "feed")


def test_a_collection_of_another_root(node):
    """If this fails, the card sends people to an API root that does not have the collection."""
    c = card(node, "soc", "sentinel", "--collection", "apart", "--keep")
    assert {"label": "API root URL", "value": node.url + "/second/"} in c["fields"]
    found = play(node, "soc", "--for", "splunk-es", "--collection", "apart")
    assert "/second/" in words_of(found, "discovery") and "Only there: nothing" in words_of(found, "pages"), found
    assert found["state"] == "warned"


def test_pushing_is_played_without_writing(node):
    """If this fails, a test puts something into the store, or MISP's rights are not looked at."""
    assert "may write to" in words_of(play(node, "sensor", "--for", "misp", "--collection", "advisories"), "push")
    found = play(node, "soc", "--for", "misp", "--collection", "advisories")
    assert found["state"] == "failed" and "`write` line" in words_of(found, "collections")


def test_what_is_wrong_is_named(node):
    """If this fails, the test says yes where the product will see nothing."""
    found = play(node, "sensor")        # it may read nothing
    assert found["state"] == "failed" and "`read` line" in words_of(found, "collections")
    found = play(node, "soc", "--for", "elastic", "--collection", "nowhere")
    assert found["state"] == "failed"
    text = node.run("consumer", "test", "soc", "--config", node.conf)
    assert text.returncode == 0 and re.search(r"^pages +ok +Advisories of cert-a: 5 objects", text.stdout, re.M), text.stdout
    assert node.run("consumer", "test", "nobody", "--config", node.conf).returncode == 2
    assert node.run("consumer", "test", "soc", "--for", "nonsense", "--config", node.conf).returncode == 2


def test_a_test_token_only_reads_and_cannot_be_forged(node):
    """If this fails, whoever may run a test can write as a consumer, or anybody can make such a token."""
    token = ask(node, {"cmd": "consumer-token", "consumer": "sensor"})["token"]
    node.tokens["test"] = ask(node, {"cmd": "consumer-token", "consumer": "soc"})["token"]
    assert node.request("GET", "/api/collections/advisories/objects/?limit=1", "test").status == 200
    node.tokens["test"] = token
    assert node.post("test", "advisories", indicator("x", "[domain-name:value = 'x.example']")).status == 403
    head, name, until, mac = token.split(".")
    for forged in (f"{head}.soc.{until}.{mac}", f"{head}.{name}.{int(until) + 1}.{mac}", f"{head}.{name}.{until}.{'0' * 64}",
                   f"{head}.", f"{head}.{name}", token + "0"):
        node.tokens["test"] = forged
        assert node.request("GET", "/api/", "test").status == 401, forged
    assert '"ev":"consumer-test"' in node.run("audit", "export", "--config", node.conf).stdout.replace(" ", "")


def ask(n, question):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(n.file("state", "control.sock"))
        s.sendall(json.dumps(question).encode() + b"\n")
        return json.loads(s.makefile().read())
