#!/usr/bin/python3
"""Check every #include against layers.txt. Prints one line a violation; exit status 1 if there is any."""
import fnmatch
import glob
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def read_rules(path):
    rules = {"from": [], "door": [], "deny": []}
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            words = line.split("#")[0].split()
            if not words:
                continue
            kind, rest = words[0], words[1:]
            if kind == "from":
                rules["from"].append((rest[0], rest[2:]))
            elif kind == "door":
                at = rest.index("only")
                rules["door"].append((rest[:at], rest[at + 1:]))
            elif kind == "deny":
                rules["deny"].append((rest[0], rest[1:]))
            else:
                sys.exit(f"{path}:{number}: unknown rule '{kind}'")
    return rules


def matches(path, globs):
    return any(fnmatch.fnmatch(path, g) for g in globs)


def check(path, rules):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        text = f.read()
    for found in INCLUDE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        own, header = found.group(1) == '"', found.group(2)
        if own:
            for who, may in rules["from"]:
                if fnmatch.fnmatch(path, who):
                    if not matches(header, may):
                        yield f"{path}:{line}: may not include {header}"
                    break
            else:
                yield f"{path}:{line}: no rule says what this file may include"
        for libraries, doormen in rules["door"]:
            if any(header.startswith(x) for x in libraries) and not matches(path, doormen):
                yield f"{path}:{line}: only {', '.join(doormen)} may include {header}"
        for who, headers in rules["deny"]:
            if not own and fnmatch.fnmatch(path, who) and any(header.startswith(x) for x in headers):
                yield f"{path}:{line}: {who} never includes {header}"


def main():
    rules = read_rules(os.path.join(HERE, "layers.txt"))
    bad = 0
    for folder in ("gateway/base", "gateway", "formats", "adapters"):
        for path in sorted(glob.glob(os.path.join(TOP, folder, "*.[ch]"))):
            for problem in check(os.path.relpath(path, TOP), rules):
                print(problem)
                bad += 1
    print(f"layers: {bad} violations")
    return 1 if bad else 0


sys.exit(main())
