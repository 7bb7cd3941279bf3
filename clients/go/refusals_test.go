package bss

import (
	"context"
	"errors"
	"testing"
	"time"

	"example.com/bss-node/clients/go/bssv1"
	"google.golang.org/grpc/codes"
)

func objection(field string) *bssv1.RecordOutcome {
	said := &bssv1.Objection{Reason: "INTERVAL_OVERLAP", Message: "for people", Field: field, StandingRecordHash: []byte{1, 2}}
	return &bssv1.RecordOutcome{Outcome: &bssv1.RecordOutcome_Objection{Objection: said}}
}

func TestWhatIsRefusedOfASubmissionIsOneErrorWithItsPlace(t *testing.T) {
	committed := &bssv1.RecordOutcome{Outcome: &bssv1.RecordOutcome_Committed{Committed: &bssv1.RecordPlace{}}}
	taken := &bssv1.SubmitResponse{Outcomes: []*bssv1.RecordOutcome{committed}}
	partly := &bssv1.SubmitResponse{Outcomes: []*bssv1.RecordOutcome{committed, objection("parent"), objection("")}}
	if Refused(taken) != nil || Refused(nil) != nil || len(Refusals(taken)) != 0 {
		t.Fatal("nothing was refused")
	}
	var first *Error
	if !errors.As(Refused(partly), &first) {
		t.Fatalf("got %v", Refused(partly))
	}
	if first.Reason != "INTERVAL_OVERLAP" || first.Field != "submission.records[1].parent" || first.Metadata["refused_records"] != "2" ||
		first.Metadata["record_hash"] != "0102" {
		t.Fatalf("got %+v", first)
	}
	if all := Refusals(partly); len(all) != 2 || all[1].Field != "submission.records[2]" {
		t.Fatalf("got %+v", all)
	}
}

func TestAnOutcomeOfAStreamHidesNoRefusal(t *testing.T) {
	whole := &SubmissionOutcome{Refusal: &Error{Reason: "SIGNATURE_INVALID"}}
	one := &SubmissionOutcome{Response: &bssv1.SubmitResponse{Outcomes: []*bssv1.RecordOutcome{objection("")}}}
	taken := &SubmissionOutcome{Response: &bssv1.SubmitResponse{}}
	if whole.Refused() != error(whole.Refusal) || len(whole.Refusals()) != 1 {
		t.Fatalf("got %v", whole.Refused())
	}
	if one.Refused() == nil || len(one.Refusals()) != 1 || taken.Refused() != nil || len(taken.Refusals()) != 0 {
		t.Fatalf("got %v and %v", one.Refused(), taken.Refused())
	}
}

func TestADeadlineOfTheClientsOwnMayBeRetried(t *testing.T) {
	w := newWorld(t)
	stop := make(chan struct{})
	defer close(stop)
	w.start("manager-1", &fakeManager{submit: func(*bssv1.SubmitRequest) (*bssv1.SubmitResponse, error) {
		<-stop
		return nil, stopping
	}})
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_, err := w.connect().Submit(ctx, &bssv1.Submission{})
	var late *Error
	if !errors.As(err, &late) || late.Reason != "DEADLINE" || !late.Retryable() || late.RetryAfter != time.Second {
		t.Fatalf("got %+v", err)
	}
	if refused := (&Error{Reason: "CANCELLED", Code: codes.Canceled}); refused.Retryable() {
		t.Fatal("the caller's own end is not retried")
	}
}
