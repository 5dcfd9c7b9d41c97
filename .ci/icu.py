"""icu.py ARCHIVE OBJECT-NAME OUT: takes ICU's data out of the toolchain's archive and writes what programs without a
user's language need of it, as an assembler's source.

Foundation brings ICU along, and nine tenths of ICU are data: every language's words, sorting, spelling and old
encodings. Kept are the root and English, time zones, and what URLs and Unicode need. The format is that of ICU's
"common data": a header, a table of names and places sorted by name, the items.
"""

import re
import struct
import subprocess
import sys

LOCALE = re.compile(r"[a-z]{2,3}(_[A-Z][a-z]{3})?(_[A-Z0-9]{2,3})?(_[A-Z]+)?")
ENGLISH = {"en", "en_US", "en_001", "en_US_POSIX"}
LEFT_OUT = {"translit", "rbnf"}


def is_kept(name):
    """Whether an item stays, by its name below the package's: `brkitr/root.res`, `zoneinfo64.res`."""
    folder, _, file = name.rpartition("/")
    stem, _, kind = file.rpartition(".")
    if stem in ENGLISH and folder not in LEFT_OUT:
        return True
    if folder:
        return folder not in LEFT_OUT and (
            stem in ("root", "pool", "res_index", "ucadata") or kind == "brk" and "_" not in stem)
    return kind in ("res", "icu", "nrm") and stem != "unames" and not (kind == "res" and LOCALE.fullmatch(stem))


def main():
    archive, member, out = sys.argv[1:]
    whole = subprocess.run(["ar", "p", archive, member], check=True, capture_output=True).stdout
    begin = whole.index(b"\xda\x27", 0) - 2
    (header,) = struct.unpack_from("<H", whole, begin)
    if whole[begin + 12:begin + 16] != b"CmnD":
        sys.exit(f"icu: expected ICU's common data in {member}, found something else")
    data = whole[begin:]
    (count,) = struct.unpack_from("<I", data, header)
    table = [struct.unpack_from("<II", data, header + 4 + 8 * index) for index in range(count)]
    names = [data[header + name:data.index(b"\0", header + name)] for name, _ in table]
    order = sorted(place for _, place in table)
    # The last item has no end that the table tells: it is kept to the end of the object, which does no harm.
    ends = dict(zip(order, order[1:] + [len(data) - header]))
    kept = [index for index in range(count) if is_kept(names[index].decode().partition("/")[2])]

    body = bytearray(struct.pack("<I", len(kept)) + bytes(8 * len(kept)))
    starts = []
    for index in kept:
        starts.append(len(body))
        body += names[index] + b"\0"
    for slot, index in enumerate(kept):
        body += bytes(-len(body) % 16)
        place = table[index][1]
        struct.pack_into("<II", body, 4 + 8 * slot, starts[slot], len(body))
        body += data[header + place:header + ends[place]]

    symbol = re.search(r"\bicudt\d+_dat\b", subprocess.run(
        ["nm", archive], check=True, capture_output=True, text=True).stdout).group()
    with open(out + ".bin", "wb") as file:
        file.write(data[:header] + body)
    with open(out, "w", encoding="utf-8") as file:
        file.write(f'.section .rodata\n.globl {symbol}\n.balign 16\n.type {symbol}, @object\n'
                   f'{symbol}: .incbin "{out}.bin"\n.size {symbol}, . - {symbol}\n'
                   '.section .note.GNU-stack,"",@progbits\n')


if __name__ == "__main__":
    main()
