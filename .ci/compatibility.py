"""Holds protos/posed to what was promised: nothing that is there is renamed, renumbered, retyped or removed.

    compatibility.py [--write]

protos/posed/v1.baseline has a line for each field, enumeration value and method that was ever there. A line that is
not true any more is an error, unless its number and its name are reserved. With --write, what is new is added to the
baseline; without it, what is new and not in the baseline is an error, too. Exits with 1 if there is an error.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent / "protos"
BASELINE = ROOT / "posed/v1.baseline"
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[A-Za-z_][\w.]*|-?\d+|[{}();=,<>\[\]]')
SCOPES = ("message", "enum", "service", "oneof")


def statements(text):
    """Statements of a .proto file as lists of tokens; a block's begins with its head and ends with `{`, or is `}`."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/", " ", text, flags=re.S)
    statement = []
    for token in TOKEN.findall(text):
        if token == ";":
            yield statement
            statement = []
        elif token == "{":
            yield statement + ["{"]
            statement = []
        elif token == "}":
            yield ["}"]
        else:
            statement.append(token)


def numbers(tokens):
    """The numbers and the names of a `reserved` statement."""
    found, names = set(), set()
    for index, token in enumerate(tokens):
        if token.startswith('"'):
            names.add(token.strip('"'))
        elif token == "to" and tokens[index + 1] != "max":
            found.update(range(int(tokens[index - 1]), int(tokens[index + 1]) + 1))
        elif token.isdigit():
            found.add(int(token))
    return found, names


def entries(text):
    """(lines, reserved numbers and names by scope) of a .proto file."""
    lines, reserved, scope, package = [], {}, [], ""
    for statement in statements(text):
        if statement == ["}"]:
            scope.pop()
            continue
        if statement[0] == "package":
            package = statement[1]
            continue
        path = ".".join([package] + [name for kind, name in scope if kind != "oneof"])
        if statement[-1] == "{" and statement[0] in SCOPES:
            scope.append((statement[0], statement[1]))
        elif statement[-1] == "{":
            scope.append(("rpc", ""))
        elif not scope or statement[0] == "option":
            continue
        elif statement[0] == "reserved":
            found, names = reserved.setdefault(path, (set(), set()))
            more = numbers(statement[1:])
            found |= more[0]
            names |= more[1]
        elif scope[-1][0] == "enum":
            lines.append(f"{path} {statement[2]} {statement[0]}")
        elif scope[-1][0] == "service":
            lines.append(f"{path} {statement[1]} " + "".join(statement[2:]).replace("stream", "stream "))
        else:
            equals = statement.index("=")
            label = f"oneof:{scope[-1][1]} " if scope[-1][0] == "oneof" else ""
            kind = " ".join(statement[:equals - 1])
            lines.append(f"{path} {statement[equals + 1]} {statement[equals - 1]} {label}{kind}")
    return lines, reserved


def place(line):
    """Where a line stands in the baseline: by message, then by number."""
    path, number, _ = line.split(" ", 2)
    return path, int(number) if number.isdigit() else 0, line


def main():
    write = "--write" in sys.argv[1:]
    now, reserved = [], {}
    for path in sorted((ROOT / "posed").rglob("*.proto")):
        lines, retired = entries(path.read_text(encoding="utf-8"))
        now += lines
        reserved.update(retired)
    before = BASELINE.read_text(encoding="utf-8").splitlines() if BASELINE.exists() else []
    errors = []
    for line in before:
        if line in set(now):
            continue
        path, number, name = line.split(" ")[:3]
        found, names = reserved.get(path, (set(), set()))
        if not number.isdigit() or int(number) not in found or name not in names:
            errors.append(f"protos: {line}: is gone or changed; what is retired keeps number and name as `reserved`")
    used = {" ".join(line.split(" ")[:2]) for line in now}
    for path, (found, _) in reserved.items():
        errors += [f"protos: {path} {number} is reserved and used" for number in found if f"{path} {number}" in used]
    new = [line for line in now if line not in set(before)]
    if write and not errors:
        every = sorted(set(before) | set(now), key=place)
        BASELINE.write_text("".join(line + "\n" for line in every), encoding="utf-8")
    elif new and not write:
        errors.append(f"protos: {new[0]} and {len(new) - 1} more are not in {BASELINE.name}; `make protos` adds them")
    for error in errors:
        print(error)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
