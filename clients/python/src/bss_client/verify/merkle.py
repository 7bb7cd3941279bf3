"""The Merkle log and its proofs, RFC 9162 section 2.1."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bss_client.verify.hashes import tagged_hash
from bss_client.verify.wire import SAFE_MAX, is_hash

# The number of hashes in the longest proof: one for each of 53 levels, and where a consistency
# proof starts.
_PROOF_HASHES_MAX = 54

# The root of the tree without leaves: the hash of nothing.
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(record_hash: bytes, seal_digest: bytes) -> bytes:
    """The leaf of a record in the Merkle log."""
    return entry_hash(record_hash + seal_digest)


def entry_hash(entry: bytes) -> bytes:
    return tagged_hash(b"\x00", entry)


def _node_hash(left: bytes, right: bytes) -> bytes:
    return tagged_hash(b"\x01", left, right)


def verify_inclusion(
    *, leaf_hash: bytes, leaf_index: int, tree_size: int, root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the leaf is in the tree, RFC 9162 section 2.1.3.2.

    Size and root have to come from one signed header, because a proof does not bind the size.
    """
    if not 0 <= leaf_index < tree_size <= SAFE_MAX or not _is_proof(proof):
        return False
    fn, sn, r = leaf_index, tree_size - 1, leaf_hash
    for p in proof:
        if sn == 0:
            return False
        if fn % 2 == 1 or fn == sn:
            r = _node_hash(p, r)
            while fn % 2 == 0 and fn != 0:
                fn, sn = fn // 2, sn // 2
        else:
            r = _node_hash(r, p)
        fn, sn = fn // 2, sn // 2
    return sn == 0 and r == root


def verify_consistency(
    *, from_size: int, from_root: bytes, to_size: int, to_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether a tree begins with all leaves of an earlier one, RFC 9162 section 2.1.4.2.

    Each root has to belong to its size. The RFC covers 0 < from_size < to_size. Outside of that
    only an empty proof holds: between equal sizes with equal roots, and from size 0 with the empty
    tree's root.
    """
    if not 0 <= from_size <= to_size <= SAFE_MAX or not _is_proof(proof):
        return False
    if from_size == 0 and from_root != EMPTY_ROOT:
        return False
    if from_size == to_size:
        return len(proof) == 0 and from_root == to_root
    if from_size == 0:
        return len(proof) == 0
    if len(proof) == 0:
        return False
    fn, sn = from_size - 1, to_size - 1
    while fn % 2 == 1:
        fn, sn = fn // 2, sn // 2
    # fn is 0 exactly when the earlier size is a power of two; then the proof starts from its root.
    start, *path = [from_root, *proof] if fn == 0 else proof
    fr = sr = start
    for c in path:
        if sn == 0:
            return False
        if fn % 2 == 1 or fn == sn:
            fr, sr = _node_hash(c, fr), _node_hash(c, sr)
            while fn % 2 == 0 and fn != 0:
                fn, sn = fn // 2, sn // 2
        else:
            sr = _node_hash(sr, c)
        fn, sn = fn // 2, sn // 2
    return sn == 0 and fr == from_root and sr == to_root


def _is_proof(proof: Sequence[bytes]) -> bool:
    return len(proof) <= _PROOF_HASHES_MAX and all(is_hash(each) for each in proof)


@dataclass(frozen=True)
class Frontier:
    """All that appending needs to know of a tree.

    Its size, and the roots of its complete subtrees, biggest first, one for each 1 in the binary
    form of the size.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def append(self, leaves: Iterable[bytes]) -> Frontier:
        size, peaks = self.size, list(self.peaks)
        for node in leaves:
            index = size
            while index % 2 == 1:
                node = _node_hash(peaks.pop(), node)
                index //= 2
            peaks.append(node)
            size += 1
        return Frontier(size, tuple(peaks))

    def root(self) -> bytes:
        if not self.peaks:
            return EMPTY_ROOT
        *others, root = self.peaks
        for peak in reversed(others):
            root = _node_hash(peak, root)
        return root


def merkle_root(entries: Iterable[bytes]) -> bytes:
    """The root over a list of byte strings."""
    return Frontier().append(entry_hash(entry) for entry in entries).root()
