// Submits a meter reading and a load profile, and verifies their receipts.
// Usage: submit PROFILE METER START (RFC 3339, such as 2026-11-01T00:00:00Z)
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	bss "example.com/bss-node/clients/go"
)

func main() {
	profile, err := bss.ReadProfile(os.Args[1])
	check(err)
	client, err := bss.Connect(profile)
	check(err)
	defer client.Close()
	ctx, owner, meter := context.Background(), bss.RecordParts{OwnerID: profile.ID}, os.Args[2]
	start, err := time.Parse(time.RFC3339, os.Args[3])
	check(err)
	reading, err := bss.MeterReading{RecordParts: owner, MeterID: meter, Start: start, Interval: time.Hour, ImportedWh: 412}.Record()
	check(err)
	values := []bss.ProfileValue{{Quality: bss.Measured, ImportedWh: 300}, {}, {Quality: bss.Estimated, ExportedWh: 1250}}
	load, err := bss.LoadProfile{RecordParts: owner, MeterID: meter, Start: start.Add(time.Hour), Interval: time.Hour, Values: values}.Record()
	check(err)
	submission, err := client.Sign(reading, load) // keep it: after a failure the same bytes are sent again
	check(err)
	answer, err := client.Submit(ctx, submission)
	check(err)
	for i, record := range submission.Records {
		check(bss.ObjectionError(answer.Outcomes[i]))
		_, proven, err := client.GetReceipt(ctx, client.RecordHash(record)) // verified against genesis
		check(err)
		fmt.Printf("%v is in block %d of %v, signed by %v\n", proven.RecordHash, proven.Height, proven.Time, proven.Signers)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
