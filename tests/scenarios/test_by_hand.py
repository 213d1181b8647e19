"""If this fails, what an administrator does by hand to a peer (login, doctor, pull, push) tells something else than what happened."""
import contextlib
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import termios
import threading

import pytest

from lab import PATIENCE, TOCSIN, indicator, laboratory, until


def doctor(node, peer):
    done = node.run("peer", "doctor", peer, "--config", node.conf, "--json", "--timeout", "10s")
    assert done.stdout, done.stderr
    said = json.loads(done.stdout)
    assert done.returncode == (0 if said["ok"] else 1)
    return said, {step["step"]: step for step in said["steps"]}


def rewrite(path, *pairs):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def things(word, n):
    return [indicator(f"{word}{i}", f"[domain-name:value = '{word}{i}.example']") for i in range(n)]


# ---- words that the shell finishes ----

def finish(*words):
    """What bash offers for the last of these words."""
    script = ('source <("$0" completion bash)\nCOMP_WORDS=("$@")\nCOMP_CWORD=$(($# - 1))\n_tocsin\n'
              'printf "%s\\n" "${COMPREPLY[@]}"\n')
    done = subprocess.run(["bash", "--norc", "-c", script, TOCSIN, "tocsin", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, done
    return done.stdout.split()


def test_the_shell_knows_every_verb_and_option():
    overview = subprocess.run([TOCSIN, "--help"], capture_output=True, text=True, check=True).stdout
    verbs = re.findall(r"^    (\S+(?: \S+)?)  ", overview, re.M)
    assert {"peer doctor", "peer login", "pull", "push", "completion"} <= set(verbs)
    assert set(finish("")) == {v.split()[0] for v in verbs} | {"--help", "--version"}
    for v in verbs:
        first, _, second = v.partition(" ")
        assert first in finish(first[:2]) and (not second or second in finish(first, ""))
        said = subprocess.run([TOCSIN, *v.split(), "--help"], capture_output=True, text=True, check=True).stdout
        options = set(re.findall(r"^    (?:-\w, )?(--[\w-]+)", said, re.M))
        assert set(finish(*v.split(), "--")) == options | {"--help"}, v
    assert finish("peer", "doctor", "vendor", "--t") == ["--timeout"]
    assert subprocess.run([TOCSIN, "completion", "tcsh"], capture_output=True, check=False).returncode == 2


# ---- between two nodes ----

@pytest.fixture(scope="module")
def lab():
    with laboratory(redis=False) as running:
        yield running


def test_the_doctor_finds_two_nodes_well(lab):
    said, steps = doctor(lab["cert-a"], "cert-b")
    assert said["ok"], json.dumps(said, indent=1)
    assert steps["certificate"]["detail"] == {"asked": True, "shown": True}
    assert "inbox-cert-a: may write" in steps["rights"]["found"]


def test_an_inbox_of_another_name(lab):
    a = lab["cert-a"]
    try:
        rewrite(a.file("trust.conf"), ("inbox-cert-a", "inbox-cert-x"))
        said, steps = doctor(a, "cert-b")
    finally:
        rewrite(a.file("trust.conf"), ("inbox-cert-x", "inbox-cert-a"))
    assert (said["failed"], said["cause"]) == ("collection", "no-collection")
    assert "does it call us cert-x" in steps["collection"]["fix"]


def test_the_address_of_discovery(lab):
    a, b = lab["cert-a"], lab["cert-b"]
    try:
        rewrite(a.file("trust.conf"), (f"{b.url}/api/", f"{b.url}/taxii2/"))
        said, steps = doctor(a, "cert-b")
    finally:
        rewrite(a.file("trust.conf"), (f"{b.url}/taxii2/", f"{b.url}/api/"))
    assert (said["failed"], said["cause"]) == ("root", "discovery")
    assert any("/api/" in note for note in steps["root"]["notes"])


def test_a_peer_that_does_not_know_us():
    with laboratory(redis=False, knows=lambda x, y: x == "cert-a") as lab:
        a = lab["cert-a"]
        said, steps = doctor(a, "cert-b")
        assert (said["failed"], said["cause"]) == ("auth", "unknown-to-peer"), json.dumps(said, indent=1)
        assert a.pin() in steps["auth"]["fix"]


def test_a_listener_that_asks_for_no_certificate():
    def none(lab):
        rewrite(lab["cert-b"].conf, ("clients      optional", "clients      none"))
    with laboratory(redis=False, trust=none) as lab:
        said, _ = doctor(lab["cert-a"], "cert-b")
        assert (said["failed"], said["cause"]) == ("certificate", "not-asked"), json.dumps(said, indent=1)


def push(node, *words):
    return node.run("push", "cert-b", "--config", node.conf, *words)


def test_push(lab):
    a, b = lab["cert-a"], lab["cert-b"]
    a.insist("sensor", "advisories", *things("first", 20))
    done = push(a)
    assert done.returncode == 0 and re.search(r"cert-b: \d+ sent, 0 denied, 0 held, 0 given up, 0 waiting", done.stdout), done
    assert len([x for x in b.ids("soc", "inbox-cert-a") if x.startswith("indicator")]) >= 20
    said = json.loads(push(a, "--json").stdout)
    assert (said["outcome"], said["pushed"], said["queued"]) == ("done", 0, 0)
    assert push(a, "--no-wait").stdout == "cert-b: 0 objects are due now\n"


def test_push_to_a_peer_that_is_away(lab):
    a, b = lab["cert-a"], lab["cert-b"]
    assert b.stop() == 0
    try:
        a.insist("sensor", "advisories", *things("second", 5))
        done = push(a)
        assert done.returncode == 1 and "refused" in done.stdout and "peer doctor cert-b" in done.stdout, done
        done = push(a, "--json")
        assert done.returncode == 1 and json.loads(done.stdout)["outcome"] == "failed"
    finally:
        b.start()
    assert push(a).returncode == 0


def test_push_to_nobody(lab):
    a = lab["cert-a"]
    done = a.run("push", "nobody", "--config", a.conf)
    assert done.returncode == 2 and "no peer" in done.stderr
    done = a.run("push", "soc", "--config", a.conf)
    assert done.returncode == 2 and "nothing is ever sent" in done.stderr


def test_lists_tell_the_way_to_a_peer(lab):
    a = lab["cert-a"]
    a.run("peer", "login", "cert-b", "--bearer", "--config", a.conf, stdin="s3cret\n")
    a.run("peer", "login", "cert-b", "--proxy", "out", "--config", a.conf, stdin="s3cret\n")
    try:
        assert a.reload()
        shown = a.ask("peer", "show", "cert-b")
        assert [shown[x] for x in ("wire", "verify", "login", "proxy_login")] == ["tocsin", "pin", "bearer", "basic"]
        table = a.run("peer", "list", "--config", a.conf).stdout
        assert "WIRE" in table and "bearer" in table and "s3cret" not in table + json.dumps(shown)
    finally:
        a.run("peer", "login", "cert-b", "--remove", "--config", a.conf)
        a.run("peer", "login", "cert-b", "--remove", "--proxy", "out", "--config", a.conf)
        assert a.reload()
    assert "login" not in a.ask("peer", "show", "cert-b")


# ---- a node that reads another as any TAXII server ----

@pytest.fixture(scope="module")
def reader():
    """cert-a knows cert-b as a TAXII server, whose consumer soc it is."""
    def vendor(lab):
        a, b = lab["cert-a"], lab["cert-b"]
        with open(a.file("trust.conf"), "a", encoding="utf-8") as f:
            f.write(f"\npeer vendor\n    relation partner\n    url {b.url}/api/\n    wire taxii21\n    verify name\n"
                    "    speaks-for any\n")
        with open(a.conf, "a", encoding="utf-8") as f:
            f.write("\npull feed\n    peer vendor\n    collection \"Advisories of cert-b\"\n    into advisories\n"
                    "    every 1d\n")
        done = a.run("peer", "login", "vendor", "--bearer", "--config", a.conf, stdin=b.tokens["soc"] + "\n")
        assert done.returncode == 0, done.stderr
    with laboratory(redis=False, knows=lambda x, y: False, trust=vendor) as lab:
        yield lab


def test_pull_from_a_real_server(reader):
    a, b = reader["cert-a"], reader["cert-b"]
    said, steps = doctor(a, "vendor")
    assert said["ok"], json.dumps(said, indent=1)
    assert "bearer login" in steps["auth"]["found"] and "Advisories of cert-b: may read" in steps["rights"]["found"]
    wanted = things("sold", 30)
    b.insist("sensor", "advisories", *wanted)
    done = a.run("pull", "vendor", "--config", a.conf)
    assert done.returncode == 0 and done.stdout.startswith("feed: "), done
    assert {x["id"] for x in wanted} <= set(a.ids("soc", "advisories"))
    said = json.loads(a.run("pull", "feed", "--config", a.conf, "--json").stdout)
    assert (said["outcome"], said["objects"]) == ("done", 0)


@pytest.mark.parametrize("wire", ["taxii21", "taxii20"])
@pytest.mark.parametrize("path", ["/api/", "/", "/api/collections/"])
def test_the_doctor_with_every_way_to_write_an_address(reader, wire, path):
    a, b = reader["cert-a"], reader["cert-b"]
    was = (f"url {b.url}/api/\n    wire taxii21", f"url {b.url}{path}\n    wire {wire}")
    rewrite(a.file("trust.conf"), was)
    try:
        said, steps = doctor(a, "vendor")
    finally:
        rewrite(a.file("trust.conf"), was[::-1])
    assert said["ok"], json.dumps(said, indent=1)
    assert ("2.0" if wire == "taxii20" else "2.1") in steps["version"]["found"]
    assert steps["root"]["detail"]["root"] == "/api/"


def test_pull_that_is_not_let_in(reader):
    a = reader["cert-a"]
    with open(a.file("credentials"), encoding="utf-8") as f:
        kept = f.read()
    a.run("peer", "login", "vendor", "--bearer", "--config", a.conf, stdin="wrong\n")
    try:
        said, steps = doctor(a, "vendor")
        assert (said["failed"], said["cause"]) == ("auth", "login-wrong"), json.dumps(said, indent=1)
        assert steps["auth"]["detail"]["sent"] == "bearer"
        assert a.reload()
        done = a.run("pull", "feed", "--config", a.conf)
        assert done.returncode == 1 and "failed (auth)" in done.stdout, done
    finally:
        with open(a.file("credentials"), "w", encoding="utf-8") as f:
            f.write(kept)
        assert a.reload()
    assert a.run("pull", "feed", "--config", a.conf).returncode == 0


# ---- logins ----

def test_a_secret_is_neither_echoed_nor_an_argument(lab):
    a = lab["cert-a"]
    master, slave = pty.openpty()
    process = subprocess.Popen([TOCSIN, "peer", "login", "cert-b", "--basic", "us", "--config", a.conf], stdin=slave,
                               stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    seen = read_until(master, b"Password: ")
    os.write(master, b"s3cret\n")
    seen += read_until(master, b"is set")
    assert process.wait(PATIENCE) == 0
    os.close(master)
    assert b"s3cret" not in seen
    with open(a.file("credentials"), encoding="utf-8") as f:
        assert 'login cert-b basic "us" "s3cret"\n' in f.read()
    assert os.stat(a.file("credentials")).st_mode & 0o777 == 0o600
    assert a.run("peer", "login", "cert-b", "--remove", "--config", a.conf).returncode == 0
    assert a.run("peer", "login", "cert-b", "--remove", "--config", a.conf).returncode == 1


def heed_interrupts():
    """A shell lets its background jobs ignore them, and so would all that these start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_who_thinks_better_of_it_sees_what_he_types(lab):
    """If this fails, Ctrl-C at the question for a secret leaves a terminal that shows nothing any more."""
    a = lab["cert-a"]
    master, slave = pty.openpty()
    process = subprocess.Popen([TOCSIN, "peer", "login", "cert-b", "--bearer", "--config", a.conf], stdin=slave, stdout=slave,
                               stderr=slave, start_new_session=True, preexec_fn=heed_interrupts)
    read_until(master, b": ")
    assert not termios.tcgetattr(slave)[3] & termios.ECHO
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == -signal.SIGINT
    assert termios.tcgetattr(slave)[3] & termios.ECHO
    os.close(slave)
    os.close(master)
    assert a.run("peer", "login", "cert-b", "--remove", "--config", a.conf).returncode == 1, "nothing was set"


@pytest.mark.parametrize("words,secret", [
    (["cert-b"], "x"), (["cert-b", "--basic", "a", "--bearer"], "x"), (["cert-b", "--basic", "a:b"], "x"),
    (["cert-b", "--header", "Host"], "x"), (["cert-b", "--bearer"], "two words"), (["cert-b", "--bearer"], ""),
    (["nobody", "--bearer"], "x"), (["soc", "--bearer"], "x"), (["cert-b", "--remove", "--bearer"], "x"),
])
def test_logins_that_are_none(lab, words, secret):
    a = lab["cert-a"]
    with open(a.file("credentials"), encoding="utf-8") as f:
        before = f.read()
    done = a.run("peer", "login", *words, "--config", a.conf, stdin=secret + "\n")
    assert done.returncode == 2 and done.stderr, done
    with open(a.file("credentials"), encoding="utf-8") as f:
        assert f.read() == before


# ---- a node that is played: what the verbs make of its answers ----

class Socket:
    """A control socket that answers from a script."""

    def __init__(self, path, answer):
        self.path, self.answer, self.asked = path, answer, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(16)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                c, _ = self.listener.accept()
            except OSError:
                return
            with c, c.makefile("rb") as f:
                request = json.loads(f.readline())
                self.asked.append(request["cmd"])
                c.sendall(json.dumps(self.answer(request)).encode() + b"\n")

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Pull:
    """A pull whose run takes as many questions as there are pages."""

    def __init__(self, pages, failure=None, running=False):
        self.left, self.pages, self.failure = pages, 0, failure
        self.running, self.runs = running, 3

    def __call__(self, request):
        if request["cmd"] == "pulls":
            return {"ok": True, "pulls": [self.show(), {"name": "two", "peer": "many"}, {"name": "three", "peer": "many"}]}
        if request["cmd"] == "pull":
            if self.running:
                return {"ok": False, "error": "it is running already"}
            self.running = True
            return {"ok": True}
        assert request == {"cmd": "pull-progress", "name": "feed"}, request
        if self.running and self.left > 0:
            self.left, self.pages = self.left - 1, self.pages + 1
        elif self.running:
            self.running, self.runs = False, self.runs + 1
        return {"ok": True, **self.show()}

    def show(self):
        ended = {} if self.running or not self.failure or self.runs == 3 else {"cause": self.failure[0],
                                                                              "last_error": self.failure[1]}
        return {"name": "feed", "peer": "vendor", "state": "asking" if self.running else "idle", "running": self.running,
                "runs": self.runs, "failures": 0, "pages": self.pages, "objects": 1000 * self.pages, "new": 900 * self.pages,
                "known": 100 * self.pages, "refused": 0, **ended}


@pytest.fixture
def played(tmp_path):
    made = []

    def play(answer):
        s = Socket(str(tmp_path / f"s{len(made)}"), answer)
        made.append(s)
        return s
    yield play
    for s in made:
        s.close()


def verb(s, *words):
    return subprocess.run([TOCSIN, *words, "--socket", s.path], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", ["feed", "vendor"])
def test_pull_waits_for_the_end(played, name):
    s = played(Pull(3))
    done = verb(s, "pull", name)
    assert done.returncode == 0, done
    assert re.fullmatch(r"feed: 3 pages, 3,000 objects \(2,700 new, 300 known, 0 refused\) in [\d.]+ m?s\n", done.stdout)
    assert s.asked[:2] == ["pulls", "pull"]


def test_pull_that_runs_already_is_watched(played):
    s = played(Pull(2, running=True))
    done = verb(s, "pull", "feed", "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["outcome"], said["pages"]) == (0, "done", 2)
    assert "pull" not in s.asked


def test_pull_that_fails_says_why(played):
    failure = ("auth", "401: the server wants a login \x1b[31m")
    done = verb(played(Pull(1, failure)), "pull", "feed")
    assert done.returncode == 1 and "failed (auth): 401: the server wants a login" in done.stdout, done
    assert "peer doctor vendor" in done.stdout and "\x1b" not in done.stdout
    done = verb(played(Pull(1, failure)), "pull", "feed", "--json")
    assert done.returncode == 1 and json.loads(done.stdout)["outcome"] == "failed"


def test_pull_without_waiting(played):
    s = played(Pull(1000))
    done = verb(s, "pull", "feed", "--no-wait")
    assert (done.returncode, done.stdout, s.asked) == (0, "feed: begun\n", ["pulls", "pull"])


def test_pull_of_nothing(played):
    for name, words in (("nothing", "no section `pull nothing`"), ("many", "several pulls from many")):
        done = verb(played(Pull(1)), "pull", name)
        assert done.returncode == 2 and words in done.stderr, done
    done = subprocess.run([TOCSIN, "pull", "feed", "--socket", "/nowhere/socket"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "no node answers" in done.stderr


def read_until(fd, word):
    seen = b""
    while word not in seen:
        assert select.select([fd], [], [], PATIENCE)[0], seen
        seen += os.read(fd, 65536)
    return seen


def on_terminal(s, *words):
    master, slave = pty.openpty()
    process = subprocess.Popen([TOCSIN, *words, "--socket", s.path], stdin=slave, stdout=slave, stderr=slave,
                               start_new_session=True)
    os.close(slave)
    return process, master


def test_a_bar_on_a_terminal_and_an_end_to_the_watching(played):
    s = played(Pull(10 ** 6))
    process, master = on_terminal(s, "pull", "feed")
    seen = read_until(master, b"2 pages")
    assert re.search(rb"feed  \[[ =]{20}\]  asking", seen), seen
    process.send_signal(signal.SIGINT)
    assert b"goes on in the node" in read_until(master, b"goes on in the node")
    assert process.wait(PATIENCE) == 1
    os.close(master)
    assert set(s.asked) == {"pulls", "pull", "pull-progress"}


def test_the_part_that_is_pushed(played):
    left = [8, 6, 4, 2, 0, 0]

    def answer(request):
        n = left.pop(0) if request["cmd"] == "peer" and len(left) > 1 else left[0]
        return {"ok": True, "name": "vendor", "state": "sending", "queued": n, "sent": 100 + 8 - n, "held": 0, "dead": 0,
                "denied": 0, "failures": 0, "requeued": 0}
    s = played(answer)
    process, master = on_terminal(s, "push", "vendor")
    seen = read_until(master, b"waiting")
    assert process.wait(PATIENCE) == 0
    os.close(master)
    assert b" 50 %" in seen and b"[==========>" in seen, seen
    assert b"vendor: 8 sent, 0 denied, 0 held, 0 given up, 0 waiting" in seen
    assert s.asked[:2] == ["peer", "peer-retry"]
    until("all questions", lambda: len(left) <= 2)
