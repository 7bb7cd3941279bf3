"""What storage nodes gain and lose."""

from bss_client.bssv1 import genesis_pb2, members_pb2
from bss_client.verify.standing import ChangeKind

CREDIT_AT_ADMISSION = 100
_CREDIT_MAX = 1000
_UNITS_MAX = 2**64 - 1

_CREDIT_MOVEMENTS = {
    ChangeKind.MATCH: 1,
    ChangeKind.LATE: 1,
    ChangeKind.UNSEEN: -1,
    ChangeKind.MISMATCH: -50,
    ChangeKind.AUDIT_FAILED: -100,
}


def credit_after(kind: ChangeKind, credit: int) -> int:
    """A node's credit after a movement.

    A MATCH that came late gives back what the node has lost by not being seen, and no more.
    """
    if kind is ChangeKind.LATE and credit >= CREDIT_AT_ADMISSION:
        return credit
    return min(_CREDIT_MAX, max(0, credit + _CREDIT_MOVEMENTS[kind]))


def totals_until(totals: members_pb2.StorageTotals, elapsed_ms: int) -> members_pb2.StorageTotals:
    """Adds the bytes that are stored, for a time in ms."""
    byte_ms = totals.sealed_bytes * elapsed_ms + totals.remainder
    kib_seconds, remainder = divmod(byte_ms, 1_024_000)
    return members_pb2.StorageTotals(
        sealed_bytes=totals.sealed_bytes,
        kib_seconds=added_units(totals.kib_seconds, kib_seconds),
        remainder=remainder,
    )


def reward_for_storing(
    node: members_pb2.StorageNodeEntry, kib_seconds: int, policy: genesis_pb2.Policy
) -> None:
    """Adds what a node has earned by storing until now.

    What is earned since genesis is rounded, not each stretch.
    """

    def earned_until(total: int) -> int:
        return total * policy.storage_reward // ((1 << 20) * 86_400)

    if not node.audit_failed:
        units = earned_until(kib_seconds) - earned_until(node.rewarded_kib_seconds)
        node.reward = added_units(node.reward, units)
    node.rewarded_kib_seconds = kib_seconds


def added_units(before: int, units: int) -> int:
    """A sum that fits 64 bits and never wraps around."""
    return min(before + units, _UNITS_MAX)
