"""Runs all tests here against one daemon: `python Tests/Interop/python [-v]`."""

import os
import sys
import unittest
from pathlib import Path

# Connections that must fail do not have to be told of.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

import case  # noqa: E402


def main():
    suite = unittest.defaultTestLoader.discover(str(FOLDER), top_level_dir=str(FOLDER))
    result = unittest.TextTestRunner(verbosity=2 if "-v" in sys.argv else 1).run(suite)
    try:
        case.end()
    except AssertionError as error:
        sys.exit(str(error))
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)


if __name__ == "__main__":
    main()
