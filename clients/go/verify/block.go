package verify

import (
	"bytes"
	"crypto/ed25519"
	"time"

	"example.com/bss-node/clients/go/bssv1"
)

// How much a block may hold, whatever the policy says.
const (
	headerBytesMax       = 1024
	controlOperationsMax = 1000
	certificatesBytesMax = 1<<20 + 1<<18
	leavesMax            = 10_000
)

const (
	beaconBytes = 64
	proofBytes  = 80
)

// Block is what a final block proves, and nothing else.
type Block struct {
	Height uint64
	ID     Hash
	// PreviousID is that of the block before; of block 1, the consortium id.
	PreviousID Hash
	// Time is the block's timestamp, by the clock of the manager that made it.
	Time time.Time
	// TreeSize and Root are those of the Merkle log after the block.
	TreeSize uint64
	Root     Hash
	// Leaves are the records that the block adds, in order.
	Leaves []Leaf
	// Operations are the block's changes of membership, in order.
	Operations []*bssv1.ControlOperation
	// Signers are the managers whose COMMIT was verified.
	Signers []string
	// Changes are those of the standings of storage nodes; only a [Chain] knows them.
	Changes []StandingChange

	header *bssv1.ManagerBlockHeader
}

// Leaf is a record in the Merkle log.
type Leaf struct{ RecordHash, SealDigest Hash }

func (b *Block) leafHashes() []Hash {
	hashes := make([]Hash, len(b.Leaves))
	for i, leaf := range b.Leaves {
		hashes[i] = LeafHash(leaf.RecordHash, leaf.SealDigest)
	}
	return hashes
}

// Final checks that Q managers made a block final, and that its parts are those of its header. The
// block has to be whole (not headers_only). It may stand anywhere: a [Chain] checks what comes
// before it, too. The error is a [*Problem].
func Final(view *bssv1.BlockView, genesis *Genesis) (*Block, error) {
	content := view.GetBlock()
	if content == nil || HasUnknownFields(content) {
		return nil, problem(StepEncoding, "this is no whole block that this version knows")
	}
	header, wrong := parseHeader(content.Header)
	if wrong != "" {
		return nil, problem(StepHeader, "this is no block: %s", wrong)
	}
	id := BlockID(content.Header)
	switch {
	case !bytes.Equal(header.ConsortiumId, genesis.ConsortiumID[:]):
		return nil, problem(StepHeader, "the block is of another consortium")
	case view.Height != header.Height || !bytes.Equal(view.BlockId, id[:]):
		return nil, problem(StepBlockID, "this is block %d, %v, and not the one that it is called", header.Height, id)
	}
	signers, err := checkCommit(view.GetCertificates().GetCommit(), header.Height, id, genesis)
	if err != nil {
		return nil, err
	}
	block := &Block{
		Height:     header.Height,
		ID:         id,
		PreviousID: Hash(header.PreviousBlockId),
		Time:       time.UnixMilli(header.TimestampUnixMs).UTC(),
		TreeSize:   header.TreeSize,
		Root:       Hash(header.Hash1),
		Signers:    signers,
		header:     header,
	}
	if err := block.takeBody(content); err != nil {
		return nil, err
	}
	return block, nil
}

// takeBody reads the block's parts, which have to be those of its header.
func (b *Block) takeBody(content *bssv1.Block) error {
	invalid := func(what string) error {
		return problem(StepBody, "block %d: %s", b.Height, what)
	}
	if len(content.Control) > controlOperationsMax || len(content.Leaves) > leavesMax ||
		len(content.PreviousCertificates) > certificatesBytesMax {
		return invalid("it is longer than a block may be")
	}
	for _, leaf := range content.Leaves {
		recordHash, isHash := hashOf(leaf.GetRecordHash())
		sealDigest, isDigest := hashOf(leaf.GetSealDigest())
		if !isHash || !isDigest {
			return invalid("a leaf is two hashes of 32 bytes")
		}
		b.Leaves = append(b.Leaves, Leaf{recordHash, sealDigest})
	}
	privateRoot, ok := hashOf(content.PrivateRoot)
	if !ok {
		return invalid("a root has 32 bytes")
	}
	controlRoot, leavesRoot := merkleRoot(content.Control), frontier{}.append(b.leafHashes()).root()
	if taggedHash(tagBody, controlRoot[:], leavesRoot[:], privateRoot[:]) != Hash(b.header.BodyDigest) {
		return invalid("the header's body digest is not that of the body")
	}
	if taggedHash(tagCertificates, content.PreviousCertificates) != Hash(b.header.CertificatesDigest) {
		return invalid("the header's certificates digest is not that of the certificates")
	}
	for _, encoded := range content.Control {
		operation := &bssv1.ControlOperation{}
		if !decodeCanonical(encoded, operation) || operation.Operation == nil {
			return invalid("it holds an operation that this version does not know")
		}
		b.Operations = append(b.Operations, operation)
	}
	return nil
}

// parseHeader reads the canonical bytes of a block's header: lengths and ranges.
func parseHeader(encoded []byte) (*bssv1.ManagerBlockHeader, string) {
	header := &bssv1.ManagerBlockHeader{}
	if len(encoded) > headerBytesMax || !decodeCanonical(encoded, header) {
		return nil, "the header does not decode"
	}
	hashes := [][]byte{
		header.ConsortiumId, header.PreviousBlockId, header.Hash1, header.MembersDigest,
		header.PreviousStateDigest, header.BodyDigest, header.CertificatesDigest,
	}
	for _, hash := range hashes {
		if len(hash) != HashBytes {
			return nil, "a hash in the header does not have 32 bytes"
		}
	}
	if len(header.Beacon) != beaconBytes || len(header.BeaconProof) != proofBytes {
		return nil, "the header's beacon does not have its length"
	}
	switch {
	case header.Height < 1 || header.Height > safeMax:
		return nil, "the header's height is not one"
	case header.TreeSize > safeMax || header.SealedBytes > safeMax:
		return nil, "the header's sizes are out of range"
	case header.TimestampUnixMs < 1 || header.TimestampUnixMs > safeMax:
		return nil, "the header's timestamp is not one"
	case !idPattern.MatchString(header.ProposerId):
		return nil, "the header's proposer is not an id"
	}
	return header, ""
}

// checkCommit checks that a certificate makes the block of this height and id final: COMMITs of one
// round by at least Q managers of genesis, each once, sorted, all valid. It returns who signed.
func checkCommit(
	certificate *bssv1.CommitCertificate, height uint64, id Hash, genesis *Genesis,
) ([]string, error) {
	if certificate == nil {
		return nil, problem(StepCommitCertificate, "there is no commit certificate")
	}
	invalid := func(format string, args ...any) ([]string, error) {
		return nil, problem(StepCommitCertificate, "the commit certificate is not valid: "+format, args...)
	}
	switch {
	case HasUnknownFields(certificate):
		return invalid("there are unknown fields")
	case certificate.Height != height:
		return invalid("it is about another height")
	case !bytes.Equal(certificate.BlockId, id[:]):
		return invalid("it is about another block")
	}
	count, managers := len(certificate.Signatures), len(genesis.managers)
	if count < genesis.Quorum() || count > managers {
		return invalid("%d of %d managers must sign, %d signatures are here", genesis.Quorum(), managers, count)
	}
	signers := make([]string, 0, count)
	for i, each := range certificate.Signatures {
		if i > 0 && signers[i-1] >= each.ManagerId {
			return invalid("the signers are not in ascending order without repeats")
		}
		if genesis.managers[each.ManagerId] == nil {
			return invalid("%q is no manager", each.ManagerId)
		}
		if len(each.Signature) != ed25519.SignatureSize {
			return invalid("the signature of %s does not have 64 bytes", each.ManagerId)
		}
		signers = append(signers, each.ManagerId)
	}
	digest := signedDigest(tagCommit, &bssv1.CanonicalCommit{
		ConsortiumId: genesis.ConsortiumID[:],
		Height:       height,
		Round:        certificate.Round,
		BlockId:      id[:],
	})
	for _, each := range certificate.Signatures {
		if !verifySignature(genesis.managers[each.ManagerId].SigningKey, digest, each.Signature) {
			return nil, problem(StepSignatures,
				"a signature does not verify: COMMIT of %s at height %d", each.ManagerId, height)
		}
	}
	return signers, nil
}
