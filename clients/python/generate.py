"""Writes src/bss_client/bssv1, or the directory that is named, from the API's protocol buffers:
`make proto-python` in the repository.

protoc names modules after the path of a .proto file, bss/v1. Two packages that were generated so
cannot be installed side by side, so here the modules are part of bss_client.
"""

import pathlib
import re
import sys
import tempfile

import grpc_tools
from grpc_tools import protoc

HERE = pathlib.Path(__file__).resolve().parent
PROTO = HERE.parents[1] / "proto"
WELL_KNOWN = pathlib.Path(grpc_tools.__file__).parent / "_proto"
OUT = HERE / "src" / "bss_client" / "bssv1"
# Installed beside this Python, which need not be the one that is first on the PATH.
PLUGIN = pathlib.Path(sys.executable).parent / "protoc-gen-mypy_grpc"
PACKAGE_DOC = '"""Generated from proto/bss/v1 of bss-node by generate.py; do not edit."""\n'


def main(out: pathlib.Path) -> None:
    with tempfile.TemporaryDirectory() as directory:
        files = sorted(str(path) for path in (PROTO / "bss" / "v1").glob("*.proto"))
        kinds = ("python", "pyi", "grpc_python", "mypy_grpc")
        outputs = [f"--{kind}_out={directory}" for kind in kinds]
        arguments = [f"-I{PROTO}", f"-I{WELL_KNOWN}", f"--plugin={PLUGIN}", *outputs, *files]
        if protoc.main(["protoc", *arguments]) != 0:
            sys.exit(f"the files in {PROTO} do not compile")
        out.mkdir(exist_ok=True)
        for old in out.glob("*.py*"):
            old.unlink()
        (out / "__init__.py").write_text(PACKAGE_DOC)
        for path in sorted(pathlib.Path(directory, "bss", "v1").iterdir()):
            # Files without a service have nothing for gRPC.
            text = path.read_text()
            if "_pb2_grpc" in path.name and "Stub" not in text:
                continue
            text = re.sub(r"\bfrom bss\.v1 import", "from bss_client.bssv1 import", text)
            (out / path.name).write_text(text)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
