"""The members while a block is applied to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bss_client.bssv1 import block_pb2, genesis_pb2, members_pb2
from bss_client.verify.committee import draw_audited, draw_committee
from bss_client.verify.credit import (
    CREDIT_AT_ADMISSION,
    added_units,
    credit_after,
    reward_for_storing,
    totals_until,
)
from bss_client.verify.members import Members, changed
from bss_client.verify.standing import ChangeKind, StandingChange, change_of

# A block stays open for late attestations for so many blocks after it.
_OPEN_BLOCKS = 8


@dataclass(frozen=True)
class SettledBlock:
    """What the next block does to storage nodes because of this one."""

    height: int
    id: bytes
    root: bytes
    tree_size: int
    beacon: bytes
    leaves: int
    eligible: list[str]
    """Those from whom its committees were drawn."""


class Draft:
    """The members while a block is applied to them: first the block before is settled, then come
    the operations in order; in the end committees close.

    It does not ask whether an operation is allowed. Q managers have found so before they committed
    the block, and what comes of it is held against the digest in the header that they signed.
    """

    def __init__(
        self, members: Members, policy: genesis_pb2.Policy, height: int, time_ms: int
    ) -> None:
        self.members = members
        self.changes: list[StandingChange] = []
        self._policy = policy
        # 0 for genesis.
        self._height = height
        self._time_ms = time_ms

    def settle(
        self,
        previous: SettledBlock | None,
        integrity: block_pb2.IntegrityCertificate | None,
        elapsed_ms: int,
        beacon: bytes,
    ) -> None:
        """Does what the block does because of the one before."""
        m = self.members
        m.totals = totals_until(m.totals, elapsed_ms)
        if previous is None or integrity is None:
            return
        audits = {each.node_id: each.audit for each in integrity.signatures}
        named = sorted(each.node_id for each in integrity.signatures)
        drawn = draw_committee(previous.eligible, previous.beacon, integrity.round)
        audited = draw_audited(named, beacon, previous.height, self._policy.audits_per_block)
        committee = members_pb2.OpenCommittee(
            height=previous.height,
            block_id=previous.id,
            round=integrity.round,
            hash1=previous.root,
            tree_size=previous.tree_size,
            missing=sorted(id for id in drawn if not audits.get(id)),
            audited=[
                members_pb2.AuditedAttestation(node_id=id, audit=audits[id]) for id in audited
            ],
        )
        m.open.append(committee)

        def match(node: members_pb2.StorageNodeEntry) -> None:
            reward_for_storing(node, m.totals.kib_seconds, self._policy)
            node.reward = added_units(node.reward, self._policy.match_reward)
            node.credit = credit_after(ChangeKind.MATCH, node.credit)
            node.last_attested_height = max(node.last_attested_height, previous.height)

        for each in integrity.signatures:
            self._put(each.node_id, ChangeKind.MATCH, previous.height, match)

    def apply(self, operation: genesis_pb2.ControlOperation) -> bool:
        """Applies one operation; False for one that this version does not know."""
        kind = operation.WhichOneof("operation")
        if kind == "register_participant" or kind == "register_meter":
            pass  # Participants and meters are no members.
        elif kind == "admit_storage_node":
            self._admit(operation.admit_storage_node)
        elif kind == "register_officer":
            registration = operation.register_officer
            officer = members_pb2.OfficerEntry(registration=registration)
            self.members.officers[registration.officer_id] = officer
        elif kind == "suspend_manager":
            self._change_manager(operation.suspend_manager.manager_id, self._absent)
        elif kind == "resume_manager":
            self._change_manager(operation.resume_manager.manager_id, self._resume)
        elif kind == "evidence":
            self._change_manager(operation.evidence.manager_id, self._offend)
        elif kind == "retire_storage_node":
            self._put(operation.retire_storage_node.node_id, ChangeKind.RETIRED, None, self._retire)
        elif kind == "suspend_storage_node":
            id = operation.suspend_storage_node.node_id
            self._put(id, ChangeKind.UNREACHABLE, None, self._unreachable)
        elif kind == "return_storage_node":
            self._put(
                operation.return_storage_node.node_id, ChangeKind.RETURNED, None, self._return
            )
        elif kind == "carry_attestations":
            self._carry(operation.carry_attestations)
        elif kind == "fail_audit":
            self._fail_audit(operation.fail_audit)
        elif kind == "record_payout":
            payout = operation.record_payout

            def pay(node: members_pb2.StorageNodeEntry) -> None:
                node.paid = added_units(node.paid, payout.amount)

            self._put(payout.node_id, ChangeKind.PAID, None, pay)
        else:
            return False
        return True

    def conclude(self, sealed_bytes: int) -> None:
        """Closes what the block closes. sealed_bytes is the sum of all sealed records after it."""
        m = self.members
        m.totals = members_pb2.StorageTotals(
            sealed_bytes=sealed_bytes,
            kib_seconds=m.totals.kib_seconds,
            remainder=m.totals.remainder,
        )
        # One after the other, because a suspension leaves less room for the next one.
        for i, manager in enumerate(m.managers):
            m.managers[i] = self._judged(manager)
        closing = [each for each in m.open if each.height + _OPEN_BLOCKS <= self._height]
        m.open = [each for each in m.open if each.height + _OPEN_BLOCKS > self._height]
        for committee in closing:
            self._close(committee)
        out = (members_pb2.STORAGE_SUSPENSION_BOYCOTTED, members_pb2.STORAGE_SUSPENSION_RETIRED)
        for node in m.sorted_nodes():
            if node.suspension not in out and node.credit < self._policy.boycott_line:
                self._put(node.admission.node_id, ChangeKind.BOYCOTTED, None, self._boycott)

    def _close(self, committee: members_pb2.OpenCommittee) -> None:
        """Ends the time for attestations of a block: a node that is still missing was not seen, and
        one that is still audited has passed."""
        for id in committee.missing:
            node = self.members.nodes.get(id)
            # A node that was admitted again since then starts anew; a suspended one is known to be
            # away.
            if (
                node is not None
                and node.admitted_height <= committee.height
                and node.suspension == members_pb2.STORAGE_SUSPENSION_UNSPECIFIED
            ):
                self._move(id, ChangeKind.UNSEEN, committee.height)

        def passed(node: members_pb2.StorageNodeEntry) -> None:
            node.audit_failed = False

        for audited in committee.audited:
            node = self.members.nodes.get(audited.node_id)
            if node is not None and node.audit_failed:
                self._put(audited.node_id, ChangeKind.AUDIT_PASSED, committee.height, passed)

    def _admit(self, admission: genesis_pb2.AdmitStorageNode) -> None:
        id = admission.node_id
        before = self.members.nodes.get(id)
        was = before or members_pb2.StorageNodeEntry()
        node = members_pb2.StorageNodeEntry(
            admission=genesis_pb2.AdmitStorageNode(
                node_id=id,
                signing_key=admission.signing_key,
                tls_spki_sha256=admission.tls_spki_sha256,
                sponsor_id=admission.sponsor_id,
            ),
            credit=CREDIT_AT_ADMISSION,
            reward=was.reward,
            paid=was.paid,
            last_attested_height=was.last_attested_height,
            admitted_height=self._height,
            rewarded_kib_seconds=self.members.totals.kib_seconds,
        )
        self._suspend(node, members_pb2.STORAGE_SUSPENSION_UNSPECIFIED)
        self.members.nodes[id] = node
        change = change_of(ChangeKind.ADMITTED, self._height, self._height, before, node)
        self.changes.append(change)

    def _carry(self, carried: genesis_pb2.CarryAttestations) -> None:
        arrived = {each.node_id for each in carried.attestations}

        def without_arrived(committee: members_pb2.OpenCommittee) -> None:
            missing = [id for id in committee.missing if id not in arrived]
            committee.ClearField("missing")
            committee.missing.extend(missing)

        m = self.members
        for i, committee in enumerate(m.open):
            if committee.height == carried.height:
                m.open[i] = changed(committee, without_arrived)

        def late(node: members_pb2.StorageNodeEntry) -> None:
            node.credit = credit_after(ChangeKind.LATE, node.credit)
            node.last_attested_height = max(node.last_attested_height, carried.height)

        for each in carried.attestations:
            if each.HasField("mismatch"):
                self._move(each.node_id, ChangeKind.MISMATCH, carried.height)
            else:
                self._put(each.node_id, ChangeKind.LATE, carried.height, late)

    def _fail_audit(self, failed: genesis_pb2.FailAudit) -> None:
        """Also drops the node's older audits: one that has failed since cannot pass them any
        more."""

        def without_node(committee: members_pb2.OpenCommittee) -> None:
            audited = [each for each in committee.audited if each.node_id != failed.node_id]
            committee.ClearField("audited")
            committee.audited.extend(audited)

        m = self.members
        for i, committee in enumerate(m.open):
            named = any(each.node_id == failed.node_id for each in committee.audited)
            if committee.height <= failed.height and named:
                m.open[i] = changed(committee, without_node)

        def fail(node: members_pb2.StorageNodeEntry) -> None:
            node.credit = credit_after(ChangeKind.AUDIT_FAILED, node.credit)
            node.audit_failed = True
            node.rewarded_kib_seconds = m.totals.kib_seconds

        self._put(failed.node_id, ChangeKind.AUDIT_FAILED, failed.height, fail)

    # What becomes of a manager.

    def _absent(self, manager: members_pb2.ManagerEntry) -> None:
        manager.absences = self._absences_with(manager.absences, manager.changed_at_unix_ms)
        self._suspend_for(manager, members_pb2.SUSPENSION_REASON_ABSENT)

    def _resume(self, manager: members_pb2.ManagerEntry) -> None:
        manager.suspended = False
        manager.reason = members_pb2.SUSPENSION_REASON_UNSPECIFIED
        manager.changed_height, manager.changed_at_unix_ms = self._height, self._time_ms

    def _offend(self, manager: members_pb2.ManagerEntry) -> None:
        manager.offence_height = self._height

    def _equivocated(self, manager: members_pb2.ManagerEntry) -> None:
        self._suspend_for(manager, members_pb2.SUSPENSION_REASON_EQUIVOCATED)

    def _judged(self, manager: members_pb2.ManagerEntry) -> members_pb2.ManagerEntry:
        """A manager after the block's operations: an offender is suspended once there is room."""
        equivocated = members_pb2.SUSPENSION_REASON_EQUIVOCATED
        floor = self._policy.suspension == genesis_pb2.SUSPENSION_MODE_FLOOR
        if not floor or manager.offence_height == 0 or manager.reason == equivocated:
            return manager
        if manager.suspended:

            def for_more(each: members_pb2.ManagerEntry) -> None:
                each.reason = equivocated

            return changed(manager, for_more)
        if self.members.suspension_room(self._policy) == 0:
            return manager
        return changed(manager, self._equivocated)

    def _suspend_for(
        self, manager: members_pb2.ManagerEntry, reason: members_pb2.SuspensionReason
    ) -> None:
        manager.suspended, manager.reason = True, reason
        manager.changed_height, manager.changed_at_unix_ms = self._height, self._time_ms

    def _change_manager(self, id: str, change: Callable[[members_pb2.ManagerEntry], None]) -> None:
        for i, manager in enumerate(self.members.managers):
            if manager.member.manager_id == id:
                self.members.managers[i] = changed(manager, change)

    # What becomes of a storage node.

    def _retire(self, node: members_pb2.StorageNodeEntry) -> None:
        self._suspend(node, members_pb2.STORAGE_SUSPENSION_RETIRED)

    def _unreachable(self, node: members_pb2.StorageNodeEntry) -> None:
        node.absences = self._absences_with(node.absences, node.changed_at_unix_ms)
        self._suspend(node, members_pb2.STORAGE_SUSPENSION_UNREACHABLE)

    def _return(self, node: members_pb2.StorageNodeEntry) -> None:
        node.rewarded_kib_seconds = self.members.totals.kib_seconds
        self._suspend(node, members_pb2.STORAGE_SUSPENSION_UNSPECIFIED)

    def _boycott(self, node: members_pb2.StorageNodeEntry) -> None:
        self._suspend(node, members_pb2.STORAGE_SUSPENSION_BOYCOTTED)

    def _suspend(
        self, node: members_pb2.StorageNodeEntry, cause: members_pb2.StorageSuspension
    ) -> None:
        node.suspension = cause
        node.changed_height, node.changed_at_unix_ms = self._height, self._time_ms

    def _absences_with(self, absences: int, changed_at_ms: int) -> int:
        """How often somebody who is suspended now has been suspended in close succession."""
        if self._time_ms - changed_at_ms < self._policy.resume_wait_max_ms:
            return absences + 1
        return 1

    def _move(self, id: str, kind: ChangeKind, about_height: int) -> None:
        """Changes a node's credit by a movement, and nothing else."""

        def move(node: members_pb2.StorageNodeEntry) -> None:
            node.credit = credit_after(kind, node.credit)

        self._put(id, kind, about_height, move)

    def _put(
        self,
        id: str,
        kind: ChangeKind,
        about_height: int | None,
        change: Callable[[members_pb2.StorageNodeEntry], None],
    ) -> None:
        """Changes a node, if there is one with this id, and takes down the change. It is about the
        block itself when no other height is named."""
        before = self.members.nodes.get(id)
        if before is None:
            return
        after = changed(before, change)
        self.members.nodes[id] = after
        about = self._height if about_height is None else about_height
        self.changes.append(change_of(kind, self._height, about, before, after))
