"""If this fails, a CERT takes its own constituents off the Internet: what an administrator lists, in a file or as an alias,
is in a block list all the same."""
import csv
import io
import json
import os

import pytest
from lab import Lab, indicator

EXTRA = """
warnings
    domains      cert.gov.xx
    file         lists/own.txt

feed block
    collection   advisories
"""

RULES = """release own-tools
    object     tlp clear green amber
    to         relation own
"""

VALUES = {
    "listed": "[ipv4-addr:value = '185.44.0.1']",
    "wide": "[ipv4-addr:value ISSUBSET '185.44.0.0/15']",
    "unlisted": "[ipv4-addr:value = '185.46.0.1']",
    "own": "[url:value = 'hxxps://www[.]cert[.]gov[.]xx/login']",
    "idn": "[domain-name:value = 'm\u00fcll.xx']",
    "alias": "[domain-name:value = 'mail.grid.xx']",
    "enemy": "[domain-name:value = 'cert.gov.xx.evil.ru']",
    "several": "[ipv4-addr:value IN ('185.50.0.1', '127.0.0.1')]",
}


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("warnings"), names=("cert-a",), redis=False, extra=EXTRA, consumers={
        "soc": ["relation own", "read advisories"], "sensor": ["relation own", "write *"]})
    lab.build()
    a = lab["cert-a"]
    lab.write_trust(a, RULES, head='node cert-a\n    aliases "Grid CERT" grid.xx\n\n')
    os.mkdir(a.file("lists"))
    write_list(a, "# ours\n185.44.0.0/16\nM\u00fcll.xx   # theirs\n")
    lab.start()
    a.insist("sensor", "advisories", *(indicator(name, pattern, tlp="green") for name, pattern in VALUES.items()))
    yield a
    assert set(lab.stop().values()) == {0}


def write_list(node, text):
    with open(node.file("lists", "own.txt"), "w", encoding="utf-8") as f:
        f.write(text)


def feed(node, ending):
    r = node.request("GET", "/feeds/block." + ending, "soc", headers={"Accept": "*/*"})
    assert r.status == 200, r.body
    return r.body.decode()


def test_a_list_in_a_file_counts_in_every_process_and_after_a_reload(node):
    assert set(feed(node, "txt").split()) == {"185.46.0.1", "cert.gov.xx.evil.ru", "185.50.0.1"}
    write_list(node, "185.46.0.0/16\n")
    assert node.reload()
    assert set(feed(node, "txt").split()) == {"185.44.0.1", "185.44.0.0/15", "xn--mll-hoa.xx", "cert.gov.xx.evil.ru",
                                              "185.50.0.1"}


def test_a_broken_list_changes_nothing(node):
    before = feed(node, "txt")
    write_list(node, "185.46.0.0/16\nnot a value\n")
    done = node.run("check", "--config", node.conf)
    assert done.returncode != 0 and "line 2 of " in done.stderr and "is no address, network" in done.stderr
    assert not node.reload()
    assert feed(node, "txt") == before
    write_list(node, "185.46.0.0/16\n")
    assert node.reload()


def test_every_output_keeps_it_out(node):
    for ending in ("txt", "hosts", "rules", "intel", "cdb", "domain.lst", "stix.json"):
        text = feed(node, ending)
        for value in ("127.0.0.1", "185.46.0.1", "www.cert.gov.xx", "grid.xx"):
            assert value not in text, (ending, value)
    # a record shows the pattern that it is from, and that names its other values
    values = {json.loads(line)["value"] for line in feed(node, "jsonl").splitlines()}
    assert values == set(feed(node, "txt").split())
    assert {row["value"] for row in csv.DictReader(io.StringIO(feed(node, "csv"), newline=""))} == values
