"""A strict reader of Prometheus' text format 0.0.4: what promtool would complain about fails here.

Stricter than the format where we promise more: HELP before TYPE before samples, a family's samples together,
names by convention, buckets in order and cumulative, labels in one order.
"""
import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,?)')
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (-?(?:[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?|Inf)|\+Inf|NaN)$")
UNITS = ("_seconds", "_bytes", "_ratio", "_info", "_total")


class Family:
    def __init__(self, name, text):
        self.name, self.help, self.kind = name, text, None
        self.samples = {}           # (suffix, labels) -> value, in order


def labels_of(text):
    out = []
    while text:
        m = LABEL.match(text)
        assert m, f"labels end badly: {text}"
        text = text[m.end():]
        assert bool(text) == bool(m[3]), "a comma too few or too many"
        assert m[1] not in dict(out), f"label {m[1]} twice"
        assert not m[1].startswith("__"), "reserved"
        out.append((m[1], m[2]))
    return tuple(out)


def read(text):
    """name -> Family. Fails on whatever a scraper or a linter would not like."""
    assert text.endswith("\n") and "\n\n" not in text and "\r" not in text
    families, now = {}, None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            m = re.fullmatch(rf"# HELP ({NAME}) (\S.*\S)", line)
            assert m, line
            assert m[1] not in families, f"{m[1]} is declared twice, or its samples are apart"
            assert now is None or now.samples, f"{now.name} has no samples"
            now = families[m[1]] = Family(m[1], m[2])
            continue
        if line.startswith("# TYPE "):
            m = re.fullmatch(rf"# TYPE ({NAME}) (counter|gauge|histogram)", line)
            assert m and now and m[1] == now.name and now.kind is None and not now.samples, line
            now.kind = m[2]
            continue
        m = SAMPLE.match(line)
        assert m and now and now.kind, line
        suffix = m[1][len(now.name):]
        assert m[1].startswith(now.name), f"{line}: among the samples of {now.name}"
        assert suffix in (("_bucket", "_sum", "_count") if now.kind == "histogram" else ("",)), line
        key = suffix, labels_of(m[2] or "")
        assert key not in now.samples, f"{line}: twice"
        now.samples[key] = float(m[3])
    assert now.samples
    for f in families.values():
        check(f)
    return families


def check(f):
    assert f.name.startswith("tocsin_") and f.name == f.name.lower()
    assert f.name.endswith("_total") == (f.kind == "counter"), f.name
    if f.kind == "counter":
        assert all(v >= 0 for v in f.samples.values()), f.name
    if f.kind == "histogram":
        check_histogram(f)
    names = {tuple(k for k, _ in labels if k != "le") for _, labels in f.samples}
    assert len(names) == 1, f"{f.name} has samples with different labels: {names}"
    assert len(f.samples) <= 40000


def check_histogram(f):
    series = {}
    for (suffix, labels), v in f.samples.items():
        rest = tuple(x for x in labels if x[0] != "le")
        bound = dict(labels).get("le")
        assert (bound is not None) == (suffix == "_bucket"), f.name
        one = series.setdefault(rest, {"buckets": []})
        if suffix == "_bucket":
            assert "_sum" not in one and labels[-1][0] == "le", f.name
            one["buckets"].append((float(bound), v))
        else:
            one[suffix] = v
    for rest, one in series.items():
        bounds, counts = zip(*one["buckets"])
        assert list(bounds) == sorted(set(bounds)) and math.isinf(bounds[-1]), (f.name, rest)
        assert list(counts) == sorted(counts), f"{f.name} {rest}: buckets are not cumulative"
        assert counts[-1] == one["_count"] and "_sum" in one, (f.name, rest)
        assert one["_count"] > 0 or one["_sum"] == 0


def value(families, name, **labels):
    """The one sample of that name whose labels include these."""
    found = [v for (suffix, have), v in families[name].samples.items()
             if suffix == "" and labels.items() <= dict(have).items()]
    assert len(found) == 1, f"{name} {labels}: {found}"
    return found[0]
