"""If these stories fail, a partner who speaks another format is sent nothing, half a file, the same twice under two names, less label than
the sender gave, or what he must not have; or nobody is told that it could not be said in his format."""
import errno
import json
import os
import re
import subprocess

import pytest

from faults import Faults
from lab import ONE, TLP, TOCSIN, TOP, Client, indicator, laboratory, stix_id, until

RULES = """
consumer soc
    relation own
    read *

consumer sensor
    relation own
    write *
    speaks-for any

release cert-net
    object tlp clear green amber
    to relation partner

release own-tools
    object tlp clear green amber amber+strict
    to relation own
"""
FORMATS = ["iodef2", "iodef1", "iodef-json", "rid", "misp", "csaf", "stix1", "stix20", "stix21"]
XML = {"iodef2", "iodef1", "rid", "stix1"}


class Stage:
    """cert-a writes for its peer `partner`; cert-b is the partner's own node, which takes the files from a spool."""

    def __init__(self, lab):
        self.lab, self.node, self.partner, self.n = lab, lab["cert-a"], lab["cert-b"], 0

    def begin(self, how="as misp", *lines, folder=None):
        """A new and empty folder, and `partner` with these lines."""
        self.n += 1
        self.folder = folder or self.node.file("out", str(self.n))
        self.write(how, *lines)
        self.reload(renews=True)
        until("the folder to be there", lambda: os.path.isdir(self.folder))
        return self

    def reload(self, renews=False):
        """As an administrator does. Workers that need a new folder are renewed afterwards, and with them their counters."""
        def born():
            return self.node.log().count("ev=store.here")
        before = born()
        done = self.node.run("reload", "--config", self.node.conf)
        assert done.returncode == 0, done.stdout + done.stderr
        if renews and not ONE:
            until("both workers to be renewed", lambda: born() >= before + 2)

    def write(self, how, *lines):
        with open(self.node.file("trust.conf"), "w", encoding="utf-8") as f:
            f.write(f"peer partner\n    relation partner\n    wire folder {self.folder} {how}\n" +
                    "".join(f"    {x}\n" for x in lines) + RULES)

    def publish(self, *objects, node=None):
        node = node or self.node
        c = Client(node, "sensor")
        soc = Client(node, "soc")
        cid = next(x["id"] for x in soc.get("/api/collections/").json["collections"] if x["title"].startswith("Adv"))
        r = c.request("POST", f"/api/collections/{cid}/objects/", {"objects": objects})
        assert r.status == 202 and r.json["failure_count"] == 0, r.body

    def files(self):
        return sorted(os.listdir(self.folder))

    def peer(self):
        return self.node.ask("peer", "show", "partner")

    def arrived(self, n=1):
        """Wait for n files, and until they are booked; their texts."""
        try:
            until(f"{n} files", lambda: len([f for f in self.files() if f[0] != "."]) >= n)
        except AssertionError:
            raise AssertionError(f"{self.files()} {self.peer()} {self.node.log()[-2000:]}") from None
        until("the outbox to be empty", lambda: self.peer()["queued"] == 0)
        assert len(self.files()) == n, self.files()
        return [self.read(f) for f in self.files()]

    def read(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8") as f:
            return f.read()

    def refused(self):
        until("it to be refused", lambda: self.peer()["queued"] == 0 and self.peer()["dead"] > 0)
        assert self.files() == []
        return self.peer()

    def audit(self, event):
        """Records of one kind, oldest first."""
        done = self.node.run("audit", "export", "--config", self.node.conf)
        assert done.returncode == 0, done.stderr
        return [r for r in map(json.loads, done.stdout.splitlines()) if r.get("ev") == event]


@pytest.fixture(scope="module")
def stage():
    with laboratory("cert-a", "cert-b", redis=False) as lab:
        yield Stage(lab)


def back(text):
    """What our own reader makes of it."""
    done = subprocess.run([TOCSIN, "convert", "--to", "stix21", "--received", "2026-11-22T00:00:00Z", "-"], input=text, text=True,
                          capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)["objects"]


TLP1 = {"green": "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
        "amber": "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"}


def levels(objects):
    """TLP words of what is marked at all, whichever version of TLP says them."""
    return {word for o in objects for words in (TLP, TLP1) for word, i in words.items() if i in o.get("object_marking_refs", [])}


def some(word, tlp="green", **more):
    name = stix_id("x", word)[3:]
    who = {"type": "identity", "spec_version": "2.1", "id": stix_id("identity", word), "created": "2026-11-20T08:00:00.000Z",
           "modified": "2026-11-20T08:00:00.000Z", "name": f"CERT {word}", "identity_class": "organization"}
    ind = indicator(f"folder {word}", f"[domain-name:value = '{name}.example']", tlp=tlp, created_by_ref=who["id"], **more)
    vul = {"type": "vulnerability", "spec_version": "2.1", "id": stix_id("vulnerability", word), "created": "2026-11-20T08:00:00.000Z",
           "modified": "2026-11-20T08:00:00.000Z", "name": f"CVE-2026-{1000 + abs(hash(word)) % 8999}", "created_by_ref": who["id"],
           "description": f"Of {word}"}
    report = {"type": "report", "spec_version": "2.1", "id": stix_id("report", word), "created": "2026-11-20T08:00:00.000Z",
              "modified": "2026-11-20T08:00:00.000Z", "name": f"Report {word}", "published": "2026-11-20T08:00:00.000Z",
              "created_by_ref": who["id"], "object_refs": [vul["id"], ind["id"]]}
    if tlp:
        for o in (who, vul, report):
            o["object_marking_refs"] = [TLP[tlp]]
    return who, ind, vul, report


@pytest.mark.parametrize("name", FORMATS)
def test_a_partner_gets_files_of_his_format(stage, name):
    """If this fails, "works with my partner's format" is not true of this one."""
    stage.begin(f"as {name}")
    objects = some(f"of {name}")
    stage.publish(*objects)
    text, = stage.arrived()
    assert re.fullmatch(r"\d{8}T\d{6}\.\d+Z-[A-Za-z0-9.-]+-[0-9a-f]{16}\.(xml|json)", stage.files()[0]), stage.files()
    assert stage.files()[0].endswith("xml") == (name in XML)
    found = back(text)
    assert stix_id("x", f"of {name}")[3:] in json.dumps(found)
    assert levels(found) - {"clear"} == {"green"}, text       # what we ship ourselves is clear
    sent = stage.audit("sent")[-1]
    assert (sent["peer"], sent["as"], sent["objects"], sent["label"]) == ("partner", name, 4, "green")
    assert sent["file"] == stage.files()[0] and sent["kept"] + sent["approximated"] > 0
    assert {r["verdict"] for r in stage.audit("decision")[-4:]} == {"release"}
    assert stage.peer()["sent"] >= 4 and stage.peer()["folder"] == stage.folder and stage.peer()["as"] == name


@pytest.mark.parametrize("name", ["iodef2", "misp", "csaf"])
def test_the_partners_node_has_what_was_meant(stage, name):
    """If this fails, what went out in a foreign format comes to another object at the partner's."""
    stage.begin(f"as {name}")
    objects = some(f"home {name}")
    stage.publish(*objects)
    text, = stage.arrived()
    stage.partner.drop("drop", f"{name}.dat", text)
    until("it at the partner's", lambda: objects[1]["id"] in stage.partner.ids("soc", "advisories"))
    there = {o["id"]: o for o in stage.partner.objects("soc", "advisories")}
    for o in objects[1:]:
        mine = there[o["id"]]
        assert mine["modified"] == o["modified"]
        assert levels([mine]) == {"green"}


def test_plain_is_without_originals(stage):
    """If this fails, a partner whose tools choke on what is ours beside his own cannot be rid of it."""
    stage.begin("as misp")
    objects = some("with originals")
    stage.publish(*objects)
    assert "stix-object" in stage.arrived()[0] or objects[1]["id"] in stage.arrived()[0]
    stage.begin("as misp plain")
    objects = some("without originals")
    stage.publish(*objects)
    assert "stix-object" not in stage.arrived()[0]


@pytest.mark.parametrize("name", ["iodef2", "misp", "csaf", "stix1"])
def test_what_is_unmarked_goes_under_the_label_that_we_take_it_to_have(stage, name):
    """If this fails, a partner publishes what our policy released as AMBER, since nothing told him."""
    stage.begin(f"as {name}")
    objects = some(f"unmarked {name}", tlp=None)
    stage.publish(*objects)
    text, = stage.arrived()
    assert levels(back(text)) - {"clear"} == {"amber"}, text


def test_who_said_it_comes_with_every_file(stage):
    """If this fails, a marking whose definition went earlier is read as RED, and nobody knows who speaks."""
    stage.begin("as stix21")
    who, first, vul, report = some("companions")
    statement = {"type": "marking-definition", "spec_version": "2.1", "id": stix_id("marking-definition", "copyright"),
                 "created": "2026-11-20T08:00:00.000Z", "definition_type": "statement", "definition": {"statement": "Copyright"}}
    first["object_marking_refs"].append(statement["id"])
    stage.publish(who, statement, first, vul, report)
    stage.arrived()
    second = indicator("folder companions 2", "[mutex:name = 'companions 2']", tlp="green", created_by_ref=who["id"])
    second["object_marking_refs"].append(statement["id"])
    stage.publish(statement, second)
    ids = {o["id"] for o in json.loads(stage.arrived(2)[1])["objects"]}
    assert ids == {who["id"], statement["id"], second["id"]}
    assert stage.audit("sent")[-1]["companions"] == 2 and stage.audit("sent")[-1]["objects"] == 1


def test_policy_decides_as_for_every_peer(stage):
    """If this fails, what may not leave leaves by way of a folder."""
    stage.begin("as iodef2")
    dead = stage.peer()["denied"]
    stage.publish(indicator("folder strict", "[mutex:name = 'folder strict']", tlp="amber+strict"))
    until("it to be denied", lambda: stage.peer()["denied"] > dead and stage.peer()["queued"] == 0)
    assert stage.files() == []


def test_too_much_would_be_lost(stage):
    """If this fails, a partner acts on a torso, or nobody learns that he was sent nothing."""
    stage.begin("as misp plain", "refuse-loss out 0%")
    note = {"type": "note", "spec_version": "2.1", "id": stix_id("note", "lost"), "created": "2026-11-20T08:00:00.000Z",
            "modified": "2026-11-20T08:00:00.000Z", "content": "words", "abstract": "more", "authors": ["somebody"], "confidence": 20,
            "lang": "en", "external_references": [{"source_name": "x", "description": "y", "external_id": "z"}]}
    who, ind, vul, report = some("lost")
    note.update(object_refs=[ind["id"]], object_marking_refs=[TLP["green"]])
    stage.publish(who, ind, vul, report, note)
    show = stage.refused()
    assert show["dead"] == 5 and "LOSS: as misp" in show["last_error"], show
    why = stage.node.ask("explain", ind["id"], "partner")["delivery"][0]
    assert why["state"] == "dead" and "fields would be lost" in why["reason"]
    record = stage.audit("undelivered")[-1]
    assert (record["peer"], record["code"], record["objects"], record["as"]) == ("partner", "LOSS", 5, "misp") and record["dropped"] > 0
    assert "file" not in record
    problems = stage.node.ask("status")["problems"]
    assert any(p["problem"] == "peer-dead-letters" and "partner" in p["text"] for p in problems), problems
    stage.write("as misp plain", "refuse-loss out 60%")
    stage.reload()
    stage.node.run("peer", "retry", "partner", "--config", stage.node.conf)
    stage.arrived()
    assert stage.peer()["dead"] == 0 and not stage.peer().get("last_error")


TORSO = """<IODEF-Document xmlns="urn:ietf:params:xml:ns:iodef-2.0" version="2.00">
<Incident purpose="watch" restriction="green"><IncidentID name="csirt.example">NAME</IncidentID>
<GenerationTime>2026-03-01T08:00:00Z</GenerationTime>
<Contact role="creator" type="organization"><ContactName>CSIRT</ContactName></Contact></Incident>
<Incident purpose="watch" restriction="green"><IncidentID name="csirt.example">8</IncidentID></Incident></IODEF-Document>"""


def test_a_route_leaves_out_what_lost_too_much(stage):
    """If this fails, a desk that wants whole advisories only works from torsos, or nobody learns that it got none."""
    stage.begin("as misp")
    with open(stage.node.conf, encoding="utf-8") as f:
        before = f.read()

    def routed(name, share):
        """Is it in the route's collection, once it is in its own?"""
        with open(stage.node.conf, "w", encoding="utf-8") as f:
            f.write(before + "collection whole\n    title Whole\n\nroute whole\n    from spool:drop\n    collections whole\n"
                    f"    refuse-loss {share}\n")
        stage.reload()
        stage.node.drop("drop", f"{name}.xml", TORSO.replace("NAME", name))
        until("the file to be taken", lambda: os.path.exists(stage.node.file("spool", "drop", "done", f"{name}.xml")))
        assert name in json.dumps(stage.node.objects("soc", "advisories"))
        return name in json.dumps(stage.node.objects("soc", "whole"))
    try:
        assert not routed("torso-1", "1.5%")
        assert routed("torso-2", "60%")
    finally:
        with open(stage.node.conf, "w", encoding="utf-8") as f:
            f.write(before)
        stage.reload()
    record, = stage.audit("left-out")
    assert (record["route"], record["source"], record["code"]) == ("whole", "spool:drop", "LOSS") and record["dropped"] > 0
    assert stage.node.metric('tocsin_route_refused_total{route="whole"}') == 1


def test_what_a_rid_message_asks_is_kept(stage):
    """If this fails, nobody can say under which policy an advisory came, or it is freer here than that policy was."""
    stage.begin("as misp")
    with open(os.path.join(TOP, "tests", "golden", "rid", "stricter-policy", "input.xml"), encoding="utf-8") as f:
        stage.node.drop("drop", "policy.xml", f.read())
    until("the file to be taken", lambda: os.path.exists(stage.node.file("spool", "drop", "done", "policy.xml")))
    record = [r for r in stage.audit("intake") if r["format"] == "rid"][-1]
    assert (record["rid_type"], record["rid_to"]) == ("InvestigationRequest", "SourceOfIncident") and len(record["envelope"]) == 64
    assert record["rid_regions"] and record["rid_restriction"], record
    with open(os.path.join(TOP, "tests", "golden", "rid", "stricter-policy", "input.xml"), encoding="utf-8") as f:
        objects = [o for o in back(f.read()) if o["type"] in ("incident", "report", "grouping", "indicator")]
    for o in objects:
        told = json.dumps(stage.node.ask("explain", o["id"], "partner"))
        assert "RID_ENVELOPE" in told and f"restriction {record['rid_restriction']}" in told, told


def test_a_folder_that_is_away_for_a_while(stage):
    """If this fails, an unmounted share loses advisories, or stops those of others."""
    stage.begin("as misp")
    away = stage.folder + ".away"
    os.rename(stage.folder, away)
    stage.publish(*some("away"))
    until("a failure", lambda: stage.peer()["failures"] >= 2)
    show = stage.peer()
    assert show["queued"] == 4 and stage.folder in show["last_error"] and "tocsin reload" in show["last_error"], show
    os.rename(away, stage.folder)
    stage.arrived()
    assert stage.peer()["failures"] == 0


@pytest.mark.parametrize("kind, error", [("write", errno.ENOSPC), ("open_write", errno.EROFS), ("fsync", errno.EIO), ("rename", errno.EIO)])
def test_a_folder_on_a_bad_disk(stage, kind, error):
    """If this fails, a full or read-only share loses a document, or half of one stands there for the partner."""
    stage.begin("as iodef2")
    faults = Faults(stage.lab.folder, stage.folder)
    stage.node.restart(**faults.env)
    try:
        faults.fail(kind, error=error)
        stage.publish(*some(f"disk {kind}"))
        until("a second failure", lambda: stage.peer()["failures"] >= 2)
        assert [f for f in stage.files() if f[0] != "."] == [], stage.files()
        assert os.strerror(error) in stage.peer()["last_error"]
        faults.heal()
        stage.arrived()
    finally:
        faults.heal()
        stage.node.restart()
    stage.node.verify_audit()


def test_a_folder_that_is_made_anew(stage):
    """If this fails, a folder that somebody removed and made again is closed to the node until it is started anew."""
    stage.begin("as misp")
    os.rename(stage.folder, stage.folder + ".old")
    os.mkdir(stage.folder)
    stage.publish(*some("anew"))
    stage.reload(renews=True)
    stage.arrived()


@pytest.mark.parametrize("point", ["leased", "decided", "sending", "delivered", "booked"])
def test_the_node_dies_on_the_way_there(stage, point):
    """If this fails, a power cut loses a document, leaves half of one, or shows it under two names."""
    stage.begin("as iodef2")
    stage.node.restart(TOCSIN_CRASH_AT=point)
    objects = some(f"dies {point}")
    try:
        stage.publish(*objects)
    except OSError:
        pass                                            # it may die before it answers
    assert stage.node.gone() == -9, point
    before = [stage.read(f) for f in stage.files() if f[0] != "."]
    assert len(before) == (point in ("delivered", "booked")), stage.files()
    stage.node.start()
    after = stage.arrived()
    assert before in ([], after)
    stage.node.verify_audit()


def test_what_the_format_cannot_say_at_all(stage):
    """If this fails, a delivery that no writer takes is tried for ever, or vanishes."""
    stage.begin("as csaf")
    stage.publish(indicator("folder no csaf", "[mutex:name = 'no csaf']", tlp="green"))
    show = stage.refused()
    assert "it cannot be written as csaf" in show["last_error"], show
    record = stage.audit("undelivered")[-1]
    assert (record["as"], record["objects"], record["code"]) == ("csaf", 1, "UNSUPPORTED")
    assert stage.node.metric('tocsin_relay_refused_total{peer="partner",code="UNSUPPORTED"}') == 1
    stage.write("as misp")
    stage.reload()
    stage.node.run("peer", "retry", "partner", "--config", stage.node.conf)
    stage.arrived()
    assert stage.peer()["dead"] == 0


def test_what_a_crash_left_goes_with_the_next_file(stage):
    """If this fails, halves of files pile up, or somebody who may write there has a link followed."""
    stage.begin("as misp")
    os.rename(stage.folder, stage.folder + ".away")     # nothing is written before we know its name
    objects = some("left over")
    stage.publish(*objects)
    until("a failure", lambda: stage.peer()["failures"] >= 1)
    os.rename(stage.folder + ".away", stage.folder)
    name = stage.arrived() and stage.files()[0]
    text = stage.read(name)
    with open(stage.node.file("victim"), "w", encoding="utf-8") as f:
        f.write("untouched")
    os.symlink(stage.node.file("victim"), os.path.join(stage.folder, f".{name}.tmp"))
    os.unlink(os.path.join(stage.folder, name))
    with open(stage.node.file("victim"), encoding="utf-8") as f:
        assert f.read() == "untouched"
    assert text


def test_shown_to_the_administrator(stage):
    """If this fails, nobody sees where a partner's files go, or whether they do."""
    stage.begin("as stix1")
    rows = {p["name"]: p for p in stage.node.ask("peer", "list")["peers"]}
    assert rows["partner"]["wire"] == "folder" and rows["partner"]["as"] == "stix1"
    done = stage.node.run("peer", "doctor", "partner", "--config", stage.node.conf)
    assert done.returncode == 0 and stage.folder in done.stdout and "nobody is called" in done.stdout, done.stdout + done.stderr
    done = stage.node.run("check", "--config", stage.node.conf)
    assert done.returncode == 0, done.stdout + done.stderr
    os.rmdir(stage.folder)
    done = stage.node.run("peer", "doctor", "partner", "--config", stage.node.conf)
    assert done.returncode == 1 and "no-folder" in done.stdout + json.dumps(stage.node.ask("peer", "doctor", "partner"))
