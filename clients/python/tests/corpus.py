"""The corpus that all clients share; docs/sdks.md says what its lines mean."""

from __future__ import annotations

import base64
import json
import pathlib
from functools import cache
from typing import Any

import pytest

from bss_client import verify
from bss_client.bssv1 import query_pb2

VECTORS = pathlib.Path(__file__).resolve().parents[3] / "test" / "vectors"

Item = dict[str, Any]

_BYTES = (
    "file",
    "receipt",
    "record",
    "leafHash",
    "root",
    "fromRoot",
    "toRoot",
    "key",
    "digest",
    "signature",
)
_LISTS = ("blocks", "proof")


@cache
def read(name: str) -> list[Item]:
    """The items of a file of the corpus, with their bytes decoded."""
    if not VECTORS.exists():
        pytest.skip("the corpus is only in the whole repository", allow_module_level=True)
    lines = (VECTORS / "forged" / f"{name}.jsonl").read_text().splitlines()
    return [_decoded(json.loads(line)) for line in lines]


def _decoded(item: Item) -> Item:
    for key in _BYTES:
        if key in item:
            item[key] = base64.b64decode(item[key])
    for key in _LISTS:
        if key in item:
            item[key] = [base64.b64decode(each) for each in item[key]]
    return item


@cache
def genesis(name: str = "own") -> verify.Genesis:
    (file,) = (item["file"] for item in read("genesis") if item["name"] == name)
    return verify.Genesis.parse(file)


def valid_receipts() -> list[Item]:
    return [item for item in read("receipts") if "facts" in item]


def valid_blocks() -> list[bytes]:
    """Those of the first chain that holds."""
    return next(item["blocks"] for item in read("chains") if "facts" in item)


def receipt_facts(of: verify.Genesis, encoded: bytes, record: bytes | None = None) -> Item:
    """What a receipt proves, as the corpus says it; raises Problem."""
    facts = verify.verify_receipt(verify.receipt_from_binary(encoded), of, record)
    return {
        "recordHash": _text(facts.record_hash),
        "height": facts.height,
        "blockId": _text(facts.block_id),
        "timeMs": round(facts.time.timestamp() * 1000),
        "position": facts.position,
        "treeSize": facts.tree_size,
        "previousTreeSize": facts.previous_tree_size,
        "signers": list(facts.signers),
    }


class Follower:
    """A chain and what it has proven."""

    def __init__(self, of: verify.Genesis, blocks: list[bytes]) -> None:
        self.chain = verify.Chain(of)
        self.operations: list[str | None] = []
        self.changes: dict[str, list[str]] = {}
        for block in blocks:
            self.add(block)

    def add(self, encoded: bytes) -> None:
        view = query_pb2.BlockView()
        try:
            view.ParseFromString(encoded)
        except Exception as error:
            raise verify.Problem(verify.Step.ENCODING, str(error)) from error
        block = self.chain.add(view)
        self.operations += [each.WhichOneof("operation") for each in block.operations]
        for change in block.changes:
            self.changes.setdefault(change.node_id, []).append(change.kind.value)

    def facts(self) -> Item:
        nodes = [
            {
                "id": node.admission.node_id,
                "credit": node.credit,
                "reward": str(node.reward),
                "paid": str(node.paid),
                "changes": self.changes.get(node.admission.node_id, []),
            }
            for node in self.chain.storage_nodes()
        ]
        return {
            "height": self.chain.height,
            "blockId": _text(self.chain.block_id),
            "treeSize": self.chain.tree_size,
            "root": _text(self.chain.root),
            "operations": list(self.operations),
            "nodes": nodes,
        }


def _text(hash: bytes) -> str:
    return base64.b64encode(hash).decode()
