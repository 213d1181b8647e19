"""What a scraper reads: the form, the figures, and what health says to a load balancer."""
import http.client
import json
import re

import pytest

import exposition
from lab import TAXII, Tap, indicator, laboratory, until

CANARY = "canary-77c2"


@pytest.fixture(scope="module")
def lab():
    with laboratory("cert-a", "tap", absent=("tap",), redis=False) as lab:
        lab.tap = Tap(lab["tap"])
        yield lab
        lab.tap.close()


@pytest.fixture
def node(lab):
    return lab["cert-a"]


def get(node, path, method="GET", **headers):
    c = http.client.HTTPConnection("127.0.0.1", node.ops_port, timeout=10)
    c.request(method, path, headers=headers)
    r = c.getresponse()
    return r.status, r.headers, r.read().decode()


def scrape(node):
    status, headers, text = get(node, "/metrics")
    assert status == 200 and headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return exposition.read(text)


def test_the_reader_of_the_format_is_strict():
    """If this fails, the tests below would let pass what Prometheus refuses."""
    good = ('# HELP tocsin_x_total X\n# TYPE tocsin_x_total counter\ntocsin_x_total{a="b\\"\\\\\\n"} 1\n'
            '# HELP tocsin_h H h\n# TYPE tocsin_h histogram\ntocsin_h_bucket{le="1"} 1\ntocsin_h_bucket{le="+Inf"} 2\n'
            'tocsin_h_sum 3.5\ntocsin_h_count 2\n').replace("_total X\n", "_total X x\n")
    assert exposition.read(good)["tocsin_h"].kind == "histogram"
    for old, new in (("counter", "gauge"), ('le="+Inf"} 2', 'le="+Inf"} 3'), ("_count 2", "_count 1"), ("_total{", "{"),
                     ('le="1"} 1', 'le="1"} 3'), ("\\n", "\n"), (" 1\n", " one\n"), ('b\\"', 'b"'), ("# TYPE tocsin_h ", "# TYPE h "),
                     ("tocsin_h_sum 3.5\n", ""), ('{le="1"} 1', '{le="1",le="1"} 1'), ("# HELP tocsin_h H h\n", ""),
                     ("tocsin_h_count 2\n", "tocsin_h_count 2\ntocsin_x_total 2\n"), ("counter\n", "counter\n\n")):
        assert old in good
        with pytest.raises(AssertionError):
            exposition.read(good.replace(old, new))


def test_metrics_are_as_prometheus_wants_them(lab, node):
    """If this fails, Prometheus drops the whole scrape."""
    o = indicator("measured", "[mutex:name = 'measured']")
    node.insist("sensor", "advisories", o)
    until("the relay", lambda: o["id"] in [x["id"] for e in lab.tap.envelopes() for x in e["objects"]])
    node.request("GET", "/api/collections/advisories/objects/", "soc")
    f = until("all processes", lambda: (lambda f: set(f["tocsin_process_up"].samples.values()) == {1} and f)(scrape(node)))
    assert exposition.value(f, "tocsin_ready") == 1
    assert node.metric('tocsin_objects_total{outcome="new"}') >= 1
    assert node.metric('tocsin_http_requests_total{route="post",status="202"}') >= 1
    assert exposition.value(f, "tocsin_build_info") == 1
    assert set(f["tocsin_process_resident_bytes"].samples) == {("", labels) for _, labels in f["tocsin_process_up"].samples}
    assert min(f["tocsin_process_resident_bytes"].samples.values()) > 1 << 20
    assert min(f["tocsin_process_open_fds"].samples.values()) > 3
    assert exposition.value(f, "tocsin_disk_free_bytes") > 0
    until("the relay to be counted", lambda: node.metric('tocsin_relay_sent_total{peer="tap"}') >= 1)
    assert exposition.value(scrape(node), "tocsin_outbox_objects", peer="tap", state="queued") == 0


def test_counters_count_and_never_go_back(node):
    """If this fails, rates on a dashboard are wrong."""
    def once():
        f = scrape(node)
        return {(x.name, key): v for x in f.values() if x.kind != "gauge" for key, v in x.samples.items()}
    before = once()
    for i in range(3):
        node.insist("sensor", "advisories", indicator(f"counted {i}", f"[mutex:name = 'counted {i}']"))
    node.request("GET", "/api/collections/advisories/objects/", "soc")
    node.request("GET", "/api/collections/nowhere/", "soc")
    node.request("GET", "/api/", headers={"Authorization": "Bearer x"})
    after = once()
    assert all(after[key] >= v for key, v in before.items())
    for name in ("tocsin_store_commits_total", "tocsin_store_syncs_total", "tocsin_advisories_total", "tocsin_login_failed_total",
                 "tocsin_claims_total", "tocsin_stage_seconds", "tocsin_store_group_commits", "tocsin_store_sync_seconds"):
        grown = sum(v for (n, _), v in after.items() if n == name) - sum(v for (n, _), v in before.items() if n == name)
        assert grown > 0, name


def test_stages_certificates_spools_and_lag(lab, node):
    """If this fails, nobody sees where time goes, or that a certificate ends tomorrow."""
    o = indicator("staged", "[mutex:name = 'staged']")
    node.insist("sensor", "advisories", o)
    node.ids("soc", "advisories")
    until("the relay", lambda: node.metric("tocsin_relay_lag_seconds_count") > 0)
    f = scrape(node)
    stages = {dict(labels)["stage"] for _, labels in f["tocsin_stage_seconds"].samples}
    assert {"handshake", "request", "parse", "claim", "policy", "commit", "intake", "page", "release", "relay"} <= stages
    day = 86400
    assert day < exposition.value(f, "tocsin_certificate_remaining_seconds", certificate="listener-0") < 5000 * day
    assert day < exposition.value(f, "tocsin_certificate_remaining_seconds", certificate="client")
    assert day < exposition.value(f, "tocsin_peer_certificate_remaining_seconds", peer="tap")
    assert exposition.value(f, "tocsin_spool_waiting", spool="drop") == 0
    assert node.metric('tocsin_tls_handshakes_total{result="full"}') > 0
    assert node.metric('tocsin_http_bodies_bytes{place="memory"}') == 0 and len(node.samples("tocsin_http_bodies_bytes")) > 0
    assert exposition.value(f, "tocsin_store_bytes", file="database") > 0


def test_labels_hold_no_content(lab, node):
    """If this fails, who may read metrics reads advisories; or a client fills the memory of Prometheus."""
    o = indicator(f"{CANARY} name", f"[domain-name:value = '{CANARY}.example']", labels=[CANARY])
    node.insist("sensor", "advisories", o)
    for path in (f"/api/collections/advisories/objects/{o['id']}/", f"/api/collections/{CANARY}/objects/", f"/{CANARY}/"):
        node.request("GET", path, "soc")
    node.request("GET", "/api/", headers={"Authorization": f"Bearer {CANARY}"})
    node.request("POST", f"/api/collections/{CANARY}/objects/", "sensor", b"{}")
    _, _, text = get(node, "/metrics")
    assert CANARY not in text and o["id"] not in text and "127.0.0.1" not in text
    routes = set(re.findall(r'route="([^"]*)"', text))
    assert routes <= {"none", "discovery", "root", "status", "collections", "collection", "manifest", "objects", "post", "object",
                      "delete", "versions"}


def test_the_access_log_names_no_object(node):
    """If this fails, logs say which observables somebody looked for: the id of one can be guessed back to its value."""
    o = indicator("looked for", f"[domain-name:value = 'x.{CANARY}.example']")
    at = len(node.log())
    for path in (f"/api/collections/advisories/objects/{o['id']}/", f"/api/collections/advisories/{o['id']}/",
                 f"/api/{o['id']}/", f"/api/collections/advisories/objects/{o['id']}/versions/", f"/{o['id']}",
                 f"/api/collections/advisories/%6fbjects/{o['id']}/"):
        node.request("GET", path, "soc")
    log = until("the lines", lambda: node.log()[at:].count("ev=http ") == 6 and node.log()[at:])
    assert o["id"] not in log
    assert "path=/api/collections/advisories/objects/*/versions/ " in log and "path=/* " in log


def test_health_and_readiness(lab, node):
    """If this fails, a load balancer sends clients to a node that cannot serve, or takes a good one out."""
    assert get(node, "/healthz")[::2] == (200, "ok\n") and get(node, "/healthz", "HEAD")[::2] == (200, "")
    assert get(node, "/readyz")[::2] == (200, "ready\n")
    status, headers, text = get(node, "/readyz", Accept="application/json")
    assert status == 200 and headers["Content-Type"] == "application/json"
    assert json.loads(text) == {"ready": True, "problems": []}


def test_a_node_that_ends_says_so(lab, node):
    """If this fails, clients are sent to a node that is shutting down, and are cut off."""
    body = json.dumps({"objects": [indicator("last", "[mutex:name = 'last']")]}).encode()
    s = node.connect()
    s.sendall((f"POST /api/collections/advisories/objects/ HTTP/1.1\r\nHost: x\r\nAccept: {TAXII}\r\nContent-Type: {TAXII}\r\n"
               f"Authorization: Bearer {node.tokens['sensor']}\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n").encode())
    assert s.recv(100).startswith(b"HTTP/1.1 100 ")
    node.process.terminate()
    status, _, text = until("the node to say so", lambda: (lambda a: a[0] == 503 and a)(get(node, "/readyz")))
    assert "draining" in text.splitlines() and get(node, "/healthz")[0] == 200
    assert node.metric("tocsin_ready") == 0 and node.metric('tocsin_problems{problem="draining",kind="failure"}') == 1
    s.sendall(body)
    assert s.recv(100).startswith(b"HTTP/1.1 202 ")
    s.close()
    assert node.gone() == 0
    node.start()


def test_nobody_is_asked_for_what_he_does_not_have(node):
    """If this fails, the operations listener answers what it should not."""
    assert get(node, "/")[0] == 404 and get(node, "/metrics", "POST")[0] == 405 and get(node, "/api/collections/")[0] == 404


# ---- one request through everything

def test_an_id_is_made_or_taken(node):
    """If this fails, nobody finds the lines of a log that belong to his request."""
    def ids(sent):
        r = node.request("GET", "/api/", "soc", headers={"X-Request-Id": sent})
        return r.headers["X-Request-Id"]
    assert ids("From-Elsewhere_42") == "From-Elsewhere_42" and ids("x" * 64) == "x" * 64
    for odd in ("short", "x" * 65, "with blanks in it", "ünïcodeünïcode".encode().decode("latin-1"), 'a"quote"in"it', "../../etc/passwd",
                None):
        made = ids(odd)
        assert re.fullmatch("[0-9a-f]{16}", made) and made != odd
        assert odd is None or odd not in node.log()
    refused = node.request("GET", "/api/", headers={"X-Request-Id": "who-am-I-then"})
    assert refused.status == 401 and refused.headers["X-Request-Id"] == refused.json["error_id"] == "who-am-I-then"


def test_one_id_leads_through_the_logs_of_two_nodes():
    """If this fails, what became of somebody's advisory is a search in four processes and two machines."""
    with laboratory("cert-a", "cert-b", redis=False, extra="\nlog\n    level debug\n") as lab:
        a, b = lab["cert-a"], lab["cert-b"]
        o = indicator("followed", "[mutex:name = 'followed']")
        r = a.request("POST", "/api/collections/advisories/objects/", "sensor", {"objects": [o]}, {"X-Request-Id": "Follow-Me-0001"})
        assert r.status == 202 and r.headers["X-Request-Id"] == "Follow-Me-0001"
        until("it at cert-b", lambda: o["id"] in b.ids("soc", "inbox-cert-a"))
        wanted = {a: {"http", "intake.done", "store.commit", "relay.sent"}, b: {"http", "intake.done", "store.commit"}}
        for n, events in wanted.items():
            until(f"the lines of {n.name}", lambda n=n, events=events: events <= set(
                re.findall(r"ev=(\S+) request=Follow-Me-0001 ", n.log())))
        # an advisory that waits for days still knows where it came from
        b.kill()
        o = indicator("followed later", "[mutex:name = 'followed later']")
        assert a.request("POST", "/api/collections/advisories/objects/", "sensor", {"objects": [o]},
                         {"X-Request-Id": "Follow-Me-0002"}).status == 202
        until("a try", lambda: "ev=relay.retry request=Follow-Me-0002" in a.log())
        assert a.stop() == 0
        a.start()
        b.start()
        a.run("peer", "retry", "cert-b", "--config", a.conf)
        until("it at cert-b", lambda: o["id"] in b.ids("soc", "inbox-cert-a"))
        assert "ev=intake.done request=Follow-Me-0002 " in b.log()
