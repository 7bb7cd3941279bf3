package verify

import (
	"example.com/bss-node/clients/go/bssv1"
	"google.golang.org/protobuf/proto"
)

// Chain follows the blocks from genesis on. It believes what Q managers of genesis committed, as a
// receipt does, and nobody who sends the blocks: every link, root and signature is checked, and the
// members are computed by itself and held against the digest in the header.
//
// A Chain is not safe for concurrent use.
type Chain struct {
	genesis *Genesis
	height  uint64
	id      Hash
	timeMs  int64
	log     frontier
	members *members
	// The last block, as the next one settles it; nil for genesis.
	last *settledBlock
}

// settledBlock is what the next block does to storage nodes because of this one.
type settledBlock struct {
	height   uint64
	id, root Hash
	treeSize uint64
	beacon   []byte
	leaves   int
	// Those from whom its committees were drawn.
	eligible []string
	// As the next block carries it.
	integrity *bssv1.IntegrityCertificate
}

// NewChain starts at genesis.
func NewChain(genesis *Genesis) *Chain {
	return &Chain{
		genesis: genesis,
		id:      genesis.ConsortiumID,
		timeMs:  genesis.Message.TimeUnixMs,
		members: genesisMembers(genesis.Message),
	}
}

// Height is that of the last block that was added; 0 for genesis.
func (c *Chain) Height() uint64 { return c.height }

// TreeSize and Root are those of the Merkle log after the last block.
func (c *Chain) TreeSize() uint64 { return c.log.size }

// Root is the root of the Merkle log after the last block.
func (c *Chain) Root() Hash { return c.log.root() }

// StorageNode is the standing of a storage node after the last block; nil if nobody admitted it.
func (c *Chain) StorageNode(id string) *bssv1.StorageNodeEntry {
	if node := c.members.nodes[id]; node != nil {
		return proto.CloneOf(node)
	}
	return nil
}

// StorageNodes are the standings of all storage nodes after the last block, ascending by id.
func (c *Chain) StorageNodes() []*bssv1.StorageNodeEntry { return cloned(c.members.sortedNodes()) }

// Managers are the standings of the managers after the last block, in ring order.
func (c *Chain) Managers() []*bssv1.ManagerEntry { return cloned(c.members.managers) }

func cloned[M proto.Message](entries []M) []M {
	copies := make([]M, len(entries))
	for i, entry := range entries {
		copies[i] = proto.CloneOf(entry)
	}
	return copies
}

// Add takes in the next block, which has to be whole (not headers_only). The error for one that does
// not follow, or is not final, is a [*Problem], and the chain stays where it was.
func (c *Chain) Add(view *bssv1.BlockView) (*Block, error) {
	block, err := Final(view, c.genesis)
	if err != nil {
		return nil, err
	}
	switch {
	case block.Height != c.height+1:
		return nil, problem(StepHeader, "the next block is %d, not %d", c.height+1, block.Height)
	case block.PreviousID != c.id:
		return nil, problem(StepHeader, "block %d does not follow the one before it", block.Height)
	case block.header.TimestampUnixMs <= c.timeMs:
		return nil, problem(StepHeader, "the time of block %d is not after its parent's", block.Height)
	}
	log := c.log.append(block.leafHashes())
	if log.size != block.TreeSize || log.root() != block.Root {
		return nil, problem(StepLog, "the records of block %d do not lead to its hash1", block.Height)
	}
	integrity, err := c.settled(view.Block, block.Height)
	if err != nil {
		return nil, err
	}
	draft, err := c.apply(block, integrity)
	if err != nil {
		return nil, err
	}
	c.last = &settledBlock{
		height:   block.Height,
		id:       block.ID,
		root:     block.Root,
		treeSize: block.TreeSize,
		beacon:   block.header.Beacon,
		leaves:   len(block.Leaves),
		eligible: c.members.eligible(c.genesis.Message.Policy),
	}
	c.height, c.id, c.timeMs = block.Height, block.ID, block.header.TimestampUnixMs
	c.log, c.members = log, draft.members
	block.Changes = draft.changes
	return block, nil
}

// settled is the integrity certificate of the block before, as this one carries it.
func (c *Chain) settled(block *bssv1.Block, height uint64) (*bssv1.IntegrityCertificate, error) {
	if c.last == nil {
		return nil, nil
	}
	carried := &bssv1.BlockCertificates{}
	if !decodeCanonical(block.PreviousCertificates, carried) {
		return nil, problem(StepBody, "block %d: the certificates of the block before do not decode", height)
	}
	if (carried.Integrity != nil) != (c.last.leaves > 0) {
		return nil, problem(StepBody, "block %d: an integrity certificate belongs to a block that adds "+
			"records, and to no other", height)
	}
	return carried.Integrity, nil
}

// apply computes the members after the block, and holds them against the header.
func (c *Chain) apply(block *Block, integrity *bssv1.IntegrityCertificate) (*draft, error) {
	header := block.header
	draft := &draft{
		members: c.members.clone(),
		policy:  c.genesis.Message.Policy,
		height:  header.Height,
		timeMs:  header.TimestampUnixMs,
	}
	previous := c.last
	if previous != nil {
		settled := *previous
		settled.integrity = integrity
		previous = &settled
	}
	draft.settle(previous, header.TimestampUnixMs-c.timeMs, header.Beacon)
	for _, operation := range block.Operations {
		if !draft.apply(operation) {
			return nil, problem(StepMembers, "block %d holds an operation that this version does not know", header.Height)
		}
	}
	draft.conclude(header.SealedBytes)
	if draft.members.digest() != Hash(header.MembersDigest) {
		return nil, problem(StepMembers, "the members after block %d have another digest than its header", header.Height)
	}
	return draft, nil
}
