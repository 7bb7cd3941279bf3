package bss

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/bss-node/clients/go/bssv1"
	"example.com/bss-node/clients/go/verify"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

func TestSubmitGoesOnToTheNextManagerWithTheSameBytes(t *testing.T) {
	w := newWorld(t)
	var seen []*bssv1.Submission
	w.start("manager-1", &fakeManager{submit: func(request *bssv1.SubmitRequest) (*bssv1.SubmitResponse, error) {
		seen = append(seen, request.Submission)
		return nil, stopping
	}})
	w.start("manager-2", &fakeManager{submit: func(request *bssv1.SubmitRequest) (*bssv1.SubmitResponse, error) {
		seen = append(seen, request.Submission)
		return &bssv1.SubmitResponse{}, nil
	}})
	client := w.connect()
	submission, err := client.Sign([]byte("a record"))
	check(t, err)
	_, err = client.Submit(context.Background(), submission)
	check(t, err)
	if len(seen) != 2 || !proto.Equal(seen[0], seen[1]) || !proto.Equal(seen[0], submission) {
		t.Fatalf("the managers got %v", seen)
	}
	again, err := client.Sign([]byte("a record"))
	check(t, err)
	if !proto.Equal(again, submission) {
		t.Fatal("the same record gave another submission")
	}
}

func TestSubmitWaitsAsLongAsARefusalSays(t *testing.T) {
	w := newWorld(t)
	manager := w.start("manager-1", &fakeManager{})
	manager.submit = func(*bssv1.SubmitRequest) (*bssv1.SubmitResponse, error) {
		if manager.count() < 3 {
			return nil, refusal(codes.ResourceExhausted, "POOL_FULL", "", time.Millisecond)
		}
		return &bssv1.SubmitResponse{}, nil
	}
	_, err := w.connect().Submit(context.Background(), &bssv1.Submission{})
	check(t, err)
	if manager.count() != 3 {
		t.Fatalf("asked %d times", manager.count())
	}
}

func TestARefusalHasItsReasonAndIsNotRepeated(t *testing.T) {
	w := newWorld(t)
	manager := w.start("manager-1", &fakeManager{submit: func(*bssv1.SubmitRequest) (*bssv1.SubmitResponse, error) {
		return nil, refusal(codes.FailedPrecondition, "DOUBLE_SPEND", "submission.records[0]", 0)
	}})
	_, err := w.connect().Submit(context.Background(), &bssv1.Submission{})
	var refused *Error
	if !errors.As(err, &refused) {
		t.Fatalf("got %v", err)
	}
	if refused.Reason != "DOUBLE_SPEND" || refused.Field != "submission.records[0]" || refused.Code != codes.FailedPrecondition {
		t.Fatalf("got %+v", refused)
	}
	if manager.count() != 1 {
		t.Fatalf("asked %d times", manager.count())
	}
}

func TestTheErrorSaysWhatEachManagerSaid(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"manager-1", "manager-2"} {
		w.start(id, &fakeManager{submit: func(*bssv1.SubmitRequest) (*bssv1.SubmitResponse, error) {
			return nil, refusal(codes.Unavailable, "TOO_FEW_STORAGE_NODES", "", 0)
		}})
	}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	_, err := w.connect().Submit(ctx, &bssv1.Submission{})
	var failed *Error
	if !errors.As(err, &failed) || failed.Reason != "TOO_FEW_STORAGE_NODES" {
		t.Fatalf("got %v", err)
	}
	for _, address := range w.profile.Addresses {
		if !strings.Contains(err.Error(), address) {
			t.Fatalf("%v does not name %s", err, address)
		}
	}
}

func TestTheCallersCancellationEndsACall(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(context.Background())
	w.start("manager-1", &fakeManager{submit: func(*bssv1.SubmitRequest) (*bssv1.SubmitResponse, error) {
		cancel()
		return nil, stopping
	}})
	_, err := w.connect().Submit(ctx, &bssv1.Submission{})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

func TestAServerThatIsNotTheManagerOfGenesisIsRefused(t *testing.T) {
	for role, id := range map[string]string{"manager": "manager-1", "storage": "storage-1", "participant": "manager-1"} {
		t.Run(role, func(t *testing.T) {
			w := newWorld(t)
			manager := &fakeManager{answering: queries{status: &bssv1.GetStatusResponse{}}}
			// Its certificate is right, and its key another one than that of genesis.
			w.serve(w.certificate(role, id), manager)
			_, err := w.connect().Status(context.Background())
			var failed *Error
			if !errors.As(err, &failed) || failed.Reason != "NODE_UNREACHABLE" || !strings.Contains(err.Error(), identityRefusal) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func submissions(count int) []*bssv1.Submission {
	made := make([]*bssv1.Submission, count)
	for i := range made {
		made[i] = &bssv1.Submission{Header: fmt.Append(nil, i)}
	}
	return made
}

// answerAll answers each request with its own bytes, until it has answered so many.
func answerAll(stream bssv1.BroadcastService_SubmitStreamServer, until int) error {
	for answered := 0; answered < until; answered++ {
		request, err := stream.Recv()
		if err != nil {
			return nil
		}
		outcome := &bssv1.RecordOutcome{RecordHash: request.Submission.Header}
		response := &bssv1.SubmitResponse{Outcomes: []*bssv1.RecordOutcome{outcome}}
		answer := &bssv1.SubmitStreamResponse{RequestId: request.RequestId, Result: &bssv1.SubmitStreamResponse_Response{Response: response}}
		if err := stream.Send(answer); err != nil {
			return err
		}
	}
	return stopping
}

const many = 1 << 30

func TestAStreamSurvivesItsLossWithOneOutcomeForEach(t *testing.T) {
	w := newWorld(t)
	w.start("manager-1", &fakeManager{stream: func(stream bssv1.BroadcastService_SubmitStreamServer) error {
		return answerAll(stream, 5)
	}})
	w.start("manager-2", &fakeManager{stream: func(stream bssv1.BroadcastService_SubmitStreamServer) error {
		return answerAll(stream, 7)
	}})
	w.start("manager-3", &fakeManager{stream: func(stream bssv1.BroadcastService_SubmitStreamServer) error {
		return answerAll(stream, many)
	}})
	lost := 0
	options := StreamOptions{InFlightMax: 4, OnReconnect: func(error, int) { lost++ }}
	sent := submissions(40)
	outcomes := map[int]string{}
	for outcome, err := range w.connect().SubmitStream(context.Background(), slices.Values(sent), options) {
		check(t, err)
		if _, twice := outcomes[outcome.Index]; twice {
			t.Fatalf("submission %d has two outcomes", outcome.Index)
		}
		outcomes[outcome.Index] = string(outcome.Response.Outcomes[0].RecordHash)
	}
	if len(outcomes) != len(sent) || lost != 2 {
		t.Fatalf("%d outcomes after %d losses", len(outcomes), lost)
	}
	for i, header := range outcomes {
		if header != fmt.Sprint(i) {
			t.Fatalf("submission %d has the outcome of %s", i, header)
		}
	}
}

func TestAStreamTakesNoMoreThanFitsAndSendsLaterWhatIsRefusedNow(t *testing.T) {
	w := newWorld(t)
	w.start("manager-1", &fakeManager{stream: func(stream bssv1.BroadcastService_SubmitStreamServer) error {
		request, err := stream.Recv()
		if err != nil {
			return err
		}
		refused := &bssv1.Refusal{Code: uint32(codes.ResourceExhausted), Reason: "POOL_SHARE_FULL", RetryAfterMs: 1}
		answer := &bssv1.SubmitStreamResponse{RequestId: request.RequestId, Result: &bssv1.SubmitStreamResponse_Refusal{Refusal: refused}}
		if err := stream.Send(answer); err != nil {
			return err
		}
		return answerAll(stream, many)
	}})
	const inFlight = 3
	var taken atomic.Int64
	outcomes := 0
	source := func(yield func(*bssv1.Submission) bool) {
		for _, each := range submissions(30) {
			taken.Add(1)
			if !yield(each) {
				return
			}
		}
	}
	for _, err := range w.connect().SubmitStream(context.Background(), source, StreamOptions{InFlightMax: inFlight}) {
		check(t, err)
		outcomes++
		// Those in flight, the one that the source holds out, and those whose outcome has come.
		if taken.Load() > int64(outcomes+inFlight+1) {
			t.Fatalf("%d are taken after %d outcomes", taken.Load(), outcomes)
		}
	}
	if outcomes != 30 {
		t.Fatalf("%d outcomes", outcomes)
	}
}

func TestAStreamEndsWithItsCallersLoopAndGivesRefusals(t *testing.T) {
	w := newWorld(t)
	w.start("manager-1", &fakeManager{stream: func(stream bssv1.BroadcastService_SubmitStreamServer) error {
		for {
			request, err := stream.Recv()
			if err != nil {
				return nil
			}
			refused := &bssv1.Refusal{Code: uint32(codes.InvalidArgument), Reason: "SIGNATURE_INVALID"}
			answer := &bssv1.SubmitStreamResponse{RequestId: request.RequestId, Result: &bssv1.SubmitStreamResponse_Refusal{Refusal: refused}}
			if err := stream.Send(answer); err != nil {
				return nil
			}
		}
	}})
	for outcome, err := range w.connect().SubmitStream(context.Background(), slices.Values(submissions(9)), StreamOptions{}) {
		check(t, err)
		if outcome.Response != nil || outcome.Refusal.Reason != "SIGNATURE_INVALID" {
			t.Fatalf("got %+v", outcome)
		}
		break
	}
}

func TestAStreamThatStallsSaysSo(t *testing.T) {
	silent := func(stream bssv1.BroadcastService_SubmitStreamServer) error {
		<-stream.Context().Done()
		return nil
	}
	broken := func(bssv1.BroadcastService_SubmitStreamServer) error { return stopping }
	for name, behaviour := range map[string]func(bssv1.BroadcastService_SubmitStreamServer) error{
		"silent": silent,
		"broken": broken,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.start("manager-1", &fakeManager{stream: behaviour})
			options := StreamOptions{StallTimeout: 50 * time.Millisecond}
			source := slices.Values(submissions(1))
			for _, err := range w.connect().SubmitStream(context.Background(), source, options) {
				var failed *Error
				if !errors.As(err, &failed) || failed.Reason != "DEADLINE" {
					t.Fatalf("got %v", err)
				}
			}
		})
	}
}

// sendBlocks sends blocks from the height that is asked for up to another one, and ends the stream.
func (w *world) sendBlocks(until int) func(*bssv1.WatchBlocksRequest, bssv1.QueryService_WatchBlocksServer) error {
	return func(request *bssv1.WatchBlocksRequest, stream bssv1.QueryService_WatchBlocksServer) error {
		for _, block := range w.blocks[min(int(request.FromHeight)-1, until):until] {
			if err := stream.Send(&bssv1.WatchBlocksResponse{Block: block}); err != nil {
				return err
			}
		}
		return stopping
	}
}

func TestWatchGoesOnWithoutGapOrRepeat(t *testing.T) {
	w := newWorld(t)
	w.start("manager-1", &fakeManager{watch: w.sendBlocks(5)})
	w.start("manager-2", &fakeManager{watch: w.sendBlocks(12)})
	w.start("manager-3", &fakeManager{watch: w.sendBlocks(20)})
	next, resumed := uint64(2), []uint64{}
	options := WatchOptions{OnReconnect: func(_ error, height uint64) { resumed = append(resumed, height) }}
	for block, err := range w.connect().WatchBlocks(context.Background(), next, options) {
		check(t, err)
		if block.Height != next {
			t.Fatalf("block %d instead of %d", block.Height, next)
		}
		if next++; next > 20 {
			break
		}
	}
	if next != 21 || !slices.Equal(resumed, []uint64{6, 13}) {
		t.Fatalf("stopped before %d, resumed at %v", next, resumed)
	}
}

func TestWatchStartsAfterTheHead(t *testing.T) {
	w := newWorld(t)
	status := &bssv1.GetStatusResponse{Height: 7}
	w.start("manager-1", &fakeManager{watch: w.sendBlocks(20), answering: queries{status: status}})
	for block, err := range w.connect().WatchBlocks(context.Background(), 0, WatchOptions{}) {
		check(t, err)
		if block.Height != 8 {
			t.Fatalf("block %d", block.Height)
		}
		break
	}
}

func TestWatchRefusesWhatDoesNotHold(t *testing.T) {
	forged := map[string]func(view *bssv1.BlockView){
		"a leaf less":         func(view *bssv1.BlockView) { view.Block.Leaves = view.Block.Leaves[1:] },
		"a signature of none": func(view *bssv1.BlockView) { view.Certificates.Commit.Signatures[0].Signature[9] ^= 1 },
		"no certificates":     func(view *bssv1.BlockView) { view.Certificates = nil },
	}
	for name, forge := range forged {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			forge(w.blocks[2])
			w.start("manager-1", &fakeManager{watch: w.sendBlocks(20)})
			var last error
			for block, err := range w.connect().WatchBlocks(context.Background(), 1, WatchOptions{}) {
				if last = err; err == nil && block.Height > 2 {
					t.Fatal("it was given")
				}
			}
			var lie *UntrueAnswer
			var why *verify.Problem
			if !errors.As(last, &lie) || !errors.As(last, &why) {
				t.Fatalf("got %v", last)
			}
		})
	}
}

func TestWatchLeavesAManagerThatSkipsABlock(t *testing.T) {
	w := newWorld(t)
	w.start("manager-1", &fakeManager{watch: func(_ *bssv1.WatchBlocksRequest, stream bssv1.QueryService_WatchBlocksServer) error {
		return stream.Send(&bssv1.WatchBlocksResponse{Block: w.blocks[4]})
	}})
	w.start("manager-2", &fakeManager{watch: w.sendBlocks(20)})
	for block, err := range w.connect().WatchBlocks(context.Background(), 1, WatchOptions{}) {
		check(t, err)
		if block.Height != 1 {
			t.Fatalf("block %d", block.Height)
		}
		break
	}
}

func (w *world) standings() (nodes []*bssv1.StorageNodeStatus) {
	chain := verify.NewChain(w.profile.Genesis)
	for _, view := range w.blocks {
		_, err := chain.Add(view)
		check(w.t, err)
	}
	for _, node := range chain.StorageNodes() {
		nodes = append(nodes, &bssv1.StorageNodeStatus{
			NodeId:             node.Admission.NodeId,
			Credit:             node.Credit,
			Reward:             node.Reward,
			Paid:               node.Paid,
			ChangedHeight:      node.ChangedHeight,
			LastAttestedHeight: node.LastAttestedHeight,
		})
	}
	return nodes
}

func TestAStatementIsRecomputedFromGenesis(t *testing.T) {
	w := newWorld(t)
	w.start("manager-1", &fakeManager{answering: queries{blocks: w.blocks, nodes: w.standings()}})
	client := w.connect()
	for _, node := range w.chain.Facts.Nodes {
		statement, err := client.GetStatement(context.Background(), node.ID)
		check(t, err)
		var kinds []string
		for _, change := range statement.Changes {
			kinds = append(kinds, string(change.Kind))
		}
		if !slices.Equal(kinds, node.Changes) || statement.Node.Credit != node.Credit || statement.Height != 20 {
			t.Fatalf("%s: %+v", node.ID, statement)
		}
	}
	var operations int
	for block, err := range client.Follow(context.Background(), verify.NewChain(client.Genesis())) {
		check(t, err)
		operations += len(block.Operations)
	}
	if operations != 10 {
		t.Fatalf("%d changes of membership", operations)
	}
}

func TestAManagerThatSaysOtherwiseIsNotBelieved(t *testing.T) {
	w := newWorld(t)
	nodes := w.standings()
	nodes[0].Reward++
	w.start("manager-1", &fakeManager{answering: queries{blocks: w.blocks, nodes: nodes}})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, err := w.connect().GetStatement(ctx, nodes[0].NodeId)
	var lie *UntrueAnswer
	if !errors.As(err, &lie) {
		t.Fatalf("got %v", err)
	}
}

func TestEveryMemberOfAStatementIsCompared(t *testing.T) {
	lies := map[string]func(*bssv1.StorageNodeStatus){
		"credit":             func(said *bssv1.StorageNodeStatus) { said.Credit++ },
		"reward":             func(said *bssv1.StorageNodeStatus) { said.Reward++ },
		"paid":               func(said *bssv1.StorageNodeStatus) { said.Paid++ },
		"changedHeight":      func(said *bssv1.StorageNodeStatus) { said.ChangedHeight++ },
		"lastAttestedHeight": func(said *bssv1.StorageNodeStatus) { said.LastAttestedHeight++ },
	}
	for member, lie := range lies {
		computed, said := &bssv1.StorageNodeEntry{Credit: 5}, &bssv1.StorageNodeStatus{Credit: 5}
		if !isSame(computed, said) {
			t.Fatal("the truth is not believed")
		}
		lie(said)
		if isSame(computed, said) {
			t.Fatalf("another %s is believed", member)
		}
	}
	if isSame(nil, &bssv1.StorageNodeStatus{}) || isSame(&bssv1.StorageNodeEntry{}, nil) {
		t.Fatal("a node that is there for one of them only is believed")
	}
}

func TestARecordHasTheHashThatWasAskedFor(t *testing.T) {
	w := newWorld(t)
	record, err := Document{RecordParts: RecordParts{OwnerID: "participant-1"}, MediaType: "text/plain"}.Record()
	check(t, err)
	hash := verify.RecordHash(w.profile.Genesis.ConsortiumID, record)
	entry := &bssv1.RecordEntry{RecordHash: hash[:], SealDigest: hash[:], Height: 1, Record: record}
	manager := w.start("manager-1", &fakeManager{answering: queries{record: entry}})
	client := w.connect()
	read, err := client.GetRecord(context.Background(), hash)
	check(t, err)
	if read.Record.GetDocument().GetMediaType() != "text/plain" {
		t.Fatalf("got %v", read.Record)
	}
	manager.answering.record = proto.CloneOf(entry)
	manager.answering.record.Record[4] ^= 1
	var lie *UntrueAnswer
	if _, err := client.GetRecord(context.Background(), hash); !errors.As(err, &lie) {
		t.Fatalf("got %v", err)
	}
	if _, err := client.GetRecord(context.Background(), Hash{}); !errors.As(err, &lie) {
		t.Fatalf("got %v", err)
	}
	if _, err := client.GetReceipt(context.Background(), hash); !errors.As(err, &lie) {
		t.Fatalf("got %v", err)
	}
}
