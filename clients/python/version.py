"""The version of the package: that of the daemon."""

import re
from pathlib import Path

HERE = Path(__file__).resolve().parent


def read():
    """What the checkout says, or a source archive that was made of it."""
    header = HERE.parents[1] / "CShims/CPosedVersion/include/posed_version.h"
    if header.is_file():
        return re.search(r'POSED_VERSION "([^"]+)"', header.read_text(encoding="utf-8")).group(1)
    for line in (HERE / "PKG-INFO").read_text(encoding="utf-8").splitlines():
        if line.startswith("Version: "):
            return line.split(" ", 1)[1]
    raise ValueError("expected the version in the checkout or in PKG-INFO, it is in neither")


__version__ = read()
