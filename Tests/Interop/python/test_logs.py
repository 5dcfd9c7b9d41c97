"""What libraries have to say of callers is in the daemon's log, in the daemon's form."""

import re
import socket
import time

import http2
from case import Case


class Logs(Case):
    def test_a_wrong_header_is_no_raw_line(self):
        nonsense = http2.post("/grpc.health.v1.Health/Check").replace(b"\x08trailers", b"\x08nonsense")
        for _ in range(3):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(self.daemon.socket))
                client.sendall(http2.PREFACE + http2.frame(http2.SETTINGS) + nonsense)
                client.settimeout(10)
                # The call is refused, or the connection ends: either way the library has said what it has to say.
                client.recv(65536)
        end = time.monotonic() + 10
        while "grpc: " not in self.daemon.read_log() and time.monotonic() < end:
            time.sleep(0.05)
        log = self.daemon.read_log()
        self.assertIn("grpc: ", log)
        self.assertEqual(re.findall(r"^[EIWD]\d{4} .*", log, re.MULTILINE), [])
