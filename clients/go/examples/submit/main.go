// Submits a meter reading and a load profile, and verifies their receipts.
// Usage: submit PROFILE METER START, for instance: submit profile.yaml meter-1 2026-11-01T00:00:00Z
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
	profile := must(bss.ReadProfile(os.Args[1]))
	client := must(bss.Connect(profile))
	defer client.Close()
	start, owner := must(time.Parse(time.RFC3339, os.Args[3])), bss.RecordParts{OwnerID: profile.ID}
	reading := bss.MeterReading{RecordParts: owner, MeterID: os.Args[2], Start: start, Interval: time.Hour, ImportedWh: 412}
	load := bss.LoadProfile{RecordParts: owner, MeterID: os.Args[2], Start: start.Add(time.Hour), Interval: time.Hour,
		Values: []bss.ProfileValue{{Quality: bss.Measured, ImportedWh: 300}, {}, {Quality: bss.Estimated, ExportedWh: 1250}}}
	submission := must(client.Sign(must(reading.Record()), must(load.Record()))) // keep it to send it again
	answer := must(client.Submit(context.Background(), submission))
	for i, record := range submission.Records {
		must(0, bss.ObjectionError(answer.Outcomes[i]))
		receipt := must(client.GetReceipt(context.Background(), client.RecordHash(record)))
		fmt.Println(client.RecordHash(record), "is in block", receipt.Facts.Height, "of", receipt.Facts.Time)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
