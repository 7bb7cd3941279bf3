"""What moves a storage node's credit, reward and status."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from bss_client.bssv1 import members_pb2


class ChangeKind(str, Enum):
    """What moved a storage node's standing."""

    MATCH = "match"
    """A block's integrity certificate names the node."""
    LATE = "late"
    """Its MATCH came after the certificate was complete."""
    UNSEEN = "unseen"
    """No block carried an attestation of it in time."""
    MISMATCH = "mismatch"
    """It attested another root or tree size than the block's."""
    AUDIT_FAILED = "audit-failed"
    AUDIT_PASSED = "audit-passed"
    ADMITTED = "admitted"
    UNREACHABLE = "unreachable"
    RETURNED = "returned"
    BOYCOTTED = "boycotted"
    RETIRED = "retired"
    PAID = "paid"


@dataclass(frozen=True)
class StandingChange:
    """One change of a storage node's credit, reward or status."""

    node_id: str
    kind: ChangeKind
    height: int
    """That of the block that makes the change."""
    about_height: int
    """That of the block that it is about: the attested one; else the same."""
    credit: int
    """The credit after the change, and `credit_delta` by how much it changed."""
    credit_delta: int
    reward_delta: int
    """The reward units earned by it, and `paid_delta` those paid."""
    paid_delta: int


def change_of(
    kind: ChangeKind,
    height: int,
    about_height: int,
    before: members_pb2.StorageNodeEntry | None,
    after: members_pb2.StorageNodeEntry,
) -> StandingChange:
    """The change from one entry of a node to the next; before is None for a new one."""
    was = before or members_pb2.StorageNodeEntry()
    return StandingChange(
        node_id=after.admission.node_id,
        kind=kind,
        height=height,
        about_height=about_height,
        credit=after.credit,
        credit_delta=after.credit - was.credit,
        reward_delta=after.reward - was.reward,
        paid_delta=after.paid - was.paid,
    )
