"""The modules of the protocol, made from protos/ by grpcio-tools."""

import hashlib
import importlib.resources
import os
import sys
import tempfile
from pathlib import Path

PROTOS = Path(__file__).resolve().parents[2] / "protos"


def generate(folder, protos=PROTOS):
    """Writes the modules of posed.v1 into a folder, which must be there."""
    from grpc_tools import protoc

    files = sorted(str(path) for path in Path(protos, "posed").rglob("*.proto"))
    if not files:
        raise FileNotFoundError(f"{protos}: expected the .proto files of posed.v1, there are none")
    known = importlib.resources.files("grpc_tools") / "_proto"
    status = protoc.main(["protoc", f"-I{protos}", f"-I{known}", f"--python_out={folder}",
                          f"--grpc_python_out={folder}", *files])
    if status != 0:
        raise RuntimeError(f"protoc ended with status {status}")


def load(protos=PROTOS):
    """Makes `import posed.v1…` work, generating the modules where they are not in the cache."""
    digest = hashlib.sha256()
    for path in sorted(Path(protos, "posed").rglob("*.proto")):
        digest.update(path.read_bytes())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "posed-python" / digest.hexdigest()[:16]
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all, and whoever is first wins.
        with tempfile.TemporaryDirectory(dir=folder.parent) as made:
            generate(made, protos)
            try:
                os.rename(made, folder)
                os.mkdir(made)
            except OSError:
                pass
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
