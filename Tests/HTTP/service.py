"""A daemon with its HTTP interface, for tests, and calls of it."""

import http.client
import json
import subprocess
import sys
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Interop/python"))

from daemon import BINARIES, MODEL, POSE, SOURCE, TOKEN, Daemon, free_port  # noqa: E402

__all__ = ["BINARIES", "MODEL", "POSE", "SOURCE", "TOKEN", "Service", "form", "free_port"]


class Service(Daemon):
    """A daemon whose HTTP interface listens on `api`, a port of loopback, without TLS unless `secure`."""

    def __init__(self, changes=None, api=None, secure=False):
        self.api = api or free_port()
        plain = dict.fromkeys(f"listen.tcp.{name}" for name in (
            "addresses", "tls.certificate", "tls.key", "tls.clientCA"))
        super().__init__({**({} if secure else plain), "http.api.address": f"127.0.0.1:{self.api}", **(changes or {})})

    def ask(self, method, path, body=None, headers=None, token=TOKEN):
        """One request; the answer's status, headers (names in lower case) and bytes."""
        connection = http.client.HTTPConnection("127.0.0.1", self.api, timeout=60)
        try:
            sent = dict(headers or {})
            if token is not None:
                sent["Authorization"] = f"Bearer {token}"
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, named, answer.read()
        finally:
            connection.close()

    def session(self, **arguments):
        """The name of a new session of the sample picture, `sessions/…`."""
        body, kind = form(source=SOURCE.read_bytes())
        status, _, text = self.ask("POST", "/v1/sessions", body, {"Content-Type": kind}, **arguments)
        assert status == 201, text
        return json.loads(text)["name"]

    def ticket(self):
        """An address that opens the studio."""
        line = subprocess.run(
            [str(BINARIES / "posectl"), "studio", "--address", self.address], check=True,
            capture_output=True, text=True).stdout
        return line.split()[-1]


def form(**parts):
    """A form of files; its bytes and its media type. A list makes several parts of one name."""
    boundary = uuid.uuid4().hex
    body = b""
    for name, contents in parts.items():
        for content in contents if isinstance(contents, list) else [contents]:
            body += (f"--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n"
                     "Content-Type: application/octet-stream\r\n\r\n").encode() + content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
