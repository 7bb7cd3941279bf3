package bss

import (
	"context"
	"errors"
	"net"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/bss-node/clients/go/bssv1"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

// managersOf is what each manager of a profile says; nil for one that says nothing.
type managersOf struct {
	addresses []string
	says      map[string]*bssv1.GetStatusResponse
	mutex     sync.Mutex
	asked     []string
	turned    []string
}

func (m *managersOf) statusOf(_ context.Context, address string) *bssv1.GetStatusResponse {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.asked = append(m.asked, address)
	return m.says[address]
}

func (m *managersOf) after(address string) []string {
	return (&connections{addresses: m.addresses}).after(address)
}

func (m *managersOf) turn(address string) { m.turned = append(m.turned, address) }

// managers are "a", "b" and so on; the first one owes the answer.
func managers(says ...*bssv1.GetStatusResponse) *managersOf {
	made := &managersOf{says: map[string]*bssv1.GetStatusResponse{}}
	for i, each := range says {
		address := string(rune('a' + i))
		made.addresses = append(made.addresses, address)
		made.says[address] = each
	}
	return made
}

// fit is the status of a manager that is fit, but for what a test changes.
func fit(change func(*bssv1.GetStatusResponse)) *bssv1.GetStatusResponse {
	made := &bssv1.GetStatusResponse{Height: 100, PoolSubmissions: 10}
	if change != nil {
		change(made)
	}
	return made
}

func atHeight(height uint64) *bssv1.GetStatusResponse {
	return fit(func(s *bssv1.GetStatusResponse) { s.Height = height })
}

func withPool(count uint32) *bssv1.GetStatusResponse {
	return fit(func(s *bssv1.GetStatusResponse) { s.PoolSubmissions = count })
}

// looks watches manager "a" for so many silences, each of which begins with step, and returns what it
// was left for and how long the silences were.
func looks(
	managers *managersOf, count int, isOverloaded bool, step func(*managerWatch, int),
) (why string, waits []time.Duration) {
	watch := newManagerWatch(managers, "a")
	watch.isOverloaded = func() bool { return isOverloaded }
	watch.pause = func(_ context.Context, wait time.Duration) bool {
		if len(waits) == count {
			return false
		}
		if step != nil {
			step(watch, len(waits))
		}
		waits = append(waits, wait)
		return true
	}
	if left := watch.better(context.Background()); left != nil {
		why = left.Message
	}
	return why, waits
}

func TestAManagerThatOwesAnAnswerIsLeftForOneThatIsFit(t *testing.T) {
	halted := fit(func(s *bssv1.GetStatusResponse) { s.Halted = "it saw a fork" })
	for _, each := range []struct {
		own *bssv1.GetStatusResponse
		why string
	}{
		{nil, "a is silent; going on at d"},
		{halted, "a has halted; going on at d"},
		{fit(func(s *bssv1.GetStatusResponse) { s.Abstaining = "its log is gone" }),
			"a signs nothing: its log is gone; going on at d"},
		{atHeight(90), "a is 10 blocks behind; going on at d"},
	} {
		asked := managers(each.own, nil, halted, fit(nil))
		why, waits := looks(asked, 9, false, nil)
		if why != each.why || !slices.Equal(waits, silences[:1]) || !slices.Equal(asked.turned, []string{"d"}) {
			t.Errorf("%q after %v, turned to %v; wanted %q", why, waits, asked.turned, each.why)
		}
	}
}

func TestAManagerThatOwesAnAnswerIsKept(t *testing.T) {
	halted := fit(func(s *bssv1.GetStatusResponse) { s.Halted = "x" })
	for name, asked := range map[string]*managersOf{
		"as it is as fit as others":        managers(fit(nil), atHeight(104)),
		"as no other one is better":        managers(nil, nil, halted),
		"as another only claims to be far": managers(fit(nil), atHeight(1<<50), fit(nil), fit(nil)),
		"as it has the only address":       managers(nil),
		"as it is not said to be overload": managers(withPool(1000), fit(nil)),
	} {
		if why, _ := looks(asked, 5, false, nil); why != "" || len(asked.turned) > 0 {
			t.Errorf("left %s: %s", name, why)
		}
	}
	asked := managers(fit(nil), fit(nil))
	_, waits := looks(asked, 6, false, nil)
	if wanted := append(slices.Clone(silences), 24*time.Second); !reflect.DeepEqual(waits, wanted) || len(asked.asked) != 12 {
		t.Errorf("waits %v, asked %v", waits, asked.asked)
	}
}

func TestAManagerIsLeftForOverloadOnlyIfAnotherHasLessThanHalfToDo(t *testing.T) {
	for pool, wanted := range map[uint32]string{499: "a is overloaded; going on at b", 500: ""} {
		if why, _ := looks(managers(withPool(1000), withPool(pool)), 1, true, nil); why != wanted {
			t.Errorf("%d: %q", pool, why)
		}
	}
}

func TestAManagerIsLeftWhenNothingComesOfWhatItTakes(t *testing.T) {
	for blocks, wanted := range map[uint64]string{10: "", 11: "a gives no answer while blocks are added; going on at b"} {
		asked := managers(fit(nil), fit(nil), fit(nil))
		// An answer begins the silence anew.
		heights := []uint64{20, 90, 100, 100, 100, 100 + blocks}
		why, _ := looks(asked, len(heights), false, func(watch *managerWatch, look int) {
			if look == 1 {
				watch.answered()
			}
			for _, address := range asked.addresses {
				asked.says[address] = atHeight(heights[look])
			}
		})
		if why != wanted {
			t.Errorf("%d: %q", blocks, why)
		}
	}
}

func TestAManagerIsNotLookedAtWhileNothingIsDueOrWhenItAnswers(t *testing.T) {
	asked := managers(nil, fit(nil))
	looks(asked, 4, false, func(watch *managerWatch, look int) {
		watch.isDue = func() bool { return look == 3 }
		if look == 3 {
			watch.answered()
		}
	})
	if len(asked.asked) > 0 {
		t.Errorf("asked %v", asked.asked)
	}
}

func TestAManagerThatWasLeftWasReached(t *testing.T) {
	c := &connections{addresses: []string{"a", "b"}}
	expired := fit(func(s *bssv1.GetStatusResponse) { s.Abstaining = "its certificate has expired" })
	left := newManagerWatch(managers(expired, fit(nil)), "a")
	left.pause = func(context.Context, time.Duration) bool { return true }
	round := newRound(c)
	why := left.better(context.Background())
	_, err := round.leave("a", why)
	check(t, err)
	_, err = round.leave("b", &Error{Reason: reasonUnreachable, Message: "connection refused"})
	check(t, err)
	if round.allFail((*Error).isUnreachable) || why.isTLSFailure() || !why.Retryable() {
		t.Errorf("%v is taken for an unreachable manager", why)
	}
}

// mute accepts connections, and never says a word.
func (w *world) mute() {
	w.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(w.t, err)
	w.t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			if _, err := listener.Accept(); err != nil {
				return
			}
		}
	}()
	w.profile.Addresses = append(w.profile.Addresses, listener.Addr().String())
}

func TestACallLeavesAManagerThatIsSilentWithTheSameBytes(t *testing.T) {
	for _, name := range []string{"it never says a word", "it took the call and died"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			answer := &bssv1.SubmitResponse{Outcomes: []*bssv1.RecordOutcome{{RecordHash: []byte("b")}}}
			taken := make(chan *bssv1.Submission, 1)
			if name == "it never says a word" {
				w.mute()
			} else {
				// It says nothing of the call, and that it signs nothing when it is asked.
				died := &bssv1.GetStatusResponse{Abstaining: "its disk is full"}
				silent := make(chan struct{})
				t.Cleanup(func() { close(silent) })
				w.start("manager-1", &fakeManager{
					answering: queries{status: died},
					submit: func(request *bssv1.SubmitRequest) (*bssv1.SubmitResponse, error) {
						taken <- request.Submission
						<-silent
						return nil, stopping
					},
				})
			}
			var seen *bssv1.Submission
			w.start("manager-2", &fakeManager{
				answering: queries{status: &bssv1.GetStatusResponse{}},
				submit: func(request *bssv1.SubmitRequest) (*bssv1.SubmitResponse, error) {
					seen = request.Submission
					return answer, nil
				},
			})
			client := w.connect()
			submission, err := client.Sign([]byte("a record"))
			check(t, err)
			got, err := client.Submit(context.Background(), submission)
			check(t, err)
			if !proto.Equal(got, answer) || !proto.Equal(seen, submission) {
				t.Fatalf("got %v for %v", got, seen)
			}
			select {
			case first := <-taken:
				if !proto.Equal(first, submission) {
					t.Fatal("the second manager got other bytes")
				}
			default:
			}
		})
	}
}

func TestAStreamLeavesAManagerThatGivesNoOutcomes(t *testing.T) {
	w := newWorld(t)
	halted := &bssv1.GetStatusResponse{Halted: "it saw a fork"}
	w.start("manager-1", &fakeManager{
		answering: queries{status: halted},
		stream: func(stream bssv1.BroadcastService_SubmitStreamServer) error {
			<-stream.Context().Done()
			return nil
		},
	})
	w.start("manager-2", &fakeManager{
		answering: queries{status: &bssv1.GetStatusResponse{}},
		stream: func(stream bssv1.BroadcastService_SubmitStreamServer) error {
			return answerAll(stream, many)
		},
	})
	var lost []error
	options := StreamOptions{OnReconnect: func(err error, unanswered int) { lost = append(lost, err) }}
	seen := 0
	for _, err := range w.connect().SubmitStream(context.Background(), slices.Values(submissions(5)), options) {
		check(t, err)
		seen++
	}
	wanted := w.profile.Addresses[0] + " has halted; going on at " + w.profile.Addresses[1] + " [NODE_UNREACHABLE]"
	if seen != 5 || len(lost) != 1 || lost[0].Error() != wanted {
		t.Fatalf("%d outcomes; %v", seen, lost)
	}
}

func TestAWatchThatReachesNobodyEndsLikeACallUntilItHasBegun(t *testing.T) {
	w := newWorld(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	check(t, listener.Close())
	w.profile.Addresses = []string{listener.Addr().String()}
	var failed *Error
	for _, err := range w.connect().WatchBlocks(context.Background(), 1, WatchOptions{}) {
		if !errors.As(err, &failed) || failed.Reason != "NODE_UNREACHABLE" || failed.Code != codes.Unavailable {
			t.Fatalf("got %v", err)
		}
	}
	if failed == nil {
		t.Fatal("it ended without an error")
	}
}

func TestAWatchThatHasBegunWaitsWithoutEnd(t *testing.T) {
	w := newWorld(t)
	var sent atomic.Bool
	w.start("manager-1", &fakeManager{watch: func(_ *bssv1.WatchBlocksRequest, stream bssv1.QueryService_WatchBlocksServer) error {
		if sent.Swap(true) {
			return refusal(codes.Unavailable, reasonUnreachable, "", unreachableTimeout+time.Second)
		}
		return stream.Send(&bssv1.WatchBlocksResponse{Block: w.blocks[0]})
	}})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	lost := 0
	options := WatchOptions{OnReconnect: func(error, uint64) {
		if lost++; lost == 2 {
			cancel()
		}
	}}
	var last error
	for _, last = range w.connect().WatchBlocks(ctx, 1, options) {
	}
	if !errors.Is(last, context.Canceled) {
		t.Fatalf("got %v", last)
	}
}
