package bss

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"example.com/bss-node/clients/go/bssv1"
	"google.golang.org/grpc/codes"
)

// managerWatch looks, while a manager owes an answer, whether another one would give it sooner.
//
// A block may take a while, and then no other manager is faster: all wait for the same signatures. So
// silence alone is no reason to leave. After some of it the manager and others of the profile are asked
// for their status. The client goes on to another one only if that one is fit, and its own does not
// even answer this, has halted, signs nothing, is far behind, is overloaded while the other has less to
// do, or gives no answer for long while others add block after block. A manager may lie about itself:
// what height is usual, most of those that are asked have to say. Looks become rarer, so that clients
// do not wander about. What is sent again has the same bytes, which the ledger takes once.
type managerWatch struct {
	managers watchedManagers
	// The manager that owes the answer.
	address string
	// Whether an answer is due.
	isDue func() bool
	// Whether the manager refuses for overload at present.
	isOverloaded func() bool
	// Goes up with each answer, so that a look knows whether one came meanwhile.
	answers atomic.Int64
	// Waits; false when the context ends.
	pause func(context.Context, time.Duration) bool
}

// watchedManagers are those of a profile.
type watchedManagers interface {
	// statusOf is what the manager says about itself; nil if it says nothing for askTimeout.
	statusOf(ctx context.Context, address string) *bssv1.GetStatusResponse
	// after are the other addresses, in the order in which to try them.
	after(address string) []string
	// turn makes this manager the current one.
	turn(address string)
}

// silences are how long one lasts before the first look, and then before each further one.
var silences = []time.Duration{1500 * time.Millisecond, 3 * time.Second, 6 * time.Second, 12 * time.Second, 24 * time.Second}

const (
	// A manager that does not say how it is within this time is silent.
	askTimeout = 2 * time.Second
	// Besides the manager in use; a profile may name a hundred.
	othersMax = 6
	// Managers that keep up differ by a block or two.
	behindMax = 5
	// What is taken is on the ledger some blocks later, if its manager is honest.
	vainLooks, vainBlocks = 4, 10
)

// goingOnAt is the fact of an error that says to which manager the client has gone on.
const goingOnAt = "going_on_at"

func newManagerWatch(managers watchedManagers, address string) *managerWatch {
	return &managerWatch{
		managers:     managers,
		address:      address,
		isDue:        func() bool { return true },
		isOverloaded: func() bool { return false },
		pause:        sleep,
	}
}

func sleep(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// answered says that the manager has answered: the silence begins anew.
func (w *managerWatch) answered() { w.answers.Add(1) }

// better waits until the call should be made at the manager that is the current one then, and says
// why; nil when ctx ends before.
func (w *managerWatch) better(ctx context.Context) *Error {
	if len(w.managers.after(w.address)) == 0 {
		return nil
	}
	looks, firstHeight := 0, uint64(0)
	for {
		before := w.answers.Load()
		if !w.pause(ctx, silences[min(looks, len(silences)-1)]) {
			return nil
		}
		if w.answers.Load() == before && w.isDue() {
			looks++
			status, others := w.ask(ctx)
			usual := usualHeight(others)
			if looks == 1 {
				firstHeight = usual
			}
			isVain := looks >= vainLooks && usual > firstHeight && usual-firstHeight > vainBlocks
			address, why := w.find(status, others, usual, isVain)
			if ctx.Err() != nil {
				return nil
			}
			if why != nil && w.answers.Load() == before && w.isDue() {
				w.managers.turn(address)
				return why
			}
		}
		if w.answers.Load() != before {
			looks = 0
		}
	}
}

// managerStatus is what one says about itself; nil if it says nothing.
type managerStatus struct {
	address string
	says    *bssv1.GetStatusResponse
}

// ask asks the manager and others for their status, all at once.
func (w *managerWatch) ask(ctx context.Context) (own *bssv1.GetStatusResponse, others []managerStatus) {
	addresses := w.managers.after(w.address)
	addresses = append([]string{w.address}, addresses[:min(len(addresses), othersMax)]...)
	answers := make([]chan *bssv1.GetStatusResponse, len(addresses))
	for i, address := range addresses {
		answers[i] = make(chan *bssv1.GetStatusResponse, 1)
		go func() { answers[i] <- w.managers.statusOf(ctx, address) }()
	}
	own = <-answers[0]
	for i, address := range addresses[1:] {
		others = append(others, managerStatus{address, <-answers[i+1]})
	}
	return own, others
}

// find is the first manager that is better, and why; nil if none is.
func (w *managerWatch) find(
	own *bssv1.GetStatusResponse, others []managerStatus, usual uint64, isVain bool,
) (string, *Error) {
	for _, other := range others {
		if other.says == nil || unfit(other.says) != "" {
			continue
		}
		reason := reasonToLeave(own, other.says, usual, w.isOverloaded(), isVain)
		if reason != "" {
			return other.address, &Error{
				Reason:   reasonUnreachable,
				Code:     codes.Unavailable,
				Message:  fmt.Sprintf("%s %s; going on at %s", w.address, reason, other.address),
				Metadata: map[string]string{goingOnAt: other.address},
			}
		}
	}
	return "", nil
}

// unfit is what the manager says itself, without a full stop; empty for one that is fit.
func unfit(says *bssv1.GetStatusResponse) string {
	switch {
	case says.Halted != "":
		return "has halted"
	case says.Abstaining != "":
		return "signs nothing: " + says.Abstaining
	}
	return ""
}

// usualHeight is the lower median of what others say, so that a few cannot draw clients to them; 0 for
// none.
func usualHeight(others []managerStatus) uint64 {
	var heights []uint64
	for _, other := range others {
		if other.says != nil {
			heights = append(heights, other.says.Height)
		}
	}
	if len(heights) == 0 {
		return 0
	}
	slices.Sort(heights)
	return heights[(len(heights)-1)/2]
}

// reasonToLeave says why to leave a manager with its own status for a fit one; empty for no reason.
func reasonToLeave(own, other *bssv1.GetStatusResponse, usual uint64, isOverloaded, isVain bool) string {
	if own == nil {
		return "is silent"
	}
	if ahead := min(other.Height, usual); ahead > own.Height && ahead-own.Height > behindMax {
		return fmt.Sprintf("is %d blocks behind", ahead-own.Height)
	}
	if isOverloaded && 2*uint64(other.PoolSubmissions) < uint64(own.PoolSubmissions) {
		return "is overloaded"
	}
	if reason := unfit(own); reason != "" {
		return reason
	}
	if isVain {
		return "gives no answer while blocks are added"
	}
	return ""
}
