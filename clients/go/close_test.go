package bss

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"example.com/bss-node/clients/go/bssv1"
)

// ends closes the client once ready, and wants the error that CANCELLED is.
func endsWhenClosed(t *testing.T, client *Client, ready <-chan struct{}, run func() error) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- run() }()
	<-ready
	check(t, client.Close())
	select {
	case err := <-ended:
		var failed *Error
		if !errors.As(err, &failed) || failed.Reason != "CANCELLED" {
			t.Fatalf("got %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it goes on after Close")
	}
}

func TestCloseEndsAWatch(t *testing.T) {
	w := newWorld(t)
	ready := make(chan struct{})
	w.start("manager-1", &fakeManager{watch: func(_ *bssv1.WatchBlocksRequest, stream bssv1.QueryService_WatchBlocksServer) error {
		close(ready)
		<-stream.Context().Done()
		return nil
	}})
	client := w.connect()
	endsWhenClosed(t, client, ready, func() (last error) {
		for _, last = range client.WatchBlocks(context.Background(), 1, WatchOptions{}) {
		}
		return last
	})
}

func TestCloseEndsAWatchThatWaitsForAManager(t *testing.T) {
	w := newWorld(t)
	w.start("manager-1", &fakeManager{watch: func(*bssv1.WatchBlocksRequest, bssv1.QueryService_WatchBlocksServer) error {
		return stopping
	}})
	ready := make(chan struct{})
	client := w.connect()
	lost := 0
	options := WatchOptions{OnReconnect: func(error, uint64) {
		if lost++; lost == 3 {
			close(ready)
		}
	}}
	endsWhenClosed(t, client, ready, func() (last error) {
		for _, last = range client.WatchBlocks(context.Background(), 1, options) {
		}
		return last
	})
}

func TestCloseEndsAStream(t *testing.T) {
	w := newWorld(t)
	ready := make(chan struct{})
	w.start("manager-1", &fakeManager{stream: func(stream bssv1.BroadcastService_SubmitStreamServer) error {
		close(ready)
		<-stream.Context().Done()
		return nil
	}})
	client := w.connect()
	endsWhenClosed(t, client, ready, func() (last error) {
		for _, last = range client.SubmitStream(context.Background(), slices.Values(submissions(3)), StreamOptions{}) {
		}
		return last
	})
}

func TestCloseEndsACall(t *testing.T) {
	w := newWorld(t)
	ready, stop := make(chan struct{}), make(chan struct{})
	defer close(stop)
	w.start("manager-1", &fakeManager{submit: func(*bssv1.SubmitRequest) (*bssv1.SubmitResponse, error) {
		close(ready)
		<-stop
		return nil, stopping
	}})
	client := w.connect()
	endsWhenClosed(t, client, ready, func() error {
		_, err := client.Submit(context.Background(), &bssv1.Submission{})
		return err
	})
}
