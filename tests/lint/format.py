#!/usr/bin/python3
"""clang-format over the lines it understands: statements that fit one line. usage: format.py [--check] FILE...

Tables, aligned columns, comments, declarations of members and whatever goes over two lines are set by hand
here, and clang-format would tear them apart; those lines are never shown to it. What it is not asked about
is put right directly: blanks at the end of a line, blanks for tabs, empty lines in a row, the last newline.
With --check nothing is written, and the exit status is 1 if a file would change.
"""
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

CONTINUED = re.compile(r"^\t* {4}\S")
TABLE = re.compile(r"(= |\)|struct |enum |union )\{[^}]*$")
WHOLE = re.compile(r"(;|\{|\}|\)|:)( /\*.*\*/)?$")
# What clang-format 14 takes for something else: nested ?:, an empty third part of for, a cast of *p, < and >
# as brackets of a template, words of C++, several cases or members in a line.
MISREAD = re.compile(r"\?.*\?|; \)|\)\*|<.*>|>.*<|\b(or|and|not|class|new|delete|this)\b|^\.|^\{ |"
    r"\b(case|default)\b.*:.*[:;]|[^=(]\{ |\};$")


def plain(text):
    """The rules that need no parser."""
    lines = []
    for line in text.split("\n"):
        line = line.rstrip()
        lead = re.match(r"[\t ]*", line).group(0)
        columns = len(lead.expandtabs(8))
        if not line.lstrip().startswith("*"):
            line = "\t" * (columns // 8) + " " * (columns % 8) + line[len(lead):]
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).rstrip("\n") + "\n"


def is_plain_block(lines, number):
    """Of the block that line `number` opens, and of its else: clang-format goes to the braces too."""
    close = re.match(r"\t*", lines[number - 1]).group(0) + "}"
    for line in lines[number:]:
        if line.startswith(close) and not (WHOLE.search(line) and line.endswith("{")):
            return bool(WHOLE.search(line))
    return True


def statements(lines):
    """Numbers of the lines inside functions that hold one whole statement, and stand beside no longer one."""
    inside = table = False
    for number, line in enumerate(lines, 1):
        code = line.strip()
        near = lines[number - 2:number + 2]
        if line.startswith(("{", "}")):
            inside, table = line == "{", False
        elif table or (inside and TABLE.search(line)):
            table = not (table and code.startswith("}") and code.endswith(";")) and not code.endswith("};")
        elif code.endswith("{") and not is_plain_block(lines, number):
            continue
        elif inside and WHOLE.search(code) and not MISREAD.search(code) and \
                code.count("(") == code.count(")") and not re.search(r"\S\t", line) and \
                not any(CONTINUED.match(x) for x in near) and not code.startswith(("/*", "*", "#")):
            yield number


def formatted(path):
    with open(path, encoding="utf-8") as f:
        before = f.read()
    text = plain(before)
    numbers = list(statements(text.split("\n")))
    if path.endswith(".c") and numbers:
        run = subprocess.run(["clang-format", f"--assume-filename={path}"] +
            [f"--lines={n}:{n}" for n in numbers], input=text, capture_output=True, text=True, check=True)
        text = run.stdout
    return path, before, text


def main():
    check = "--check" in sys.argv
    changed = 0
    with ThreadPoolExecutor(2) as pool:
        for path, before, after in pool.map(formatted, [a for a in sys.argv[1:] if a != "--check"]):
            if before == after:
                continue
            changed += 1
            old, new = before.split("\n"), after.split("\n")
            first = next((i for i, (a, b) in enumerate(zip(old, new)) if a != b), min(len(old), len(new)))
            print(f"{path}:{first + 1}: {'not formatted' if check else 'formatted'}")
            if not check:
                with open(path, "w", encoding="utf-8") as f:
                    f.write(after)
    print(f"format: {changed} files")
    return 1 if check and changed else 0


sys.exit(main())
