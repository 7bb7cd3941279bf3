"""Python classes of the API, made from proto/ when they are first asked for.

A project of your own would rather generate them once and keep them; docs/integrators.md says how.
"""

import importlib
import pathlib
import sys
import tempfile

import grpc_tools
from grpc_tools import protoc

_proto = pathlib.Path(__file__).resolve().parents[2] / "proto"
_well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
_directory = tempfile.TemporaryDirectory(prefix="bss-stubs-")


def _generate() -> None:
    files = sorted(str(path) for path in (_proto / "bss" / "v1").glob("*.proto"))
    arguments = [f"-I{_proto}", f"-I{_well_known}"]
    outputs = [f"--python_out={_directory.name}", f"--grpc_python_out={_directory.name}"]
    if protoc.main(["protoc", *arguments, *outputs, *files]) != 0:
        sys.exit(f"the files in {_proto} do not compile")
    sys.path.insert(0, _directory.name)


_generate()


def load(module: str):
    """A generated module by its name, for instance "bss.v1.record_pb2"."""
    return importlib.import_module(module)
