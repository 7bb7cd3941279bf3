package bss

import (
	"context"
	"errors"

	"example.com/bss-node/clients/go/bssv1"
	"example.com/bss-node/clients/go/verify"
	"google.golang.org/grpc"
)

// Hash is a SHA-256 digest; it prints as hex.
type Hash = verify.Hash

// Client talks to a consortium through any manager that answers. It is safe for concurrent use.
type Client struct {
	profile     *Profile
	connections *connections
}

// Connect opens the client of a profile. The connection is made with the first call.
func Connect(profile *Profile) (*Client, error) {
	if profile.Genesis == nil || len(profile.Addresses) == 0 {
		return nil, errors.New("a profile has a genesis and at least one address")
	}
	return &Client{profile: profile, connections: newConnections(profile)}, nil
}

// Close ends all connections, and every call, watch and stream, which fail with the reason CANCELLED.
func (c *Client) Close() error { return c.connections.close() }

// Genesis is what the consortium started from, and what receipts are checked against.
func (c *Client) Genesis() *verify.Genesis { return c.profile.Genesis }

// RecordHash is the "data hash" under which a record's exact bytes stand on the ledger.
func (c *Client) RecordHash(record []byte) Hash {
	return verify.RecordHash(c.profile.Genesis.ConsortiumID, record)
}

// Sign signs records for submission in the profile's name. The same records always give the same
// submission.
func (c *Client) Sign(records ...[]byte) (*bssv1.Submission, error) {
	return NewSubmission(c.profile.Genesis.ConsortiumID, c.profile.ID, c.profile.SigningKey, records...)
}

// Submit submits and waits until every record's outcome is final: its place on the ledger, or why it
// was refused. It goes on to the next manager with the same bytes where one fails, which is safe.
//
// If every record was refused, the error has the first one's reason. The error is nil if at least one
// record was taken: [Refused] says whether that is true of all.
//
// Without a deadline of the context it takes up to a minute. A deadline that passes loses nothing:
// the same submission again gets the same places.
func (c *Client) Submit(ctx context.Context, submission *bssv1.Submission) (*bssv1.SubmitResponse, error) {
	return c.submit(ctx, submission, bssv1.WaitFor_WAIT_FOR_COMMITTED)
}

// SubmitAccepted is Submit, but waits only until a manager has checked and safely kept the records.
func (c *Client) SubmitAccepted(ctx context.Context, submission *bssv1.Submission) (*bssv1.SubmitResponse, error) {
	return c.submit(ctx, submission, bssv1.WaitFor_WAIT_FOR_ACCEPTED)
}

func (c *Client) submit(
	ctx context.Context, submission *bssv1.Submission, waitFor bssv1.WaitFor,
) (*bssv1.SubmitResponse, error) {
	request := &bssv1.SubmitRequest{Submission: submission, WaitFor: waitFor}
	return ask(ctx, c.connections, finalLimits, func(ctx context.Context, to *grpc.ClientConn) (*bssv1.SubmitResponse, error) {
		return bssv1.NewBroadcastServiceClient(to).Submit(ctx, request)
	})
}
