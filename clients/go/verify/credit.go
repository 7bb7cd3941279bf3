package verify

import (
	"math"
	"math/big"

	"example.com/bss-node/clients/go/bssv1"
)

const (
	creditAtAdmission = 100
	creditMax         = 1000
)

// creditMovements are what a storage node's credit gains and loses.
var creditMovements = map[ChangeKind]int{
	ChangeMatch:       1,
	ChangeLate:        1,
	ChangeUnseen:      -1,
	ChangeMismatch:    -50,
	ChangeAuditFailed: -100,
}

// creditAfter is a node's credit after a movement. A MATCH that came late gives back what the node
// has lost by not being seen, and no more.
func creditAfter(kind ChangeKind, credit uint32) uint32 {
	if kind == ChangeLate && credit >= creditAtAdmission {
		return credit
	}
	return uint32(min(creditMax, max(0, int(credit)+creditMovements[kind])))
}

// totalsUntil adds the bytes that are stored, for a time in ms.
func totalsUntil(totals *bssv1.StorageTotals, elapsedMs int64) *bssv1.StorageTotals {
	byteMs := new(big.Int).SetUint64(totals.SealedBytes)
	byteMs.Mul(byteMs, big.NewInt(elapsedMs))
	byteMs.Add(byteMs, new(big.Int).SetUint64(totals.Remainder))
	kibSeconds, remainder := byteMs.QuoRem(byteMs, big.NewInt(1_024_000), new(big.Int))
	return &bssv1.StorageTotals{
		SealedBytes: totals.SealedBytes,
		KibSeconds:  addedUnits(totals.KibSeconds, kibSeconds),
		Remainder:   remainder.Uint64(),
	}
}

// rewardForStoring adds what a node has earned by storing until now. What is earned since genesis is
// rounded, not each stretch.
func rewardForStoring(node *bssv1.StorageNodeEntry, kibSeconds uint64, policy *bssv1.Policy) {
	earnedUntil := func(sum uint64) *big.Int {
		units := new(big.Int).SetUint64(sum)
		units.Mul(units, new(big.Int).SetUint64(policy.StorageReward))
		return units.Quo(units, big.NewInt((1<<20)*86_400))
	}
	if !node.AuditFailed {
		units := earnedUntil(kibSeconds)
		node.Reward = addedUnits(node.Reward, units.Sub(units, earnedUntil(node.RewardedKibSeconds)))
	}
	node.RewardedKibSeconds = kibSeconds
}

// addedUnits is a sum that fits 64 bits and never wraps around.
func addedUnits(before uint64, units *big.Int) uint64 {
	sum := new(big.Int).SetUint64(before)
	if sum.Add(sum, units); !sum.IsUint64() {
		return math.MaxUint64
	}
	return sum.Uint64()
}
