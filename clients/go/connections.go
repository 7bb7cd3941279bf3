package bss

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/bss-node/clients/go/bssv1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
)

const (
	// One attempt of a call may take this long, so that other managers can be asked after it.
	attemptTimeout = 10 * time.Second
	// How long a call may take over all its attempts, if the context has no deadline.
	callTimeout = 30 * time.Second
	// Submitting may wait for a block; a manager says what is missing before this time is up.
	submitTimeout = 60 * time.Second
	// A call whose context has no deadline ends after this time if no manager can be reached.
	unreachableTimeout = 3 * time.Second
	// Blocks of a consortium of thousands of storage nodes may exceed the 4 MiB that gRPC takes.
	messageBytesMax = 16 << 20
)

// connections are those to the managers of a profile, and the rule by which a call moves from one to
// the next. The manager that answered last is asked first.
type connections struct {
	addresses []string
	options   []grpc.DialOption

	mutex   sync.Mutex
	open    map[string]*grpc.ClientConn
	current int
	closed  chan struct{}
}

// errClosed ends every call, watch and stream of a client that was closed.
var errClosed = &Error{Reason: reasonCancelled, Code: codes.Canceled, Message: "the client is closed"}

func newConnections(profile *Profile) *connections {
	return &connections{
		addresses: profile.Addresses,
		open:      map[string]*grpc.ClientConn{},
		closed:    make(chan struct{}),
		options: []grpc.DialOption{
			grpc.WithTransportCredentials(credentials.NewTLS(tlsConfig(profile))),
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(messageBytesMax)),
			grpc.WithConnectParams(grpc.ConnectParams{
				Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
				MinConnectTimeout: 5 * time.Second,
			}),
		},
	}
}

// isClosed says whether the client was closed.
func (c *connections) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

// manager is the one to ask now.
func (c *connections) manager() (*grpc.ClientConn, string, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	address := c.addresses[c.current]
	connection, err := c.at(address)
	return connection, address, err
}

// at is the connection to one of the addresses; the mutex is held.
func (c *connections) at(address string) (*grpc.ClientConn, error) {
	if c.isClosed() {
		return nil, errClosed
	}
	if connection := c.open[address]; connection != nil {
		return connection, nil
	}
	connection, err := grpc.NewClient(address, c.options...)
	if err != nil {
		return nil, err
	}
	c.open[address] = connection
	return connection, nil
}

// statusOf is what one manager says about itself, without asking another in its place; nil if it says
// nothing.
func (c *connections) statusOf(ctx context.Context, address string) *bssv1.GetStatusResponse {
	c.mutex.Lock()
	connection, err := c.at(address)
	c.mutex.Unlock()
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answer, err := bssv1.NewQueryServiceClient(connection).GetStatus(ctx, &bssv1.GetStatusRequest{})
	if err != nil {
		return nil
	}
	return answer
}

// after are the other addresses, in the order in which to try them.
func (c *connections) after(address string) []string {
	at := slices.Index(c.addresses, address)
	return slices.Concat(c.addresses[at+1:], c.addresses[:max(0, at)])
}

// turn makes this manager the current one.
func (c *connections) turn(address string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.current = max(0, slices.Index(c.addresses, address))
}

// leave turns to the next manager, unless another call has done so already.
func (c *connections) leave(address string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.addresses[c.current] == address {
		c.current = (c.current + 1) % len(c.addresses)
	}
}

func (c *connections) close() error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.isClosed() {
		return nil
	}
	close(c.closed)
	var failed error
	for address, connection := range c.open {
		if err := connection.Close(); err != nil {
			failed = err
		}
		delete(c.open, address)
	}
	return failed
}

// round is one turn of a call through the managers.
type round struct {
	connections *connections
	failed      map[string]*Error
	failures    int
	ceiling     time.Duration
}

const (
	backoffMin = 100 * time.Millisecond
	backoffMax = 2 * time.Second
)

func newRound(connections *connections) *round {
	return &round{connections: connections, failed: map[string]*Error{}, ceiling: backoffMin}
}

// leave turns to the next manager and says how long to wait before it is asked: not at all while
// some have not failed in this round, then as long as the last one asked for or the client's own
// backoff, whichever is longer. It fails if TLS refuses every manager, as it would do so again.
func (r *round) leave(address string, failure *Error) (time.Duration, error) {
	r.failed[address] = failure
	r.connections.leave(address)
	r.failures++
	if r.allFail((*Error).isTLSFailure) {
		return 0, r.summary(failure)
	}
	if r.failures%len(r.connections.addresses) != 0 {
		return 0, nil
	}
	wait := r.ceiling/2 + rand.N(r.ceiling/2)
	r.ceiling = min(r.ceiling*2, backoffMax)
	return max(wait, failure.RetryAfter), nil
}

// succeed notes that a manager has answered.
func (r *round) succeed() {
	r.failures, r.ceiling = 0, backoffMin
	clear(r.failed)
}

func (r *round) allFail(how func(*Error) bool) bool {
	for _, address := range r.connections.addresses {
		if failure := r.failed[address]; failure == nil || !how(failure) {
			return false
		}
	}
	return true
}

// summary is one error that says what each manager failed with. What a node answered says more than
// that another one did not answer.
func (r *round) summary(last *Error) *Error {
	if len(r.failed) <= 1 && last.isAnswer() {
		return last
	}
	telling := last
	var said []string
	for _, address := range r.connections.addresses {
		failure := r.failed[address]
		if failure == nil || slices.Contains(said, address+": "+failure.Message) {
			continue
		}
		said = append(said, address+": "+failure.Message)
		if !telling.isAnswer() && failure.isAnswer() {
			telling = failure
		}
	}
	summary := *telling
	summary.Message = "no manager could answer: " + strings.Join(said, "; ")
	summary.cause = telling
	return &summary
}

// limits are how long a call may take.
type limits struct{ call, attempt time.Duration }

var (
	readLimits = limits{callTimeout, attemptTimeout}
	// A manager answers such a call when a block is final: one attempt gets the whole time.
	finalLimits = limits{submitTimeout, submitTimeout}
)

// ask calls a method at one manager after the other, and waits when all have been tried. It ends
// when a call succeeds, when it fails for a reason that another manager would give too, when TLS
// refuses every manager, or when time is up. A manager that is silent is left before its time is up if
// another one is better ([managerWatch]).
func ask[T any](
	ctx context.Context, c *connections, limits limits,
	call func(context.Context, *grpc.ClientConn) (T, error),
) (T, error) {
	var nothing T
	start := time.Now()
	deadline, isCallers := ctx.Deadline()
	if !isCallers {
		deadline = start.Add(limits.call)
	}
	if isCallers && limits == finalLimits {
		limits.attempt = max(limits.attempt, time.Until(deadline))
	}
	round := newRound(c)
	var said *Error
	for {
		connection, address, err := c.manager()
		if err != nil {
			return nothing, err
		}
		attempt, cancel := context.WithTimeout(ctx, min(time.Until(deadline), limits.attempt))
		watched, left := c.leaveForBetter(attempt, address)
		answer, err := call(watched, connection)
		cancel()
		if err == nil {
			return answer, nil
		}
		if ctx.Err() == context.Canceled {
			return nothing, errorOfContext(ctx)
		}
		if c.isClosed() {
			return nothing, errClosed
		}
		failure := errorOf(err)
		if why := left(); why != nil {
			failure = why
		}
		if !failure.mayRepeat() {
			return nothing, failure
		}
		if said != nil && !time.Now().Before(deadline) {
			// What managers said before tells more than that time was up during the last attempt.
			return nothing, round.summary(said)
		}
		said = failure
		wait, err := round.leave(address, failure)
		if err != nil {
			return nothing, err
		}
		until := deadline
		if !isCallers && round.allFail((*Error).isUnreachable) {
			until = start.Add(unreachableTimeout)
		}
		if time.Now().Add(wait).After(until) {
			return nothing, round.summary(failure)
		}
		if err := c.pause(ctx, wait); err != nil {
			return nothing, err
		}
	}
}

// leaveForBetter is a context for a call of a manager that ends when another one is better; then the
// function says why.
func (c *connections) leaveForBetter(
	ctx context.Context, address string,
) (context.Context, func() *Error) {
	watched, leave := context.WithCancelCause(ctx)
	go func() {
		if why := newManagerWatch(c, address).better(watched); why != nil {
			leave(why)
		}
	}()
	return watched, func() *Error {
		why, _ := context.Cause(watched).(*Error)
		return why
	}
}

// pause waits; the end of the context or of the client ends it with an error.
func (c *connections) pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return errorOfContext(ctx)
	case <-c.closed:
		return errClosed
	}
}
