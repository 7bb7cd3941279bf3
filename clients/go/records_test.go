package bss

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/bss-node/clients/go/bssv1"
	"example.com/bss-node/clients/go/verify"
	"google.golang.org/protobuf/proto"
)

// hexBytes are hex digits in JSON.
type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

func TestTheDocumentedExample(t *testing.T) {
	content, err := os.ReadFile("../../test/vectors/submission.json")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the vectors are only in the whole repository")
	}
	check(t, err)
	var example struct {
		ConsortiumID Hash
		Parties      []struct{ Seed hexBytes }
		Reading      struct {
			Bytes hexBytes
			Hash  Hash
		}
		Terms struct{ Bytes, SellerSignature, BuyerSignature hexBytes }
		Trade struct {
			Bytes hexBytes
			Hash  Hash
		}
		Submission struct{ Header, Signature hexBytes }
	}
	check(t, json.Unmarshal(content, &example))
	start := time.Unix(1793491200, 0)
	seller, buyer := ed25519.NewKeyFromSeed(example.Parties[0].Seed), ed25519.NewKeyFromSeed(example.Parties[1].Seed)

	reading, err := MeterReading{
		RecordParts: RecordParts{OwnerID: "home-1", Salt: ascending(0x00)},
		MeterID:     "meter-1",
		Start:       start,
		Interval:    time.Hour,
		ExportedWh:  1250,
	}.Record()
	check(t, err)
	terms, err := TradeTerms{
		TradeID:          ascending(0x10),
		SellerID:         "home-1",
		BuyerID:          "home-2",
		DeliveryStart:    start,
		EnergyWh:         400,
		PriceMicroPerKwh: 110_000,
	}.Encode()
	check(t, err)
	trade, err := EnergyTrade{
		RecordParts:     RecordParts{OwnerID: "home-1", Salt: ascending(0x20), Time: time.UnixMilli(1793495000000)},
		Terms:           terms,
		SellerSignature: SignTrade(example.ConsortiumID, terms, seller),
		BuyerSignature:  SignTrade(example.ConsortiumID, terms, buyer),
	}.Record()
	check(t, err)
	submission, err := NewSubmission(example.ConsortiumID, "home-1", seller, reading, trade)
	check(t, err)

	for name, pair := range map[string][2][]byte{
		"reading":   {reading, example.Reading.Bytes},
		"terms":     {terms, example.Terms.Bytes},
		"trade":     {trade, example.Trade.Bytes},
		"header":    {submission.Header, example.Submission.Header},
		"signature": {submission.Signature, example.Submission.Signature},
	} {
		if len(pair[0]) == 0 || string(pair[0]) != string(pair[1]) {
			t.Errorf("%s is\n%x\nand not\n%x", name, pair[0], pair[1])
		}
	}
	if verify.RecordHash(example.ConsortiumID, trade) != example.Trade.Hash {
		t.Error("the trade has another hash")
	}
}

func ascending(from byte) []byte {
	list := make([]byte, 16)
	for i := range list {
		list[i] = from + byte(i)
	}
	return list
}

func TestALoadProfileKeepsAbsentValuesApartFromZeros(t *testing.T) {
	start := time.Unix(1793491200, 0)
	record, err := LoadProfile{
		MeterID:  "meter-1",
		Start:    start,
		Interval: 15 * time.Minute,
		Values: []ProfileValue{
			{Quality: Measured, ImportedWh: 5}, {Quality: Measured}, {}, {},
			{Quality: Substituted, ImportedWh: 7},
		},
		RegisterEnd: &Register{ImportedWh: 12},
	}.Record()
	check(t, err)
	decoded := &bssv1.Record{}
	check(t, proto.Unmarshal(record, decoded))
	profile := decoded.GetLoadProfile()
	var runs []uint32
	for _, run := range profile.Runs {
		runs = append(runs, run.Count, uint32(run.Quality))
	}
	found, err := json.Marshal([]any{runs, profile.ImportedWh, profile.ExportedWh, profile.RegisterStart, decoded.TimeUnixMs})
	check(t, err)
	if string(found) != "[[2,2,2,1,1,4],[5,0,7],null,null,1793495700000]" {
		t.Fatalf("%s", found)
	}
}

func TestARecordDrawsItsSalt(t *testing.T) {
	document := Document{MediaType: "text/plain"}
	first, err := document.Record()
	check(t, err)
	second, err := document.Record()
	check(t, err)
	if string(first) == string(second) {
		t.Fatal("two records have one salt")
	}
}

func TestWhatARecordCannotHoldIsRefused(t *testing.T) {
	start := time.Unix(1793491200, 0)
	for name, record := range map[string]interface{ Record() ([]byte, error) }{
		"half a second":       MeterReading{Start: start, Interval: 1500 * time.Millisecond},
		"a start between":     LoadProfile{Start: start.Add(time.Millisecond), Interval: time.Hour},
		"an end between":      ChargingSession{Start: start, End: start.Add(time.Nanosecond)},
		"a name not in UTF-8": Document{Name: "\xff"},
	} {
		if _, err := record.Record(); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestAProfileSaysWhatIsWrongWithIt(t *testing.T) {
	directory := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(directory, name)
		check(t, os.WriteFile(path, []byte(text), mode))
		return path
	}
	for text, wanted := range map[string]string{
		"":                         "not a profile",
		"id: a\nrole: participant": "consortium is missing",
		"id: a\nname: b":           "name",
		"id: a\nrole: participant\nconsortium: c\ntls: {certificate: a, key: b, ca: c}\nsigning_key: s": "addresses",
	} {
		_, err := ReadProfile(write("profile.yaml", text, 0o600))
		if err == nil || !strings.Contains(err.Error(), wanted) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := ReadSigningKey(write("open.key", strings.Repeat("11", 32), 0o644)); err == nil || !strings.Contains(err.Error(), "secret") {
		t.Errorf("a key that everybody may read: %v", err)
	}
	if _, err := ReadSigningKey(write("short.key", "1111", 0o600)); err == nil {
		t.Error("a short key was taken")
	}
	key, err := ReadSigningKey(write("right.key", strings.Repeat("11", 32)+"\n", 0o600))
	check(t, err)
	if !key.Equal(ed25519.NewKeyFromSeed([]byte(strings.Repeat("\x11", 32)))) {
		t.Error("another key was read")
	}
}
