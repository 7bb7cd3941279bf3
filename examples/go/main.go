package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"log"
	"os"
	"time"

	bssv1 "example.org/meters/gen/bss/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
)

// The status of a manager and, with the hash of a record, where it stands on the ledger.
// Usage: meters CA-BUNDLE DIRECTORY ADDRESS [HASH]
func main() {
	if len(os.Args) < 4 {
		log.Fatal("usage: meters CA-BUNDLE DIRECTORY ADDRESS [HASH]")
	}
	dir, address := os.Args[2], os.Args[3]
	pair, err := tls.LoadX509KeyPair(dir+"/tls.crt", dir+"/tls.key")
	check(err)
	bundle, err := os.ReadFile(os.Args[1])
	check(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(bundle)
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{pair}, RootCAs: roots, MinVersion: tls.VersionTLS13,
	})))
	check(err)
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	queries := bssv1.NewQueryServiceClient(conn)
	st, err := queries.GetStatus(ctx, &bssv1.GetStatusRequest{})
	check(err)
	fmt.Printf("%s: height %d, root %x\n", st.NodeId, st.Height, st.Root)
	if len(os.Args) < 5 {
		return
	}
	hash, err := hex.DecodeString(os.Args[4])
	check(err)
	answer, err := queries.GetReceipt(ctx, &bssv1.GetReceiptRequest{RecordHash: hash})
	check(err)
	fmt.Printf("block %d, position %d\n", answer.Receipt.Height, answer.Receipt.Position)
}

func check(err error) {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			log.Fatalf("%s: %v", info.Reason, err)
		}
	}
	if err != nil {
		log.Fatal(err)
	}
}
