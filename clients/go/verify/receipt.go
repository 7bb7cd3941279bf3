package verify

import (
	"bytes"
	"time"

	"example.com/bss-node/clients/go/bssv1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// receiptBytesMax is the length of the longest receipt that is read. One with the signatures of 100
// managers and a proof of 54 hashes has fewer than 30,000 characters.
const receiptBytesMax = 1 << 20

// ReceiptFacts are what a receipt proves, and nothing else: how many blocks came later and how many
// storage nodes attested the block is only said by the node that answered.
type ReceiptFacts struct {
	RecordHash Hash
	// Height is that of the block that added the record.
	Height  uint64
	BlockID Hash
	// Time is the block's timestamp, by the clock of the manager that made it.
	Time time.Time
	// Position is the index of the record's leaf in the Merkle log.
	Position uint64
	// TreeSize counts the records on the ledger after the block, and Root is the log's root then.
	TreeSize uint64
	Root     Hash
	// PreviousTreeSize counts those before it: the block added the records from there on.
	PreviousTreeSize uint64
	// Signers are the managers whose COMMIT was verified.
	Signers []string
	// RecordChecked says whether the content was held against the record hash, too.
	RecordChecked bool
}

// ReceiptToJSON writes a receipt as `bss receipt` does: protobuf JSON, which `bss verify` reads.
func ReceiptToJSON(receipt *bssv1.Receipt) ([]byte, error) {
	return protojson.MarshalOptions{Multiline: true}.Marshal(receipt)
}

// ReceiptToBinary encodes a receipt, a third as long; `bss verify` reads this, too.
func ReceiptToBinary(receipt *bssv1.Receipt) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(receipt)
}

// ReceiptFromJSON reads a receipt as `bss receipt` writes it: protobuf JSON.
func ReceiptFromJSON(text []byte) (*bssv1.Receipt, error) {
	receipt, err := readReceipt(text, protojson.Unmarshal)
	if err == nil && len(receipt.RecordHash) == 0 {
		return nil, problem(StepEncoding, "this is no receipt: it has no record hash")
	}
	return receipt, err
}

// ReceiptFromBinary reads a receipt from its encoded bytes.
func ReceiptFromBinary(encoded []byte) (*bssv1.Receipt, error) {
	receipt, err := readReceipt(encoded, proto.Unmarshal)
	if err != nil && bytes.HasPrefix(bytes.TrimSpace(encoded), []byte("{")) {
		return nil, problem(StepEncoding, "this is JSON: read it with ReceiptFromJSON")
	}
	return receipt, err
}

func readReceipt(data []byte, decode func([]byte, proto.Message) error) (*bssv1.Receipt, error) {
	receipt := &bssv1.Receipt{}
	if len(data) > receiptBytesMax {
		return nil, problem(StepEncoding, "a receipt is not longer than %d bytes", receiptBytesMax)
	}
	if err := decode(data, receipt); err != nil {
		return nil, problem(StepEncoding, "this is no receipt: %v", err)
	}
	if HasUnknownFields(receipt) {
		return nil, problem(StepEncoding, "the receipt holds fields that this version does not know")
	}
	return receipt, nil
}

// Receipt checks a receipt against genesis:
//
//	record ──hash──▶ record hash ┐
//	                seal digest ─┴─▶ leaf ──inclusion proof──▶ hash1 in the header
//	header ──hash──▶ block id ◀──signed by Q of the managers── commit certificate
//	previous header ──hash──▶ previous block id in the header
//
// It proves that this block added the record at this position. A leaf is under the root of every
// later block as well; the position, which lies beyond the tree of the block before, shows that this
// block added it. With record, the exact bytes, the content is bound to the receipt; nil leaves that
// out. The error is a [*Problem].
func Receipt(receipt *bssv1.Receipt, genesis *Genesis, record []byte) (*ReceiptFacts, error) {
	if HasUnknownFields(receipt) {
		return nil, problem(StepEncoding, "the receipt holds fields that this version does not know")
	}
	recordHash, ok := hashOf(receipt.RecordHash)
	if !ok {
		return nil, problem(StepRecord, "the receipt's record hash does not have 32 bytes")
	}
	if record != nil {
		if hash := RecordHash(genesis.ConsortiumID, record); hash != recordHash {
			return nil, problem(StepRecord, "the record's hash is %v, the receipt is for %v", hash, recordHash)
		}
	}
	header, wrong := parseHeader(receipt.Header)
	if wrong != "" {
		return nil, problem(StepHeader, "the receipt holds no block header: %s", wrong)
	}
	switch {
	case !bytes.Equal(header.ConsortiumId, genesis.ConsortiumID[:]):
		return nil, problem(StepHeader, "the header is of another consortium: %x", header.ConsortiumId)
	case header.Height != receipt.Height:
		return nil, problem(StepHeader, "the header is of height %d, not of %d", header.Height, receipt.Height)
	case header.TimestampUnixMs != receipt.TimeUnixMs:
		return nil, problem(StepHeader, "the header's time is %d ms, the receipt says %d",
			header.TimestampUnixMs, receipt.TimeUnixMs)
	}
	id := BlockID(receipt.Header)
	if !bytes.Equal(id[:], receipt.BlockId) {
		return nil, problem(StepBlockID, "the header's hash is %v, the receipt names block %x", id, receipt.BlockId)
	}
	if err := checkPlace(receipt, recordHash, header); err != nil {
		return nil, err
	}
	previousSize, err := previousTreeSize(receipt, header)
	if err != nil {
		return nil, err
	}
	signers, err := checkCommit(receipt.CommitCertificate, header.Height, id, genesis)
	if err != nil {
		return nil, err
	}
	return &ReceiptFacts{
		RecordHash:       recordHash,
		Height:           header.Height,
		BlockID:          id,
		Time:             time.UnixMilli(header.TimestampUnixMs).UTC(),
		Position:         receipt.Position,
		TreeSize:         header.TreeSize,
		Root:             Hash(header.Hash1),
		PreviousTreeSize: previousSize,
		Signers:          signers,
		RecordChecked:    record != nil,
	}, nil
}

func checkPlace(receipt *bssv1.Receipt, recordHash Hash, header *bssv1.ManagerBlockHeader) error {
	sealDigest, ok := hashOf(receipt.SealDigest)
	if !ok {
		return problem(StepInclusion, "the receipt's seal digest does not have 32 bytes")
	}
	claim := InclusionClaim{
		LeafHash:  LeafHash(recordHash, sealDigest),
		LeafIndex: receipt.Position,
		TreeSize:  header.TreeSize,
		Root:      Hash(header.Hash1),
		Proof:     receipt.InclusionProof,
	}
	if Inclusion(claim) {
		return nil
	}
	return problem(StepInclusion, "the inclusion proof does not lead from the record at position %d to "+
		"hash1 of the header: the record hash, the seal digest, the position or the proof is wrong",
		receipt.Position)
}

// previousTreeSize is the size of the tree before the block, which added the record and none below.
func previousTreeSize(receipt *bssv1.Receipt, header *bssv1.ManagerBlockHeader) (uint64, error) {
	if header.Height == 1 {
		if len(receipt.PreviousHeader) == 0 {
			return 0, nil
		}
		return 0, problem(StepPreviousHeader, "block 1 has none before it, but the receipt holds one")
	}
	if len(receipt.PreviousHeader) == 0 {
		return 0, problem(StepPreviousHeader, "the receipt lacks the header before its block: it proves "+
			"only that the record was there no later than block %d", header.Height)
	}
	id := BlockID(receipt.PreviousHeader)
	if !bytes.Equal(id[:], header.PreviousBlockId) {
		return 0, problem(StepPreviousHeader,
			"the previous header is not that of the block before block %d", header.Height)
	}
	previous, wrong := parseHeader(receipt.PreviousHeader)
	if wrong != "" {
		return 0, problem(StepPreviousHeader, "the receipt holds no previous header: %s", wrong)
	}
	if receipt.Position < previous.TreeSize {
		return 0, problem(StepPreviousHeader, "block %d did not add the record: position %d was in the "+
			"ledger's %d records before it", header.Height, receipt.Position, previous.TreeSize)
	}
	return previous.TreeSize, nil
}
