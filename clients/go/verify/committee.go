package verify

import (
	"crypto/sha3"
	"encoding/binary"
	"io"
	"slices"

	"example.com/bss-node/clients/go/bssv1"
)

// eligibleNodes are the ids of the storage nodes from which committees are drawn, in the order of
// nodes: not suspended, with credit at or above the boycott line, and within their sponsor's share.
// With X of them before the share is taken, and N managers, each sponsor brings its first ⌈X/N⌉.
func eligibleNodes(nodes []*bssv1.StorageNodeEntry, managerCount int, policy *bssv1.Policy) []string {
	var able []*bssv1.AdmitStorageNode
	for _, node := range nodes {
		active := node.Suspension == bssv1.StorageSuspension_STORAGE_SUSPENSION_UNSPECIFIED
		if active && node.Credit >= policy.BoycottLine {
			able = append(able, node.Admission)
		}
	}
	share := (len(able) + managerCount - 1) / managerCount
	taken := map[string]int{}
	var eligible []string
	for _, node := range able {
		if taken[node.SponsorId] < share {
			taken[node.SponsorId]++
			eligible = append(eligible, node.NodeId)
		}
	}
	return eligible
}

// drawCommittee draws ⌊2X/3⌋+1 of the X eligible ids, which are sorted.
func drawCommittee(eligible []string, beacon []byte, round uint32) []string {
	size := min(len(eligible), 2*len(eligible)/3+1)
	return drawAmong(eligible, size, tagCommittee, beacon, uint64(round))
}

// drawAudited draws those whose audit digest is recomputed among the named ids; both are sorted.
// It is at least one of fifty, because a node without data gains 1 when it is not drawn, and loses
// 100 when it is.
func drawAudited(named []string, beacon []byte, height uint64, auditsPerBlock uint32) []string {
	if auditsPerBlock == 0 {
		return nil
	}
	size := min(len(named), max(int(auditsPerBlock), (len(named)+49)/50))
	drawn := drawAmong(named, size, tagAudited, beacon, height)
	slices.Sort(drawn)
	return drawn
}

// drawAmong is the Fisher-Yates shuffle by the bytes of SHAKE256(tag ‖ beacon ‖ number), stopped
// once enough are drawn.
func drawAmong(ids []string, count int, tag string, beacon []byte, number uint64) []string {
	stream := sha3.NewSHAKE256()
	for _, part := range [][]byte{[]byte(tag), beacon, u64(number)} {
		_, _ = stream.Write(part)
	}
	shuffled := slices.Clone(ids)
	for place := range count {
		chosen := place + drawBelow(len(shuffled)-place, stream)
		shuffled[place], shuffled[chosen] = shuffled[chosen], shuffled[place]
	}
	return shuffled[:count]
}

// drawBelow is a uniform integer below bound. Draws from the last, incomplete stretch of 2^32 are
// rejected, because they would favour low remainders.
func drawBelow(bound int, stream io.Reader) int {
	limit := (1 << 32) / uint64(bound) * uint64(bound)
	for {
		var bytes [4]byte
		// SHAKE256 is an endless stream and never fails.
		_, _ = io.ReadFull(stream, bytes[:])
		if draw := uint64(binary.BigEndian.Uint32(bytes[:])); draw < limit {
			return int(draw % uint64(bound))
		}
	}
}
