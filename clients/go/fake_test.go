package bss

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"math/big"
	"net"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"example.com/bss-node/clients/go/bssv1"
	"example.com/bss-node/clients/go/verify"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"
)

// Managers in this process, over real TLS, that answer as a test says. The chain that they serve is
// that of the shared corpus.

const corpusDirectory = "../../test/vectors/forged/"

type corpusLine struct {
	Kind, Name string
	File       []byte
	Blocks     [][]byte
	Facts      *struct {
		Nodes []struct {
			ID           string
			Credit       uint32
			Reward, Paid json.Number
			Changes      []string
		}
	}
}

func corpusLines(t *testing.T, file string) (lines []corpusLine) {
	t.Helper()
	opened, err := os.Open(corpusDirectory + file)
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the corpus is only in the whole repository")
	}
	check(t, err)
	defer opened.Close()
	scanner := bufio.NewScanner(opened)
	scanner.Buffer(nil, 1<<24)
	for scanner.Scan() {
		line := corpusLine{}
		check(t, json.Unmarshal(scanner.Bytes(), &line))
		lines = append(lines, line)
	}
	check(t, scanner.Err())
	return lines
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// world is a consortium of which some managers run.
type world struct {
	t       *testing.T
	profile *Profile
	// The genesis file names no keys of these certificates, so connections have a copy that does.
	certified *verify.Genesis
	chain     corpusLine
	blocks    []*bssv1.BlockView
	authority *x509.Certificate
	key       *ecdsa.PrivateKey
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, chain: corpusLines(t, "chains.jsonl")[0]}
	file := corpusLines(t, "genesis.jsonl")[0].File
	genesis, err := verify.ParseGenesis(file)
	check(t, err)
	w.certified, err = verify.ParseGenesis(file)
	check(t, err)
	for _, encoded := range w.chain.Blocks {
		view := &bssv1.BlockView{}
		check(t, proto.Unmarshal(encoded, view))
		w.blocks = append(w.blocks, view)
	}
	w.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	encoded, err := x509.CreateCertificate(rand.Reader, template, template, w.key.Public(), w.key)
	check(t, err)
	w.authority, err = x509.ParseCertificate(encoded)
	check(t, err)
	authorities := x509.NewCertPool()
	authorities.AddCert(w.authority)
	_, signingKey, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	w.profile = &Profile{
		ID:          "participant-1",
		Role:        "participant",
		Genesis:     genesis,
		Certificate: w.certificate("participant", "participant-1"),
		Authorities: authorities,
		SigningKey:  signingKey,
	}
	return w
}

func (w *world) certificate(role, id string) tls.Certificate {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(w.t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		URIs:         []*url.URL{{Scheme: "bss", Host: "test-grid", Path: "/" + role + "/" + id}},
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	encoded, err := x509.CreateCertificate(rand.Reader, template, w.authority, key.Public(), w.key)
	check(w.t, err)
	leaf, err := x509.ParseCertificate(encoded)
	check(w.t, err)
	return tls.Certificate{Certificate: [][]byte{encoded}, PrivateKey: key, Leaf: leaf}
}

// fakeManager answers with its functions; what a test leaves out is unimplemented.
type fakeManager struct {
	bssv1.UnimplementedBroadcastServiceServer
	bssv1.UnimplementedQueryServiceServer

	submit    func(*bssv1.SubmitRequest) (*bssv1.SubmitResponse, error)
	stream    func(bssv1.BroadcastService_SubmitStreamServer) error
	watch     func(*bssv1.WatchBlocksRequest, bssv1.QueryService_WatchBlocksServer) error
	answering queries

	mutex sync.Mutex
	calls int
}

// start runs a manager that genesis names, and adds its address to the profile.
func (w *world) start(id string, manager *fakeManager) *fakeManager {
	w.t.Helper()
	certificate := w.certificate("manager", id)
	spki := sha256.Sum256(certificate.Leaf.RawSubjectPublicKeyInfo)
	w.certified.Manager(id).TlsSpkiSha256 = spki[:]
	w.serve(certificate, manager)
	return manager
}

func (w *world) serve(certificate tls.Certificate, manager *fakeManager) {
	w.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(w.t, err)
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{certificate},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    w.profile.Authorities,
		MinVersion:   tls.VersionTLS13,
	})))
	bssv1.RegisterBroadcastServiceServer(server, manager)
	bssv1.RegisterQueryServiceServer(server, manager)
	go func() { _ = server.Serve(listener) }()
	w.t.Cleanup(server.Stop)
	w.profile.Addresses = append(w.profile.Addresses, listener.Addr().String())
}

func (w *world) connect() *Client {
	w.t.Helper()
	connecting := *w.profile
	connecting.Genesis = w.certified
	client, err := Connect(&connecting)
	check(w.t, err)
	client.profile = w.profile
	w.t.Cleanup(func() { _ = client.Close() })
	return client
}
