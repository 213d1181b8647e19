"""When a story fails, the last lines of every node's log stand beside it."""
import pytest

from lab import Lab


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
