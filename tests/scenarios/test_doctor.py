"""If this fails, an administrator is told "unreachable", and looks for the fault in the wrong place."""
import json
import os
import re
import shutil
import socket
import ssl
import threading

import pytest

from doctor_kit import BOX, TAXII20, Authority, Clinic, Server, error, join, openssl, pin_of, proxy
from lab import TAXII, free_port

HTML = ("200 OK", "text/html", b"<html><title>Log in</title>Who are you?</html>", [])


class Ward:
    """Certificates of every kind, and a node's files."""

    def __init__(self, folder):
        self.clinic = Clinic(folder)
        self.root = Authority(folder, "Clinic Root")
        self.middle = Authority(folder, "Clinic Intermediate", self.root)
        self.stranger = Authority(folder, "Strange CA")
        self.good = self.root.issue("good")
        self.ca = self.root.crt
        self.folder = folder

    def look(self, server, *lines, url=None, **options):
        """One peer at this server, examined."""
        options.setdefault("ca", self.ca)
        self.clinic.peer(url or f"https://127.0.0.1:{server.port}/api/", *lines, **options)
        return self.clinic.look()


@pytest.fixture(scope="module")
def ward(tmp_path_factory):
    return Ward(str(tmp_path_factory.mktemp("doctor")))


@pytest.fixture(autouse=True)
def no_logins(ward):
    yield
    for words in ([], ["--proxy", "x"]):
        ward.clinic.run("peer", "login", "ill", "--remove", *words)


def expect(said, step, cause, *words):
    """This step stopped it, for this cause; all before went well, all behind was left out."""
    assert (said["failed"], said["cause"]) == (step, cause), json.dumps(said, indent=1)
    text = json.dumps(said["steps"][step], ensure_ascii=False)
    for word in words:
        assert word in text, (word, text)
    assert said["steps"][step]["fix"]
    names = list(said["steps"])
    before, behind = names[:names.index(step)], names[names.index(step) + 1:]
    assert {said["steps"][x]["state"] for x in before} <= {"ok", "skipped"}
    if said["steps"][step]["state"] == "failed":
        assert {said["steps"][x]["state"] for x in behind if x != "clock"} <= {"skipped"}


# ---- nothing is wrong ----

def test_a_healthy_server(ward):
    with Server(ward.good) as s:
        said = ward.look(s, "collection box")
    assert said["ok"] and "failed" not in said, json.dumps(said, indent=1)
    assert [x for x, step in said["steps"].items() if step["state"] == "skipped"] == ["name", "proxy", "certificate"]
    assert said["steps"]["root"]["detail"]["max_content_length"] == 10000000
    assert BOX in said["steps"]["collection"]["found"]


@pytest.mark.parametrize("collection", [BOX, "box", '"The box"'])
def test_collections_by_id_alias_and_title(ward, collection):
    with Server(ward.good) as s:
        assert ward.look(s, f"collection {collection}")["ok"]


def test_discovery_leads_to_the_root(ward):
    with Server(ward.good) as s:
        said = ward.look(s, "collection box", url=f"https://localhost:{s.port}/taxii2/")
    assert said["ok"], json.dumps(said, indent=1)
    assert said["steps"]["root"]["detail"]["root"] == "/api/"
    assert said["steps"]["name"]["detail"]["host"] == "localhost"


# ---- TLS ----

def test_expired(ward):
    dates = ["-startdate", "20200101000000Z", "-enddate", "20210101000000Z"]
    with Server(ward.root.issue("old", dates=dates)) as s:
        said = ward.look(s)
    expect(said, "tls", "expired", "2021-01-01", "verify code 10", "CN = old", "CN = Clinic Root")
    failing = said["steps"]["tls"]["detail"]["failing"]
    der = openssl("x509", "-in", ward.root.file("old.crt"), "-noout", "-fingerprint", "-sha256")
    assert failing["sha256"] == der.split("=")[1].strip().replace(":", "").lower()
    assert said["steps"]["tls"]["detail"]["depth"] == 0


def test_not_yet_valid(ward):
    dates = ["-startdate", "20480101000000Z", "-enddate", "20490101000000Z"]
    with Server(ward.root.issue("young", dates=dates)) as s:
        expect(ward.look(s), "tls", "not-yet-valid", "2048-01-01", "verify code 9")


def test_the_authority_expired(ward):
    old = Authority(ward.folder, "Old Intermediate", ward.root)
    ward.root.sign("Old Intermediate", "basicConstraints=critical,CA:TRUE\n", old.crt, old.key,
                   ["-startdate", "20200101000000Z", "-enddate", "20210101000000Z"])
    crt, key = old.issue("below")
    with Server((join(old.file("chain"), crt, old.crt), key)) as s:
        said = ward.look(s)
    expect(said, "tls", "expired", "CN = Old Intermediate")
    assert said["steps"]["tls"]["detail"]["depth"] == 1


def test_wrong_name(ward):
    with Server(ward.root.issue("other", alt="DNS:other.example,DNS:else.example")) as s:
        expect(ward.look(s), "tls", "wrong-name", "other.example", "else.example", "127.0.0.1", "verify code 64")
        expect(ward.look(s, url=f"https://localhost:{s.port}/api/"), "tls", "wrong-name", "verify code 62")


def test_unknown_authority(ward):
    crt, key = ward.stranger.issue("strange")
    with Server((crt, key)) as s:
        expect(ward.look(s), "tls", "unknown-ca", "Strange CA", "verify code 20")
    with Server((join(ward.stranger.file("chain"), crt, ward.stranger.crt), key)) as s:
        expect(ward.look(s), "tls", "unknown-ca", "Strange CA", "verify code 19")


def test_missing_intermediate(ward):
    crt, key = ward.middle.issue("half")
    with Server((crt, key)) as s:
        expect(ward.look(s), "tls", "missing-intermediate", "Clinic Intermediate", "verify code 20")
    with Server((join(ward.middle.file("chain"), crt, ward.middle.crt), key)) as s:
        assert ward.look(s)["ok"]


def test_missing_intermediate_by_what_the_certificate_says(ward):
    """Neither name tells; but the certificate names its issuer's issuer, whom we trust."""
    quiet = Authority(ward.folder, "Quiet", ward.root)
    with Server(quiet.issue("hushed", more="authorityKeyIdentifier=keyid,issuer:always\n")) as s:
        expect(ward.look(s), "tls", "missing-intermediate", "Quiet")


def test_an_intermediate_instead_of_the_root(ward):
    crt, key = ward.middle.issue("rootless")
    with Server((join(ward.middle.file("chain2"), crt, ward.middle.crt), key)) as s:
        expect(ward.look(s, ca=ward.middle.crt), "tls", "no-root-ca", "Clinic Intermediate", "Clinic Root", "no root")


def test_made_for_something_else(ward):
    with Server(ward.root.issue("client", more="extendedKeyUsage=clientAuth\n")) as s:
        expect(ward.look(s), "tls", "wrong-purpose", "verify code 26")


def test_weak_key(ward):
    crt, key = ward.root.file("weak.crt"), ward.root.file("weak.key")
    openssl("req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout", key, "-out", ward.root.file("weak.csr"), "-subj", "/CN=weak")
    with open(ward.root.file("weak.ext"), "w", encoding="utf-8") as f:
        f.write("subjectAltName=IP:127.0.0.1\n")
    openssl("ca", "-batch", "-notext", "-config", ward.root.file("ca.conf"), "-cert", ward.root.crt, "-keyfile",
            ward.root.key, "-in", ward.root.file("weak.csr"), "-out", crt, "-extfile", ward.root.file("weak.ext"), "-days", "9")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.load_cert_chain(crt, key)
    with Server() as s:
        s.context = context
        expect(ward.look(s), "tls", "weak", "verify code 66")


def test_self_signed(ward):
    crt, key = os.path.join(ward.folder, "self.crt"), os.path.join(ward.folder, "self.key")
    openssl("req", "-x509", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
            crt, "-days", "30", "-subj", "/CN=self", "-addext", "subjectAltName=IP:127.0.0.1")
    with Server((crt, key)) as s:
        expect(ward.look(s), "tls", "self-signed", "verify code 18")
        assert ward.look(s, ca=crt)["ok"]


def test_wrong_pin(ward):
    other = pin_of(ward.root.issue("pinned")[0])
    with Server(ward.good) as s:
        said = ward.look(s, verify=other)
        expect(said, "tls", "wrong-pin", other, pin_of(ward.good[0]))
        assert s.requests == []
        assert ward.look(s, verify=pin_of(ward.good[0]))["ok"]


def test_old_protocol(ward):
    def talk(c):            # what a server that knows only TLS 1.1 says: fatal, protocol_version
        c.recv(4096)
        c.sendall(bytes([21, 3, 1, 0, 2, 2, 70]))
    with Server(talk=talk) as s:
        expect(ward.look(s), "tls", "protocol", "alert 70")


def test_no_cipher_in_common(ward):
    def talk(c):
        c.recv(4096)
        c.sendall(bytes([21, 3, 3, 0, 2, 2, 40]))
    with Server(talk=talk) as s:
        expect(ward.look(s), "tls", "ciphers", "alert 40")


def test_a_name_that_the_server_does_not_serve(ward):
    def talk(c):
        c.recv(4096)
        c.sendall(bytes([21, 3, 3, 0, 2, 2, 112]))
    with Server(talk=talk) as s:
        expect(ward.look(s), "tls", "unknown-host", "alert 112")


def test_soon_over(ward):
    crt, key = ward.root.file("brief.crt"), ward.root.file("brief.key")
    ward.root.sign("brief", "subjectAltName=IP:127.0.0.1\n", crt, key, ["-days", "3"])
    with Server((crt, key)) as s:
        said = ward.look(s)
    expect(said, "tls", "expires", "ends soon")
    assert said["steps"]["tls"]["state"] == "warned" and said["steps"]["root"]["state"] == "ok"


def test_plain_http_port(ward):
    with Server() as s:         # our ClientHello is no request line: it waits for the end of it
        expect(ward.look(s), "tls", "plain-http", "HTTP without TLS")

    def talk(c):                # and one that says at once what it thinks
        c.recv(4096)
        c.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
    with Server(talk=talk) as s:
        expect(ward.look(s), "tls", "plain-http", "400 Bad Request")


@pytest.mark.parametrize("banner", ["SSH-2.0-OpenSSH_9.2", "220 mail.example ESMTP", "* OK IMAP4rev1"])
def test_another_protocol(ward, banner):
    def talk(c):
        c.sendall(banner.encode() + b"\r\n")
        c.recv(4096)
    with Server(talk=talk) as s:
        expect(ward.look(s), "tls", "no-tls", banner)


# ---- our certificate ----

@pytest.mark.parametrize("tls", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_our_certificate_is_refused(ward, tls):
    with Server(ward.good, clients=ward.stranger.crt, tls=tls) as s:
        expect(ward.look(s), "certificate", "certificate-refused", "unknown CA", "node.crt")


@pytest.mark.parametrize("tls", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_certificate_is_demanded_and_we_have_none(ward, tls):
    clinic = ward.clinic
    shutil.copy(clinic.conf, clinic.conf + ".kept")
    with open(clinic.conf, encoding="utf-8") as f:
        text = f.read()
    try:
        with open(clinic.conf, "w", encoding="utf-8") as f:      # the node's own, not the listener's
            text = re.sub(r"^    (certificate|key) .*\n", "", text, flags=re.M)
            f.write(re.sub(r"^(listen .*\n)", r"\1    certificate tls/node.crt\n    key tls/node.key\n", text, flags=re.M))
        with Server(ward.good, clients=ward.stranger.crt, tls=tls) as s:
            expect(ward.look(s), "certificate", "certificate-demanded", "we have none")
    finally:
        os.replace(clinic.conf + ".kept", clinic.conf)


def test_our_certificate_is_taken(ward):
    own = os.path.join(ward.clinic.folder, "tls", "ca.crt")
    with Server(ward.good, clients=own) as s:
        said = ward.look(s)
    assert said["ok"] and said["steps"]["certificate"]["detail"]["asked"], json.dumps(said, indent=1)


# ---- the way there ----

def test_refused_port(ward):
    class Nobody:
        port = free_port()
    expect(ward.look(Nobody), "tcp", "refused", "nobody listens")


def test_one_address_of_two(ward):
    """localhost may have an IPv6 address as well, on which this server does not listen: seen, not fatal."""
    addresses = {a[4][0] for a in socket.getaddrinfo("localhost", None)}
    with Server(ward.good) as s:
        said = ward.look(s, url=f"https://localhost:{s.port}/api/")
    seen = {x["address"]: x["result"] for x in said["steps"]["tcp"]["detail"]["addresses"]}
    assert seen["127.0.0.1"] == "connected"
    assert set(seen) <= addresses | {"::1"}
    assert said["steps"]["tcp"]["state"] == ("ok" if len(seen) == 1 else "warned")


def test_an_address_of_the_other_kind(ward):
    try:
        listener = socket.create_server(("::1", free_port()), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with Server(ward.root.issue("six", alt="IP:::1")) as s:
        listener, s.listener = s.listener, listener
        s.talk_to = threading.Thread(target=s.accept, daemon=True)
        s.talk_to.start()
        said = ward.look(s, "collection box", url=f"https://[::1]:{s.listener.getsockname()[1]}/api/")
    listener.close()
    assert said["ok"], json.dumps(said, indent=1)


def test_a_proxy_that_is_not_there(ward):
    ward.clinic.peer("https://peer.example/api/", f"proxy http://127.0.0.1:{free_port()}", ca=ward.ca)
    expect(ward.clinic.look(), "tcp", "refused", "the proxy 127.0.0.1")


def test_silent_port(ward):
    def talk(c):
        while c.recv(4096):
            pass
    with Server(talk=talk) as s:
        ward.clinic.peer(f"https://127.0.0.1:{s.port}/api/", ca=ward.ca)
        expect(ward.clinic.look("--timeout", "300ms"), "tls", "silent", "says nothing")


def test_unknown_name(ward):
    name = "x" * 64 + ".invalid"        # no name server needs to be asked for that
    ward.clinic.peer(f"https://{name}/api/", ca=ward.ca)
    expect(ward.clinic.look(), "name", "unknown-name", name, "resolv.conf")


def test_proxy(ward):
    with Server(ward.good) as s, Server(talk=proxy(None)) as p:
        said = ward.look(s, f"proxy http://127.0.0.1:{p.port}")
        assert said["ok"] and said["steps"]["proxy"]["state"] == "ok", json.dumps(said, indent=1)


def test_proxy_wants_a_login(ward):
    with Server(ward.good) as s, Server(talk=proxy(None, login=b"Basic dXNlcjp3b3Jk")) as p:
        line = f"proxy http://127.0.0.1:{p.port}"
        expect(ward.look(s, line), "proxy", "proxy-login", "407", "Basic realm", "--proxy USER")
        ward.clinic.login("--proxy", "user", secret="wrong")
        expect(ward.look(s, line), "proxy", "proxy-login", "does not take the login of user")
        ward.clinic.login("--proxy", "user", secret="word")
        assert ward.look(s, line)["ok"]


@pytest.mark.parametrize("answer,cause", [
    ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "proxy-refuses"),
    ("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "behind-proxy"),
    ("220 smtp.example\r\n", "no-proxy"),
])
def test_proxy_refuses(ward, answer, cause):
    with Server(talk=proxy(answer)) as p:
        ward.clinic.peer("https://peer.example/api/", f"proxy http://127.0.0.1:{p.port}", ca=ward.ca)
        expect(ward.clinic.look(), "proxy", cause)


# ---- HTTP and TAXII ----

@pytest.mark.parametrize("answer,step,cause,word", [
    (HTML, "http", "html", "Log in"),
    (("302 Found", "text/plain", b"", ["Location: https://login.example/"]), "http", "redirect", "login.example"),
    (("503 Service Unavailable", TAXII, b"{}", ["Retry-After: 60"]), "http", "server-trouble", "60"),
    (("429 Too Many Requests", TAXII, b"{}", ["Retry-After: 9"]), "http", "too-many", "9"),
    (error(406, "Not Acceptable"), "version", "no-version", "406"),
    (error(415, "Unsupported Media Type"), "version", "no-version", "415"),
    (("200 OK", "text/plain", b"hello", []), "version", "no-taxii", "text/plain"),
    (error(403, "Forbidden"), "auth", "forbidden", "403"),
    (error(404, "Not Found"), "root", "no-root", "404"),
    (("200 OK", TAXII, b"[1]", []), "version", "", ""),
])
def test_answers(ward, answer, step, cause, word):
    with Server(ward.good, answers={"/api/": answer}) as s:
        said = ward.look(s)
    if cause:
        expect(said, step, cause, word)
    else:
        expect(said, "root", "bad-root")


def behind_tls(words):
    """A server that says this to every request, or hangs up."""
    def talk(c):
        c.recv(65536)
        c.sendall(words)
    return talk


def test_no_answer(ward):
    with Server(ward.good, talk=behind_tls(b"")) as s:
        expect(ward.look(s), "http", "no-answer", "hangs up")
    with Server(ward.good, talk=behind_tls(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{")) as s:
        expect(ward.look(s), "http", "no-answer", "hangs up")

    def silent(c):
        while c.recv(4096):
            pass
    with Server(ward.good, talk=silent) as s:
        ward.clinic.peer(f"https://127.0.0.1:{s.port}/api/", ca=ward.ca)
        expect(ward.clinic.look("--timeout", "300ms"), "http", "no-answer", "in time")


def test_an_answer_that_is_no_http(ward):
    with Server(ward.good, talk=behind_tls(b"220 smtp.example ESMTP\r\n")) as s:
        expect(ward.look(s), "http", "no-http", "no HTTP")


def test_an_answer_without_end(ward):
    def talk(c):
        c.recv(65536)
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while True:
            c.sendall(b" " * 65536)
    with Server(ward.good, talk=talk) as s:
        expect(ward.look(s), "http", "no-http", "larger than 4 MiB")


def test_what_a_server_says_cannot_paint_the_terminal(ward):
    answer = ("401 Unauthorized", TAXII, {"title": "Who \x1b[2J\u202e are you?", "description": "\r\n\x07"}, [])
    with Server(ward.good, answers={"*": answer}) as s:
        ward.clinic.peer(f"https://127.0.0.1:{s.port}/api/", ca=ward.ca)
        done = ward.clinic.run("peer", "doctor", "ill")
    assert done.returncode == 1 and "auth          failed" in done.stdout, done.stdout
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", done.stdout)


def test_the_right_root_is_named(ward):
    with Server(ward.good) as s:
        said = ward.look(s, url=f"https://127.0.0.1:{s.port}/wrong/")
    expect(said, "root", "no-root", "/api/", "/more/")


def test_only_taxii_20(ward):
    def picky(path, headers):
        if TAXII20 not in headers["accept"]:
            return error(406, "Not Acceptable", kind=TAXII20)
        return None
    with Server(ward.good, answers={"*": picky}, version=TAXII20) as s:
        said = ward.look(s, "collection box")
        expect(said, "version", "version-20", "wire taxii20")
        assert said["steps"]["version"]["state"] == "warned" and said["steps"]["rights"]["state"] == "ok"
        assert ward.look(s, "collection box", wire="taxii20")["ok"]


def locked(scheme, right):
    def answer(path, headers):
        if headers.get("authorization", headers.get("x-key")) == right:
            return None
        return error(401, "Unauthorized", *([f"WWW-Authenticate: {scheme}"] if scheme else []))
    return {"*": answer}


def test_logins(ward):
    clinic = ward.clinic
    with Server(ward.good, answers=locked('Basic realm="here"', "Basic dXNlcjp3b3Jk")) as s:
        expect(ward.look(s), "auth", "login-needed", "Basic", "tocsin peer login ill --basic USER")
        clinic.login("--basic", "user", secret="s3cret-wrong")
        said = ward.look(s)
        expect(said, "auth", "login-wrong", "basic as user")
        assert "s3cret" not in json.dumps(said)
        clinic.login("--bearer", secret="token")
        expect(ward.look(s), "auth", "login-wrong", "asked for is Basic", "bearer")
        clinic.login("--basic", "user", secret="word")
        assert ward.look(s)["ok"]
    with Server(ward.good, answers=locked('Bearer realm="here"', "Bearer t0ken")) as s:
        expect(ward.look(s), "auth", "login-kind", "wants Bearer", "sent basic")
        clinic.login("--bearer", secret="t0ken")
        assert ward.look(s)["ok"]
    with Server(ward.good, answers=locked("", "k3y 7")) as s:
        clinic.login("--header", "X-Key", secret="k3y 7")
        assert ward.look(s)["ok"]


def test_no_such_collection(ward):
    with Server(ward.good) as s:
        said = ward.look(s, "collection crate")
    expect(said, "collection", "no-collection", "crate", BOX, "The box", "alias box")


def test_collection_is_forbidden(ward):
    path = "/api/collections/crate/"
    with Server(ward.good, answers={path: error(403, "Forbidden")}) as s:
        expect(ward.look(s, "collection crate"), "collection", "collection-forbidden", "403")


def test_no_right_to_write(ward):
    box = {"id": BOX, "title": "The box", "can_read": True, "can_write": False}
    answers = {"/api/collections/": ("200 OK", TAXII, {"collections": [box]}, [])}
    with Server(ward.good, answers=answers) as s:
        expect(ward.look(s, f"collection {BOX}"), "rights", "no-write", "may not write")


@pytest.mark.parametrize("seconds,word", [(600, "ahead of"), (-600, "behind")])
def test_clock_skew(ward, seconds, word):
    with Server(ward.good, date=seconds) as s:
        said = ward.look(s)
    assert said["steps"]["clock"]["state"] == "warned"
    expect(said, "clock", "skew", word, "10 min", "NTP")


def test_small_skew_is_none(ward):
    with Server(ward.good, date=240) as s:
        assert ward.look(s)["ok"]


# ---- what is not asked of the network ----

def test_no_address(ward):
    with open(os.path.join(ward.clinic.folder, "trust.conf"), "w", encoding="utf-8") as f:
        f.write(f"peer ill\n    relation partner\n    pin {pin_of(ward.good[0])}\n")
    expect(ward.clinic.look(), "configuration", "no-url", "never called")


def test_our_files_are_missing(ward):
    ward.clinic.peer("https://127.0.0.1:1/api/", ca="/nowhere/ca.crt")
    expect(ward.clinic.look(), "configuration", "files", "/nowhere/ca.crt")


def test_our_certificate_has_expired(ward):
    crt, key = (os.path.join(ward.clinic.folder, "tls", x) for x in ("node.crt", "node.key"))
    for path in (crt, key):
        shutil.copy(path, path + ".kept")
    ward.clinic.peer("https://127.0.0.1:1/api/", ca=ward.ca)
    try:
        ward.root.sign("ours", "basicConstraints=CA:FALSE\n", crt, key,
                       ["-startdate", "20200101000000Z", "-enddate", "20210101000000Z"])
        expect(ward.clinic.look(), "configuration", "own-expired", "2021-01-01", "node.crt")
        os.replace(key + ".kept", key)
        expect(ward.clinic.look(), "configuration", "own-certificate", "does not belong")
    finally:
        os.replace(crt + ".kept", crt)


def test_it_cannot_start(ward):
    ward.clinic.peer("https://127.0.0.1:1/api/", ca=ward.ca)
    assert ward.clinic.run("peer", "doctor", "nobody").returncode == 2
    assert ward.clinic.run("peer", "doctor", "ill", "--timeout", "soon").returncode == 2
    with open(os.path.join(ward.clinic.folder, "trust.conf"), "a", encoding="utf-8") as f:
        f.write("    nonsense\n")
    assert ward.clinic.run("peer", "doctor", "ill").returncode == 2


def test_on_a_terminal_one_line_a_step(ward):
    with Server(ward.root.issue("gone", alt="DNS:other.example")) as s:
        ward.clinic.peer(f"https://127.0.0.1:{s.port}/api/", ca=ward.ca)
        done = ward.clinic.run("peer", "doctor", "ill")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert [x.split()[0] for x in lines if not x.startswith(" ")] == [
        "configuration", "name", "tcp", "proxy", "tls", "certificate", "http", "version", "auth", "root", "collection",
        "rights", "clock"]
    assert any(re.match(r"tls +failed +[\d.]+ ms", x) for x in lines), done.stdout
    assert any(x.strip().startswith("fix: ") for x in lines)


def test_curl_does_the_same_by_hand(ward):
    ward.clinic.peer("https://peer.example:8443/api/", "collection box", "proxy http://127.0.0.1:3128", ca=ward.ca,
                     verify=pin_of(ward.good[0]))
    ward.clinic.login("--basic", "user", secret="s3cret")
    ward.clinic.login("--proxy", "out", secret="s3cret")
    done = ward.clinic.run("peer", "doctor", "ill", "--curl")
    assert done.returncode == 0 and "s3cret" not in done.stdout
    lines = done.stdout.splitlines()
    assert len(lines) == 3 and lines[2].endswith("'https://peer.example:8443/api/collections/box/'")
    for word in ("--cacert", "--cert", "--pinnedpubkey 'sha256//", "--proxy http://127.0.0.1:3128", "--user 'user'"):
        assert word in lines[0]


# ---- what is read there ----

@pytest.fixture
def pulls(ward):
    """Writes sections `pull` for the peer, and takes them out again."""
    with open(ward.clinic.conf, encoding="utf-8") as f:
        kept = f.read()

    def write(*collections):
        with open(ward.clinic.conf, "a", encoding="utf-8") as f:
            f.write('\ncollection pulled\n    title "Pulled"\n')
            for i, name in enumerate(collections):
                line = f"    collection {name}\n" if name else ""
                f.write(f"\npull feed{i}\n    peer ill\n    into pulled\n{line}")
    yield write
    with open(ward.clinic.conf, "w", encoding="utf-8") as f:
        f.write(kept)


def test_collections_that_are_pulled(ward, pulls):
    pulls('"The box"', None, BOX)
    with Server(ward.good) as s:
        said = ward.look(s)
    assert said["ok"], json.dumps(said, indent=1)
    assert said["steps"]["collection"]["found"].count(BOX) == 4     # the last is named by it as well
    assert said["steps"]["rights"]["found"].count("may read") == 3


def test_the_only_collection_of_two(ward, pulls):
    pulls(None)
    boxes = [{"id": BOX[:-1] + x, "title": f"Box {x}", "can_read": True, "can_write": True} for x in "12"]
    with Server(ward.good, answers={"/api/collections/": ("200 OK", TAXII, {"collections": boxes}, [])}) as s:
        expect(ward.look(s), "collection", "no-collection", "pull feed0", "Box 1", "Box 2")


def test_no_right_to_read(ward, pulls):
    pulls("box")
    box = {"id": BOX, "alias": "box", "title": "The box", "can_read": False, "can_write": True}
    with Server(ward.good, answers={"/api/collections/": ("200 OK", TAXII, {"collections": [box]}, [])}) as s:
        expect(ward.look(s), "rights", "no-read", "pull feed0", "may not read")


def test_a_name_that_hides_something(ward):
    """A NUL in a certificate's name must not make it look like another."""
    name = b"good.example\0evil"
    der = bytes([0x30, len(name) + 2, 0x82, len(name)]) + name
    more = "subjectAltName=DER:" + ":".join(f"{x:02x}" for x in der) + "\n"
    crt, key = ward.root.file("nul.crt"), ward.root.file("nul.key")
    ward.root.sign("nul", f"basicConstraints=CA:FALSE\n{more}", crt, key)
    with Server((crt, key)) as s:
        said = ward.look(s)
    expect(said, "tls", "wrong-name", "DNS:good.example?evil")


def test_an_address_in_a_certificate_that_is_none(ward):
    """If this fails, a certificate with a short address makes us read and show what lies behind it in memory."""
    pair = ward.root.issue("short-address", "DER:30:0b:82:01:78:87:01:7f:87:03:01:02:03")
    with Server(pair) as s:
        said = ward.look(s)
    names = said["steps"]["tls"]["detail"]["chain"][0]["names"]
    assert names == "DNS:x, an address that is none, an address that is none", names
