"""Ed25519 in its strict reading, the same in every client and node."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KEY_BYTES = 32
SIGNATURE_BYTES = 64

_FIELD_PRIME = 2**255 - 19
# The y of the eight points whose order divides 8: order 4, 1, 2, and twice 8.
_SMALL_ORDER_YS = frozenset(
    int.from_bytes(bytes.fromhex(digits), "little")
    for digits in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
)


def verify_signature(key: bytes, digest: bytes, signature: bytes) -> bool:
    """RFC 8032, strictly.

    S below the group order and an equation without cofactor, as OpenSSL has it, and besides
    neither a key nor an R that is of small order or not canonical.
    """
    if len(key) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    if not is_acceptable_point(key) or not is_acceptable_point(signature[:32]):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, digest)
    except (InvalidSignature, ValueError):
        return False
    return True


def is_acceptable_point(point: bytes) -> bool:
    """Whether the y of an encoded point is below the prime and not one of a small order.

    It does not say that the point is on the curve.
    """
    y = int.from_bytes(point, "little") & (2**255 - 1)
    return y < _FIELD_PRIME and y not in _SMALL_ORDER_YS
