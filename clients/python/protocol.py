"""Makes the Python modules of posed.v1 from the .proto files, while the package is built or installed."""

import importlib.resources
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).resolve().parent


class ProtocolHook(BuildHookInterface):
    """Writes src/posed/v1. It is never committed: protos/ is the one place where the protocol is written down."""

    def initialize(self, version, build_data):
        """Called by hatchling before it collects the files."""
        licence = str(beside("LICENSE"))
        if self.target_name == "sdist":
            build_data["force_include"].update({str(beside("protos/posed")): "protos/posed",
                                                licence: "LICENSE"})
        else:
            generate(HERE / "src")
            build_data["force_include"][licence] = "posed_client/LICENSE"


def beside(name):
    """A file of the project: beside this one in a source archive, else in the checkout."""
    for folder in (HERE, HERE.parents[1]):
        if (folder / name).exists():
            return folder / name
    raise FileNotFoundError(f"{name}: expected it here or in the checkout")


def generate(into):
    """Writes the modules, their types and the stubs of posed.v1 into a folder, which must be there."""
    from grpc_tools import protoc

    root = beside("protos/posed").parent
    files = sorted(str(path) for path in (root / "posed").rglob("*.proto"))
    known = importlib.resources.files("grpc_tools") / "_proto"
    folder = Path(into, "posed", "v1")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*_pb2*"):
        old.unlink()
    status = protoc.main(["protoc", f"-I{root}", f"-I{known}", f"--python_out={into}",
                          f"--pyi_out={into}", f"--grpc_python_out={into}", *files])
    if status != 0:
        raise RuntimeError(f"protoc ended with status {status}")
    (folder / "py.typed").touch()
