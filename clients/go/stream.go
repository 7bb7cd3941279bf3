package bss

import (
	"context"
	"io"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"example.com/bss-node/clients/go/bssv1"
	"google.golang.org/grpc/codes"
)

// StreamOptions are those of SubmitStream; the zero value is all defaults.
type StreamOptions struct {
	// InFlightMax is how many submissions may be without an outcome at any time; 32 when 0.
	InFlightMax int
	// WaitFor is what an outcome waits for; final when 0.
	WaitFor bssv1.WaitFor
	// StallTimeout ends the stream with an error when no outcome has come for so long; 5 minutes
	// when 0.
	StallTimeout time.Duration
	// OnReconnect is called after each loss of the stream, with the number of submissions to be sent
	// again; the error names the manager.
	OnReconnect func(err error, unanswered int)
}

// SubmissionOutcome is what became of one submission. Look at [SubmissionOutcome.Refused]: a record may
// have been refused although Refusal is nil.
type SubmissionOutcome struct {
	// Index is the place of the submission in the source, from 0. Outcomes come as they are final, in
	// any order.
	Index      int
	Submission *bssv1.Submission
	// Response has an outcome for each record, its place or an objection; nil if the submission was
	// refused as a whole, for the reason that Refusal gives.
	Response *bssv1.SubmitResponse
	Refusal  *Error
}

const (
	inFlightDefault = 32
	stallDefault    = 5 * time.Minute
	// A node may fail by a fault of its own this often in a row. After that, something in the
	// submissions is taken to be the cause.
	faultsMax = 3
	// The shortest wait before a refused submission is sent again.
	retryWaitMin = 50 * time.Millisecond
)

// SubmitStream submits many, with several in flight over one stream, which survives the loss of the
// stream. The source is read no faster than outcomes are taken: at most InFlightMax submissions are
// without one, and while the caller's loop works on an outcome nothing piles up.
//
//	for outcome, err := range client.SubmitStream(ctx, source, bss.StreamOptions{}) {
//		if err == nil {
//			err = outcome.Refused()
//		}
//		…
//	}
//
// Each submission gets exactly one outcome. After a reconnect, to the same manager or the next one,
// all submissions without an outcome are sent again, the same bytes; records that got onto the ledger
// meanwhile are answered with their first place. If a refusal says when to try again, that is done
// here. A manager that gives no outcomes is left if another one is better. An error ends the loop: the
// managers cannot or will not go on, or ctx has ended or the client was closed (CANCELLED, DEADLINE).
//
// The source is read in a goroutine of its own. It is not waited for after the loop, so let a source
// that blocks end with ctx.
func (c *Client) SubmitStream(
	ctx context.Context, source iter.Seq[*bssv1.Submission], options StreamOptions,
) iter.Seq2[*SubmissionOutcome, error] {
	return func(yield func(*SubmissionOutcome, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		session := newSubmitSession(c.connections, options)
		go session.read(ctx, source)
		if err := session.run(ctx, yield); err != nil {
			yield(nil, err)
		}
	}
}

// submitSession holds what outlives one stream. Only the goroutine of run and the sender of its
// present attempt use it.
//
//	source ──taken──▶ unanswered (at most inFlightMax) ──send──▶ manager
//	                      ▲          │ answer                        │
//	    stream is lost ───┘          ▼                               │
//	 all are sent again          outcomes ──▶ caller ◀───────────────┘
type submitSession struct {
	connections *connections
	options     StreamOptions
	taken       chan *bssv1.Submission
	// A token for each submission without an outcome.
	slots chan struct{}

	mutex      sync.Mutex
	unanswered map[uint64]*bssv1.Submission
	count      uint64
	ended      bool
	progress   time.Time
	last       *Error
	faults     int
	stalled    bool
	// Whether the caller works on an outcome; then no manager is late.
	yielding bool
	// Whether the last answers of this stream were refusals for overload.
	overloaded bool
}

func newSubmitSession(connections *connections, options StreamOptions) *submitSession {
	if options.InFlightMax <= 0 {
		options.InFlightMax = inFlightDefault
	}
	if options.StallTimeout <= 0 {
		options.StallTimeout = stallDefault
	}
	if options.WaitFor == bssv1.WaitFor_WAIT_FOR_UNSPECIFIED {
		options.WaitFor = bssv1.WaitFor_WAIT_FOR_COMMITTED
	}
	return &submitSession{
		connections: connections,
		options:     options,
		taken:       make(chan *bssv1.Submission),
		slots:       make(chan struct{}, options.InFlightMax),
		unanswered:  map[uint64]*bssv1.Submission{},
		progress:    time.Now(),
	}
}

// read hands over the source, one at a time, as the sender takes it.
func (s *submitSession) read(ctx context.Context, source iter.Seq[*bssv1.Submission]) {
	defer close(s.taken)
	for submission := range source {
		select {
		case s.taken <- submission:
		case <-ctx.Done():
			return
		}
	}
}

// run goes on from stream to stream until all is answered, or the caller breaks off (then nil, too).
func (s *submitSession) run(ctx context.Context, yield func(*SubmissionOutcome, error) bool) error {
	round := newRound(s.connections)
	for {
		address, failure, done := s.attempt(ctx, func(outcome *SubmissionOutcome) bool {
			round.succeed()
			return yield(outcome, nil)
		})
		if done {
			return nil
		}
		if ctx.Err() != nil {
			return errorOfContext(ctx)
		}
		if s.connections.isClosed() {
			return errClosed
		}
		if !s.mayGoOn(failure) {
			return failure
		}
		if s.sinceProgress() >= s.options.StallTimeout {
			return s.stallError()
		}
		wait, err := round.leave(address, failure)
		if err != nil {
			return err
		}
		if s.options.OnReconnect != nil {
			s.options.OnReconnect(failure.at(address), s.waiting())
		}
		if err := s.connections.pause(ctx, wait); err != nil {
			return err
		}
	}
}

// attempt works on one stream to one manager: all that is unanswered is sent, and then the source.
// It is done when all is answered, or the caller takes no more.
func (s *submitSession) attempt(
	ctx context.Context, yield func(*SubmissionOutcome) bool,
) (address string, failure *Error, done bool) {
	connection, address, err := s.connections.manager()
	if err != nil {
		return address, errorOf(err), false
	}
	ctx, cancel := context.WithCancel(ctx)
	s.setOverloaded(false)
	watch := newManagerWatch(s.connections, address)
	watch.isDue, watch.isOverloaded = s.isDue, s.isOverloaded
	left := make(chan *Error, 1)
	go func() { left <- watch.better(ctx) }()
	var senders sync.WaitGroup
	defer senders.Wait()
	defer cancel()
	stream, err := bssv1.NewBroadcastServiceClient(connection).SubmitStream(ctx)
	if err != nil {
		return address, errorOf(err), false
	}
	sender := &submitSender{session: s, stream: stream}
	start := func(work func()) {
		senders.Add(1)
		go func() {
			defer senders.Done()
			work()
		}()
	}
	start(func() { sender.send(ctx) })
	answers := receive(ctx, stream.Recv)
	for {
		select {
		case answer, open := <-answers:
			switch {
			case !open:
				return address, errorOfContext(ctx), false
			case answer.err == io.EOF && s.settled():
				return address, nil, true
			case answer.err == io.EOF:
				return address, &Error{Reason: "NODE_STOPPING", Code: codes.Unavailable,
					Message: "the node ended the stream before it had answered"}, false
			case answer.err != nil:
				return address, errorOf(answer.err), false
			}
			outcome, again, failure := s.outcomeOf(answer.message)
			if failure != nil {
				return address, failure, false
			}
			if again > 0 {
				start(func() { sender.sendLater(ctx, answer.message.RequestId, again) })
			}
			if outcome != nil {
				watch.answered()
				if !yield(outcome) {
					return address, nil, true
				}
				s.progressed()
				sender.endIfSettled()
			}
		case why := <-left:
			if why != nil {
				return address, why, false
			}
		case <-time.After(s.options.StallTimeout - s.sinceProgress()):
			if s.sinceProgress() >= s.options.StallTimeout {
				return address, s.stallError(), false
			}
		}
	}
}

// outcomeOf is nil for an answer without a result, and for a refusal after which the submission is
// sent again. The error says that another manager should be asked.
func (s *submitSession) outcomeOf(answer *bssv1.SubmitStreamResponse) (*SubmissionOutcome, time.Duration, *Error) {
	s.mutex.Lock()
	submission := s.unanswered[answer.RequestId]
	s.mutex.Unlock()
	if submission == nil || answer.Result == nil {
		return nil, 0, nil
	}
	outcome := &SubmissionOutcome{
		Index:      int(answer.RequestId - 1),
		Submission: submission,
		Response:   answer.GetResponse(),
	}
	if refusal := answer.GetRefusal(); refusal != nil {
		failure := errorOfRefusal(refusal)
		if failure.Code == codes.Unavailable {
			return nil, 0, failure
		}
		if failure.mayRepeat() {
			s.last = failure
			s.setOverloaded(failure.Code == codes.ResourceExhausted)
			return nil, max(failure.RetryAfter, retryWaitMin), nil
		}
		outcome.Refusal = failure
	}
	s.mutex.Lock()
	delete(s.unanswered, answer.RequestId)
	s.faults = 0
	s.overloaded = false
	s.yielding = true
	s.mutex.Unlock()
	<-s.slots
	return outcome, 0, nil
}

// mayGoOn says whether another stream is tried after an error. A connection that broke in the middle
// of a message looks like a fault of the node, too.
func (s *submitSession) mayGoOn(failure *Error) bool {
	if s.stalled {
		return false
	}
	s.last = failure
	if failure.mayRepeat() {
		return true
	}
	s.faults++
	isFault := failure.Code == codes.Internal || failure.Code == codes.Unknown
	return isFault && s.faults <= faultsMax
}

func (s *submitSession) waiting() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return len(s.unanswered)
}

// settled says whether the source has ended and all of it is answered.
func (s *submitSession) settled() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.ended && len(s.unanswered) == 0
}

func (s *submitSession) progressed() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.progress = time.Now()
	s.yielding = false
}

// isDue says whether a manager owes an outcome.
func (s *submitSession) isDue() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return len(s.unanswered) > 0 && !s.yielding
}

func (s *submitSession) isOverloaded() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.overloaded
}

func (s *submitSession) setOverloaded(overloaded bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.overloaded = overloaded
}

// sinceProgress is how long an outcome has been due; 0 while none is.
func (s *submitSession) sinceProgress() time.Duration {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.unanswered) == 0 {
		s.progress = time.Now()
	}
	return time.Since(s.progress)
}

func (s *submitSession) stallError() *Error {
	s.stalled = true
	failure := &Error{Reason: reasonDeadline, Code: codes.DeadlineExceeded,
		Message: "no outcome has come for " + s.options.StallTimeout.String()}
	if s.last != nil {
		failure.Message += "; the last error was: " + s.last.Message
		failure.cause = s.last
	}
	return failure
}

// submitSender sends on one stream. A stream takes one message at a time.
type submitSender struct {
	session *submitSession
	stream  bssv1.BroadcastService_SubmitStreamClient
	mutex   sync.Mutex
	over    bool
}

// send sends what is unanswered, in the order of the source, and then the source.
func (s *submitSender) send(ctx context.Context) {
	session := s.session
	session.mutex.Lock()
	ids := slices.Sorted(maps.Keys(session.unanswered))
	session.mutex.Unlock()
	for _, id := range ids {
		s.sendOne(id)
	}
	for {
		select {
		case session.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		select {
		case submission, open := <-session.taken:
			if !open {
				<-session.slots
				session.mutex.Lock()
				session.ended = true
				session.mutex.Unlock()
				s.endIfSettled()
				return
			}
			session.mutex.Lock()
			if len(session.unanswered) == 0 {
				session.progress = time.Now()
			}
			session.count++
			id := session.count
			session.unanswered[id] = submission
			session.mutex.Unlock()
			s.sendOne(id)
		case <-ctx.Done():
			<-session.slots
			return
		}
	}
}

func (s *submitSender) sendLater(ctx context.Context, id uint64, wait time.Duration) {
	if s.session.connections.pause(ctx, wait) == nil {
		s.sendOne(id)
	}
}

// sendOne leaves failures to the receiver, which learns why the stream ended.
func (s *submitSender) sendOne(id uint64) {
	s.session.mutex.Lock()
	submission := s.session.unanswered[id]
	s.session.mutex.Unlock()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if submission == nil || s.over {
		return
	}
	request := &bssv1.SubmitStreamRequest{RequestId: id, Submission: submission, WaitFor: s.session.options.WaitFor}
	s.over = s.stream.Send(request) != nil
}

func (s *submitSender) endIfSettled() {
	if !s.session.settled() {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if !s.over {
		s.over = true
		_ = s.stream.CloseSend()
	}
}

// received is what a stream gave.
type received[T any] struct {
	message T
	err     error
}

// receive reads a stream until its first error, no faster than what it gives is taken.
func receive[T any](ctx context.Context, next func() (T, error)) <-chan received[T] {
	messages := make(chan received[T])
	go func() {
		defer close(messages)
		for {
			message, err := next()
			select {
			case messages <- received[T]{message, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return messages
}
