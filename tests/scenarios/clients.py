"""What real TAXII clients do, each as its makers wrote it: how it finds a collection, logs in, walks, and remembers where it was.

Only the logic that a server meets is here, with its oddities: a client that ignores `more`, one that cuts dates to milliseconds, one
that derives its mark from `modified`. A poll returns the objects that it would hand on; what a client keeps between polls is its
own. None of them repairs a server: where the original would fail or loop, so does this one (Confused).
"""
import base64
import datetime
import http.client
import json
import re
from urllib.parse import quote, urlsplit

from lab import PATIENCE, TAXII

STIX20 = "application/vnd.oasis.stix+json; version=2.0"
TAXII20 = "application/vnd.oasis.taxii+json; version=2.0"
ROUNDS = 10000          # pages in one poll; a client that asks for more is in a loop


class Confused(Exception):
    """The client would fail, or never come back, with what the server said."""


class Http:
    """One login at one node, over a connection that is kept."""

    def __init__(self, node, headers):
        self.node, self.headers, self.asked = node, headers, 0
        self.http = http.client.HTTPSConnection("127.0.0.1", node.port, timeout=PATIENCE, context=node.context())

    def call(self, method, path, accept, body=None, kind=None, **more):
        headers = {"Accept": accept, **self.headers, **more}
        if kind:
            headers["Content-Type"] = kind
        self.asked += 1
        for again in (True, False):
            try:
                self.http.request(method, path, body=body, headers={k: v for k, v in headers.items() if v is not None})
                r = self.http.getresponse()
                text = r.read()
            except (OSError, http.client.HTTPException):
                self.http.close()
                if not again:
                    raise
                continue
            return r.status, r.headers, text
        return None

    def get(self, path, accept=TAXII, **more):
        """The resource and the headers; anything but a TAXII answer confuses."""
        status, headers, text = self.call("GET", path, accept, **more)
        if status >= 400:
            raise Confused(f"GET {path}: {status} {text[:200]!r}")
        return json.loads(text), headers

    def close(self):
        self.http.close()


def bearer(node, who):
    return {"Authorization": "Bearer " + node.tokens[who]}


def token(node, who):
    return {"Authorization": "Token " + node.tokens[who]}


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def query(**filters):
    """As libraries write it: brackets and colons escaped."""
    return "?" + "&".join(f"{quote(k)}={quote(str(v), safe='')}" for k, v in filters.items() if v is not None)


def instant(text):
    return datetime.datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.replace("Z", "+00:00")))


# ---- by name: discovery, API root, collection

def discover(http, path="/taxii2/"):
    """taxii2-client: `default` counts only if it is one of api_roots, letter by letter."""
    found, headers = http.get(path)
    if "application/taxii+json" not in headers["Content-Type"] or "version=2.1" not in headers["Content-Type"]:
        raise Confused("unexpected response type " + headers["Content-Type"])
    roots = found.get("api_roots", [])
    return found.get("default") if found.get("default") in roots else None, roots


def path_of(url):
    return urlsplit(url).path


def root_by_segment(roots, word):
    """OpenCTI's connector and XSOAR compare the last segment."""
    for url in roots:
        if path_of(url).rstrip("/").rsplit("/", 1)[-1] == word:
            return path_of(url)
    raise Confused(f"no API root {word} among {roots}")


def collections(http, root):
    return http.get(root + "collections/")[0].get("collections", [])


def collection_by_title(http, root, title):
    found = [c for c in collections(http, root) if c["title"] == title]
    if len(found) != 1:
        raise Confused(f"{len(found)} collections have the title {title}")
    return f"{root}collections/{found[0]['id']}/objects/"


UUID34 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[34][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")


def collection_by_uuid(http, root, cid):
    """MineMeld: what is no UUID of version 3 or 4 means the first collection, without a word."""
    all_of = collections(http, root)
    for c in all_of:
        if UUID34.match(cid) and c["id"] == cid:
            return f"{root}collections/{cid}/objects/"
    if not all_of or UUID34.match(cid):
        raise Confused("no such collection")
    return f"{root}collections/{all_of[0]['id']}/objects/"


# ---- readers

class Elastic:
    """Custom threat intelligence integration: no discovery, follows `next` and never looks at `more`; keeps Last. Every page is
    handed on, and the mark moved, before the next is asked for: a poll is one page."""

    def __init__(self, http, objects, limit=None):
        self.http, self.objects, self.limit, self.mark, self.next, self.pages = http, objects, limit, None, None, 0

    def poll(self):
        q = query(next=self.next, limit=self.limit) if self.next else query(added_after=self.mark, limit=self.limit)
        page, headers = self.http.get(self.objects + q)
        if "objects" not in page:
            raise Confused("no such key: objects")          # until elastic/integrations#19303
        if page["objects"]:
            self.mark = headers["X-TAXII-Date-Added-Last"]
        self.next, self.pages = page.get("next"), self.pages + 1 if page.get("next") else 0
        if self.pages > ROUNDS:
            raise Confused("the last page has a next")
        return page["objects"]


class OpenCti:
    """Native feed: one page a turn, `next` and `added_after` together; on the last page Last, rounded to milliseconds."""
    at_least_once = True

    def __init__(self, http, objects, limit=None):
        self.http, self.objects, self.limit, self.mark, self.next = http, objects, limit, None, None

    def poll(self):
        page, headers = self.http.get(self.objects + query(added_after=self.mark, next=self.next, limit=self.limit))
        if page.get("more"):
            if not page.get("next"):
                raise Confused("more, but no next")
            self.next = page["next"]
        else:
            last = headers["X-TAXII-Date-Added-Last"]
            if not last:
                raise Confused("without the header it goes on from now, and loses what came meanwhile")
            at = instant(last)
            cut = at.replace(microsecond=at.microsecond // 1000 * 1000)     # JavaScript's Date
            self.mark, self.next = cut.strftime("%Y-%m-%dT%H:%M:%S.") + f"{cut.microsecond // 1000:03}Z", None
        return page.get("objects", [])


class OpenCtiConnector:
    """connector-taxii2: API root by last segment, collection by title, drops `added_after` while it follows `next`."""

    def __init__(self, http, root, title, limit=None):
        self.http, self.limit, self.mark = http, limit, None
        roots = discover(http)[1]
        self.objects = collection_by_title(http, root_by_segment(roots, root), title)

    def poll(self):
        got, more, mark = [], None, self.mark
        for _ in range(ROUNDS):
            q = query(next=more, limit=self.limit) if more else query(added_after=self.mark, limit=self.limit)
            page, headers = self.http.get(self.objects + q)
            got += page.get("objects", [])
            if page.get("objects"):
                mark = headers["X-TAXII-Date-Added-Last"]
            if not page.get("more"):
                self.mark = mark
                return got
            more = page.get("next")
            if not more:
                raise Confused("it spins: more is true and there is no next")
        raise Confused("endless")


class MineMeld:
    """Tries 2.0 and believes only a 406; `added_after` is the newest `modified`; a hundred a page."""
    at_least_once = True

    def __init__(self, http, root, cid):
        status, _, text = http.call("GET", "/taxii/", TAXII20)
        if status not in (404, 406):
            raise Confused(f"2.0 answered {status} {text[:100]!r}: it never asks for 2.1")
        default, roots = discover(http)
        if default is None:
            raise Confused("default is none of api_roots")
        status, _, _ = http.call("GET", root_by_segment(roots, root), TAXII20)
        if status != 406:
            raise Confused(f"{status}, not 406: it goes on in 2.0")
        self.http, self.mark = http, None
        self.objects = collection_by_uuid(http, root_by_segment(roots, root), cid)

    def poll(self):
        got, more, newest = [], None, self.mark
        for _ in range(ROUNDS):
            page, _ = self.http.get(self.objects + query(added_after=self.mark, limit=100, next=more))
            got += page.get("objects", [])
            for o in page.get("objects", []):
                if "modified" in o and (newest is None or instant(o["modified"]) > instant(newest)):
                    newest = o["modified"]
            more = page.get("next")
            if not page.get("more"):
                self.mark = newest
                return got
        raise Confused("endless")


class Xsoar:
    """TAXII 2 feed: title, `match[type]`, stops at the first page without objects; newest `modified` in microseconds."""
    at_least_once = True

    def __init__(self, http, root, title, types):
        status, _, _ = http.call("GET", "/taxii2/", TAXII)
        if status == 406:
            raise Confused("it falls back to 2.0")
        self.http, self.mark, self.types = http, None, types
        self.objects = collection_by_title(http, root_by_segment(discover(http)[1], root), title)

    def poll(self):
        got, more, newest = [], None, None
        for _ in range(ROUNDS):
            q = {"match[type]": ",".join(self.types), "limit": 100}
            page, _ = self.http.get(self.objects + query(**q, added_after=self.mark, next=more))
            if not page.get("objects"):
                break
            got += page["objects"]
            if not page.get("more"):
                break
            more = page["next"]
        else:
            raise Confused("endless")
        for o in got:
            if "modified" in o and (newest is None or instant(o["modified"]) > newest):
                newest = instant(o["modified"])
        if newest is not None:
            self.mark = newest.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return got


class Sentinel:
    """Data connector: API root and collection id typed by hand (a UUID of version 4), user and password, `added_after`."""

    def __init__(self, http, root, cid):
        if not re.match(r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", cid):
            raise Confused("the form takes no such collection id")
        self.http, self.mark = http, None
        self.root, self.objects = root, f"{root}collections/{cid}/objects/"
        http.get(root)

    def poll(self):
        got, more = [], None
        for _ in range(ROUNDS):
            page, headers = self.http.get(self.objects + query(added_after=self.mark, next=more))
            got += page.get("objects", [])
            last = headers["X-TAXII-Date-Added-Last"]
            if page.get("more"):
                more = page["next"]
                continue
            if page.get("objects"):
                self.mark = last
            return got
        raise Confused("endless")


class Taxii2Client:
    """The Python library under many scripts: keeps its filters beside `next`; a short page lowers `limit` for good."""

    def __init__(self, http, limit=100):
        default, _ = discover(http)
        if default is None:
            raise Confused("default is none of api_roots")
        root = path_of(default)
        self.http, self.limit, self.mark = http, limit, None
        self.root, self.all = root, collections(http, root)

    def into(self, cid):
        one = [c for c in self.all if c["id"] == cid]
        if len(one) != 1:
            raise Confused("no such collection")
        self.objects = f"{self.root}collections/{cid}/objects/"
        return self

    def poll(self):
        got, more, limit = [], None, self.limit
        for _ in range(ROUNDS):
            page, headers = self.http.get(self.objects + query(added_after=self.mark, limit=limit, next=more))
            if "version=2.1" not in headers["Content-Type"].replace(" ", ""):
                raise Confused("unexpected response type")
            some = page.get("objects", [])
            got += some
            limit = min(limit, max(1, len(some)))
            last = headers["X-TAXII-Date-Added-Last"]
            if not page.get("more"):
                if some:
                    self.mark = last
                return got
            more = page.get("next")
            if more is None:
                raise Confused("page one for ever")
        raise Confused("endless")


# ---- writers

def check_status(status):
    """taxii2-client's Status: all six, and they must agree."""
    for name in ("id", "status", "total_count", "success_count", "failure_count", "pending_count"):
        if name not in status:
            raise Confused(f"status without {name}")
    if status["success_count"] + status["failure_count"] + status["pending_count"] != status["total_count"]:
        raise Confused("the counts of the status do not add up")
    for name in ("success", "failure", "pending"):
        listed = status.get({"success": "successes", "failure": "failures", "pending": "pendings"}[name])
        if listed is not None and len(listed) != status[name + "_count"]:
            raise Confused(f"{len(listed)} {name} entries, the count says {status[name + '_count']}")
        for entry in listed or []:
            if "id" not in entry or "version" not in entry:
                raise Confused("a status entry without id or version")
    if status["status"] == "complete" and status["pending_count"]:
        raise Confused("complete, and something is pending")
    return status


def post(http, objects, body):
    status, headers, text = http.call("POST", objects, TAXII, body=body, kind=TAXII)
    if status != 202:
        raise Confused(f"POST: {status} {text[:200]!r}")
    if "version=2.1" not in headers["Content-Type"]:
        raise Confused("unexpected response type")
    return check_status(json.loads(text))


class MispPush:
    """Splits what it has by max_content_length, and looks at the immediate answer only."""

    def __init__(self, http, root, cid):
        self.http, self.objects = http, f"{root}collections/{cid}/objects/"
        self.most = http.get(root)[0]["max_content_length"]

    def push(self, things):
        statuses, part, size = [], [], 20
        for o in things:
            n = len(json.dumps(o)) + 2
            if part and size + n > self.most:
                statuses.append(post(self.http, self.objects, json.dumps({"objects": part})))
                part, size = [], 20
            part.append(o)
            size += n
        if part:
            statuses.append(post(self.http, self.objects, json.dumps({"objects": part})))
        return statuses


class SplunkCtis:
    """Posts a bundle under the TAXII type, then asks for the status until it is complete."""

    def __init__(self, http, root, cid):
        if cid not in [c["id"] for c in collections(http, root)]:
            raise Confused("no such collection")
        self.http, self.root, self.objects = http, root, f"{root}collections/{cid}/objects/"

    def push(self, things):
        bundle = {"type": "bundle", "id": "bundle--5d0092c5-5f74-4287-9642-33f4c354e56d", "objects": things}
        status = post(self.http, self.objects, json.dumps(bundle))
        for _ in range(ROUNDS):
            if status["status"] == "complete":
                return status
            status = check_status(self.http.get(f"{self.root}status/{status['id']}/")[0])
        raise Confused("never complete")
