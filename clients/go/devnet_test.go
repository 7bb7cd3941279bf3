package bss

import (
	"context"
	"os"
	"testing"
	"time"

	"example.com/bss-node/clients/go/verify"
)

// Runs against a consortium if BSS_PROFILE names a participant's profile.yaml, BSS_METER its meter of
// one hour, and BSS_START (RFC 3339) an hour that has no reading yet.
func TestARunningConsortium(t *testing.T) {
	file := os.Getenv("BSS_PROFILE")
	if file == "" {
		t.Skip("BSS_PROFILE names no profile")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	profile, err := ReadProfile(file)
	check(t, err)
	client, err := Connect(profile)
	check(t, err)
	defer client.Close()
	start, err := time.Parse(time.RFC3339, os.Getenv("BSS_START"))
	check(t, err)
	record, err := MeterReading{
		RecordParts: RecordParts{OwnerID: profile.ID},
		MeterID:     os.Getenv("BSS_METER"),
		Start:       start,
		Interval:    time.Hour,
		ImportedWh:  1,
	}.Record()
	check(t, err)
	submission, err := client.Sign(record)
	check(t, err)
	_, err = client.Submit(ctx, submission)
	check(t, err)
	hash := client.RecordHash(record)
	receipt, err := client.GetReceipt(ctx, hash)
	check(t, err)
	facts, err := verify.Receipt(receipt.Receipt, client.Genesis(), record)
	check(t, err)
	read, err := client.GetRecord(ctx, hash)
	check(t, err)
	if string(read.Bytes) != string(record) || read.Position != facts.Position {
		t.Fatalf("read %+v", read)
	}
	versions, listed := 0, false
	for version, err := range client.GetRecordHistory(ctx, hash) {
		check(t, err)
		versions++
		if version.Hash != hash {
			t.Fatalf("a version %v", version.Hash)
		}
	}
	query := RecordQuery{ParticipantID: profile.ID, From: start, To: start.Add(2 * time.Hour)}
	for each, err := range client.ListRecords(ctx, query) {
		check(t, err)
		listed = listed || each.Hash == hash
	}
	if versions != 1 || !listed {
		t.Fatalf("%d versions, listed: %v", versions, listed)
	}
	block, err := client.GetBlock(ctx, facts.Height)
	check(t, err)
	if block.ID != facts.BlockID {
		t.Fatalf("block %v", block.ID)
	}
	_, err = client.GetConsistencyProof(ctx, TreeHead{facts.TreeSize, &facts.Root}, TreeHead{})
	check(t, err)
	chain := verify.NewChain(client.Genesis())
	for block, err := range client.Follow(ctx, chain) {
		check(t, err)
		if block.Height == facts.Height && block.ID != facts.BlockID {
			t.Fatalf("the chain has block %v", block.ID)
		}
	}
	for block, err := range client.WatchBlocks(ctx, facts.Height, WatchOptions{}) {
		check(t, err)
		if block.ID != facts.BlockID {
			t.Fatalf("watched block %v", block.ID)
		}
		break
	}
	statement, err := client.GetStatement(ctx, chain.StorageNodes()[0].Admission.NodeId)
	check(t, err)
	if statement.Height < facts.Height || statement.Node == nil {
		t.Fatalf("%+v", statement)
	}
}
