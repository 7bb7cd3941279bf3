package bss

import (
	"context"
	"iter"
	"time"

	"example.com/bss-node/clients/go/bssv1"
	"example.com/bss-node/clients/go/verify"
)

// Follow gives the blocks that come after a chain's last one, up to the present head, and adds each to
// the chain. So a new chain gives all blocks from genesis on, with every change of membership and of
// the storage nodes' standings, believed of nobody.
//
//	chain := verify.NewChain(client.Genesis())
//	for block, err := range client.Follow(ctx, chain) { … block.Operations … }
//
// An [*UntrueAnswer] says that a block does not follow; the chain then stands before it.
func (c *Client) Follow(ctx context.Context, chain *verify.Chain) iter.Seq2[*verify.Block, error] {
	return func(yield func(*verify.Block, error) bool) {
		from := chain.Height() + 1
		views := pages(func(token string) ([]*bssv1.BlockView, string, error) {
			request := &bssv1.ListBlocksRequest{FromHeight: from, PageSize: blocksPerPage, PageToken: token}
			page, err := query(ctx, c, (bssv1.QueryServiceClient).ListBlocks, request)
			return page.GetBlocks(), page.GetNextPageToken(), err
		})
		for view, err := range views {
			if err != nil {
				yield(nil, err)
				return
			}
			block, err := chain.Add(view)
			if err != nil {
				yield(nil, untrueBecause("the chain does not hold", err))
				return
			}
			if !yield(block, nil) {
				return
			}
		}
	}
}

// Statement says why a storage node's credit and reward are what they are.
type Statement struct {
	NodeID string
	// Height is that of the block up to which the chain was followed.
	Height uint64
	// Node is the node's standing after that block; nil if nobody has admitted it.
	Node *bssv1.StorageNodeEntry
	// Changes are all that led to it, oldest first.
	Changes []verify.StandingChange
}

const (
	blocksPerPage = 100
	// The chain grows while it is read. Its new blocks are read this often before the manager is taken
	// to be wrong.
	comparisonsMax  = 10
	comparisonPause = 300 * time.Millisecond
)

// GetStatement recomputes a storage node's standing from the public chain, from genesis on, and
// compares it with what a manager says. An [*UntrueAnswer] says that the chain does not hold, or that
// the manager says something else about the node.
func (c *Client) GetStatement(ctx context.Context, nodeID string) (*Statement, error) {
	chain := verify.NewChain(c.Genesis())
	statement := &Statement{NodeID: nodeID}
	for comparison := 1; ; comparison++ {
		for block, err := range c.Follow(ctx, chain) {
			if err != nil {
				return nil, err
			}
			for _, change := range block.Changes {
				if change.NodeID == nodeID {
					statement.Changes = append(statement.Changes, change)
				}
			}
		}
		statement.Height, statement.Node = chain.Height(), chain.StorageNode(nodeID)
		said, err := c.storageNode(ctx, nodeID)
		if err != nil {
			return nil, err
		}
		if isSame(statement.Node, said) {
			return statement, nil
		}
		if comparison == comparisonsMax {
			return nil, untrue("what a manager says about %s does not follow from the chain up to block %d",
				nodeID, chain.Height())
		}
		if err := c.connections.pause(ctx, comparisonPause); err != nil {
			return nil, err
		}
	}
}

// storageNode is what a manager says about a node; nil for one that nobody has admitted.
func (c *Client) storageNode(ctx context.Context, nodeID string) (*bssv1.StorageNodeStatus, error) {
	for node, err := range c.ListStorageNodes(ctx) {
		if err != nil || node.GetNodeId() == nodeID {
			return node, err
		}
	}
	return nil, nil
}

func isSame(computed *bssv1.StorageNodeEntry, said *bssv1.StorageNodeStatus) bool {
	if computed == nil || said == nil {
		return computed == nil && said == nil
	}
	return computed.Credit == said.Credit && computed.Reward == said.Reward && computed.Paid == said.Paid &&
		computed.ChangedHeight == said.ChangedHeight && computed.LastAttestedHeight == said.LastAttestedHeight
}
