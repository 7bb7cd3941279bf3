"""Strict reading of protocol buffers."""

from google.protobuf.message import DecodeError, Message

from bss_client.verify.hashes import HASH_BYTES

# The largest integer that every language holds exactly. No number of the ledger is above it.
SAFE_MAX = 2**53 - 1


def canonical_bytes(message: Message) -> bytes:
    """What nodes write, hash and sign: fields ascending, defaults left out."""
    return message.SerializeToString(deterministic=True)


def decode(encoded: bytes, into: Message) -> bool:
    """Reads a whole message without unknown fields; False for all other bytes."""
    try:
        into.ParseFromString(encoded)
    except DecodeError:
        return False
    return not has_unknown_fields(into)


def decode_canonical(encoded: bytes, into: Message) -> bool:
    """Reads bytes that have one encoding; False for all others."""
    return decode(encoded, into) and canonical_bytes(into) == encoded


def has_unknown_fields(message: Message) -> bool:
    """Whether a message, or one within it, carries fields that this version does not know.

    Nothing may be shown of a message that says more than was understood.
    """
    known = type(message)()
    known.CopyFrom(message)
    known.DiscardUnknownFields()
    return known.ByteSize() != message.ByteSize()


def is_hash(value: bytes) -> bool:
    return len(value) == HASH_BYTES
