package bss

import (
	"context"
	"fmt"
	"strings"
	"time"

	"example.com/bss-node/clients/go/bssv1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Error is a refusal by a node, or that none could be reached.
type Error struct {
	// Reason is stable and listed in docs/errors.md, for instance "DOUBLE_SPEND". Branch on it, never
	// on the message. The client's own are NODE_UNREACHABLE, DEADLINE and CANCELLED.
	Reason string
	// Code is the gRPC status.
	Code codes.Code
	// Message is for people.
	Message string
	// Field is the path of the field at fault, for instance "submission.records[3].salt".
	Field string
	// Metadata are facts for programs.
	Metadata map[string]string
	// RetryAfter is how long to wait before trying again; 0 if nobody has said so.
	RetryAfter time.Duration

	cause error
}

func (e *Error) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("%s [%s]", e.Message, e.Reason)
	}
	return fmt.Sprintf("%s: %s [%s]", e.Field, e.Message, e.Reason)
}

// Unwrap gives the error of gRPC or of the context.
func (e *Error) Unwrap() error { return e.cause }

// Retryable says whether the same call, with the same bytes, may succeed later or at another manager.
// So it does after a DEADLINE, the client's own too: nothing is lost, and the same submission again
// gets the same places.
func (e *Error) Retryable() bool {
	return e.RetryAfter > 0 || e.Code == codes.Unavailable || e.Code == codes.DeadlineExceeded
}

// mayRepeat also holds for what ended at one manager only: a node that stops cancels its calls.
func (e *Error) mayRepeat() bool { return e.Retryable() || e.Code == codes.Canceled }

// at is the same with the address of the manager that failed.
func (e *Error) at(address string) *Error {
	if strings.Contains(e.Message, address) {
		return e
	}
	located := *e
	located.Message = address + ": " + e.Message
	return &located
}

// isTLSFailure says whether TLS refused the connection, and would refuse it again.
func (e *Error) isTLSFailure() bool {
	return e.isUnreachable() && (strings.Contains(e.Message, "certificate") ||
		strings.Contains(e.Message, "remote error: tls") || strings.Contains(e.Message, identityRefusal))
}

// isUnreachable says whether no connection could be made, or it broke; not if the manager was left for
// a better one.
func (e *Error) isUnreachable() bool { return !e.isAnswer() && e.Metadata[goingOnAt] == "" }

// isAnswer says whether the manager itself has said this.
func (e *Error) isAnswer() bool { return e.Reason != reasonUnreachable }

// Reasons of the client's own.
const (
	reasonUnreachable = "NODE_UNREACHABLE"
	reasonDeadline    = "DEADLINE"
	reasonCancelled   = "CANCELLED"
	reasonInternal    = "INTERNAL"
)

// What the client says of a deadline of its own, and when docs/errors.md says to try again.
const (
	deadlineMessage    = "no answer before the deadline; nothing is lost: send the same again"
	deadlineRetryAfter = time.Second
)

// localReasons are for statuses that gRPC makes by itself, without our details.
var localReasons = map[codes.Code]string{
	codes.Canceled:          reasonCancelled,
	codes.DeadlineExceeded:  reasonDeadline,
	codes.ResourceExhausted: "MESSAGE_TOO_LARGE",
	codes.Unavailable:       reasonUnreachable,
	codes.Unimplemented:     "METHOD_UNIMPLEMENTED",
}

// errorOf is what a call failed with, whether the node, gRPC or the network made the error.
func errorOf(err error) *Error {
	if known, ok := err.(*Error); ok {
		return known
	}
	received := status.Convert(err)
	result := &Error{Code: received.Code(), Message: received.Message(), cause: err}
	for _, detail := range received.Details() {
		switch each := detail.(type) {
		case *errdetails.ErrorInfo:
			if each.Domain == "bss" {
				result.Reason, result.Metadata = each.Reason, each.Metadata
			}
		case *errdetails.BadRequest:
			if len(each.FieldViolations) > 0 {
				result.Field = each.FieldViolations[0].Field
			}
		case *errdetails.RetryInfo:
			result.RetryAfter = each.RetryDelay.AsDuration()
		}
	}
	if result.Reason == "" {
		result.Reason = reasonInternal
		if reason := localReasons[result.Code]; reason != "" {
			result.Reason = reason
		}
		if result.Reason == reasonDeadline {
			result.Message, result.RetryAfter = deadlineMessage, deadlineRetryAfter
		}
	}
	return result
}

// errorOfRefusal is a refusal on a stream.
func errorOfRefusal(refusal *bssv1.Refusal) *Error {
	return &Error{
		Reason:     refusal.Reason,
		Code:       codes.Code(refusal.Code),
		Message:    refusal.Message,
		Field:      refusal.Field,
		RetryAfter: time.Duration(refusal.RetryAfterMs) * time.Millisecond,
	}
}

// errorOfContext is why the caller's context ended.
func errorOfContext(ctx context.Context) *Error {
	if ctx.Err() == context.DeadlineExceeded {
		return &Error{Reason: reasonDeadline, Code: codes.DeadlineExceeded,
			Message: deadlineMessage, RetryAfter: deadlineRetryAfter, cause: ctx.Err()}
	}
	return &Error{Reason: reasonCancelled, Code: codes.Canceled,
		Message: "the caller cancelled the call", cause: ctx.Err()}
}

// UntrueAnswer says that the answer of a node does not prove what it claims: the node is faulty, or
// it lies. Ask another manager, and tell the consortium's operators.
type UntrueAnswer struct {
	Message string
	cause   error
}

func (e *UntrueAnswer) Error() string { return e.Message }

// Unwrap gives the [*verify.Problem], if there is one.
func (e *UntrueAnswer) Unwrap() error { return e.cause }

func untrue(format string, args ...any) *UntrueAnswer {
	return &UntrueAnswer{Message: fmt.Sprintf(format, args...)}
}

func untrueBecause(what string, cause error) *UntrueAnswer {
	return &UntrueAnswer{Message: what + ": " + cause.Error(), cause: cause}
}
