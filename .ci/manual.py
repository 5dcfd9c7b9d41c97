"""manual.py PROGRAM VERSION: writes the manual page of a program, made of what its --help says, to standard output."""

import json
import subprocess
import sys
from pathlib import Path


def text(words):
    """A text of roff: what would be an instruction is none, and a hyphen is one that can be copied."""
    lines = words.replace("\\", r"\e").replace("-", r"\-").split("\n")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in lines)


def argument(one):
    """An argument as the synopsis has it."""
    name = text(one.get("valueName", ""))
    if one["kind"] == "positional":
        form = rf"\fI{name}\fR"
    else:
        flags = [("--" if spelling["kind"] == "long" else "-") + spelling["name"] for spelling in one["names"]]
        form = ", ".join(rf"\fB{text(flag)}\fR" for flag in flags)
        if one["kind"] == "option":
            form += rf" \fI{name}\fR"
    return form + (" ..." if one["isRepeating"] else "")


def shown(command):
    """The arguments that --help shows."""
    return [one for one in command.get("arguments", []) if one["shouldDisplay"]]


def subcommands(command):
    """The commands that --help lists."""
    return [sub for sub in command.get("subcommands", []) if sub["shouldDisplay"] and sub["commandName"] != "help"]


def discussion(command):
    """What --help says below the abstract; examples as they are."""
    words, _, examples = command.get("discussion", "").partition("EXAMPLES\n")
    for paragraph in filter(None, (part.strip() for part in words.split("\n\n"))):
        yield f".PP\n{text(' '.join(paragraph.split()))}"
    if examples:
        yield f".PP\nExamples:\n.PP\n.nf\n.RS 4\n{text(examples.rstrip())}\n.RE\n.fi"


def options(command, known):
    """The arguments of a command that none above it has told of."""
    for one in shown(command):
        form = argument(one)
        if form not in known:
            known.add(form)
            abstract = text(one.get("abstract", ""))
            default = f" (default: {text(one['defaultValue'])})" if one.get("defaultValue") else ""
            yield f".TP\n{form}\n{abstract}{default}"


def commands(command, path, common):
    """A section for each command."""
    for sub in subcommands(command):
        name = f"{path} {sub['commandName']}".strip()
        positional = " ".join(argument(one) for one in shown(sub) if one["kind"] == "positional")
        yield f".SS \"{text(name)}\"\n{text(sub.get('abstract', ''))}"
        if not subcommands(sub):
            yield rf".PP" + "\n" + rf"\fB{text(name)}\fR " + (positional + " " if positional else "") + r"[\fIoptions\fR]"
        yield from discussion(sub)
        yield from options(sub, set(common))
        yield from commands(sub, name, common)


def main():
    program, version = sys.argv[1:]
    dump = subprocess.run([program, "--experimental-dump-help"], check=True, capture_output=True, text=True)
    command = json.loads(dump.stdout)["command"]
    name = Path(program).name
    section = 8 if name == "posed" else 1
    page = [f'.TH {name.upper()} {section} "" "posed {version}" "posed"',
            f".SH NAME\n{name} \\- {text(command['abstract'].rstrip('.'))}",
            rf".SH SYNOPSIS" + "\n" + rf"\fB{name}\fR "
            + (r"\fIcommand\fR " if subcommands(command) else "") + r"[\fIoptions\fR]",
            ".SH DESCRIPTION", *discussion(command)]
    own = set()
    listed = list(options(command, own))
    if listed:
        page += [".SH OPTIONS", *listed]
    if subcommands(command):
        page += [".SH COMMANDS", *commands(command, "", own)]
    others = [other for other in ("posed(8)", "posectl(1)", "posekit(1)") if not other.startswith(name + "(")]
    page.append(".SH SEE ALSO\n" + ", ".join(rf"\fB{other[:-3]}\fR{other[-3:]}" for other in others)
                + ".\n.PP\nThe pages in /usr/share/doc/posed say more.")
    print("\n".join(page))


if __name__ == "__main__":
    main()
