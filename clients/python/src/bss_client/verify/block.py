"""What a final block proves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from itertools import pairwise

from bss_client.bssv1 import block_pb2, canonical_pb2, genesis_pb2, query_pb2
from bss_client.verify.genesis import Genesis, is_id
from bss_client.verify.hashes import (
    TAG_BODY,
    TAG_CERTIFICATES,
    TAG_COMMIT,
    block_id,
    tagged_hash,
)
from bss_client.verify.merkle import Frontier, leaf_hash, merkle_root
from bss_client.verify.problem import Problem, Step
from bss_client.verify.signature import SIGNATURE_BYTES, verify_signature
from bss_client.verify.standing import StandingChange
from bss_client.verify.wire import (
    SAFE_MAX,
    canonical_bytes,
    decode_canonical,
    has_unknown_fields,
    is_hash,
)

# How much a block may hold, whatever the policy says.
_HEADER_BYTES_MAX = 1024
_CONTROL_OPERATIONS_MAX = 1000
_CERTIFICATES_BYTES_MAX = (1 << 20) + (1 << 18)
_LEAVES_MAX = 10_000

_BEACON_BYTES = 64
_PROOF_BYTES = 80


@dataclass(frozen=True)
class Leaf:
    """A record in the Merkle log."""

    record_hash: bytes
    seal_digest: bytes


@dataclass(frozen=True)
class Block:
    """What a final block proves, and nothing else."""

    height: int
    id: bytes
    previous_id: bytes
    """That of the block before; of block 1, the consortium id."""
    time: datetime
    """The block's timestamp, by the clock of the manager that made it."""
    tree_size: int
    """Size of the Merkle log after the block, and `root` is its root then."""
    root: bytes
    leaves: tuple[Leaf, ...]
    """The records that the block adds, in order."""
    operations: tuple[genesis_pb2.ControlOperation, ...]
    """The block's changes of membership, in order."""
    signers: tuple[str, ...]
    """The managers whose COMMIT was verified."""
    header: block_pb2.ManagerBlockHeader
    changes: tuple[StandingChange, ...] = ()
    """Those of the standings of storage nodes; only a `Chain` knows them."""

    def leaf_hashes(self) -> list[bytes]:
        return [leaf_hash(leaf.record_hash, leaf.seal_digest) for leaf in self.leaves]

    def with_changes(self, changes: Sequence[StandingChange]) -> Block:
        return replace(self, changes=tuple(changes))


def verify_final(view: query_pb2.BlockView, genesis: Genesis) -> Block:
    """Checks that Q managers made a block final, and that its parts are those of its header.

    The block has to be whole (not headers_only). It may stand anywhere: a `Chain` checks what comes
    before it, too. Raises `Problem`.
    """
    content = view.block
    if not view.HasField("block") or has_unknown_fields(content):
        raise Problem(Step.ENCODING, "this is no whole block that this version knows")
    header = parse_header(content.header, Step.HEADER, "this is no block")
    found = block_id(content.header)
    if header.consortium_id != genesis.consortium_id:
        raise Problem(Step.HEADER, "the block is of another consortium")
    if view.height != header.height or view.block_id != found:
        what = f"this is block {header.height}, {found.hex()}, and not the one that it is called"
        raise Problem(Step.BLOCK_ID, what)
    commit = view.certificates.commit if view.certificates.HasField("commit") else None
    signers = check_commit(commit, header.height, found, genesis)
    leaves, operations = _body_of(content, header)
    return Block(
        height=header.height,
        id=found,
        previous_id=header.previous_block_id,
        time=time_of(header),
        tree_size=header.tree_size,
        root=header.hash1,
        leaves=leaves,
        operations=operations,
        signers=signers,
        header=header,
    )


def _body_of(
    content: block_pb2.Block, header: block_pb2.ManagerBlockHeader
) -> tuple[tuple[Leaf, ...], tuple[genesis_pb2.ControlOperation, ...]]:
    """The block's parts, which have to be those of its header."""

    def invalid(what: str) -> Problem:
        return Problem(Step.BODY, f"block {header.height}: {what}")

    if (
        len(content.control) > _CONTROL_OPERATIONS_MAX
        or len(content.leaves) > _LEAVES_MAX
        or len(content.previous_certificates) > _CERTIFICATES_BYTES_MAX
    ):
        raise invalid("it is longer than a block may be")
    leaves = tuple(Leaf(each.record_hash, each.seal_digest) for each in content.leaves)
    if not all(is_hash(each.record_hash) and is_hash(each.seal_digest) for each in leaves):
        raise invalid("a leaf is two hashes of 32 bytes")
    if not is_hash(content.private_root):
        raise invalid("a root has 32 bytes")
    control_root = merkle_root(content.control)
    hashes = (leaf_hash(each.record_hash, each.seal_digest) for each in leaves)
    leaves_root = Frontier().append(hashes).root()
    digest = tagged_hash(TAG_BODY, control_root, leaves_root, content.private_root)
    if digest != header.body_digest:
        raise invalid("the header's body digest is not that of the body")
    certificates = content.previous_certificates
    if tagged_hash(TAG_CERTIFICATES, certificates) != header.certificates_digest:
        raise invalid("the header's certificates digest is not that of the certificates")
    operations = []
    for encoded in content.control:
        operation = genesis_pb2.ControlOperation()
        if not decode_canonical(encoded, operation) or operation.WhichOneof("operation") is None:
            raise invalid("it holds an operation that this version does not know")
        operations.append(operation)
    return leaves, tuple(operations)


def parse_header(encoded: bytes, step: Step, what: str) -> block_pb2.ManagerBlockHeader:
    """Reads the canonical bytes of a block's header: lengths and ranges."""

    def invalid(why: str) -> Problem:
        return Problem(step, f"{what}: {why}")

    header = block_pb2.ManagerBlockHeader()
    if len(encoded) > _HEADER_BYTES_MAX or not decode_canonical(encoded, header):
        raise invalid("the header does not decode")
    hashes = (
        header.consortium_id,
        header.previous_block_id,
        header.hash1,
        header.members_digest,
        header.previous_state_digest,
        header.body_digest,
        header.certificates_digest,
    )
    if not all(map(is_hash, hashes)):
        raise invalid("a hash in the header does not have 32 bytes")
    if len(header.beacon) != _BEACON_BYTES or len(header.beacon_proof) != _PROOF_BYTES:
        raise invalid("the header's beacon does not have its length")
    if not 1 <= header.height <= SAFE_MAX:
        raise invalid("the header's height is not one")
    if header.tree_size > SAFE_MAX or header.sealed_bytes > SAFE_MAX:
        raise invalid("the header's sizes are out of range")
    if not 1 <= header.timestamp_unix_ms <= SAFE_MAX:
        raise invalid("the header's timestamp is not one")
    if not is_id(header.proposer_id):
        raise invalid("the header's proposer is not an id")
    return header


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_TIME_MAX_MS = (datetime.max.replace(tzinfo=timezone.utc) - _EPOCH) // timedelta(milliseconds=1)


def time_of(header: block_pb2.ManagerBlockHeader) -> datetime:
    """The block's timestamp."""
    if header.timestamp_unix_ms > _TIME_MAX_MS:
        raise Problem(Step.HEADER, "the header's timestamp is after the year 9999")
    return _EPOCH + timedelta(milliseconds=header.timestamp_unix_ms)


def check_commit(
    certificate: block_pb2.CommitCertificate | None, height: int, id: bytes, genesis: Genesis
) -> tuple[str, ...]:
    """Checks that a certificate makes the block of this height and id final.

    COMMITs of one round by at least Q managers of genesis, each once, sorted, all valid. Returns
    who signed.
    """
    if certificate is None:
        raise Problem(Step.COMMIT_CERTIFICATE, "there is no commit certificate")

    def invalid(what: str) -> Problem:
        return Problem(Step.COMMIT_CERTIFICATE, f"the commit certificate is not valid: {what}")

    if has_unknown_fields(certificate):
        raise invalid("there are unknown fields")
    if certificate.height != height:
        raise invalid("it is about another height")
    if certificate.block_id != id:
        raise invalid("it is about another block")
    count, managers = len(certificate.signatures), len(genesis.managers)
    if not genesis.quorum <= count <= managers:
        raise invalid(
            f"{genesis.quorum} of {managers} managers must sign, {count} signatures are here"
        )
    signers = tuple(each.manager_id for each in certificate.signatures)
    if any(first >= second for first, second in pairwise(signers)):
        raise invalid("the signers are not in ascending order without repeats")
    for each in certificate.signatures:
        if each.manager_id not in genesis.managers:
            raise invalid(f'"{each.manager_id}" is no manager')
        if len(each.signature) != SIGNATURE_BYTES:
            raise invalid(f"the signature of {each.manager_id} does not have 64 bytes")
    signed = canonical_pb2.CanonicalCommit(
        consortium_id=genesis.consortium_id,
        height=height,
        round=certificate.round,
        block_id=id,
    )
    digest = tagged_hash(TAG_COMMIT, canonical_bytes(signed))
    for each in certificate.signatures:
        key = genesis.managers[each.manager_id].signing_key
        if not verify_signature(key, digest, each.signature):
            what = f"a signature does not verify: COMMIT of {each.manager_id} at height {height}"
            raise Problem(Step.SIGNATURES, what)
    return signers
