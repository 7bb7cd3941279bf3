package verify

import (
	"slices"

	"example.com/bss-node/clients/go/bssv1"
)

// A block stays open for late attestations for so many blocks after it.
const openBlocks = 8

// draft are the members while a block is applied to them: first the block before is settled, then
// come the operations in order; in the end committees close.
//
// It does not ask whether an operation is allowed. Q managers have found so before they committed the
// block, and what comes of it is held against the digest in the header that they signed.
type draft struct {
	members *members
	policy  *bssv1.Policy
	// Of the block; 0 for genesis.
	height  uint64
	timeMs  int64
	changes []StandingChange
}

// settle does what the block does because of the one before.
func (d *draft) settle(previous *settledBlock, elapsedMs int64, beacon []byte) {
	m := d.members
	m.totals = totalsUntil(m.totals, elapsedMs)
	if previous == nil || previous.integrity == nil {
		return
	}
	integrity := previous.integrity
	audits := map[string][]byte{}
	var named []string
	for _, each := range integrity.Signatures {
		named = append(named, each.NodeId)
		audits[each.NodeId] = each.Audit
	}
	slices.Sort(named)
	committee := &bssv1.OpenCommittee{
		Height:   previous.height,
		BlockId:  previous.id[:],
		Round:    integrity.Round,
		Hash1:    previous.root[:],
		TreeSize: previous.treeSize,
	}
	for _, id := range drawCommittee(previous.eligible, previous.beacon, integrity.Round) {
		if audits[id] == nil {
			committee.Missing = append(committee.Missing, id)
		}
	}
	slices.Sort(committee.Missing)
	for _, id := range drawAudited(named, beacon, previous.height, d.policy.AuditsPerBlock) {
		audited := &bssv1.AuditedAttestation{NodeId: id, Audit: audits[id]}
		committee.Audited = append(committee.Audited, audited)
	}
	m.open = append(m.open, committee)
	for _, each := range integrity.Signatures {
		d.put(each.NodeId, ChangeMatch, previous.height, func(node *bssv1.StorageNodeEntry) {
			rewardForStoring(node, m.totals.KibSeconds, d.policy)
			node.Reward = addedUnits(node.Reward, bigOf(d.policy.MatchReward))
			node.Credit = creditAfter(ChangeMatch, node.Credit)
			node.LastAttestedHeight = max(node.LastAttestedHeight, previous.height)
		})
	}
}

// apply applies one operation; false for one that this version does not know.
func (d *draft) apply(operation *bssv1.ControlOperation) bool {
	switch each := operation.GetOperation().(type) {
	case *bssv1.ControlOperation_RegisterParticipant, *bssv1.ControlOperation_RegisterMeter:
		// Participants and meters are no members.
	case *bssv1.ControlOperation_AdmitStorageNode:
		d.admit(each.AdmitStorageNode)
	case *bssv1.ControlOperation_RegisterOfficer:
		registration := each.RegisterOfficer
		d.members.officers[registration.OfficerId] = &bssv1.OfficerEntry{Registration: registration}
	case *bssv1.ControlOperation_SuspendManager:
		d.suspendManager(each.SuspendManager.ManagerId)
	case *bssv1.ControlOperation_ResumeManager:
		d.changeManager(each.ResumeManager.ManagerId, func(manager *bssv1.ManagerEntry) {
			manager.Suspended, manager.Reason = false, bssv1.SuspensionReason_SUSPENSION_REASON_UNSPECIFIED
			manager.ChangedHeight, manager.ChangedAtUnixMs = d.height, d.timeMs
		})
	case *bssv1.ControlOperation_Evidence:
		d.changeManager(each.Evidence.ManagerId, func(manager *bssv1.ManagerEntry) {
			manager.OffenceHeight = d.height
		})
	case *bssv1.ControlOperation_RetireStorageNode:
		d.put(each.RetireStorageNode.NodeId, ChangeRetired, d.height, func(node *bssv1.StorageNodeEntry) {
			d.suspend(node, bssv1.StorageSuspension_STORAGE_SUSPENSION_RETIRED)
		})
	case *bssv1.ControlOperation_SuspendStorageNode:
		d.put(each.SuspendStorageNode.NodeId, ChangeUnreachable, d.height, func(node *bssv1.StorageNodeEntry) {
			node.Absences = d.absencesWith(node.Absences, node.ChangedAtUnixMs)
			d.suspend(node, bssv1.StorageSuspension_STORAGE_SUSPENSION_UNREACHABLE)
		})
	case *bssv1.ControlOperation_ReturnStorageNode:
		d.put(each.ReturnStorageNode.NodeId, ChangeReturned, d.height, func(node *bssv1.StorageNodeEntry) {
			node.RewardedKibSeconds = d.members.totals.KibSeconds
			d.suspend(node, bssv1.StorageSuspension_STORAGE_SUSPENSION_UNSPECIFIED)
		})
	case *bssv1.ControlOperation_CarryAttestations:
		d.carry(each.CarryAttestations)
	case *bssv1.ControlOperation_FailAudit:
		d.failAudit(each.FailAudit)
	case *bssv1.ControlOperation_RecordPayout:
		d.put(each.RecordPayout.NodeId, ChangePaid, d.height, func(node *bssv1.StorageNodeEntry) {
			node.Paid += each.RecordPayout.Amount
		})
	default:
		return false
	}
	return true
}

// conclude closes what the block closes. sealedBytes is the sum of all sealed records after it.
func (d *draft) conclude(sealedBytes uint64) {
	m := d.members
	m.totals = changed(m.totals, func(totals *bssv1.StorageTotals) { totals.SealedBytes = sealedBytes })
	for i, manager := range m.managers {
		m.managers[i] = d.judged(manager)
	}
	var open []*bssv1.OpenCommittee
	for _, committee := range m.open {
		if committee.Height+openBlocks > d.height {
			open = append(open, committee)
		} else {
			d.close(committee)
		}
	}
	m.open = open
	for _, node := range m.sortedNodes() {
		out := node.Suspension == bssv1.StorageSuspension_STORAGE_SUSPENSION_BOYCOTTED ||
			node.Suspension == bssv1.StorageSuspension_STORAGE_SUSPENSION_RETIRED
		if !out && node.Credit < d.policy.BoycottLine {
			d.put(node.Admission.NodeId, ChangeBoycotted, d.height, func(node *bssv1.StorageNodeEntry) {
				d.suspend(node, bssv1.StorageSuspension_STORAGE_SUSPENSION_BOYCOTTED)
			})
		}
	}
}

// close ends the time for attestations of a block: a node that is still missing was not seen, and
// one that is still audited has passed.
func (d *draft) close(committee *bssv1.OpenCommittee) {
	for _, id := range committee.Missing {
		node := d.members.nodes[id]
		// A node that was admitted again since then starts anew; a suspended one is known to be away.
		if node == nil || node.AdmittedHeight > committee.Height ||
			node.Suspension != bssv1.StorageSuspension_STORAGE_SUSPENSION_UNSPECIFIED {
			continue
		}
		d.move(id, ChangeUnseen, committee.Height)
	}
	for _, audited := range committee.Audited {
		if node := d.members.nodes[audited.NodeId]; node != nil && node.AuditFailed {
			d.put(audited.NodeId, ChangeAuditPassed, committee.Height, func(node *bssv1.StorageNodeEntry) {
				node.AuditFailed = false
			})
		}
	}
}

func (d *draft) admit(admission *bssv1.AdmitStorageNode) {
	id := admission.NodeId
	before := d.members.nodes[id]
	node := &bssv1.StorageNodeEntry{
		Admission: &bssv1.AdmitStorageNode{
			NodeId:        id,
			SigningKey:    admission.SigningKey,
			TlsSpkiSha256: admission.TlsSpkiSha256,
			SponsorId:     admission.SponsorId,
		},
		Credit:             creditAtAdmission,
		Reward:             before.GetReward(),
		Paid:               before.GetPaid(),
		LastAttestedHeight: before.GetLastAttestedHeight(),
		AdmittedHeight:     d.height,
		RewardedKibSeconds: d.members.totals.KibSeconds,
	}
	d.suspend(node, bssv1.StorageSuspension_STORAGE_SUSPENSION_UNSPECIFIED)
	d.members.nodes[id] = node
	d.changes = append(d.changes, changeOf(id, ChangeAdmitted, d.height, d.height, before, node))
}

func (d *draft) carry(carried *bssv1.CarryAttestations) {
	for i, committee := range d.members.open {
		if committee.Height != carried.Height {
			continue
		}
		arrived := map[string]bool{}
		for _, each := range carried.Attestations {
			arrived[each.NodeId] = true
		}
		d.members.open[i] = changed(committee, func(open *bssv1.OpenCommittee) {
			open.Missing = slices.DeleteFunc(open.Missing, func(id string) bool { return arrived[id] })
		})
	}
	for _, each := range carried.Attestations {
		if each.Mismatch != nil {
			d.move(each.NodeId, ChangeMismatch, carried.Height)
			continue
		}
		d.put(each.NodeId, ChangeLate, carried.Height, func(node *bssv1.StorageNodeEntry) {
			node.Credit = creditAfter(ChangeLate, node.Credit)
			node.LastAttestedHeight = max(node.LastAttestedHeight, carried.Height)
		})
	}
}

// failAudit also drops the node's older audits: one that has failed since cannot pass them any more.
func (d *draft) failAudit(failed *bssv1.FailAudit) {
	isOf := func(each *bssv1.AuditedAttestation) bool { return each.NodeId == failed.NodeId }
	for i, committee := range d.members.open {
		if committee.Height <= failed.Height && slices.ContainsFunc(committee.Audited, isOf) {
			d.members.open[i] = changed(committee, func(open *bssv1.OpenCommittee) {
				open.Audited = slices.DeleteFunc(open.Audited, isOf)
			})
		}
	}
	d.put(failed.NodeId, ChangeAuditFailed, failed.Height, func(node *bssv1.StorageNodeEntry) {
		node.Credit = creditAfter(ChangeAuditFailed, node.Credit)
		node.AuditFailed = true
		node.RewardedKibSeconds = d.members.totals.KibSeconds
	})
}

func (d *draft) suspendManager(id string) {
	d.changeManager(id, func(manager *bssv1.ManagerEntry) {
		manager.Absences = d.absencesWith(manager.Absences, manager.ChangedAtUnixMs)
		d.suspendFor(manager, bssv1.SuspensionReason_SUSPENSION_REASON_ABSENT)
	})
}

// judged is a manager after the block's operations: an offender is suspended once there is room.
func (d *draft) judged(manager *bssv1.ManagerEntry) *bssv1.ManagerEntry {
	const equivocated = bssv1.SuspensionReason_SUSPENSION_REASON_EQUIVOCATED
	floor := d.policy.Suspension == bssv1.SuspensionMode_SUSPENSION_MODE_FLOOR
	if !floor || manager.OffenceHeight == 0 || manager.Reason == equivocated {
		return manager
	}
	if manager.Suspended {
		return changed(manager, func(each *bssv1.ManagerEntry) { each.Reason = equivocated })
	}
	if d.members.suspensionRoom(d.policy) == 0 {
		return manager
	}
	return changed(manager, func(each *bssv1.ManagerEntry) { d.suspendFor(each, equivocated) })
}

func (d *draft) suspendFor(manager *bssv1.ManagerEntry, reason bssv1.SuspensionReason) {
	manager.Suspended, manager.Reason = true, reason
	manager.ChangedHeight, manager.ChangedAtUnixMs = d.height, d.timeMs
}

func (d *draft) suspend(node *bssv1.StorageNodeEntry, cause bssv1.StorageSuspension) {
	node.Suspension = cause
	node.ChangedHeight, node.ChangedAtUnixMs = d.height, d.timeMs
}

// absencesWith is how often somebody who is suspended now has been suspended in close succession.
func (d *draft) absencesWith(absences uint32, changedAtMs int64) uint32 {
	if d.timeMs-changedAtMs < int64(d.policy.ResumeWaitMaxMs) {
		return absences + 1
	}
	return 1
}

func (d *draft) changeManager(id string, change func(*bssv1.ManagerEntry)) {
	for i, manager := range d.members.managers {
		if manager.Member.ManagerId == id {
			d.members.managers[i] = changed(manager, change)
		}
	}
}

// move changes a node's credit by a movement, and nothing else.
func (d *draft) move(id string, kind ChangeKind, aboutHeight uint64) {
	d.put(id, kind, aboutHeight, func(node *bssv1.StorageNodeEntry) {
		node.Credit = creditAfter(kind, node.Credit)
	})
}

// put changes a node, if there is one with this id, and takes down the change.
func (d *draft) put(id string, kind ChangeKind, aboutHeight uint64, change func(*bssv1.StorageNodeEntry)) {
	before := d.members.nodes[id]
	if before == nil {
		return
	}
	after := changed(before, change)
	d.members.nodes[id] = after
	d.changes = append(d.changes, changeOf(id, kind, d.height, aboutHeight, before, after))
}
