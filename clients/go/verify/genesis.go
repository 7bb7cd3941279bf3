package verify

import (
	"crypto/sha256"
	"regexp"

	"example.com/bss-node/clients/go/bssv1"
	"google.golang.org/protobuf/encoding/protojson"
)

// genesisBytesMax is the length of the longest genesis file that is read.
const genesisBytesMax = 64 << 20

const managersMax = 100

// Genesis is what a consortium started from, and all that has to be trusted. In this release the
// managers and their keys stay as genesis names them.
type Genesis struct {
	// ConsortiumID is SHA-256 of the file.
	ConsortiumID Hash
	// Name is the one in every certificate's URI.
	Name string
	// Message is the file's content.
	Message *bssv1.Genesis

	managers map[string]*bssv1.ManagerMember
}

var idPattern = regexp.MustCompile(`^[a-z0-9-]{1,63}$`)

// ParseGenesis reads the exact bytes of a genesis file.
//
// It checks what the checks of this package rest on: that there are managers with ids and keys, none
// of them twice. A file that a consortium does not run with has another consortium id, so nothing
// that is signed fits it.
func ParseGenesis(file []byte) (*Genesis, error) {
	invalid := func(format string, args ...any) (*Genesis, error) {
		return nil, problem(StepGenesis, "not a genesis file: "+format, args...)
	}
	if len(file) > genesisBytesMax {
		return invalid("it has more than %d bytes", genesisBytesMax)
	}
	message := &bssv1.Genesis{}
	if err := protojson.Unmarshal(file, message); err != nil {
		return invalid("%v", err)
	}
	genesis := &Genesis{
		ConsortiumID: sha256.Sum256(file),
		Name:         message.ConsortiumName,
		Message:      message,
		managers:     map[string]*bssv1.ManagerMember{},
	}
	if !idPattern.MatchString(message.ConsortiumName) {
		return invalid("consortium_name is not 1 to 63 of the characters a-z, 0-9 and -")
	}
	if message.Policy == nil || len(message.Beacon) != 64 {
		return invalid("the policy or the beacon is missing")
	}
	if message.TimeUnixMs < 1 || message.TimeUnixMs > safeMax {
		return invalid("time_unix_ms is not a time")
	}
	if len(message.Managers) < 1 || len(message.Managers) > managersMax {
		return invalid("there are not 1 to %d managers", managersMax)
	}
	keys := map[string]bool{}
	for i, manager := range message.Managers {
		key := manager.GetSigningKey()
		switch {
		case !idPattern.MatchString(manager.GetManagerId()):
			return invalid("managers[%d].manager_id is not an id", i)
		case len(key) != 32 || !isAcceptablePoint(key):
			return invalid("managers[%d].signing_key is not an Ed25519 public key", i)
		case genesis.managers[manager.ManagerId] != nil || keys[string(key)]:
			return invalid("managers[%d] has the id or key of another manager", i)
		case len(manager.TlsSpkiSha256) != HashBytes:
			return invalid("managers[%d].tls_spki_sha256 does not have 32 bytes", i)
		}
		keys[string(key)] = true
		genesis.managers[manager.ManagerId] = manager
	}
	return genesis, nil
}

// Manager is the manager with this id; nil if there is none.
func (g *Genesis) Manager(id string) *bssv1.ManagerMember { return g.managers[id] }

// FaultsMax is f: how many of the N managers may be faulty.
func (g *Genesis) FaultsMax() int { return (len(g.managers) - 1) / 3 }

// Quorum is Q: how many of the N managers make a block final.
func (g *Genesis) Quorum() int { return len(g.managers) - g.FaultsMax() }
