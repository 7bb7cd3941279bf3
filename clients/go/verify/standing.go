package verify

import (
	"math/big"

	"example.com/bss-node/clients/go/bssv1"
)

// ChangeKind says what moved a storage node's standing.
type ChangeKind string

const (
	// ChangeMatch: a block's integrity certificate names the node.
	ChangeMatch ChangeKind = "match"
	// ChangeLate: its MATCH came after the certificate was complete.
	ChangeLate ChangeKind = "late"
	// ChangeUnseen: no block carried an attestation of it in time.
	ChangeUnseen ChangeKind = "unseen"
	// ChangeMismatch: it attested another root or tree size than the block's.
	ChangeMismatch    ChangeKind = "mismatch"
	ChangeAuditFailed ChangeKind = "audit-failed"
	ChangeAuditPassed ChangeKind = "audit-passed"
	ChangeAdmitted    ChangeKind = "admitted"
	ChangeUnreachable ChangeKind = "unreachable"
	ChangeReturned    ChangeKind = "returned"
	ChangeBoycotted   ChangeKind = "boycotted"
	ChangeRetired     ChangeKind = "retired"
	ChangePaid        ChangeKind = "paid"
)

// StandingChange is one change of a storage node's credit, reward or status.
type StandingChange struct {
	NodeID string
	Kind   ChangeKind
	// Height is that of the block that makes the change, AboutHeight that of the block that it is
	// about: the attested one; else the same.
	Height, AboutHeight uint64
	// Credit is the credit after the change, and CreditDelta by how much it changed.
	Credit      uint32
	CreditDelta int
	// RewardDelta and PaidDelta are the reward units earned and paid by it.
	RewardDelta, PaidDelta uint64
}

// changeOf is the change from one entry of a node to the next; before is nil for a new one.
func changeOf(
	id string, kind ChangeKind, height, aboutHeight uint64, before, after *bssv1.StorageNodeEntry,
) StandingChange {
	return StandingChange{
		NodeID:      id,
		Kind:        kind,
		Height:      height,
		AboutHeight: aboutHeight,
		Credit:      after.Credit,
		CreditDelta: int(after.Credit) - int(before.GetCredit()),
		RewardDelta: after.Reward - before.GetReward(),
		PaidDelta:   after.Paid - before.GetPaid(),
	}
}

func bigOf(value uint64) *big.Int { return new(big.Int).SetUint64(value) }
