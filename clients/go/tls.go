package bss

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
)

// identity is what a certificate's one URI name says: bss://CONSORTIUM/ROLE/ID.
type identity struct{ consortium, role, id string }

func (i identity) String() string { return fmt.Sprintf("%s %s of %s", i.role, i.id, i.consortium) }

var identityPattern = regexp.MustCompile(
	`^bss://([A-Za-z0-9._-]{1,64})/(manager|storage|participant|auditor|operator|invited)/([A-Za-z0-9._-]{1,64})$`)

func identityOf(certificate *x509.Certificate) (identity, error) {
	if len(certificate.URIs) != 1 {
		return identity{}, fmt.Errorf("it carries %d URI names instead of one", len(certificate.URIs))
	}
	match := identityPattern.FindStringSubmatch(certificate.URIs[0].String())
	if match == nil {
		return identity{}, errors.New("its URI name is not bss://<consortium>/<role>/<id>")
	}
	return identity{match[1], match[2], match[3]}, nil
}

// identityRefusal begins what is said of a server that is not the one of genesis.
const identityRefusal = "the server's identity: "

// tlsConfig accepts exactly the managers of genesis, each by the key that is registered there. A host
// name would prove less: loopback names are in every node's certificate.
func tlsConfig(profile *Profile) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{profile.Certificate},
		MinVersion:   tls.VersionTLS13,
		// What Go would check besides the chain is the host name. checkServer verifies the chain.
		InsecureSkipVerify: true,
		VerifyConnection:   func(state tls.ConnectionState) error { return checkServer(profile, state) },
	}
}

func checkServer(profile *Profile, state tls.ConnectionState) error {
	refuse := func(format string, args ...any) error {
		return fmt.Errorf(identityRefusal+format, args...)
	}
	if len(state.PeerCertificates) == 0 {
		return refuse("it shows no certificate")
	}
	leaf := state.PeerCertificates[0]
	options := x509.VerifyOptions{
		Roots:         profile.Authorities,
		Intermediates: x509.NewCertPool(),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, each := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(each)
	}
	if _, err := leaf.Verify(options); err != nil {
		return refuse("%w", err)
	}
	named, err := identityOf(leaf)
	if err != nil {
		return refuse("%w", err)
	}
	manager := profile.Genesis.Manager(named.id)
	if named.role != "manager" || named.consortium != profile.Genesis.Name || manager == nil {
		return refuse("it is %v, and not a manager of %s", named, profile.Genesis.Name)
	}
	if sha256.Sum256(leaf.RawSubjectPublicKeyInfo) != [32]byte(manager.TlsSpkiSha256) {
		return refuse("its key is not the one that genesis names for %s", named.id)
	}
	return nil
}
