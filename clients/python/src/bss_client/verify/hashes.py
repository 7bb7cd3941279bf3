"""The hashes of the protocol: all are SHA-256, 32 bytes."""

import hashlib

HASH_BYTES = 32

# The tags that say what a digest is of. No tag is the beginning of another one.
TAG_RECORD = b"bss/v1/record"
TAG_SUBMISSION = b"bss/v1/submission"
TAG_TRADE = b"bss/v1/trade"
TAG_BLOCK = b"bss/v1/block"
TAG_BODY = b"bss/v1/body"
TAG_CERTIFICATES = b"bss/v1/certificates"
TAG_COMMIT = b"bss/v1/commit"
# These two go into SHAKE256.
TAG_COMMITTEE = b"bss/v1/committee"
TAG_AUDITED = b"bss/v1/audited"


def tagged_hash(tag: bytes, *parts: bytes) -> bytes:
    return hashlib.sha256(tag + b"".join(parts)).digest()


def record_hash(consortium_id: bytes, record: bytes) -> bytes:
    """The "data hash" of a record's exact bytes."""
    return tagged_hash(TAG_RECORD, consortium_id, record)


def submission_digest(header: bytes) -> bytes:
    """What the submitter signs, of the exact bytes of a SubmissionHeader."""
    return tagged_hash(TAG_SUBMISSION, header)


def trade_digest(consortium_id: bytes, terms: bytes) -> bytes:
    """What both parties of a trade sign, of the exact bytes of its TradeTerms."""
    return tagged_hash(TAG_TRADE, consortium_id, terms)


def block_id(header: bytes) -> bytes:
    """The id of the block with these exact bytes of a ManagerBlockHeader."""
    return tagged_hash(TAG_BLOCK, header)


def u64(value: int) -> bytes:
    return value.to_bytes(8, "big")
