package verify

import (
	"cmp"
	"maps"
	"slices"

	"example.com/bss-node/clients/go/bssv1"
	"google.golang.org/protobuf/proto"
)

// members are all entries that a header's members_digest covers, as members.proto has them. An entry
// is never written to: a change replaces it by a changed copy, so that members of two heights share
// the others.
type members struct {
	// In ring order.
	managers []*bssv1.ManagerEntry
	nodes    map[string]*bssv1.StorageNodeEntry
	officers map[string]*bssv1.OfficerEntry
	// Ascending by height.
	open   []*bssv1.OpenCommittee
	totals *bssv1.StorageTotals
	// The leaf hashes of entries, which most blocks leave as they are.
	leaves map[proto.Message]Hash
}

// genesisMembers are the managers, storage nodes and officers of genesis.
func genesisMembers(genesis *bssv1.Genesis) *members {
	m := &members{
		nodes:    map[string]*bssv1.StorageNodeEntry{},
		officers: map[string]*bssv1.OfficerEntry{},
		totals:   &bssv1.StorageTotals{},
	}
	for _, manager := range genesis.Managers {
		m.managers = append(m.managers, &bssv1.ManagerEntry{Member: manager})
	}
	draft := &draft{members: m, policy: genesis.Policy}
	for _, operation := range genesis.Operations {
		draft.apply(operation)
	}
	return m
}

func (m *members) clone() *members {
	return &members{
		managers: slices.Clone(m.managers),
		nodes:    maps.Clone(m.nodes),
		officers: maps.Clone(m.officers),
		open:     slices.Clone(m.open),
		totals:   m.totals,
		leaves:   m.leaves,
	}
}

// sortedNodes are the storage nodes ascending by id.
func (m *members) sortedNodes() []*bssv1.StorageNodeEntry { return sorted(m.nodes) }

func (m *members) eligible(policy *bssv1.Policy) []string {
	return eligibleNodes(m.sortedNodes(), len(m.managers), policy)
}

// suspensionRoom is how many of the active managers may be suspended.
func (m *members) suspensionRoom(policy *bssv1.Policy) int {
	if policy.Suspension != bssv1.SuspensionMode_SUSPENSION_MODE_FLOOR {
		return 0
	}
	active := 0
	for _, manager := range m.managers {
		if !manager.Suspended {
			active++
		}
	}
	count := len(m.managers)
	return max(0, active-(count-(count-1)/3))
}

// digest is members_digest: the RFC 9162 root over the canonical bytes of each entry.
func (m *members) digest() Hash {
	var hashes []Hash
	known := map[proto.Message]Hash{}
	add := func(part proto.Message, entry *bssv1.MemberEntry) {
		hash, ok := m.leaves[part]
		if !ok {
			hash = leafHash(canonicalBytes(entry))
		}
		known[part] = hash
		hashes = append(hashes, hash)
	}
	for _, each := range m.managers {
		add(each, &bssv1.MemberEntry{Entry: &bssv1.MemberEntry_Manager{Manager: each}})
	}
	for _, each := range m.sortedNodes() {
		add(each, &bssv1.MemberEntry{Entry: &bssv1.MemberEntry_StorageNode{StorageNode: each}})
	}
	for _, each := range sorted(m.officers) {
		add(each, &bssv1.MemberEntry{Entry: &bssv1.MemberEntry_Officer{Officer: each}})
	}
	for _, each := range m.open {
		add(each, &bssv1.MemberEntry{Entry: &bssv1.MemberEntry_OpenCommittee{OpenCommittee: each}})
	}
	if !proto.Equal(m.totals, &bssv1.StorageTotals{}) {
		add(m.totals, &bssv1.MemberEntry{Entry: &bssv1.MemberEntry_Totals{Totals: m.totals}})
	}
	m.leaves = known
	return frontier{}.append(hashes).root()
}

func sorted[K cmp.Ordered, V any](values map[K]V) []V {
	list := make([]V, 0, len(values))
	for _, key := range slices.Sorted(maps.Keys(values)) {
		list = append(list, values[key])
	}
	return list
}

func changed[M proto.Message](entry M, change func(M)) M {
	copied := proto.CloneOf(entry)
	change(copied)
	return copied
}
