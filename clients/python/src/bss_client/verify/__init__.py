"""Checks what a consortium says, without asking anybody.

All that is trusted is the genesis file, which names the managers and their keys.

    genesis = Genesis.parse(file)
    facts = verify_receipt(receipt_from_json(text), genesis, record)

What holds is returned as facts of types of this package, in which stands nothing that was not
proven. What does not hold raises a `Problem`. The package opens no connection, reads no file and no
clock.

`verify_receipt` checks that a record is on the ledger, `verify_inclusion` and `verify_consistency`
are RFC 9162's proofs, `verify_final` checks one block, and a `Chain` follows the blocks from
genesis on: who the members are, which committees were drawn, and the credit and reward of each
storage node.
"""

from bss_client.verify.block import Block, Leaf, verify_final
from bss_client.verify.chain import Chain
from bss_client.verify.genesis import Genesis
from bss_client.verify.hashes import block_id, record_hash, submission_digest, trade_digest
from bss_client.verify.merkle import leaf_hash, verify_consistency, verify_inclusion
from bss_client.verify.problem import Problem, Step
from bss_client.verify.receipt import (
    ReceiptFacts,
    receipt_from_binary,
    receipt_from_json,
    receipt_to_binary,
    receipt_to_json,
    verify_receipt,
)
from bss_client.verify.standing import ChangeKind, StandingChange

__all__ = [
    "Block",
    "Chain",
    "ChangeKind",
    "Genesis",
    "Leaf",
    "Problem",
    "ReceiptFacts",
    "StandingChange",
    "Step",
    "block_id",
    "leaf_hash",
    "receipt_from_binary",
    "receipt_from_json",
    "receipt_to_binary",
    "receipt_to_json",
    "record_hash",
    "submission_digest",
    "trade_digest",
    "verify_consistency",
    "verify_final",
    "verify_inclusion",
    "verify_receipt",
]
