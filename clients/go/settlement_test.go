package bss

import (
	"context"
	"errors"
	"testing"
	"time"

	"example.com/bss-node/clients/go/bssv1"
)

func TestASettlementIsTheOneThatWasAskedFor(t *testing.T) {
	w := newWorld(t)
	asked := SettlementQuery{ParticipantID: "participant-1", From: time.Unix(3600, 0), To: time.Unix(7200, 0), Tariff: Hash{1}}
	right := &bssv1.Settlement{ParticipantId: "participant-1", FromUnixS: 3600, ToUnixS: 7200, TariffHash: asked.Tariff[:],
		Height: 9, Currency: "EUR"}
	manager := w.start("manager-1", &fakeManager{answering: queries{settlement: right}})
	client := w.connect()
	got, err := client.GetSettlement(context.Background(), asked)
	check(t, err)
	if got.Currency != "EUR" {
		t.Fatalf("got %v", got)
	}
	var lie *UntrueAnswer
	elsewhere := asked
	elsewhere.Height = 8
	if _, err := client.GetSettlement(context.Background(), elsewhere); !errors.As(err, &lie) {
		t.Fatalf("got %v", err)
	}
	manager.answering.settlement = nil
	if _, err := client.GetSettlement(context.Background(), asked); !errors.As(err, &lie) {
		t.Fatalf("got %v", err)
	}
}
