// Submits a meter reading and a load profile, keeps their receipts, and verifies these offline.
// Usage: submit PROFILE METER START, for instance: submit profile.yaml meter-1 2025-11-01T00:00:00Z
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	bss "example.com/bss-node/clients/go"
	"example.com/bss-node/clients/go/verify"
)

func main() {
	profile := must(bss.ReadProfile(os.Args[1]))
	client := must(bss.Connect(profile))
	start, owner := must(time.Parse(time.RFC3339, os.Args[3])), bss.RecordParts{OwnerID: profile.ID}
	reading := must(bss.MeterReading{RecordParts: owner, MeterID: os.Args[2], Start: start, Interval: time.Hour, ImportedWh: 412}.Record())
	load := must(bss.LoadProfile{RecordParts: owner, MeterID: os.Args[2], Start: start.Add(time.Hour), Interval: time.Hour,
		Values: []bss.ProfileValue{{Quality: bss.Measured, ImportedWh: 300}, {}, {Quality: bss.Estimated, ExportedWh: 1250}}}.Record())
	submission, hash := must(client.Sign(reading, load)), client.RecordHash(reading)
	// Keep it until the receipts are there: after a failure submit the same one again.
	must(0, os.WriteFile(fmt.Sprintf("submission-%v.bin", hash), must(bss.SubmissionToBinary(submission)), 0o600))
	must(0, bss.Refused(must(client.Submit(context.Background(), submission))))
	receipt := must(client.GetReceipt(context.Background(), hash)).Receipt
	must(0, os.WriteFile("receipt.json", must(verify.ReceiptToJSON(receipt)), 0o600))
	must(0, client.Close())
	kept := must(verify.ReceiptFromJSON(must(os.ReadFile("receipt.json")))) // years later, without a connection
	facts := must(verify.Receipt(kept, profile.Genesis, reading))
	fmt.Println(facts.RecordHash, "is in block", facts.Height, "of", facts.Time)
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
