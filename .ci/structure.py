"""Checks the structure of the sources: lengths of files and functions, access levels of imports.

Generated code (PosedProtos/Generated) is left out. Prints one line a finding and exits with 1 if there is any.
"""

import re
import subprocess
import sys

FILE_LIMIT = 500
FUNCTION_LIMIT = 60
FUNCTION = re.compile(r"^(\s*)(?:@\w+(?:\([^)]*\))?\s+)*(?:[\w()]+\s+)*(?:func\s+\S+|init[?(<]|deinit\b)")


def tracked(*patterns):
    names = subprocess.run(
        ["git", "ls-files", *patterns], check=True, capture_output=True, text=True).stdout.split()
    return [name for name in names if "PosedProtos/Generated/" not in name]


def long_functions(lines):
    """Functions of Swift, found by their braces' indentation: (name's line number, length)."""
    start, indent = None, ""
    for number, line in enumerate(lines, 1):
        if start is None:
            match = FUNCTION.match(line)
            if match:
                start, indent = number, match.group(1)
        if start is not None:
            if line.rstrip() == indent + "}" or (number == start and line.rstrip().endswith("}")):
                if number - start + 1 > FUNCTION_LIMIT:
                    yield start, number - start + 1
                start = None
            elif number > start and line.strip() and not line.startswith(indent + " ") \
                    and not line.startswith(indent + ")") and not line.startswith(indent + "{") \
                    and not line.startswith(indent + "-") and not line.startswith("#"):
                start = None


def findings():
    for name in tracked("*.swift", "*.c", "*.h", "*.cpp", "*.hpp", "*.cu", "*.cuh", "*.py"):
        with open(name, encoding="utf-8") as file:
            lines = file.read().split("\n")
        if len(lines) - 1 > FILE_LIMIT:
            yield f"{name}: {len(lines) - 1} lines, at most {FILE_LIMIT}"
        if name.endswith(".swift"):
            for number, length in long_functions(lines):
                yield f"{name}:{number}: a function of {length} lines, at most {FUNCTION_LIMIT}"
    for name in tracked("Sources/*.swift"):
        with open(name, encoding="utf-8") as file:
            text = file.read()
        for forbidden in re.findall(r"^@_exported import \w+", text, re.M):
            yield f"{name}: {forbidden}"
        if re.search(r"\btry!", text) or re.search(r"\bfatalError\(", text):
            yield f"{name}: try! or fatalError"


def main():
    found = list(findings())
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
