#!/usr/bin/python3
"""What clang-format cannot say: banned functions, a header comment for every module, long lines, functions
and files, notes left for later, headers that do not stand alone.

Prints one line a problem; exit status 1 if there is any.
"""
import concurrent.futures
import glob
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BANNED = {
    "strcpy": "memcpy with a known length, or snprintf", "strcat": "strbuf_adds",
    "sprintf": "snprintf or strbuf_addf", "gets": "never", "strtok": "slice_cut", "atoi": "slice_u64",
    "atol": "slice_u64", "strtol": "slice_u64", "strtoul": "slice_u64", "scanf": "a parser",
    "sscanf": "a parser", "system": "never", "popen": "never", "alloca": "arena_alloc", "rand": "random_bytes",
    "gmtime": "clock.h", "localtime": "clock.h", "strptime": "clock.h",
}
LATER = re.compile(r"\b(TODO|FIXME|XXX)\b")
NAME = re.compile(r"^(\w+)\(")
CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
COLUMNS = 108
LINES = 900
FUNCTION = 70
# Longer functions, by name, each with its reason. There is none at the moment.
LONG = {}
# Headers without a .c of their name: what they describe lives in several files, or in data.
SHARED = {
    "adapters/doctor_parts.h": "doctor*.c",
    "adapters/http1_parse.h": "http1.c, http1_head.c, http1_words.c",
    "adapters/http_parts.h": "http_server.c, http_conn.c, http_answer.c",
    "adapters/puller_parts.h": "puller*.c",
    "adapters/taxii_request.h": "taxii_server.c and the endpoints in taxii_*.c",
    "adapters/tls_parts.h": "tls.c, tls_cert.c",
    "formats/format.h": "the contract of every format",
    "formats/iodef2_residue.h": "words shared by iodef2_restore.c and iodef2_write_residue.c",
    "formats/mapped_impl.h": "mapped_*.c",
    "formats/flat_impl.h": "flat_*.c",
    "gateway/store_backup.h": "store_sqlite_backup.c, where SQLite may be spoken",
    "gateway/store_check.h": "store_sqlite_check.c, where SQLite may be spoken",
    "gateway/base/ascii.h": "inline functions alone",
    "gateway/base/json_impl.h": "json*.c",
    "gateway/cmd.h": "cmd_*.c, one verb each",
    "gateway/config_parts.h": "config*.c",
    "gateway/credentials_parts.h": "credentials*.c",
    "gateway/feed_build_parts.h": "feed_build.c, feed_rows.c, feed_take.c",
    "gateway/feed_log_impl.h": "feed_log*.c",
    "gateway/gateway.h": "one struct, filled by serve.c",
    "gateway/intake_parts.h": "intake.c, intake_book.c",
    "gateway/master_parts.h": "master*.c",
    "gateway/translate_parts.h": "translate.c, translate_read.c, translate_text.c, translate_hash.c",
    "formats/cybox_impl.h": "cybox_*.c",
    "formats/stix21_read.h": "stix21*.c",
    "formats/stix21_rows.h": "stix21_types*.c",
    "formats/stix21_words.h": "data: the vocabularies",
    "gateway/pending_parts.h": "pending.c, pending_take.c",
    "gateway/policy_parts.h": "policy*.c",
    "gateway/stats_impl.h": "stats*.c",
    "gateway/stats_table.h": "the table of stats.h",
    "gateway/store_impl.h": "store*.c",
}


def strip(text):
    """Comments and strings blanked, lines kept."""
    def blank(m):
        return re.sub(r"[^\n]", " ", m.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def check_functions(code):
    """Functions as this tree writes them: the name and both braces at the start of a line."""
    name, start = "", 0
    for number, line in enumerate(code.split("\n"), 1):
        named = NAME.match(line)
        if named:
            name = named.group(1)
        elif line.startswith("{"):
            start = number
        elif line.startswith("}") and start:
            if number - start - 1 > FUNCTION and name not in LONG:
                yield start, f"{name}() has {number - start - 1} lines, more than {FUNCTION}"
            start = 0


def compiles(path):
    """What the compiler says to a header on its own, cut to its first line."""
    run = subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I.",
        "-I/usr/include/libxml2", "-D_GNU_SOURCE", "-xc", path], cwd=TOP, capture_output=True, text=True)
    return run.stderr.split("\n")[0] if run.returncode else None


def check_headers(paths):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for path, said in zip(paths, pool.map(compiles, paths)):
            if said:
                yield path, f"does not stand alone: {said}"
    for path in paths:
        if path not in SHARED and not os.path.exists(os.path.join(TOP, path[:-1] + "c")):
            yield path, "there is no .c of that name, and no reason in style.py"
    for path in SHARED:
        if path not in paths:
            yield path, "is gone: take it out of style.py"


def check(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        text = f.read()
    code = strip(text)
    for m in CALL.finditer(code):
        yield code.count("\n", 0, m.start()) + 1, f"{m.group(1)}() is banned: use {BANNED[m.group(1)]}"
    yield from check_functions(code)
    for number, line in enumerate(text.split("\n"), 1):
        if LATER.search(line):
            yield number, "a note for later belongs into the tracker"
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
    paths = [os.path.relpath(path, TOP) for folder in ("gateway/base", "gateway", "formats", "adapters")
        for path in sorted(glob.glob(os.path.join(TOP, folder, "*.[ch]")))]
    for path in paths:
        for line, what in check(path):
            print(f"{path}:{line}: {what}")
            bad += 1
    for path, what in check_headers([path for path in paths if path.endswith(".h")]):
        print(f"{path}:1: {what}")
        bad += 1
    print(f"style: {bad} problems")
    return 1 if bad else 0


sys.exit(main())
