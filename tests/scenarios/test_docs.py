"""If this fails, a document tells somebody to type what does not work, or names what is not there."""
import fnmatch
import glob
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

import pytest

from lab import PATIENCE, TOCSIN, TOP, free_port, until

READMES = sorted(os.path.relpath(p, TOP) for p in glob.glob(os.path.join(TOP, "**", "README.md"), recursive=True)
                 if "/build/" not in p)


def read(*names):
    with open(os.path.join(TOP, *names), encoding="utf-8") as f:
        return f.read()


def section(text, title):
    """What stands under a heading, up to the next one of its level."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert found, f"there is no section '{title}'"
    return found.group(1)


# ---- commands ----

class Shell:
    """One bash that runs block after block, as a person's does."""

    def __init__(self, folder):
        path = os.pathsep.join([os.path.dirname(TOCSIN), os.environ["PATH"]])
        self.process = subprocess.Popen(["bash", "--norc"], cwd=TOP, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
                                        env=dict(os.environ, TMPDIR=folder, PATH=path, LC_ALL="C.UTF-8"))

    def run(self, block):
        """The output of a block, both streams."""
        self.process.stdin.write(block + "\necho; echo ==end==\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line == "==end==\n":
                return "".join(lines)
            lines.append(line)
        raise AssertionError("the shell ended: " + "".join(lines))

    def stop(self):
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=PATIENCE)


@pytest.fixture
def shell():
    folder = tempfile.mkdtemp(prefix="tocsin-")     # short: a unix socket's path has 107 bytes
    sh = Shell(folder)
    yield sh
    sh.stop()
    shutil.rmtree(folder)


def shown(text, output):
    """Is the line in the output? `...` stands for anything, blanks for some blanks."""
    words = r"\s+".join(".*".join(map(re.escape, word.split("..."))) for word in text.split())
    return re.search(words, output)


def run_block(sh, block, wanted):
    """Run a block until its output shows what the page says; what only looks is looked at again."""
    looks = re.match(r"(curl -sg --cacert \S+ -H \S+ \S+ -H \S+ \S+ \S+ \\\n *'https|tocsin (status|peer list|"
                     r"quarantine list|explain) )", block)
    end = time.monotonic() + PATIENCE
    while True:
        output = sh.run(block)
        missing = [line for line in wanted if not shown(line, output)]
        if not missing:
            return
        assert looks and time.monotonic() < end, f"$ {block}\n{output}\n--- does not show: {missing[0]}"
        time.sleep(0.05)


def test_the_first_hour(shell):
    """If this fails, the first hour of an administrator ends in frustration."""
    text = section(read("conf", "README.md"), "The first hour")
    for port in ("8443", "8444", "9443", "9444"):
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{free_port()}")
    text = text.replace("PATH=$PWD/build:$PATH", "")
    blocks = re.findall(r"^```sh\n(.*?)^```\n(?:```text\n(.*?)^```$)?", text, re.M | re.S)
    assert len(blocks) > 15
    for block, wanted in blocks:
        run_block(shell, block, wanted.splitlines())


def test_by_hand(tmp_path):
    """If this fails, the first commands that anybody types are wrong."""
    commands = re.findall(r"^    (build/tocsin \S+.*?)(?:\s+#.*)?$", section(read("README.md"), "By hand"), re.M)
    verbs = [c.split()[1] for c in commands]
    assert verbs == ["convert", "validate", "init", "check", "serve", "help"]
    node, ops = tmp_path / "node", free_port()
    for command in commands:
        words = [w.replace("build/tocsin", TOCSIN).replace("/tmp/cert-a", str(node)) for w in command.split()]
        if words[1] == "init":
            words += ["--url", f"https://127.0.0.1:{free_port()}", "--operations", f"127.0.0.1:{ops}"]
        if words[1] != "serve":
            done = subprocess.run(words, cwd=TOP, capture_output=True, text=True, check=False)
            assert done.returncode == 0 and done.stdout, (command, done.stderr)
            continue
        serving = subprocess.Popen(words, cwd=TOP, stderr=subprocess.DEVNULL)
        try:
            until("the node to be ready", lambda: is_ready(ops))
        finally:
            serving.terminate()
        assert serving.wait(timeout=PATIENCE) == 0


def is_ready(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


# ---- names ----

def test_the_manual_has_the_verbs_of_the_program_and_no_others():
    """If this fails, somebody looks for a verb that is not there, or never learns of one that is."""
    overview = subprocess.run([TOCSIN, "help"], capture_output=True, text=True, check=True).stdout
    verbs = set(re.findall(r"^    (\S+(?: \S+)?)  ", overview, re.M))
    manual = read("conf", "man", "tocsin.1")
    body = manual[manual.index(".SS To set up"):manual.index(".SH EXIT STATUS")]
    told = set()
    for head in re.findall(r"^\.TP\n(\.BR? .*)$", body, re.M):
        told |= set(re.findall(r"[a-z]+(?: [a-z]+)?", head.partition(" ")[2]))
    assert told == verbs


def test_the_manual_of_trust_conf_has_every_directive():
    """If this fails, an administrator cannot find out what a line of trust.conf means, or may write."""
    words = set()
    for name in ("policy_load.c", "policy_load_peer.c", "policy_load_paper.c", "policy_rules.c"):
        words |= set(re.findall(r'^\t\{ "([a-z0-9-]+)", (?:\d|NAMES|CONDITION)', read("gateway", name), re.M))
    assert {"peer", "pin", "speaks-for", "tlp", "attestation", "on-fail"} <= words
    manual = read("conf", "man", "trust.conf.5").replace("\\-", "-")
    headed = set()
    for macro, rest in re.findall(r"^\.(BI|BR|SS|B) (.*)$", manual, re.M):
        if macro == "SS":
            headed |= set(re.findall(r"([a-z]+) NAME", rest))
            continue
        parts = re.findall(r'"[^"]*"|\S+', rest)[::2]         # bold, then not, in turns
        headed |= {w for part in parts for w in part.strip('"').split()}
    assert not words - headed
    assert headed - words <= {"yes", "tocsin", "tocsin.conf", "explain", "OBJECT", "PEER", "key", "pin", "retry", "green",
                              "own", "client", "include", "*", "name", "login", "pull"}, "words that mean nothing"


def test_the_manual_of_metrics_is_what_the_program_says():
    """If this fails, an administrator builds alarms on metrics that are not there."""
    manual = read("conf", "man", "tocsin-metrics.7")
    told = subprocess.run([TOCSIN, "check", "--metrics"], capture_output=True, text=True, check=True).stdout
    assert manual.partition('.\\" generated\n')[2] == told, "run: conf/update-reference"
    stages = set(re.findall(r"^\.TP\n\.B (\w+)$", manual[manual.index(".SH STAGES"):manual.index(".SH REQUEST IDS")], re.M))
    counted = set()
    for path in glob.glob(os.path.join(TOP, "gateway", "*.c")) + glob.glob(os.path.join(TOP, "adapters", "*.c")):
        for call in re.findall(r'(?:stats_time|end_step)\([^;]*;|\.timed = "\w+"', read(path), re.S):
            counted |= set(re.findall(r'"(\w+)"', call))
    assert stages == counted and {"parse", "commit", "relay"} <= counted


def test_what_is_generated_is_new(tmp_path):
    """If this fails, a manual page lacks a key, or gives one another default than the program does."""
    shutil.copytree(os.path.join(TOP, "conf"), tmp_path / "conf")
    subprocess.run([tmp_path / "conf" / "update-reference"], check=True, env=dict(os.environ, TOCSIN=os.path.abspath(TOCSIN)))
    for name in ("README.md", "man/tocsin.conf.5", "man/tocsin-metrics.7"):
        assert (tmp_path / "conf" / name).read_text(encoding="utf-8") == read("conf", name), "run: conf/update-reference"
    manual = read("conf", "man", "tocsin.conf.5").replace("\\-", "-")
    keys = re.findall(r"^ +#? *([a-z0-9-]+) ", re.sub(r"^#(?=   )", " ", read("conf", "tocsin.conf"), flags=re.M), re.M)
    assert len(set(keys)) > 90 and not [k for k in keys if f".TP\n\\fB{k}\\fR (" not in manual]


def test_alarms_watch_what_is_there():
    """If this fails, an alarm never rings: Prometheus takes a metric that does not exist for silence."""
    told = subprocess.run([TOCSIN, "check", "--metrics"], capture_output=True, text=True, check=True).stdout
    known = {name: kind for name, kind in re.findall(r"\\fB(tocsin_\w+)\\fR \((\w+)", told)}
    rules = read("conf", "alerts.yml")
    for expression in re.findall(r"expr: (.*)", rules):
        for name, bucket in re.findall(r"(tocsin_\w+?)(_bucket)?\b(?=[{\[\s)<=]|$)", expression):
            assert name in known and (known[name] == "histogram") == bool(bucket), expression
    assert len(re.findall("alert: ", rules)) == len(re.findall("summary: ", rules)) == len(re.findall("severity: ", rules)) > 9


def exists(name, folder):
    """Is there such a file (a glob counts) beside the page, from the top, or where its page speaks of?"""
    if any(glob.glob(os.path.join(TOP, place, name)) for place in (folder, "")):
        return True
    return "/" not in name.rstrip("/") and bool(glob.glob(os.path.join(TOP, "*", "**", name), recursive=True))


# made at run time or by the reader, or only beside a complete checkout
NOT_OURS = re.compile(r"^(design\.md|policy\.md|reference/|\.\./|/|build/|done/|incoming/|rejected/|state/|keys/|tls/|tocsin\.db|credentials|list\.csv|"
                      r"bundle\.json|manifest\.json|UUID\.json|peer-ca\.crt|ca\.(crt|key)|node\.(crt|key)|\w+\.key)|NAME")
FILE = re.compile(r"^[\w.*/-]+(\.(c|h|md|py|conf|map|txt|xml|json|service|[15])|/)$")


@pytest.mark.parametrize("page", READMES)
def test_files_that_a_page_names_are_there(page):
    """If this fails, a newcomer looks for a file that has another name."""
    text, folder = read(page), os.path.dirname(page)
    missing = [link for link in re.findall(r"\]\(([^)#:]+)\)", text) if not os.path.exists(os.path.join(TOP, folder, link))]
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    for name in re.findall(r"`([^`\s]+)`", prose):
        if FILE.match(name) and not NOT_OURS.search(name) and not exists(name, folder):
            missing.append(name)
    assert not missing


@pytest.mark.parametrize("folder", ["adapters", "formats", "gateway", os.path.join("gateway", "base")])
def test_the_map_of_a_folder_has_its_headers(folder):
    """If this fails, a newcomer meets a module that no map speaks of."""
    named = {os.path.splitext(n)[0] for n in re.findall(r"`([\w*]+(?:\.[ch])?)`", read(folder, "README.md"))}
    headers = [os.path.splitext(os.path.basename(p))[0] for p in glob.glob(os.path.join(TOP, folder, "*.h"))]
    assert not [h for h in headers if not any(fnmatch.fnmatch(h, n) or h.startswith(n + "_") for n in named)]
