package verify

import (
	"bytes"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// safeMax is the largest integer that every language's client holds exactly, 2^53-1. No number of
// the ledger is above it.
const safeMax = 1<<53 - 1

// canonicalBytes encodes what nodes write, hash and sign: fields ascending, defaults left out.
func canonicalBytes(message proto.Message) []byte {
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
	if err != nil {
		// Only text that is not UTF-8 does not encode. Messages that came over the wire hold none,
		// and the digest of nothing is that of no message.
		return nil
	}
	return encoded
}

// decodeCanonical reads bytes that have one encoding; false for all others.
func decodeCanonical(encoded []byte, into proto.Message) bool {
	if err := proto.Unmarshal(encoded, into); err != nil || HasUnknownFields(into) {
		return false
	}
	return bytes.Equal(canonicalBytes(into), encoded)
}

// HasUnknownFields says whether a message, or one within it, carries fields that this version does
// not know: nothing may be shown of a message that says more than was understood.
func HasUnknownFields(message proto.Message) bool {
	return hasUnknownFields(message.ProtoReflect())
}

func hasUnknownFields(message protoreflect.Message) bool {
	if len(message.GetUnknown()) > 0 {
		return true
	}
	found := false
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsMap() || field.Message() == nil:
		case field.IsList():
			for i := 0; i < value.List().Len() && !found; i++ {
				found = hasUnknownFields(value.List().Get(i).Message())
			}
		default:
			found = hasUnknownFields(value.Message())
		}
		return !found
	})
	return found
}

func hashOf(value []byte) (Hash, bool) {
	if len(value) != HashBytes {
		return Hash{}, false
	}
	return Hash(value), true
}
