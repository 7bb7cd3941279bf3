package bss

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"example.com/bss-node/clients/go/bssv1"
	"google.golang.org/grpc/codes"
)

// What was refused of a submission. A manager refuses a submission as a whole, with an error, only if
// it refuses each of its records; if it takes one, what it refuses of the others is in their outcomes.

// Refused is nil if no record of a submission was refused; otherwise the first one's refusal, as Submit
// gives it when every record is refused: its Field begins with the record's place in the submission,
// and Metadata["refused_records"] counts them.
//
//	answer, err := client.Submit(ctx, submission)
//	if err == nil {
//		err = bss.Refused(answer)
//	}
func Refused(answer *bssv1.SubmitResponse) error {
	all := Refusals(answer)
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

// Refusals are those of a submission's records, in their order; none if all were taken.
func Refusals(answer *bssv1.SubmitResponse) []*Error {
	var refused []*Error
	for i, outcome := range answer.GetOutcomes() {
		if objection := outcome.GetObjection(); objection != nil {
			refused = append(refused, refusalOf(objection, fmt.Sprintf("submission.records[%d]", i)))
		}
	}
	for _, each := range refused {
		each.Metadata["refused_records"] = strconv.Itoa(len(refused))
	}
	return refused
}

// Refused is nil if all of the submission was taken; otherwise the refusal of the whole, or that of the
// first record that was refused ([Refused]).
func (o *SubmissionOutcome) Refused() error {
	if o.Refusal != nil {
		return o.Refusal
	}
	return Refused(o.Response)
}

// Refusals are all of them: that of the whole submission, or those of its records ([Refusals]).
func (o *SubmissionOutcome) Refusals() []*Error {
	if o.Refusal != nil {
		return []*Error{o.Refusal}
	}
	return Refusals(o.Response)
}

// ObjectionError is the refusal of one record of a submission that was taken; nil if the record was
// not refused. Its Field is the path within the record; [Refused] and [Refusals] say which record.
func ObjectionError(outcome *bssv1.RecordOutcome) error {
	objection := outcome.GetObjection()
	if objection == nil {
		return nil
	}
	return refusalOf(objection, "")
}

func refusalOf(objection *bssv1.Objection, place string) *Error {
	facts := map[string]string{}
	if len(objection.StandingRecordHash) > 0 {
		facts["record_hash"] = hex.EncodeToString(objection.StandingRecordHash)
	}
	return &Error{
		Reason:   objection.Reason,
		Code:     codes.FailedPrecondition,
		Message:  objection.Message,
		Field:    strings.Trim(place+"."+objection.Field, "."),
		Metadata: facts,
	}
}
