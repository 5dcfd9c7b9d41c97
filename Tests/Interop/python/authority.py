"""Certificates for tests, made by the command openssl."""

import subprocess
from pathlib import Path


class Authority:
    """A certificate authority of a test's own."""

    def __init__(self, folder, name):
        self.folder, self.name = Path(folder), name
        self._run("req", "-x509", *self._key(f"{name}.key"), "-days", "2", "-subj", f"/CN={name}",
                  "-out", self.roots)

    @property
    def roots(self):
        """The authority's certificate."""
        return str(self.folder / f"{self.name}.pem")

    def issue(self, holder, days=1):
        """The files (certificate, key) of a holder; with negative days it has expired."""
        path = lambda suffix: str(self.folder / f"{self.name}-{holder}.{suffix}")
        self._run("req", *self._key(path("key")), "-subj", f"/O=Posed/CN={holder}",
                  "-out", path("csr"))
        Path(path("ext")).write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        self._run("x509", "-req", "-in", path("csr"), "-CA", self.roots, "-CAkey",
                  str(self.folder / f"{self.name}.key"), "-CAcreateserial", "-extfile", path("ext"),
                  "-days", str(days), "-out", path("crt"))
        return path("crt"), path("key")

    def _key(self, path):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                str(self.folder / path))

    @staticmethod
    def _run(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)
