package bss

import (
	"bytes"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"example.com/bss-node/clients/go/bssv1"
	"example.com/bss-node/clients/go/verify"
	"go.yaml.in/yaml/v3"
)

// Profile says who is calling, with all files read that [Connect] needs.
type Profile struct {
	// ID is the caller's, and Role what it is: participant, auditor, operator, manager or storage.
	ID, Role string
	// Addresses are host:port of managers, in the order in which to try them; at least one.
	Addresses []string
	// Genesis is what the consortium started from. The client trusts the keys of the managers in it.
	Genesis *verify.Genesis
	// Certificate is the caller's for TLS, with its key, and Authorities are those of all managers.
	Certificate tls.Certificate
	Authorities *x509.CertPool
	// SigningKey signs submissions.
	SigningKey ed25519.PrivateKey
}

const fileBytesMax = 64 << 20

// profileFile is profile.yaml. Its paths are relative to it.
type profileFile struct {
	ID         string   `yaml:"id"`
	Role       string   `yaml:"role"`
	Consortium string   `yaml:"consortium"`
	Addresses  []string `yaml:"addresses"`
	TLS        struct {
		Certificate string `yaml:"certificate"`
		Key         string `yaml:"key"`
		CA          string `yaml:"ca"`
	} `yaml:"tls"`
	SigningKey string `yaml:"signing_key"`
}

// firstProblem is one sentence: YAML names every field that it does not know, on a line each.
func firstProblem(err error) string {
	text := err.Error()
	var each *yaml.TypeError
	if errors.As(err, &each) && len(each.Errors) > 0 {
		text = each.Errors[0]
	}
	return strings.ReplaceAll(text, " in type bss.profileFile", "") +
		"; give the profile.yaml of 'bss init' or 'bss register participant'"
}

// ReadProfile reads a profile.yaml and the files that it names. It refuses files that are not all of
// one party, secrets that others may read, and a certificate that no node would accept.
func ReadProfile(file string) (*Profile, error) {
	content, err := readFile(file, false)
	if err != nil {
		return nil, err
	}
	raw := profileFile{}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&raw); err != nil {
		return nil, fmt.Errorf("%s is not a profile: %s", file, firstProblem(err))
	}
	required := []struct{ name, value string }{
		{"id", raw.ID}, {"role", raw.Role}, {"consortium", raw.Consortium},
		{"tls.certificate", raw.TLS.Certificate}, {"tls.key", raw.TLS.Key}, {"tls.ca", raw.TLS.CA},
		{"signing_key", raw.SigningKey},
	}
	for _, field := range required {
		if field.value == "" {
			return nil, fmt.Errorf("%s: %s is missing", file, field.name)
		}
	}
	if len(raw.Addresses) == 0 {
		return nil, fmt.Errorf("%s: addresses is missing: a list of managers' host:port", file)
	}
	profile := &Profile{ID: raw.ID, Role: raw.Role, Addresses: raw.Addresses}
	if err := profile.readFiles(file, raw); err != nil {
		return nil, err
	}
	return profile, nil
}

func (p *Profile) readFiles(file string, raw profileFile) error {
	at := func(path string) string {
		if filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(filepath.Dir(file), path)
	}
	genesis, err := readFile(at(raw.Consortium), false)
	if err != nil {
		return err
	}
	if p.Genesis, err = verify.ParseGenesis(genesis); err != nil {
		return fmt.Errorf("%s: %w", at(raw.Consortium), err)
	}
	certificate, err := readFile(at(raw.TLS.Certificate), false)
	if err != nil {
		return err
	}
	key, err := readFile(at(raw.TLS.Key), true)
	if err != nil {
		return err
	}
	if p.Certificate, err = tls.X509KeyPair(certificate, key); err != nil {
		return fmt.Errorf("%s and %s: %w", at(raw.TLS.Certificate), at(raw.TLS.Key), err)
	}
	authorities, err := readFile(at(raw.TLS.CA), false)
	if err != nil {
		return err
	}
	p.Authorities = x509.NewCertPool()
	if !p.Authorities.AppendCertsFromPEM(authorities) {
		return fmt.Errorf("%s holds no certificate (PEM)", at(raw.TLS.CA))
	}
	if p.SigningKey, err = ReadSigningKey(at(raw.SigningKey)); err != nil {
		return err
	}
	return p.check(file, at(raw.SigningKey), time.Now())
}

// check refuses files of two parties in one profile, which would fail later with an error about
// something else, and a certificate that is not valid now.
func (p *Profile) check(file, keyFile string, now time.Time) error {
	leaf := p.Certificate.Leaf
	own := identity{p.Genesis.Name, p.Role, p.ID}
	named, err := identityOf(leaf)
	if err != nil {
		return fmt.Errorf("%s: the certificate: %w", file, err)
	}
	if named != own {
		return fmt.Errorf("%s: the certificate is that of %v, the profile of %v", file, named, own)
	}
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		return fmt.Errorf("%s: the certificate is valid from %v to %v, so no node accepts it now: renew it "+
			"with 'bss renew'", file, leaf.NotBefore.Format(time.RFC3339), leaf.NotAfter.Format(time.RFC3339))
	}
	// Only the ledger knows the keys of those who joined later.
	registered := registeredKey(p.Genesis, p.ID)
	if public := p.SigningKey.Public().(ed25519.PublicKey); registered != nil && !bytes.Equal(registered, public) {
		return fmt.Errorf("%s: the signing key is not the one that is registered for %s", keyFile, p.ID)
	}
	return nil
}

func registeredKey(genesis *verify.Genesis, id string) []byte {
	if manager := genesis.Manager(id); manager != nil {
		return manager.SigningKey
	}
	index := slices.IndexFunc(genesis.Message.Operations, func(each *bssv1.ControlOperation) bool {
		return each.GetRegisterParticipant().GetParticipantId() == id ||
			each.GetRegisterOfficer().GetOfficerId() == id || each.GetAdmitStorageNode().GetNodeId() == id
	})
	if index < 0 {
		return nil
	}
	switch each := genesis.Message.Operations[index].Operation.(type) {
	case *bssv1.ControlOperation_RegisterParticipant:
		return each.RegisterParticipant.SigningKey
	case *bssv1.ControlOperation_RegisterOfficer:
		return each.RegisterOfficer.SigningKey
	case *bssv1.ControlOperation_AdmitStorageNode:
		return each.AdmitStorageNode.SigningKey
	}
	return nil
}

// ReadSigningKey reads a signing.key file: an Ed25519 seed as 64 hex digits and a newline.
func ReadSigningKey(file string) (ed25519.PrivateKey, error) {
	content, err := readFile(file, true)
	if err != nil {
		return nil, err
	}
	seed, err := hex.DecodeString(string(bytes.TrimSpace(content)))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%s is not a key of 64 hex digits", file)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// readFile reads a regular file. A secret must not be readable for everybody; this is checked on the
// open file, so that nobody can exchange it in between.
func readFile(file string, secret bool) ([]byte, error) {
	opened, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	info, err := opened.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", file)
	}
	if secret && info.Mode()&fs.FileMode(0o007) != 0 {
		return nil, fmt.Errorf("%s is a secret, and everybody may access it: run chmod o= on it", file)
	}
	content, err := io.ReadAll(io.LimitReader(opened, fileBytesMax+1))
	if err == nil && len(content) > fileBytesMax {
		err = errors.New(file + " is too long")
	}
	return content, err
}
