"""Clients that never stop asking: what they got tells whether anything was dropped."""
import threading

from lab import Client, indicator


class Load:
    """Kept connections that read and write, and connections that are made anew for each request. As a client
    must, they connect again after `Connection: close`; anything else that ends a request is a failure."""

    def __init__(self, node, word, keepers=2, newcomers=2):
        self.node, self.word = node, word
        self.done, self.failures, self.acknowledged, self.closed = 0, [], [], 0
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.guard, args=(self.keep, i)) for i in range(keepers)]
        self.threads += [threading.Thread(target=self.guard, args=(self.come, i)) for i in range(newcomers)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for t in self.threads:
            t.join()

    def guard(self, work, i):
        try:
            work(i)
        except Exception as e:      # whatever it is, it is a request that failed
            with self.lock:
                self.failures.append(f"{work.__name__} {i}: {type(e).__name__}: {e}")

    def note(self, status, wanted, object_id=None):
        with self.lock:
            self.done += 1
            if status != wanted:
                self.failures.append(f"{status} instead of {wanted}")
            elif object_id:
                self.acknowledged.append(object_id)

    def thing(self, who, i):
        return indicator(f"{self.word} {who} {i}", f"[mutex:name = '{self.word} {who} {i}']")

    def keep(self, who):
        reader, writer, i = Client(self.node, "soc"), Client(self.node, "sensor"), 0
        while not self.stop.is_set():
            r = reader.get("/api/collections/advisories/objects/?limit=5")
            self.note(r.status, 200)
            reader = self.again(reader, r)
            o = self.thing(f"keep{who}", i)
            r = writer.request("POST", "/api/collections/advisories/objects/", {"objects": [o]})
            self.note(r.status, 202, o["id"])
            writer = self.again(writer, r)
            i += 1
        reader.close()
        writer.close()

    def again(self, client, answer):
        if answer.headers.get("Connection", "").lower() != "close":
            return client
        client.close()
        with self.lock:
            self.closed += 1
        return Client(self.node, client.who)

    def come(self, who):
        i = 0
        while not self.stop.is_set():
            o = self.thing(f"come{who}", i)
            self.note(self.node.post("sensor", "advisories", o).status, 202, o["id"])
            self.note(self.node.request("GET", "/api/collections/", "soc").status, 200)
            i += 1
