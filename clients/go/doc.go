// Package bss is the client of a bss-node consortium: it submits records, reads them, watches the
// blocks and checks what comes back.
//
//	profile, err := bss.ReadProfile("profile.yaml")
//	client, err := bss.Connect(profile)
//	defer client.Close()
//	reading, err := bss.MeterReading{ /* … */ }.Record()
//	submission, err := client.Sign(reading)
//	answer, err := client.Submit(ctx, submission)
//	err = bss.Refused(answer) // nil if every record was taken
//	receipt, err := client.GetReceipt(ctx, client.RecordHash(reading))
//
// Any manager answers any call. If one cannot be reached, is stopping or lacks peers, the client
// goes on to the next one with the same bytes. That is safe: a record that is on the ledger already
// gets its first place. So keep the submission until the receipts are there ([SubmissionToBinary]), and
// send the same one again after a failure; a record that is built anew has another salt and is another
// record.
//
// An error is an [*Error] with the stable reason that docs/errors.md explains, or an [*UntrueAnswer]
// if a manager's answer does not prove what it claims:
//
//	var refused *bss.Error
//	if errors.As(err, &refused) && refused.Reason == "INTERVAL_OVERLAP" { … }
//
// Package verify checks receipts, proofs and blocks without any connection.
package bss
