"""A client of grpc-swift-2, built beforehand; POSED_SWIFT_CLIENT says where."""

import os
import subprocess
import unittest

from case import Case
from daemon import POSE, SOURCE

CLIENT = os.environ.get("POSED_SWIFT_CLIENT")


@unittest.skipUnless(CLIENT, "POSED_SWIFT_CLIENT names no client")
class SwiftClient(Case):
    def test_all_calls(self):
        done = subprocess.run([CLIENT, self.daemon.socket, SOURCE, POSE], capture_output=True,
                              text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("all calls are as they should be", done.stdout)


if __name__ == "__main__":
    unittest.main()
