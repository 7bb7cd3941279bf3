package verify

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"

	"google.golang.org/protobuf/proto"
)

// HashBytes is the length of every hash of the protocol: all are SHA-256.
const HashBytes = sha256.Size

// Hash is a SHA-256 digest. It prints as hex.
type Hash [HashBytes]byte

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText gives hex, so that a Hash is hex in JSON.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText takes what MarshalText gives.
func (h *Hash) UnmarshalText(text []byte) error {
	parsed, err := ParseHash(string(text))
	if err == nil {
		*h = parsed
	}
	return err
}

// ParseHash reads 64 hex digits.
func ParseHash(text string) (Hash, error) {
	bytes, err := hex.DecodeString(text)
	if err != nil || len(bytes) != HashBytes {
		return Hash{}, errors.New("a hash has 64 hex digits")
	}
	return Hash(bytes), nil
}

// The tags that say what a digest is of. No tag is the beginning of another one.
const (
	tagRecord       = "bss/v1/record"
	tagSubmission   = "bss/v1/submission"
	tagTrade        = "bss/v1/trade"
	tagBlock        = "bss/v1/block"
	tagBody         = "bss/v1/body"
	tagCertificates = "bss/v1/certificates"
	tagCommit       = "bss/v1/commit"
	// These two go into SHAKE256.
	tagCommittee = "bss/v1/committee"
	tagAudited   = "bss/v1/audited"
)

func taggedHash(tag string, parts ...[]byte) Hash {
	hasher := sha256.New()
	hasher.Write([]byte(tag))
	for _, part := range parts {
		hasher.Write(part)
	}
	return Hash(hasher.Sum(nil))
}

// RecordHash is the "data hash" of a record's exact bytes.
func RecordHash(consortiumID Hash, record []byte) Hash {
	return taggedHash(tagRecord, consortiumID[:], record)
}

// SubmissionDigest is what the submitter signs, of the exact bytes of a SubmissionHeader.
func SubmissionDigest(header []byte) Hash { return taggedHash(tagSubmission, header) }

// TradeDigest is what both parties of a trade sign, of the exact bytes of its TradeTerms.
func TradeDigest(consortiumID Hash, terms []byte) Hash {
	return taggedHash(tagTrade, consortiumID[:], terms)
}

// BlockID is the id of the block with these exact bytes of a ManagerBlockHeader.
func BlockID(header []byte) Hash { return taggedHash(tagBlock, header) }

// signedDigest is the digest of a message of canonical.proto.
func signedDigest(tag string, message proto.Message) Hash {
	return taggedHash(tag, canonicalBytes(message))
}

func u64(value uint64) []byte { return binary.BigEndian.AppendUint64(nil, value) }
