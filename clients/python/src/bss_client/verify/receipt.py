"""What a receipt proves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from google.protobuf import json_format

from bss_client.bssv1 import block_pb2, query_pb2
from bss_client.verify.block import check_commit, parse_header, time_of
from bss_client.verify.genesis import Genesis
from bss_client.verify.hashes import block_id, record_hash
from bss_client.verify.merkle import leaf_hash, verify_inclusion
from bss_client.verify.problem import Problem, Step
from bss_client.verify.wire import decode, has_unknown_fields, is_hash

# The longest receipt that is read. One with the signatures of 100 managers and a proof of 54 hashes
# has fewer than 30,000 characters.
_RECEIPT_BYTES_MAX = 1 << 20


@dataclass(frozen=True)
class ReceiptFacts:
    """What a receipt proves, and nothing else.

    How many blocks came later and how many storage nodes attested the block is only said by the
    node that answered.
    """

    record_hash: bytes
    height: int
    """That of the block that added the record."""
    block_id: bytes
    time: datetime
    """The block's timestamp, by the clock of the manager that made it."""
    position: int
    """The index of the record's leaf in the Merkle log."""
    tree_size: int
    """The number of records on the ledger after the block, and `root` is the log's root then."""
    root: bytes
    previous_tree_size: int
    """The number of those before it: the block added the records from there on."""
    signers: tuple[str, ...]
    """The managers whose COMMIT was verified."""
    record_checked: bool
    """Whether the content was held against the record hash, too."""


def receipt_to_json(receipt: query_pb2.Receipt) -> str:
    """Writes a receipt as `bss receipt` does: protobuf JSON, which `bss verify` reads."""
    text: str = json_format.MessageToJson(receipt)
    return text


def receipt_to_binary(receipt: query_pb2.Receipt) -> bytes:
    """Encodes a receipt, a third as long; `bss verify` reads this, too."""
    return receipt.SerializeToString(deterministic=True)


def receipt_from_json(text: str | bytes) -> query_pb2.Receipt:
    """Reads a receipt as `bss receipt` writes it: protobuf JSON. Raises `Problem`."""
    receipt = query_pb2.Receipt()
    _check_length(text)
    try:
        json_format.Parse(text, receipt)
    except (json_format.ParseError, ValueError, RecursionError) as error:
        raise Problem(Step.ENCODING, f"this is no receipt: {error}") from error
    if not receipt.record_hash:
        raise Problem(Step.ENCODING, "this is no receipt: it has no record hash")
    return receipt


def receipt_from_binary(encoded: bytes) -> query_pb2.Receipt:
    """Reads a receipt from its encoded bytes. Raises `Problem`."""
    receipt = query_pb2.Receipt()
    _check_length(encoded)
    if not decode(encoded, receipt):
        what = "this is no receipt, or it holds fields that this version does not know"
        if encoded.lstrip().startswith(b"{"):
            what = "this is JSON: read it with receipt_from_json"
        raise Problem(Step.ENCODING, what)
    return receipt


def _check_length(data: str | bytes) -> None:
    if len(data) > _RECEIPT_BYTES_MAX:
        raise Problem(Step.ENCODING, f"a receipt is not longer than {_RECEIPT_BYTES_MAX} bytes")


def verify_receipt(
    receipt: query_pb2.Receipt, genesis: Genesis, record: bytes | None = None
) -> ReceiptFacts:
    """Checks a receipt against genesis; raises `Problem`.

        record ──hash──▶ record hash ┐
                        seal digest ─┴─▶ leaf ──inclusion proof──▶ hash1 in the header
        header ──hash──▶ block id ◀──signed by Q of the managers── commit certificate
        previous header ──hash──▶ previous block id in the header

    It proves that this block added the record at this position. A leaf is under the root of every
    later block as well; the position, which lies beyond the tree of the block before, shows that
    this block added it. With `record`, the exact bytes, the content is bound to the receipt.
    """
    if has_unknown_fields(receipt):
        raise Problem(Step.ENCODING, "the receipt holds fields that this version does not know")
    if not is_hash(receipt.record_hash):
        raise Problem(Step.RECORD, "the receipt's record hash does not have 32 bytes")
    if record is not None and record_hash(genesis.consortium_id, record) != receipt.record_hash:
        what = (
            f"the record is another one than {receipt.record_hash.hex()}, of which the receipt is"
        )
        raise Problem(Step.RECORD, what)
    header = parse_header(receipt.header, Step.HEADER, "the receipt holds no block header")
    if header.consortium_id != genesis.consortium_id:
        what = f"the header is of another consortium: {header.consortium_id.hex()}"
        raise Problem(Step.HEADER, what)
    if header.height != receipt.height:
        what = f"the header is of height {header.height}, not of {receipt.height}"
        raise Problem(Step.HEADER, what)
    if header.timestamp_unix_ms != receipt.time_unix_ms:
        what = f"the header's time is {header.timestamp_unix_ms} ms, not {receipt.time_unix_ms}"
        raise Problem(Step.HEADER, what)
    found = block_id(receipt.header)
    if found != receipt.block_id:
        what = f"the header's hash is {found.hex()}, and not the block id {receipt.block_id.hex()}"
        raise Problem(Step.BLOCK_ID, what)
    _check_place(receipt, header)
    previous_size = _previous_tree_size(receipt, header)
    certificate = receipt.commit_certificate if receipt.HasField("commit_certificate") else None
    signers = check_commit(certificate, header.height, found, genesis)
    return ReceiptFacts(
        record_hash=receipt.record_hash,
        height=header.height,
        block_id=found,
        time=time_of(header),
        position=receipt.position,
        tree_size=header.tree_size,
        root=header.hash1,
        previous_tree_size=previous_size,
        signers=signers,
        record_checked=record is not None,
    )


def _check_place(receipt: query_pb2.Receipt, header: block_pb2.ManagerBlockHeader) -> None:
    if not is_hash(receipt.seal_digest):
        raise Problem(Step.INCLUSION, "the receipt's seal digest does not have 32 bytes")
    holds = verify_inclusion(
        leaf_hash=leaf_hash(receipt.record_hash, receipt.seal_digest),
        leaf_index=receipt.position,
        tree_size=header.tree_size,
        root=header.hash1,
        proof=receipt.inclusion_proof,
    )
    if not holds:
        what = (
            f"the inclusion proof does not lead from the record at position {receipt.position} to "
            "hash1 of the header: the record hash, the seal digest, the position or the proof is "
            "wrong"
        )
        raise Problem(Step.INCLUSION, what)


def _previous_tree_size(receipt: query_pb2.Receipt, header: block_pb2.ManagerBlockHeader) -> int:
    """The size of the tree before the block, which added the record and none below."""

    def invalid(what: str) -> Problem:
        return Problem(Step.PREVIOUS_HEADER, what)

    if header.height == 1:
        if len(receipt.previous_header) == 0:
            return 0
        raise invalid("block 1 has none before it, but the receipt holds one")
    if len(receipt.previous_header) == 0:
        raise invalid(
            "the receipt lacks the header before its block: it proves only that the record was "
            f"there no later than block {header.height}"
        )
    if block_id(receipt.previous_header) != header.previous_block_id:
        raise invalid(f"the previous header is not that of the block before block {header.height}")
    what = "the receipt holds no previous header"
    previous = parse_header(receipt.previous_header, Step.PREVIOUS_HEADER, what)
    if receipt.position < previous.tree_size:
        raise invalid(
            f"block {header.height} did not add the record: position {receipt.position} was in the "
            f"ledger's {previous.tree_size} records before it"
        )
    return previous.tree_size
