package verify

import "fmt"

// Step names the check at which something failed. The names are the same in every language's
// client.
type Step string

// The steps of a receipt, in the order in which they are taken, and those of a chain.
const (
	StepEncoding          Step = "encoding"
	StepRecord            Step = "record"
	StepHeader            Step = "header"
	StepBlockID           Step = "block-id"
	StepInclusion         Step = "inclusion"
	StepPreviousHeader    Step = "previous-header"
	StepCommitCertificate Step = "commit-certificate"
	StepSignatures        Step = "signatures"
	StepBody              Step = "body"
	StepLog               Step = "log"
	StepMembers           Step = "members"
	StepGenesis           Step = "genesis"
)

// Problem says why something proves nothing.
type Problem struct {
	// Step is the first check that failed.
	Step Step
	// Message is one sentence for people.
	Message string
}

func (p *Problem) Error() string { return p.Message }

func problem(step Step, format string, args ...any) *Problem {
	return &Problem{Step: step, Message: fmt.Sprintf(format, args...)}
}
