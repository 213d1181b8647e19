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

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOCSIN = os.path.join(TOP, "build", "tocsin")
SMALL, LARGE = quick((8500, 34000), (8500, 850000))  # 5 MB, 20 or 500 MB
WAYS = (("validate",), ("convert", "--to", "stix21"), ("convert", "--to", "csv"), ("convert", "--to", "suricata"))


def write(folder, count):
    path = os.path.join(folder, f"{count}.json")
    with open(path, "w", encoding="utf-8") as f:
        big_bundle.write(count, f)
    return path


def incidents(folder, count):
    """IODEF: one Incident is one piece."""
    path = os.path.join(folder, f"{count}.xml")
    with open(path, "w", encoding="utf-8") as f:
        f.write('<?xml version="1.0"?>\n<IODEF-Document version="2.00" xml:lang="en" xmlns="urn:ietf:params:xml:ns:iodef-2.0">\n')
        for n in range(count):
            f.write(f'<Incident purpose="reporting" restriction="green"><IncidentID name="csirt.example.com">{n}</IncidentID>'
                    f'<GenerationTime>2026-03-01T10:{n // 60 % 60:02}:{n % 60:02}Z</GenerationTime><Contact role="creator" '
                    'type="organization"><ContactName>CSIRT of nowhere</ContactName></Contact><EventData><Flow><System '
                    f'category="source"><Node><Address category="ipv4-addr">45.{n >> 16}.{n >> 8 & 255}.{n & 255}</Address></Node>'
                    "</System></Flow></EventData></Incident>\n")
        f.write("</IODEF-Document>\n")
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
        path = incidents(folder, quick(10000, 100000))
        speed, peak = run(("convert", "--to", "stix21"), path)
        row(f"IODEF of {os.path.getsize(path) >> 20} MB to stix21", [speed], unit="MB/s")
        row("the same: peak memory", [peak], (), "MB", "<=48", "an Incident at a time, and 100 bytes an id")
        note("files are mapped, and passed pages given back: what is counted is VmHWM")


if __name__ == "__main__":
    main()
