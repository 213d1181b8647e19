"""Views follow their definition: what was stored before a view existed is in it, once, after a reload or a restart."""
import pytest
from lab import Lab, indicator, until


@pytest.fixture()
def lab(tmp_path):
    lab = Lab(tmp_path, names=("cert-a",), redis=False).build()
    lab.start()
    yield lab
    assert set(lab.stop().values()) == {0}


VIEWS = """
collection names
    title        "Names only"
    mode         view
    kinds        indicator
    tlp          green
collection once
    title        "One row a meaning"
    mode         view
    kinds        indicator
    distinct     yes
"""


def test_a_new_view_is_filled_and_follows_its_definition(lab):
    """What is broken if it fails: a SIEM pointed at a new view never learns what was known before."""
    a = lab["cert-a"]
    many = [indicator(f"old {i}", f"[ipv4-addr:value = '203.0.113.{i % 200}']", tlp="green" if i % 2 else "amber")
            for i in range(1200)]
    assert a.post("sensor", "advisories", *many).status == 202
    lab.write_conf(a, VIEWS)
    assert a.run("reload", "--config", a.conf).returncode == 0
    green = {o["id"] for o in many if "34098fce" in str(o) or "bab4a63c" in str(o)}
    until("the view to be filled", lambda: len(set(a.ids("soc", "names", "match[type]=indicator"))) == len(green))
    assert set(a.ids("soc", "names", "match[type]=indicator")) == green
    # 200 addresses; where the first copy is amber a green one says as much more freely and is shown too
    until("the distinct view", lambda: len(a.ids("soc", "once", "match[type]=indicator")) == 200)
    # another definition under the same name: members change
    lab.write_conf(a, VIEWS.replace("green", "amber"))
    assert a.run("reload", "--config", a.conf).returncode == 0
    amber = {o["id"] for o in many} - green
    until("the view to change", lambda: set(a.ids("soc", "names", "match[type]=indicator")) == amber)
    # and nothing moves when nothing changed
    before = a.request("GET", "/api/collections/names/manifest/?limit=1000", "soc").json
    assert a.run("reload", "--config", a.conf).returncode == 0
    a.stop()
    a.start()
    assert a.request("GET", "/api/collections/names/manifest/?limit=1000", "soc").json == before


def test_a_key_that_takes_a_restart_is_named(lab):
    """What is broken if it fails: somebody believes that a reload moved the node to another address."""
    a = lab["cert-a"]
    with open(a.conf, encoding="utf-8") as f:
        text = f.read()
    with open(a.conf, "w", encoding="utf-8") as f:
        f.write(text.replace(f"listen 127.0.0.1:{a.port}", "listen 127.0.0.1:1"))
    done = a.run("reload", "--config", a.conf, "--socket", a.file("state", "control.sock"))
    assert done.returncode != 0 and "listen" in done.stderr + done.stdout
    assert a.request("GET", "/taxii2/", "soc").status == 200
