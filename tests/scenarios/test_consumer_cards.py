"""If this fails, a SOC engineer types into a product what the node prints, and nothing comes."""
import base64
import json
import re
import subprocess

import pytest

from lab import indicator, laboratory

PRODUCTS = ["sentinel", "splunk-es", "elastic", "qradar", "opencti", "misp", "xsoar", "wazuh", "graylog", "generic"]
PASSWORD = {"sentinel", "splunk-es", "qradar", "misp", "xsoar"}
FEED = {"wazuh", "graylog"}


@pytest.fixture(scope="module")
def node():
    with laboratory("cert-a", redis=False) as lab:
        n = lab["cert-a"]
        n.insist("sensor", "advisories", *[indicator(f"i{i}", f"[domain-name:value = 'i{i}.example']", tlp="green") for i in range(5)])
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
        assert f"{node.url}/feeds/advisories." in c["curl"]
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
    assert set(ids) == {"advisories", "indicators"} and all(i in text for i in ids.values())
    assert "one of the ids below" in text
    listed = node.request("GET", "/api/collections/", "soc").json["collections"]
    assert {c["id"] for c in listed} == set(ids.values())


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
