package bss

import (
	"context"

	"example.com/bss-node/clients/go/bssv1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"time"
)

// queries are the answers of a fake manager that do not depend on the request.
type queries struct {
	status *bssv1.GetStatusResponse
	// Blocks that ListBlocks pages through, two at a time.
	blocks  []*bssv1.BlockView
	nodes   []*bssv1.StorageNodeStatus
	record  *bssv1.RecordEntry
	receipt *bssv1.Receipt

	settlement *bssv1.Settlement
}

func (m *fakeManager) count() int {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.calls
}

func (m *fakeManager) called() {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.calls++
}

func (m *fakeManager) Submit(_ context.Context, request *bssv1.SubmitRequest) (*bssv1.SubmitResponse, error) {
	m.called()
	return m.submit(request)
}

func (m *fakeManager) SubmitStream(stream bssv1.BroadcastService_SubmitStreamServer) error {
	m.called()
	return m.stream(stream)
}

func (m *fakeManager) WatchBlocks(request *bssv1.WatchBlocksRequest, stream bssv1.QueryService_WatchBlocksServer) error {
	m.called()
	return m.watch(request, stream)
}

func (m *fakeManager) GetStatus(context.Context, *bssv1.GetStatusRequest) (*bssv1.GetStatusResponse, error) {
	return m.answering.status, nil
}

func (m *fakeManager) GetRecord(context.Context, *bssv1.GetRecordRequest) (*bssv1.GetRecordResponse, error) {
	return &bssv1.GetRecordResponse{Entry: m.answering.record}, nil
}

func (m *fakeManager) GetReceipt(context.Context, *bssv1.GetReceiptRequest) (*bssv1.GetReceiptResponse, error) {
	return &bssv1.GetReceiptResponse{Receipt: m.answering.receipt}, nil
}

func (m *fakeManager) GetSettlement(context.Context, *bssv1.GetSettlementRequest) (*bssv1.GetSettlementResponse, error) {
	return &bssv1.GetSettlementResponse{Settlement: m.answering.settlement}, nil
}

func (m *fakeManager) ListStorageNodes(context.Context, *bssv1.ListStorageNodesRequest) (*bssv1.ListStorageNodesResponse, error) {
	return &bssv1.ListStorageNodesResponse{Nodes: m.answering.nodes}, nil
}

func (m *fakeManager) ListBlocks(_ context.Context, request *bssv1.ListBlocksRequest) (*bssv1.ListBlocksResponse, error) {
	left := m.answering.blocks[min(int(request.FromHeight)-1, len(m.answering.blocks)):]
	for range len(request.PageToken) {
		left = left[2:]
	}
	if len(left) <= 2 {
		return &bssv1.ListBlocksResponse{Blocks: left}, nil
	}
	return &bssv1.ListBlocksResponse{Blocks: left[:2], NextPageToken: request.PageToken + "x"}, nil
}

// refusal is a status as a node sends it.
func refusal(code codes.Code, reason, field string, retryAfter time.Duration) error {
	made := status.New(code, "for people")
	made, _ = made.WithDetails(&errdetails.ErrorInfo{Reason: reason, Domain: "bss"})
	if field != "" {
		violation := &errdetails.BadRequest_FieldViolation{Field: field}
		made, _ = made.WithDetails(&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{violation}})
	}
	if retryAfter > 0 {
		made, _ = made.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(retryAfter)})
	}
	return made.Err()
}

var stopping = refusal(codes.Unavailable, "NODE_STOPPING", "", 0)
