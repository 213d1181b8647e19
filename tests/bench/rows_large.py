#!/usr/bin/python3
"""Large documents: peak memory and MB/s of `tocsin validate` and `convert`."""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from bench import RUNS, note, quick, row, title  # noqa: E402
import big_bundle  # noqa: E402
import big_containers  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOCSIN = os.path.join(TOP, "build", "tocsin")
SMALL, LARGE = quick((8500, 34000), (8500, 850000))  # 5 MB, 20 or 500 MB
ROWS = ("convert", "--mapping", os.path.join(TOP, "conf", "mappings", "abuse-csv.map"), "--received", "2026-07-01T00:00:00Z")
CONTAINERS = {
    "events": (("convert", "--to", "stix21"), ("convert", "--to", "csv"), ("convert", "--to", "misp"),
               ("convert", "--to", "iodef2", "--no-residue")),
    "incidents": (("convert", "--to", "stix21"), ("convert", "--to", "csv"), ("convert", "--to", "misp")),
    "bundle20": (("convert", "--to", "stix21"), ("convert", "--to", "csv")),
    "rows": ((*ROWS, "--to", "stix21"), (*ROWS, "--to", "csv")),
}
COUNTS = {"events": (4000, 40000), "incidents": (10000, 100000), "bundle20": (10000, 100000), "rows": (10000, 100000)}
WAYS = (("validate",), ("convert", "--to", "stix21"), ("convert", "--to", "csv"), ("convert", "--to", "suricata"))


def write(folder, count):
    path = os.path.join(folder, f"{count}.json")
    with open(path, "w", encoding="utf-8") as f:
        big_bundle.write(count, f)
    return path


def run_each(folder, kind, count):
    """One input of this kind, every way: its peak is compared with that of a tenth of it."""
    paths = {}
    for n in (count // 10, count):
        paths[n] = os.path.join(folder, f"{kind}-{n}")
        with open(paths[n], "w", encoding="utf-8") as f:
            getattr(big_containers, kind)(n, f)
    size = os.path.getsize(paths[count]) >> 20
    for words in CONTAINERS[kind]:
        (_, few), (speed, many) = (run(words, paths[n]) for n in paths)
        row(f"{kind} of {size} MB: {' '.join(words[-3 if words[-1] == '--no-residue' else -2:])}", [speed], unit="MB/s")
        row("the same: peak memory", [many], (), "MB", "", f"{few:.1f} MB for a tenth")
    for path in paths.values():
        os.unlink(path)


def one_incident(folder, count):
    """IODEF: a single Incident, which cannot be read in pieces; just below the limit of 8 MiB."""
    path = os.path.join(folder, "one.xml")
    with open(path, "w", encoding="utf-8") as f:
        f.write('<?xml version="1.0"?>\n<IODEF-Document version="2.00" xml:lang="en" xmlns="urn:ietf:params:xml:ns:iodef-2.0">'
                '<Incident purpose="watch" restriction="green"><IncidentID name="csirt.example.com">1</IncidentID>'
                '<GenerationTime>2026-03-01T10:00:00Z</GenerationTime><Contact role="creator" type="organization">'
                "<ContactName>CSIRT of nowhere</ContactName></Contact><IndicatorData>")
        for n in range(count):
            f.write(f'<Indicator><IndicatorID name="csirt.example.com" version="1">I-{n}</IndicatorID><Description>indicator {n} '
                    'of a watch list</Description><StartTime>2026-03-01T10:00:00Z</StartTime><Confidence rating="high"/>'
                    f'<Observable><Address category="ipv4-addr">45.{n >> 16}.{n >> 8 & 255}.{n & 255}</Address></Observable>'
                    "</Indicator>")
        f.write("</IndicatorData></Incident></IODEF-Document>\n")
    return path


def run(words, path):
    """(MB/s, peak MB) as --stats says them."""
    done = subprocess.run([TOCSIN, *words, "--stats", path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
    said = done.stderr.decode().strip().splitlines()[-1]
    peak = int(re.search(r"\((\d+) bytes\)$", said).group(1)) / (1 << 20)
    took = re.search(r"warnings; ([\d.]+) (ms|s|min)(?: (\d+) s)?", said)
    seconds = float(took.group(1)) * {"ms": .001, "s": 1, "min": 60}[took.group(2)] + float(took.group(3) or 0)
    return os.path.getsize(path) / (1 << 20) / seconds, peak


def main():
    title("large documents")
    with tempfile.TemporaryDirectory() as folder:
        small, large = write(folder, SMALL), write(folder, LARGE)
        size = os.path.getsize(large) >> 20
        for words in WAYS:
            few, many = run(words, small), [run(words, large) for _ in range(RUNS if size < 100 else 1)]
            row(f"{' '.join(words)}, {size} MB", [m[0] for m in many], unit="MB/s")
            target = "<=48" if words[-1] != "suricata" else ""
            row(f"{' '.join(words)}, {size} MB: peak memory", [max(m[1] for m in many)], (), "MB", target,
                f"{few[1]:.1f} MB for {os.path.getsize(small) >> 20} MB")
        for kind in CONTAINERS:
            run_each(folder, kind, quick(*COUNTS[kind]))
        rest = run(("convert", "--to", "stix21"), one_incident(folder, 1))[1]
        path = one_incident(folder, 26000)
        size = os.path.getsize(path) / (1 << 20)
        peak = run(("convert", "--to", "stix21"), path)[1]
        row(f"one Incident of {size:.1f} MB: peak memory as a multiple of it", [(peak - rest) / size], (), "times", "<=3",
            "without what an empty run takes")
        note("files are mapped, and passed pages given back: what is counted is VmHWM")


if __name__ == "__main__":
    main()
