"""kill -9 of any process at any time, under load from everywhere: nothing acknowledged is lost, altered or listed twice.

TOCSIN_KILL_ROUNDS and TOCSIN_SEED change how often and in which order (`make soak`: 1,000 rounds).
"""
import http.client
import os
import random
import ssl
import threading
import time

from faults import Disk, Faults, kill_all, strike
from lab import Client, indicator, laboratory, until

ROUNDS = int(os.environ.get("TOCSIN_KILL_ROUNDS", "50"))
SEED = int(os.environ.get("TOCSIN_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
PATIENCE_TO_POLL = 60.0
GONE = (OSError, http.client.HTTPException, ssl.SSLError)
PATH = "/api/collections/{}/objects/"


def row(name):
    return ("id;seen_at;last_day;kind;value;what;label;trust;tags;family;report;ticket\n"
            f"{name};20/11/2026 09:00;;host;{name}.example;C2;A;;;;;\n")


class Patient:
    """A client who asks again, on a new connection if need be, until he is answered."""

    def __init__(self, node, who, stop):
        self.node, self.who, self.stop, self.client = node, who, stop, None

    def ask(self, method, path, body=None, good=(200,)):
        """The first good answer; None when the story is over before. 503 and lost connections are no answers."""
        while True:
            try:
                if self.client is None:
                    self.client = Client(self.node, self.who)
                r = self.client.request(method, path, body)
                if r.status in good:
                    return r
                assert r.status == 503, (method, path, r.status, r.body)
            except GONE:
                self.client = None
            if self.stop.is_set():
                return None
            time.sleep(0.005)


class Worker(threading.Thread):
    """A thread whose failure fails the story."""

    def __init__(self, story, name):
        super().__init__(name=name, daemon=True)
        self.story, self.trouble = story, None

    def run(self):
        try:
            self.work()
        except BaseException as e:      # pylint: disable=broad-except
            self.trouble = e
            self.story.over.set()


class Poster(Worker):
    """POSTs envelopes to one node; `acknowledged` holds what it was told is stored."""

    def __init__(self, story, node, name):
        super().__init__(story, name)
        self.patient = Patient(node, "sensor", story.over)
        self.rng = random.Random(f"{SEED} {name}")
        self.acknowledged, self.statuses = [], []

    def work(self):
        n = 0
        while not self.story.enough.is_set():
            objects = [indicator(f"{self.name} {n} {k}", f"[mutex:name = '{self.name} {n} {k}']", x_n="n" * self.rng.randrange(400))
                       for k in range(self.rng.choice((1, 1, 2, 7)))]
            r = self.patient.ask("POST", PATH.format("advisories"), {"objects": objects}, good=(202,))
            if r is None:
                return
            assert r.json["success_count"] == len(objects) and r.json["status"] == "complete", r.json
            self.acknowledged += objects
            self.statuses.append((r.json["id"], len(objects)))
            n += 1


class Dropper(Worker):
    """Drops files into a spool folder; `acknowledged` holds the names of those that lie in done/."""

    def __init__(self, story, node, name):
        super().__init__(story, name)
        self.node, self.acknowledged = node, []

    def work(self):
        n = 0
        while not self.story.enough.is_set():
            name = f"{self.name}-{n}"
            self.node.drop("abuse", f"{name}.csv", row(name))
            done = self.node.file("spool", "abuse", "done", f"{name}.csv")
            while not os.path.exists(done):
                assert not os.path.exists(self.node.file("spool", "abuse", "rejected", f"{name}.csv")), name
                if self.story.over.is_set():
                    return
                time.sleep(0.01)
            self.acknowledged.append(name)
            n += 1


class Poller(Worker):
    """Reads a collection all the time, as clients do: by `added_after` alone, or by `next` as far as it leads."""

    def __init__(self, story, node, name, collection, by_next, limit):
        super().__init__(story, name)
        self.patient = Patient(node, "soc", story.over)
        self.collection, self.by_next, self.limit = collection, by_next, limit
        self.got, self.idle = [], False

    def work(self):
        after, last, following = None, None, ""
        while not self.story.over.is_set():
            query = f"?limit={self.limit}" + (f"&added_after={after}" if after else "") + following
            r = self.patient.ask("GET", PATH.format(self.collection) + query)
            if r is None:
                return
            objects = r.json.get("objects", [])
            self.got += [o["id"] for o in objects]
            if objects:
                last = r.headers["X-TAXII-Date-Added-Last"]
            if self.by_next and r.json.get("more"):
                following = "&next=" + r.json["next"]       # the filter stays what it was
                continue
            after, following = last, ""
            self.idle = not objects
            if not objects:
                time.sleep(0.003)


class Story:
    def __init__(self, lab):
        self.enough, self.over = threading.Event(), threading.Event()     # no more writing; no more anything
        a, b = lab["cert-a"], lab["cert-b"]
        self.posters = [Poster(self, a, "one"), Poster(self, a, "two")]
        self.relayed = Poster(self, b, "relayed")
        self.dropper = Dropper(self, a, "dropped")
        self.writers = [*self.posters, self.relayed, self.dropper]
        self.pollers = [Poller(self, a, "by added_after", "advisories", False, 50),
                        Poller(self, a, "by next", "advisories", True, 7),
                        Poller(self, a, "of the view", "indicators", False, 100),
                        Poller(self, a, "of the inbox by next", "inbox-cert-b", True, 11)]
        for worker in [*self.writers, *self.pollers]:
            worker.start()

    def acknowledged(self):
        return sum(len(w.acknowledged) for w in self.writers)

    def check(self):
        for worker in [*self.writers, *self.pollers]:
            if worker.trouble:
                raise worker.trouble

    def progress(self, n):
        """Wait until n more objects or files are acknowledged."""
        goal = self.acknowledged() + n
        until("something to be acknowledged", lambda: self.check() or self.acknowledged() >= goal, every=0.002)

    def end(self):
        self.enough.set()
        for w in self.writers:
            w.join()
        self.check()


def check_objects(story, a):
    """Everything that anybody was told is stored is there, as it was sent, once."""
    objects = a.objects("soc", "advisories", "match[version]=all")
    ids = [o["id"] for o in objects]
    assert len(ids) == len(set(ids)), "cert-a lists something twice"
    have = dict(zip(ids, objects))
    for poster in story.posters:
        for o in poster.acknowledged:
            assert have.get(o["id"]) == o, f"lost or altered: {o} {have.get(o['id'])}"
    patterns = [o.get("pattern", "") for o in objects]
    for name in story.dropper.acknowledged:
        assert sum(f"'{name}.example'" in p for p in patterns) == 1, name
    return ids


def check_inbox(story, a):
    wanted = {o["id"]: o for o in story.relayed.acknowledged}
    # cert-b writes on while cert-a is away: there may be a long queue to send
    until("what cert-b took to be at cert-a", lambda: set(wanted) <= set(a.ids("soc", "inbox-cert-b")),
          seconds=60 + len(wanted) / 50, every=0.2 + len(wanted) / 20000)
    got = a.objects("soc", "inbox-cert-b", "match[version]=all")
    assert len(got) == len({o["id"] for o in got}), "cert-a lists something twice"
    for o in got:
        assert wanted.get(o["id"], o) == o, "altered on its way"
    return [o["id"] for o in got]


def check_pollers(story, pages):
    """Everybody who polled saw each object exactly once, in the order of the collection."""
    for p in story.pollers:
        want = pages[p.collection]
        until(f"the poller {p.name} to see the end", lambda p=p, want=want: story.check() or (p.idle and len(p.got) >= len(want)),
              seconds=PATIENCE_TO_POLL)
        assert len(p.got) == len(set(p.got)), f"{p.name}: repeated"
        assert set(p.got) == set(want), f"{p.name}: missed {set(want) - set(p.got)}"
        assert p.got == want, f"{p.name}: another order"


def check_statuses(story, a, rng):
    """A status that said `complete` is true after any number of kills."""
    statuses = [s for p in story.posters for s in p.statuses]
    for status, n in rng.sample(statuses, min(50, len(statuses))):
        r = a.request("GET", f"/api/status/{status}/", "sensor")
        assert r.status == 200 and (r.json["status"], r.json["success_count"]) == ("complete", n), r.body


def check_everything(story, lab, rng):
    a = lab["cert-a"]
    inbox = check_inbox(story, a)
    ids = check_objects(story, a)
    check_pollers(story, {"advisories": ids, "inbox-cert-b": inbox, "indicators": a.ids("soc", "indicators")})
    check_statuses(story, a, rng)
    for node in lab.nodes.values():
        done = node.run("check", "--store", "--config", node.conf)
        assert done.returncode == 0, done.stdout + done.stderr
    return ids, inbox


CUTS = max(3, ROUNDS * 2 // 5)


def test_the_power_is_cut_under_load():
    """If this fails, something was acknowledged, or shown to a poller, that only the cache of the disk knew."""
    print(f"seed {SEED}, {CUTS} cuts")
    rng = random.Random(SEED + 1)
    with laboratory("cert-a", "cert-b", link=lambda a, b: a == "cert-b") as lab:
        a = lab["cert-a"]
        disk = Disk(lab.folder, a)
        a.restart(**disk.env)
        story = Story(lab)
        try:
            for _ in range(CUTS):
                story.progress(rng.randrange(1, 30))
                kill_all(a)
                disk.cut_power(rng)
                a.start(**disk.env)
            story.progress(10)
            story.end()
            check_everything(story, lab, rng)
        finally:
            story.enough.set()
            story.over.set()
            for w in [*story.writers, *story.pollers]:
                w.join()
        assert disk.lost > 0, "no cut met a write that was not synced"
        print(f"{disk.lost} writes lost, {disk.kept} kept though not synced, {story.acknowledged()} acknowledged")


def test_nothing_is_acknowledged_before_the_disk_says_so():
    """If this fails, an answer overtakes the sync that it promises."""
    with laboratory("cert-a", redis=False) as lab:
        a = lab["cert-a"]
        faults = Faults(lab.folder, a.folder)
        a.restart(**faults.env)
        a.insist("sensor", "advisories", indicator("warm", "[mutex:name = 'warm']"))
        faults.count("fsync", "fdatasync")
        faults.slow_sync(0.25)
        for i in range(3):
            before, began = faults.seen, time.monotonic()
            r = a.post("sensor", "advisories", indicator(f"synced {i}", f"[mutex:name = 'synced {i}']"))
            assert r.status == 202 and faults.seen > before and time.monotonic() - began >= 0.25
        faults.slow_sync(0)


def test_any_process_dies_at_any_time_under_load():
    """If this fails, a crash loses, alters or doubles what somebody was told is safe, or a poller misses it."""
    print(f"seed {SEED}, {ROUNDS} rounds")
    rng = random.Random(SEED)
    firsts = others = 0
    with laboratory("cert-a", "cert-b", link=lambda a, b: a == "cert-b") as lab:
        a = lab["cert-a"]
        story = Story(lab)
        try:
            for _ in range(ROUNDS):
                story.progress(rng.randrange(1, 12))
                victim = rng.choices([a, lab["cert-b"]], [4, 1])[0]
                if strike(victim, rng):
                    firsts += 1
                    victim.start()
                else:
                    others += 1
            story.progress(10)
            story.end()
            ids, inbox = check_everything(story, lab, rng)
        finally:
            story.enough.set()
            story.over.set()
            for w in [*story.writers, *story.pollers]:
                w.join()
        print(f"{firsts} first processes and {others} others killed, {len(ids)} and {len(inbox)} objects, "
              f"{len(story.dropper.acknowledged)} files")
