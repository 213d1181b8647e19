"""When a story fails, the last lines of every node's log stand beside it."""
import pytest

from lab import Lab, laboratory


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if not report.failed or call.excinfo is None:
        return
    for value in getattr(item, "funcargs", {}).values():
        if not isinstance(value, Lab):
            continue
        for n in value.nodes.values():
            try:
                report.sections.append((f"log of {n.name}", n.log()[-3000:]))
            except OSError:
                pass


SERVER = """
collection box
    title        "What the stories put in and take out"

collection other
    title        "Another one"

collection paging
    title        "Read by walking"

collection growing
    title        "Written while it is read"

collection empty
    title        "Nothing is ever put in here"

collection secret
    title        "Only for those who name it"
    hidden       yes

"""

CONSUMERS = {
    "both": ["relation own", "read *", "write *"],
    "reader": ["relation own", "read box empty"],
    "writer": ["relation own", "write box empty"],
    "nobody": ["relation own"],
    "insider": ["relation own", "read secret", "write secret"],
    "basic": ["relation own", "read *"],
    "badge": ["relation own", "read *"],
}


@pytest.fixture(scope="session")
def server():
    """One node, without peers and without Redis, for everything that is about TAXII and HTTP."""
    with laboratory("cert-a", "badge", absent=("badge",), knows=lambda a, b: False, redis=False, trust=keys_of_clients,
                    extra=SERVER, consumers=CONSUMERS, limits="    body 1m\n    guesses 6000/min burst 1000\n") as lab:
        yield lab["cert-a"]


def keys_of_clients(lab):
    n, badge = lab["cert-a"], lab["badge"]
    n.add_password("basic", "pass:word with a colon, and ünïcode")
    with open(n.file("trust.conf"), encoding="utf-8") as f:
        text = f.read()
    with open(n.file("trust.conf"), "w", encoding="utf-8") as f:
        f.write(text.replace("consumer badge\n", f"consumer badge\n    pin        {badge.pin()}\n"))
