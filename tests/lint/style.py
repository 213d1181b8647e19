#!/usr/bin/python3
"""What clang-format cannot say: banned functions, a header comment for every module, long lines and files.

Prints one line a problem; exit status 1 if there is any.
"""
import glob
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BANNED = {
    "strcpy": "memcpy with a known length, or snprintf", "strcat": "strbuf_adds",
    "sprintf": "snprintf or strbuf_addf", "gets": "never", "strtok": "slice_cut", "atoi": "slice_u64",
    "atol": "slice_u64", "strtol": "slice_u64", "strtoul": "slice_u64", "scanf": "a parser",
    "sscanf": "a parser", "system": "never", "popen": "never", "alloca": "arena_alloc", "rand": "random_bytes",
    "gmtime": "clock.h", "localtime": "clock.h", "strptime": "clock.h",
}
CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
COLUMNS = 108
LINES = 900


def strip(text):
    """Comments and strings blanked, lines kept."""
    def blank(m):
        return re.sub(r"[^\n]", " ", m.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def check(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        text = f.read()
    code = strip(text)
    for m in CALL.finditer(code):
        yield code.count("\n", 0, m.start()) + 1, f"{m.group(1)}() is banned: use {BANNED[m.group(1)]}"
    for number, line in enumerate(text.split("\n"), 1):
        if len(line.expandtabs(8)) > COLUMNS:
            yield number, f"longer than {COLUMNS} columns"
        if line.rstrip() != line:
            yield number, "blanks at the end of the line"
    if path.endswith(".h") and not all(word in text for word in ("Owns:", "Called:", "Never:")):
        yield 1, "the header does not introduce itself (Owns / Called / Never)"
    if text.count("\n") > LINES:
        yield 1, f"longer than {LINES} lines: more than one subject?"


def main():
    bad = 0
    for folder in ("gateway/base", "gateway", "formats", "adapters"):
        for path in sorted(glob.glob(os.path.join(TOP, folder, "*.[ch]"))):
            path = os.path.relpath(path, TOP)
            for line, what in check(path):
                print(f"{path}:{line}: {what}")
                bad += 1
    print(f"style: {bad} problems")
    return 1 if bad else 0


sys.exit(main())
