package bss

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"example.com/bss-node/clients/go/bssv1"
	"example.com/bss-node/clients/go/verify"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

// LedgerRecord is a record as far as the caller may see it.
type LedgerRecord struct {
	Hash Hash
	// Height and Position are what the answering manager says; a receipt proves them.
	Height, Position uint64
	SealDigest       Hash
	// Bytes are the exact ones, checked against the hash, and Record the same decoded; nil for callers
	// that are not a party of the record.
	Bytes  []byte
	Record *bssv1.Record
	// Successor is the version that updates this one, as the manager says; nil for the latest.
	Successor *Hash
}

// RecordQuery says which records to list: those of one participant or of one meter.
type RecordQuery struct {
	ParticipantID, MeterID string
	// From (inclusive) and To (exclusive) bound the records' times; may be left out. A reading's time is
	// the end of its interval, unless it was given another: the one of [s, s+i) is found from s+i to
	// s+i+1ms.
	From, To time.Time
	PageSize uint32
}

// Status is what the manager that is asked says about itself.
func (c *Client) Status(ctx context.Context) (*bssv1.GetStatusResponse, error) {
	return query(ctx, c, (bssv1.QueryServiceClient).GetStatus, &bssv1.GetStatusRequest{})
}

// GetRecord reads one record. The reason is RECORD_UNKNOWN if it is not on the ledger.
func (c *Client) GetRecord(ctx context.Context, hash Hash) (*LedgerRecord, error) {
	request := &bssv1.GetRecordRequest{RecordHash: hash[:]}
	answer, err := query(ctx, c, (bssv1.QueryServiceClient).GetRecord, request)
	if err != nil {
		return nil, err
	}
	record, err := c.checkedRecord(answer.Entry)
	if err == nil && record.Hash != hash {
		return nil, untrue("the manager answered with another record")
	}
	return record, err
}

// GetRecordHistory reads every version of a record, oldest first, by the hash of any of them, page by
// page as the caller reads on. An [*UntrueAnswer] says that a version does not update the one before
// it, or that the one that was asked for is not among them.
func (c *Client) GetRecordHistory(ctx context.Context, hash Hash) iter.Seq2[*LedgerRecord, error] {
	return func(yield func(*LedgerRecord, error) bool) {
		var previous []byte
		found := false
		versions := pages(func(token string) ([]*bssv1.RecordEntry, string, error) {
			request := &bssv1.GetRecordHistoryRequest{RecordHash: hash[:], PageToken: token}
			page, err := query(ctx, c, (bssv1.QueryServiceClient).GetRecordHistory, request)
			return page.GetEntries(), page.GetNextPageToken(), err
		})
		for entry, err := range versions {
			var record *LedgerRecord
			if err == nil {
				record, err = c.checkedRecord(entry)
			}
			if err == nil && record.Record != nil && !bytes.Equal(record.Record.Parent, previous) {
				err = untrue("version %v does not update the one before it", record.Hash)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			previous, found = record.Hash[:], found || record.Hash == hash
			if !yield(record, nil) {
				return
			}
		}
		if !found {
			yield(nil, untrue("the history does not hold the record that was asked for"))
		}
	}
}

// ListRecords reads records by participant or meter, ascending by their time, page by page as the
// caller reads on.
func (c *Client) ListRecords(ctx context.Context, wanted RecordQuery) iter.Seq2[*LedgerRecord, error] {
	return func(yield func(*LedgerRecord, error) bool) {
		entries := pages(func(token string) ([]*bssv1.RecordEntry, string, error) {
			page, err := query(ctx, c, (bssv1.QueryServiceClient).ListRecords, &bssv1.ListRecordsRequest{
				ParticipantId: wanted.ParticipantID,
				MeterId:       wanted.MeterID,
				FromUnixMs:    unixMs(wanted.From),
				ToUnixMs:      unixMs(wanted.To),
				PageSize:      wanted.PageSize,
				PageToken:     token,
			})
			return page.GetEntries(), page.GetNextPageToken(), err
		})
		for entry, err := range entries {
			var record *LedgerRecord
			if err == nil {
				record, err = c.checkedRecord(entry)
			}
			if !yield(record, err) || err != nil {
				return
			}
		}
	}
}

func unixMs(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMilli()
}

// VerifiedReceipt is a receipt and what it proves.
type VerifiedReceipt struct {
	// Receipt is what to keep ([verify.ReceiptToJSON]): [verify.Receipt] checks it at any time without
	// a connection.
	Receipt *bssv1.Receipt
	Facts   *verify.ReceiptFacts
}

// GetReceipt reads the receipt of a record and verifies it against genesis.
func (c *Client) GetReceipt(ctx context.Context, hash Hash) (*VerifiedReceipt, error) {
	request := &bssv1.GetReceiptRequest{RecordHash: hash[:]}
	answer, err := query(ctx, c, (bssv1.QueryServiceClient).GetReceipt, request)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(answer.GetReceipt().GetRecordHash(), hash[:]) {
		return nil, untrue("the answer holds no receipt for this record")
	}
	facts, err := verify.Receipt(answer.Receipt, c.Genesis(), nil)
	if err != nil {
		return nil, untrueBecause("the receipt proves nothing", err)
	}
	return &VerifiedReceipt{answer.Receipt, facts}, nil
}

// GetBlock reads one block by its height, and verifies that it is final. The reason is BLOCK_UNKNOWN
// if there is none.
func (c *Client) GetBlock(ctx context.Context, height uint64) (*verify.Block, error) {
	request := &bssv1.GetBlockRequest{Selector: &bssv1.GetBlockRequest_Height{Height: height}}
	answer, err := query(ctx, c, (bssv1.QueryServiceClient).GetBlock, request)
	if err != nil {
		return nil, err
	}
	block, err := verify.Final(answer.GetBlock(), c.Genesis())
	if err != nil {
		return nil, untrueBecause("the block does not hold", err)
	}
	if block.Height != height {
		return nil, untrue("asked for block %d, got block %d", height, block.Height)
	}
	return block, nil
}

// TreeHead is a size of the Merkle log, and its root if the caller holds it: from the facts of a
// receipt, or from a block.
type TreeHead struct {
	TreeSize uint64
	Root     *Hash
}

// GetConsistencyProof proves that the ledger has only grown between two sizes; to may be the zero
// value, for the ledger's present size. The roots that the caller holds have to be those of the proof.
// An [*UntrueAnswer] says that the ledger was rewritten.
func (c *Client) GetConsistencyProof(
	ctx context.Context, from, to TreeHead,
) (*bssv1.GetConsistencyProofResponse, error) {
	request := &bssv1.GetConsistencyProofRequest{FromTreeSize: from.TreeSize, ToTreeSize: to.TreeSize}
	proof, err := query(ctx, c, (bssv1.QueryServiceClient).GetConsistencyProof, request)
	if err != nil {
		return nil, err
	}
	if len(proof.FromRoot) != verify.HashBytes || len(proof.ToRoot) != verify.HashBytes {
		return nil, untrue("the proof holds no roots")
	}
	claim := verify.ConsistencyClaim{
		FromSize: proof.FromTreeSize,
		ToSize:   proof.ToTreeSize,
		FromRoot: Hash(proof.FromRoot),
		ToRoot:   Hash(proof.ToRoot),
		Proof:    proof.Proof,
	}
	switch {
	case claim.FromSize != from.TreeSize || to.TreeSize != 0 && claim.ToSize != to.TreeSize:
		return nil, untrue("the proof is about other sizes than those that were asked for")
	case from.Root != nil && claim.FromRoot != *from.Root || to.Root != nil && claim.ToRoot != *to.Root:
		return nil, untrue("the proof is about other roots than those that the caller holds")
	case !verify.Consistency(claim):
		return nil, untrue("the proof between %d and %d records does not hold", claim.FromSize, claim.ToSize)
	}
	return proof, nil
}

// GetConsortium reads the managers, the policy and the rules in force, as one manager says. Changes of
// membership that are proven come from [Client.Follow].
func (c *Client) GetConsortium(ctx context.Context) (*bssv1.GetConsortiumResponse, error) {
	request := &bssv1.GetConsortiumRequest{HistoryPageSize: 1}
	return query(ctx, c, (bssv1.QueryServiceClient).GetConsortium, request)
}

// ListStorageNodes reads the storage nodes ascending by id, as one manager says. What is proven of one
// comes from [Client.GetStatement].
func (c *Client) ListStorageNodes(ctx context.Context) iter.Seq2[*bssv1.StorageNodeStatus, error] {
	return pages(func(token string) ([]*bssv1.StorageNodeStatus, string, error) {
		request := &bssv1.ListStorageNodesRequest{PageToken: token}
		page, err := query(ctx, c, (bssv1.QueryServiceClient).ListStorageNodes, request)
		return page.GetNodes(), page.GetNextPageToken(), err
	})
}

// SettlementQuery says which participant's period is settled, at which tariff.
type SettlementQuery struct {
	ParticipantID string
	// From (inclusive) and To (exclusive) are starts of delivery intervals, at most 366 days apart.
	From, To time.Time
	// Tariff is the hash of the tariff's record.
	Tariff Hash
	// Height is the block after which the ledger counts; the head when 0.
	Height uint64
}

// GetSettlement reads what a period comes to, as one manager says: for the participant itself and for
// managers. docs/settlement.md says how it is computed; only the TypeScript client recomputes it.
func (c *Client) GetSettlement(ctx context.Context, wanted SettlementQuery) (*bssv1.Settlement, error) {
	request := &bssv1.GetSettlementRequest{
		ParticipantId: wanted.ParticipantID,
		FromUnixS:     wanted.From.Unix(),
		ToUnixS:       wanted.To.Unix(),
		TariffHash:    wanted.Tariff[:],
		Height:        wanted.Height,
	}
	answer, err := query(ctx, c, (bssv1.QueryServiceClient).GetSettlement, request)
	if err != nil {
		return nil, err
	}
	said := answer.GetSettlement()
	isAnswer := said.GetParticipantId() == request.ParticipantId && bytes.Equal(said.GetTariffHash(), request.TariffHash) &&
		said.GetFromUnixS() == request.FromUnixS && said.GetToUnixS() == request.ToUnixS &&
		(wanted.Height == 0 || said.GetHeight() == wanted.Height)
	if !isAnswer {
		return nil, untrue("the manager answered with another settlement")
	}
	return said, nil
}

// query calls a method of the QueryService.
func query[Request, Answer any](
	ctx context.Context, c *Client,
	method func(bssv1.QueryServiceClient, context.Context, Request, ...grpc.CallOption) (Answer, error),
	request Request,
) (Answer, error) {
	return ask(ctx, c.connections, readLimits, func(ctx context.Context, to *grpc.ClientConn) (Answer, error) {
		return method(bssv1.NewQueryServiceClient(to), ctx, request)
	})
}

// pages are all items of a listing, page by page, as the caller reads on.
func pages[Item any](fetch func(token string) ([]Item, string, error)) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		var nothing Item
		for token := ""; ; {
			items, next, err := fetch(token)
			if err != nil {
				yield(nothing, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			if next == token {
				yield(nothing, untrue("a listing names the same page as its next page"))
				return
			}
			token = next
		}
	}
}

// checkedRecord is a record of an answer, whose content has the hash that it is called by.
func (c *Client) checkedRecord(entry *bssv1.RecordEntry) (*LedgerRecord, error) {
	if len(entry.GetRecordHash()) != verify.HashBytes || len(entry.GetSealDigest()) != verify.HashBytes {
		return nil, untrue("the answer holds no record")
	}
	record := &LedgerRecord{
		Hash:       Hash(entry.RecordHash),
		Height:     entry.Height,
		Position:   entry.Position,
		SealDigest: Hash(entry.SealDigest),
	}
	if entry.Record == nil {
		return record, nil
	}
	decoded := &bssv1.Record{}
	isHashed := c.RecordHash(entry.Record) == record.Hash
	if !isHashed || proto.Unmarshal(entry.Record, decoded) != nil || verify.HasUnknownFields(decoded) {
		return nil, untrue("the content of record %v is not what was hashed", record.Hash)
	}
	record.Bytes, record.Record = entry.Record, decoded
	if len(entry.Successor) == verify.HashBytes {
		successor := Hash(entry.Successor)
		record.Successor = &successor
	}
	return record, nil
}

// stoppingIfEOF is the error of a stream that a node has ended in good order.
func stoppingIfEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return &Error{Reason: "NODE_STOPPING", Code: codes.Unavailable, Message: "the node ended the stream"}
	}
	return err
}
