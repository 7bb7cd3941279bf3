package bss

import (
	"context"
	"errors"
	"iter"
	"time"

	"example.com/bss-node/clients/go/bssv1"
	"example.com/bss-node/clients/go/verify"
	"google.golang.org/grpc/codes"
)

// WatchOptions are those of WatchBlocks; the zero value is all defaults.
type WatchOptions struct {
	// OnReconnect is called after each loss of the stream, and each attempt to get it back that fails;
	// the error names the manager.
	OnReconnect func(err error, nextHeight uint64)
}

// WatchBlocks gives every block from a height on, once and in order, for as long as the caller reads;
// with 0 from the first block after the head, which the manager is asked for when the loop begins. So to
// miss nothing of what you submit next, ask for Status().Height + 1 yourself before you submit. If the
// stream is lost, another one continues after the last block that was given, at another manager if need
// be.
//
//	for block, err := range client.WatchBlocks(ctx, 0, bss.WatchOptions{}) { … }
//
// Each block is verified: Q managers made it final, it is whole, and it follows the block before it.
// An error ends the loop: [*UntrueAnswer] for a block that does not hold, an [*Error] with the reason
// CANCELLED when ctx is cancelled or the client closed, and DEADLINE when the time of ctx is up. Before
// the first block it is NODE_UNREACHABLE, like that of a call, when no manager can be reached for 3 s and
// ctx has no deadline; from then on the watch waits for managers without end. To end it without an
// error, break out of the loop.
func (c *Client) WatchBlocks(
	ctx context.Context, fromHeight uint64, options WatchOptions,
) iter.Seq2[*verify.Block, error] {
	return func(yield func(*verify.Block, error) bool) {
		watch := &blockWatch{client: c, next: fromHeight, yield: yield}
		if err := watch.run(ctx, options); err != nil {
			yield(nil, err)
		}
	}
}

type blockWatch struct {
	client *Client
	next   uint64
	yield  func(*verify.Block, error) bool
	last   *verify.Block
	// When the first attempt failed; zero until then.
	failing time.Time
}

// errEnough says that the caller takes no more.
var errEnough = errors.New("the caller takes no more")

func (w *blockWatch) run(ctx context.Context, options WatchOptions) error {
	if w.next == 0 {
		// Fixed before the first stream: "after the head" would skip blocks when a later one begins.
		status, err := w.client.Status(ctx)
		if err != nil {
			return err
		}
		w.next = status.Height + 1
	}
	round := newRound(w.client.connections)
	for {
		address, err := w.stream(ctx, round)
		if err == errEnough {
			return nil
		}
		if lie := (*UntrueAnswer)(nil); errors.As(err, &lie) {
			return lie
		}
		if ctx.Err() != nil {
			return errorOfContext(ctx)
		}
		if w.client.connections.isClosed() {
			return errClosed
		}
		failure := errorOf(err)
		isFault := failure.Code == codes.Internal || failure.Code == codes.Unknown
		if !failure.mayRepeat() && !isFault {
			return failure
		}
		if w.failing.IsZero() {
			w.failing = time.Now()
		}
		wait, err := round.leave(address, failure)
		if err != nil {
			return err
		}
		_, isCallers := ctx.Deadline()
		isNobodyThere := w.last == nil && !isCallers && round.allFail((*Error).isUnreachable)
		if isNobodyThere && time.Since(w.failing)+wait > unreachableTimeout {
			return round.summary(failure)
		}
		if options.OnReconnect != nil {
			options.OnReconnect(failure.at(address), w.next)
		}
		if err := w.client.connections.pause(ctx, wait); err != nil {
			return err
		}
	}
}

// stream reads one stream of one manager until it ends.
func (w *blockWatch) stream(ctx context.Context, round *round) (string, error) {
	connection, address, err := w.client.connections.manager()
	if err != nil {
		return address, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	request := &bssv1.WatchBlocksRequest{FromHeight: w.next}
	stream, err := bssv1.NewQueryServiceClient(connection).WatchBlocks(ctx, request)
	if err != nil {
		return address, err
	}
	for {
		answer, err := stream.Recv()
		if err != nil {
			return address, stoppingIfEOF(err)
		}
		if answer.GetBlock().GetHeight() != w.next {
			// A manager that breaks the order is treated like one that cannot be reached.
			return address, &Error{Reason: reasonUnreachable, Code: codes.Unavailable,
				Message: "it sent another block than the next one"}
		}
		block, err := verify.Final(answer.Block, w.client.Genesis())
		if err != nil {
			return address, untrueBecause("a block that was sent does not hold", err)
		}
		if w.last != nil && block.PreviousID != w.last.ID {
			return address, untrue("block %d does not follow the block before it: a fork", block.Height)
		}
		w.last, w.next = block, block.Height+1
		round.succeed()
		if !w.yield(block, nil) {
			return address, errEnough
		}
	}
}
