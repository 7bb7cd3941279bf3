package bss

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"math"
	"slices"
	"time"

	"example.com/bss-node/clients/go/bssv1"
	"example.com/bss-node/clients/go/verify"
	"google.golang.org/protobuf/proto"
)

// Making records. A record is its exact bytes: they are hashed, sealed and kept, so whoever makes one
// keeps the bytes and sends the same ones again after a failure. Every call of a Record method that
// leaves the salt out draws another one, and so makes another record: call it once and keep the bytes.
//
// Nothing is checked here that the ledger's rules check: a wrong record comes back with its reason.

// RecordParts is what every kind of record has.
type RecordParts struct {
	// OwnerID is the participant that owns the record; of a trade, the seller.
	OwnerID string
	// Parent is the hash of the version that this record updates; nil for a first version.
	Parent *Hash
	// Salt is 16 bytes that nobody can guess; when left out, drawn by each call of Record.
	Salt []byte
	// Time is when the recorded fact was complete. When left out it is the end of what is recorded,
	// and of trades and documents the time of the call.
	Time time.Time
}

// MeterReading is energy that a registered meter measured in one interval.
type MeterReading struct {
	RecordParts
	MeterID string
	// Start is the policy's delivery offset after a multiple of Interval, the meter's registered one.
	Start                  time.Time
	Interval               time.Duration
	ImportedWh, ExportedWh uint64
}

// Record makes the exact bytes. Call it once: each call draws another salt.
func (r MeterReading) Record() ([]byte, error) {
	if err := checkTimes(r.Interval, r.Start); err != nil {
		return nil, err
	}
	return r.record(r.Start.Add(r.Interval), &bssv1.Record{Payload: &bssv1.Record_MeterReading{
		MeterReading: &bssv1.MeterReading{
			MeterId:            r.MeterID,
			IntervalStartUnixS: r.Start.Unix(),
			IntervalS:          seconds(r.Interval),
			ImportedWh:         r.ImportedWh,
			ExportedWh:         r.ExportedWh,
		},
	}})
}

// Quality says where a value of a load profile comes from.
type Quality = bssv1.ValueQuality

const (
	// Absent: there is no value for the interval, which stays free.
	Absent   = bssv1.ValueQuality_VALUE_QUALITY_ABSENT
	Measured = bssv1.ValueQuality_VALUE_QUALITY_MEASURED
	// Estimated: made in place of a measurement that may still come.
	Estimated = bssv1.ValueQuality_VALUE_QUALITY_ESTIMATED
	// Substituted: made in place of a measurement that is missing or wrong.
	Substituted = bssv1.ValueQuality_VALUE_QUALITY_SUBSTITUTED
)

// ProfileValue is one interval of a load profile. The zero value is an absent one.
type ProfileValue struct {
	Quality                Quality
	ImportedWh, ExportedWh uint32
}

// Register is what a meter's counters showed at one moment, Wh.
type Register struct{ ImportedWh, ExportedWh uint64 }

// LoadProfile is energy that a registered meter measured in consecutive intervals, up to 31 days.
type LoadProfile struct {
	RecordParts
	MeterID string
	// Start is the policy's delivery offset after a multiple of Interval, the meter's registered one.
	Start    time.Time
	Interval time.Duration
	// Values has one for each interval, in order.
	Values []ProfileValue
	// RegisterStart and RegisterEnd are the counters at both ends; may be left out.
	RegisterStart, RegisterEnd *Register
}

// Record makes the exact bytes. Call it once: each call draws another salt.
func (r LoadProfile) Record() ([]byte, error) {
	if err := checkTimes(r.Interval, r.Start); err != nil {
		return nil, err
	}
	profile := &bssv1.LoadProfile{
		MeterId:       r.MeterID,
		StartUnixS:    r.Start.Unix(),
		IntervalS:     seconds(r.Interval),
		RegisterStart: r.RegisterStart.message(),
		RegisterEnd:   r.RegisterEnd.message(),
	}
	for _, value := range r.Values {
		quality := value.Quality
		if quality == bssv1.ValueQuality_VALUE_QUALITY_UNSPECIFIED {
			quality = Absent
		}
		if count := len(profile.Runs); count > 0 && profile.Runs[count-1].Quality == quality {
			profile.Runs[count-1].Count++
		} else {
			profile.Runs = append(profile.Runs, &bssv1.ProfileRun{Count: 1, Quality: quality})
		}
		if quality != Absent {
			profile.ImportedWh = append(profile.ImportedWh, value.ImportedWh)
			profile.ExportedWh = append(profile.ExportedWh, value.ExportedWh)
		}
	}
	profile.ImportedWh = allOrNone(profile.ImportedWh)
	profile.ExportedWh = allOrNone(profile.ExportedWh)
	end := r.Start.Add(time.Duration(len(r.Values)) * r.Interval)
	return r.record(end, &bssv1.Record{Payload: &bssv1.Record_LoadProfile{LoadProfile: profile}})
}

func (r *Register) message() *bssv1.RegisterReading {
	if r == nil {
		return nil
	}
	return &bssv1.RegisterReading{ImportedWh: r.ImportedWh, ExportedWh: r.ExportedWh}
}

// allOrNone leaves out a list of nothing but 0.
func allOrNone(list []uint32) []uint32 {
	if slices.ContainsFunc(list, func(value uint32) bool { return value != 0 }) {
		return list
	}
	return nil
}

// TradeTerms is what seller and buyer agree on.
type TradeTerms struct {
	// TradeID is 16 bytes that name this trade; drawn when left out.
	TradeID           []byte
	SellerID, BuyerID string
	// DeliveryStart is the policy's delivery offset after a multiple of its delivery interval.
	DeliveryStart time.Time
	EnergyWh      uint64
	// PriceMicroPerKwh is in millionths of the market's currency.
	PriceMicroPerKwh int64
}

// Encode makes the exact bytes that both parties sign.
func (t TradeTerms) Encode() ([]byte, error) {
	if err := checkTimes(0, t.DeliveryStart); err != nil {
		return nil, err
	}
	return encode(&bssv1.TradeTerms{
		TradeId:            drawn(t.TradeID),
		SellerId:           t.SellerID,
		BuyerId:            t.BuyerID,
		DeliveryStartUnixS: t.DeliveryStart.Unix(),
		EnergyWh:           t.EnergyWh,
		PriceMicroPerKwh:   t.PriceMicroPerKwh,
	})
}

// SignTrade is one party's signature under the exact bytes of a trade's terms.
func SignTrade(consortiumID Hash, terms []byte, key ed25519.PrivateKey) []byte {
	digest := verify.TradeDigest(consortiumID, terms)
	return ed25519.Sign(key, digest[:])
}

// EnergyTrade is a sale that both parties have signed; its owner is the seller.
type EnergyTrade struct {
	RecordParts
	// Terms are the exact bytes that both parties signed.
	Terms                           []byte
	SellerSignature, BuyerSignature []byte
}

// Record makes the exact bytes. Call it once: each call draws another salt.
func (r EnergyTrade) Record() ([]byte, error) {
	return r.record(time.Now(), &bssv1.Record{Payload: &bssv1.Record_EnergyTrade{
		EnergyTrade: &bssv1.EnergyTrade{
			Terms:           r.Terms,
			SellerSignature: r.SellerSignature,
			BuyerSignature:  r.BuyerSignature,
		},
	}})
}

// ChargingSession is one charging session of an electric vehicle.
type ChargingSession struct {
	RecordParts
	StationID  string
	Start, End time.Time
	EnergyWh   uint64
}

// Record makes the exact bytes. Call it once: each call draws another salt.
func (r ChargingSession) Record() ([]byte, error) {
	if err := checkTimes(0, r.Start, r.End); err != nil {
		return nil, err
	}
	return r.record(r.End, &bssv1.Record{Payload: &bssv1.Record_ChargingSession{
		ChargingSession: &bssv1.ChargingSession{
			StationId:  r.StationID,
			StartUnixS: r.Start.Unix(),
			EndUnixS:   r.End.Unix(),
			EnergyWh:   r.EnergyWh,
		},
	}})
}

// Document is any bytes up to the policy's length of a record.
type Document struct {
	RecordParts
	// MediaType is IANA's, such as "application/pdf", and Name for people; it may be empty.
	MediaType, Name string
	Content         []byte
}

// Record makes the exact bytes. Call it once: each call draws another salt.
func (r Document) Record() ([]byte, error) {
	return r.record(time.Now(), &bssv1.Record{Payload: &bssv1.Record_Document{
		Document: &bssv1.Document{MediaType: r.MediaType, Name: r.Name, Content: r.Content},
	}})
}

// SubmissionToBinary encodes a submission, to be kept until its receipts are there and sent again, the
// same bytes, after a failure.
func SubmissionToBinary(submission *bssv1.Submission) ([]byte, error) { return encode(submission) }

// SubmissionFromBinary reads what SubmissionToBinary wrote.
func SubmissionFromBinary(encoded []byte) (*bssv1.Submission, error) {
	submission := &bssv1.Submission{}
	if err := proto.Unmarshal(encoded, submission); err != nil || len(submission.Records) == 0 {
		return nil, fmt.Errorf("this is no submission of %d bytes", len(encoded))
	}
	return submission, nil
}

// NewSubmission signs the exact bytes of 1 to policy.submission_records_max records in a
// participant's name: the records' owner, or an agent of each owner.
func NewSubmission(
	consortiumID Hash, participantID string, key ed25519.PrivateKey, records ...[]byte,
) (*bssv1.Submission, error) {
	header := &bssv1.SubmissionHeader{ConsortiumId: consortiumID[:], ParticipantId: participantID}
	for _, record := range records {
		hash := verify.RecordHash(consortiumID, record)
		header.RecordHashes = append(header.RecordHashes, hash[:])
	}
	encoded, err := encode(header)
	if err != nil {
		return nil, err
	}
	digest := verify.SubmissionDigest(encoded)
	return &bssv1.Submission{Header: encoded, Signature: ed25519.Sign(key, digest[:]), Records: records}, nil
}

const randomBytes = 16

func (p RecordParts) record(end time.Time, record *bssv1.Record) ([]byte, error) {
	record.OwnerId, record.Salt = p.OwnerID, drawn(p.Salt)
	record.TimeUnixMs = end.UnixMilli()
	if !p.Time.IsZero() {
		record.TimeUnixMs = p.Time.UnixMilli()
	}
	if p.Parent != nil {
		record.Parent = p.Parent[:]
	}
	return encode(record)
}

func drawn(given []byte) []byte {
	if given != nil {
		return given
	}
	salt := make([]byte, randomBytes)
	_, _ = rand.Read(salt) // never fails
	return salt
}

// checkTimes refuses what the ledger's whole seconds would cut off.
func checkTimes(interval time.Duration, times ...time.Time) error {
	if interval < 0 || interval%time.Second != 0 || interval/time.Second > math.MaxUint32 {
		return fmt.Errorf("an interval is a number of whole seconds, not %v", interval)
	}
	for _, each := range times {
		if each.Nanosecond() != 0 {
			return fmt.Errorf("starts and ends are whole seconds, not %v", each)
		}
	}
	return nil
}

func seconds(interval time.Duration) uint32 { return uint32(interval / time.Second) }

func encode(message proto.Message) ([]byte, error) {
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
	if err != nil {
		return nil, fmt.Errorf("an id or a text is not UTF-8: %w", err)
	}
	return encoded, nil
}
