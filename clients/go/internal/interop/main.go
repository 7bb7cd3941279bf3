// Does what test/interop asks for, one JSON object a line: requests on the standard input, answers on
// the standard output. The programs of the other languages do the same.
// Usage: interop PROFILE
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	bss "example.com/bss-node/clients/go"
	"example.com/bss-node/clients/go/bssv1"
	"example.com/bss-node/clients/go/verify"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

type request struct {
	Do      string
	Meter   string
	StartS  int64
	Count   int
	Hash    verify.Hash
	Receipt []byte
	Node    string
	From    uint64
	To      uint64
}

type answer map[string]any

func main() {
	out := json.NewEncoder(os.Stdout)
	profile, err := bss.ReadProfile(os.Args[1])
	if err != nil {
		fail(out, err)
		os.Exit(1)
	}
	client, err := bss.Connect(profile)
	if err != nil {
		fail(out, err)
		os.Exit(1)
	}
	defer client.Close()
	program := &program{profile, client, out}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		asked := request{}
		err := json.Unmarshal(lines.Bytes(), &asked)
		var said answer
		if err == nil {
			said, err = program.do(context.Background(), asked)
		}
		if err != nil {
			fail(out, err)
		} else {
			_ = out.Encode(said)
		}
	}
}

func fail(out *json.Encoder, err error) {
	said := answer{"error": err.Error()}
	if refused := (*bss.Error)(nil); errors.As(err, &refused) {
		said["reason"] = refused.Reason
	}
	_ = out.Encode(said)
}

type program struct {
	profile *bss.Profile
	client  *bss.Client
	out     *json.Encoder
}

func (p *program) do(ctx context.Context, asked request) (answer, error) {
	switch asked.Do {
	case "versions":
		return answer{"versions": versions()}, nil
	case "submit":
		return p.submit(ctx, asked)
	case "stream":
		return p.stream(ctx, asked)
	case "receipt":
		receipt, err := p.client.GetReceipt(ctx, asked.Hash)
		if err != nil {
			return nil, err
		}
		encoded, err := proto.Marshal(receipt.Receipt)
		return answer{"receipt": encoded, "facts": facts(receipt.Facts)}, err
	case "verify":
		return p.verify(asked.Receipt)
	case "watch":
		for block, err := range p.client.WatchBlocks(ctx, asked.From, bss.WatchOptions{}) {
			if err != nil {
				return nil, err
			}
			if err := p.out.Encode(answer{"block": block.Height, "id": block.ID}); err != nil {
				return nil, err
			}
			if block.Height >= asked.To {
				break
			}
		}
		return answer{"watched": true}, nil
	case "statement":
		statement, err := p.client.GetStatement(ctx, asked.Node)
		if err != nil {
			return nil, err
		}
		reward := fmt.Sprint(statement.Node.GetReward())
		return answer{"height": statement.Height, "credit": statement.Node.GetCredit(), "reward": reward, "changes": len(statement.Changes)}, nil
	}
	return nil, fmt.Errorf("unknown request %q", asked.Do)
}

// submit submits a reading and a load profile, and once more the same bytes.
func (p *program) submit(ctx context.Context, asked request) (answer, error) {
	owner, start := bss.RecordParts{OwnerID: p.profile.ID}, time.Unix(asked.StartS, 0)
	reading, err := bss.MeterReading{
		RecordParts: owner, MeterID: asked.Meter, Start: start, Interval: time.Hour, ImportedWh: 412,
	}.Record()
	if err != nil {
		return nil, err
	}
	load, err := bss.LoadProfile{
		RecordParts: owner, MeterID: asked.Meter, Start: start.Add(time.Hour), Interval: time.Hour,
		Values: []bss.ProfileValue{{Quality: bss.Measured, ImportedWh: 300}, {}, {Quality: bss.Estimated, ExportedWh: 1250}},
	}.Record()
	if err != nil {
		return nil, err
	}
	submission, err := p.client.Sign(reading, load)
	if err != nil {
		return nil, err
	}
	first, err := p.client.Submit(ctx, submission)
	if err != nil {
		return nil, err
	}
	again, err := p.client.Submit(ctx, submission)
	if err != nil {
		return nil, err
	}
	var hashes []verify.Hash
	for i, outcome := range first.Outcomes {
		if err := bss.ObjectionError(outcome); err != nil {
			return nil, err
		}
		if !proto.Equal(outcome.GetCommitted(), again.Outcomes[i].GetCommitted()) {
			return nil, errors.New("the same bytes got another place")
		}
		hashes = append(hashes, verify.Hash(outcome.RecordHash))
	}
	return answer{"hashes": hashes}, nil
}

// stream submits readings, one in each submission.
func (p *program) stream(ctx context.Context, asked request) (answer, error) {
	var failed error
	source := func(yield func(*bssv1.Submission) bool) {
		for i := range asked.Count {
			reading, err := bss.MeterReading{
				RecordParts: bss.RecordParts{OwnerID: p.profile.ID},
				MeterID:     asked.Meter,
				Start:       time.Unix(asked.StartS, 0).Add(time.Duration(i) * time.Hour),
				Interval:    time.Hour,
				ImportedWh:  uint64(i),
			}.Record()
			var submission *bssv1.Submission
			if err == nil {
				submission, err = p.client.Sign(reading)
			}
			if failed = err; err != nil || !yield(submission) {
				return
			}
		}
	}
	hashes := make([]verify.Hash, asked.Count)
	for outcome, err := range p.client.SubmitStream(ctx, source, bss.StreamOptions{InFlightMax: 8}) {
		if err != nil {
			return nil, err
		}
		if outcome.Refusal != nil {
			return nil, outcome.Refusal
		}
		hashes[outcome.Index] = verify.Hash(outcome.Response.Outcomes[0].RecordHash)
	}
	return answer{"hashes": hashes}, failed
}

func (p *program) verify(encoded []byte) (answer, error) {
	receipt, err := verify.ReceiptFromBinary(encoded)
	var proven *verify.ReceiptFacts
	if err == nil {
		proven, err = verify.Receipt(receipt, p.profile.Genesis, nil)
	}
	if refused := (*verify.Problem)(nil); errors.As(err, &refused) {
		return answer{"refused": refused.Step}, nil
	}
	if err != nil {
		return nil, err
	}
	return answer{"facts": facts(proven)}, nil
}

func facts(proven *verify.ReceiptFacts) answer {
	return answer{
		"recordHash":       proven.RecordHash,
		"height":           proven.Height,
		"blockId":          proven.BlockID,
		"timeMs":           proven.Time.UnixMilli(),
		"position":         proven.Position,
		"treeSize":         proven.TreeSize,
		"previousTreeSize": proven.PreviousTreeSize,
		"signers":          proven.Signers,
	}
}

func versions() answer {
	found := answer{"go": runtime.Version(), "grpc": grpc.Version}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, module := range build.Deps {
			if module.Path == "google.golang.org/protobuf" {
				found["protobuf"] = module.Version
			}
		}
	}
	return found
}
