package verify

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"example.com/bss-node/clients/go/bssv1"
	"google.golang.org/protobuf/proto"
)

// The corpus that all clients share; docs/sdks.md says what its lines mean.
const corpusDirectory = "../../../test/vectors/forged"

// Together 100,000.
const (
	receiptMutants = 96_000
	blockMutants   = 4_000
)

type corpusItem struct {
	Kind, Name, Genesis, Of string
	File, Receipt, Record   []byte
	Blocks                  [][]byte
	After                   int
	Facts                   json.RawMessage
	Refused                 []string
	LeafHash, Root          []byte
	LeafIndex, TreeSize     uint64
	FromRoot, ToRoot        []byte
	FromSize, ToSize        uint64
	Key, Digest, Signature  []byte
	Proof                   [][]byte
	Valid                   bool
	Count                   int
	SHA256                  string
}

type receiptFacts struct {
	RecordHash       []byte
	Height           uint64
	BlockID          []byte
	TimeMs           int64
	Position         uint64
	TreeSize         uint64
	PreviousTreeSize uint64
	Signers          []string
}

type nodeFacts struct {
	ID           string
	Credit       uint32
	Reward, Paid string
	Changes      []string
}

type chainFacts struct {
	Height     uint64
	BlockID    []byte
	TreeSize   uint64
	Root       []byte
	Operations []string
	Nodes      []nodeFacts
}

type corpus struct {
	items   []corpusItem
	genesis map[string]*Genesis
}

func readCorpus(t testing.TB) *corpus {
	t.Helper()
	c := &corpus{genesis: map[string]*Genesis{}}
	for _, name := range []string{"genesis", "signatures", "receipts", "proofs", "chains", "mutations"} {
		file, err := os.Open(filepath.Join(corpusDirectory, name+".jsonl"))
		if errors.Is(err, os.ErrNotExist) {
			t.Skip("the corpus is only in the whole repository")
		}
		check(t, err)
		defer file.Close()
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<24)
		for lines.Scan() {
			item := corpusItem{}
			check(t, json.Unmarshal(lines.Bytes(), &item))
			c.items = append(c.items, item)
			if item.Kind == "genesis" {
				genesis, err := ParseGenesis(item.File)
				check(t, err)
				c.genesis[item.Name] = genesis
			}
		}
		check(t, lines.Err())
	}
	return c
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// valid are the receipts that hold, and blocks those of the first chain that holds.
func (c *corpus) valid() (receipts [][]byte, facts []receiptFacts, blocks [][]byte) {
	for _, item := range c.items {
		switch {
		case item.Facts == nil:
		case item.Kind == "receipt":
			each := receiptFacts{}
			if err := json.Unmarshal(item.Facts, &each); err != nil {
				panic(err)
			}
			receipts, facts = append(receipts, item.Receipt), append(facts, each)
		case item.Kind == "chain" && blocks == nil:
			blocks = item.Blocks
		}
	}
	return receipts, facts, blocks
}

// Each valid receipt is kept as JSON and as bytes, and read again.
func TestAReceiptIsWrittenAndRead(t *testing.T) {
	receipts, _, _ := readCorpus(t).valid()
	for _, encoded := range receipts {
		receipt, err := ReceiptFromBinary(encoded)
		check(t, err)
		text, err := ReceiptToJSON(receipt)
		check(t, err)
		again, err := ReceiptFromJSON(text)
		check(t, err)
		binary, err := ReceiptToBinary(again)
		check(t, err)
		if !bytes.Equal(binary, encoded) {
			t.Fatalf("read %s", text)
		}
		if _, err := ReceiptFromBinary(text); err == nil || !strings.Contains(err.Error(), "ReceiptFromJSON") {
			t.Fatalf("got %v", err)
		}
	}
	if _, err := ReceiptFromJSON([]byte("{}")); err == nil {
		t.Fatal("nothing was taken for a receipt")
	}
}

func checkReceipt(genesis *Genesis, encoded, record []byte) (*receiptFacts, error) {
	receipt, err := ReceiptFromBinary(encoded)
	if err != nil {
		return nil, err
	}
	facts, err := Receipt(receipt, genesis, record)
	if err != nil {
		return nil, err
	}
	return &receiptFacts{
		RecordHash:       facts.RecordHash[:],
		Height:           facts.Height,
		BlockID:          facts.BlockID[:],
		TimeMs:           facts.Time.UnixMilli(),
		Position:         facts.Position,
		TreeSize:         facts.TreeSize,
		PreviousTreeSize: facts.PreviousTreeSize,
		Signers:          facts.Signers,
	}, nil
}

func checkRefusal(t *testing.T, err error, allowed []string) {
	t.Helper()
	var found *Problem
	switch {
	case err == nil:
		t.Fatal("it was accepted")
	case !errors.As(err, &found):
		t.Fatalf("refused without a step: %v", err)
	case !slices.Contains(allowed, string(found.Step)):
		t.Fatalf("refused at %s, and not at %v: %v", found.Step, allowed, err)
	}
}

func TestCorpus(t *testing.T) {
	c := readCorpus(t)
	receipts, _, blocks := c.valid()
	for _, item := range c.items {
		if item.Kind == "genesis" {
			continue
		}
		t.Run(item.Kind+"/"+item.Name, func(t *testing.T) {
			switch item.Kind {
			case "signature":
				if verifySignature(item.Key, Hash(item.Digest), item.Signature) != item.Valid {
					t.Fatalf("should be %v", item.Valid)
				}
			case "receipt":
				facts, err := checkReceipt(c.genesis[item.Genesis], item.Receipt, item.Record)
				if item.Facts == nil {
					checkRefusal(t, err, item.Refused)
					return
				}
				check(t, err)
				checkFacts(t, *facts, item.Facts)
			case "inclusion":
				claim := InclusionClaim{
					LeafHash:  Hash(item.LeafHash),
					LeafIndex: item.LeafIndex,
					TreeSize:  item.TreeSize,
					Root:      Hash(item.Root),
					Proof:     item.Proof,
				}
				if Inclusion(claim) != item.Valid {
					t.Fatalf("should be %v", item.Valid)
				}
			case "consistency":
				claim := ConsistencyClaim{item.FromSize, item.ToSize, Hash(item.FromRoot), Hash(item.ToRoot), item.Proof}
				if Consistency(claim) != item.Valid {
					t.Fatalf("should be %v", item.Valid)
				}
			case "chain":
				checkChain(t, c, item, blocks)
			case "mutations":
				originals := receipts
				if item.Of == "chain" {
					originals = blocks
				}
				digest := sha256.New()
				for i := range item.Count {
					_, bytes := mutant(originals, uint64(i))
					digest.Write(u64(uint64(len(bytes))))
					digest.Write(bytes)
				}
				if found := hex.EncodeToString(digest.Sum(nil)); found != item.SHA256 {
					t.Fatalf("the mutants are others than those of other clients: %s", found)
				}
			default:
				t.Fatalf("the corpus has a kind %q that this test does not know", item.Kind)
			}
		})
	}
}

func checkFacts[T any](t *testing.T, found T, wanted json.RawMessage) {
	t.Helper()
	var facts T
	check(t, json.Unmarshal(wanted, &facts))
	if !reflect.DeepEqual(found, facts) {
		t.Fatalf("proves\n%+v\ninstead of\n%+v", found, facts)
	}
}

// follower is a chain and what it has proven.
type follower struct {
	chain      *Chain
	operations []string
	changes    map[string][]string
}

func follow(t testing.TB, genesis *Genesis, blocks [][]byte) *follower {
	t.Helper()
	f := &follower{chain: NewChain(genesis), changes: map[string][]string{}}
	for _, block := range blocks {
		check(t, f.add(block))
	}
	return f
}

func (f *follower) add(encoded []byte) error {
	view := &bssv1.BlockView{}
	if err := proto.Unmarshal(encoded, view); err != nil {
		return problem(StepEncoding, "%v", err)
	}
	block, err := f.chain.Add(view)
	if err != nil {
		return err
	}
	for _, operation := range block.Operations {
		message := operation.ProtoReflect()
		field := message.WhichOneof(message.Descriptor().Oneofs().Get(0))
		f.operations = append(f.operations, string(field.Name()))
	}
	for _, change := range block.Changes {
		f.changes[change.NodeID] = append(f.changes[change.NodeID], string(change.Kind))
	}
	return nil
}

func (f *follower) facts() chainFacts {
	id, root := f.chain.id, f.chain.Root()
	facts := chainFacts{
		Height:     f.chain.Height(),
		BlockID:    id[:],
		TreeSize:   f.chain.TreeSize(),
		Root:       root[:],
		Operations: f.operations,
	}
	for _, node := range f.chain.StorageNodes() {
		id := node.Admission.NodeId
		facts.Nodes = append(facts.Nodes, nodeFacts{
			ID:      id,
			Credit:  node.Credit,
			Reward:  fmt.Sprint(node.Reward),
			Paid:    fmt.Sprint(node.Paid),
			Changes: f.changes[id],
		})
	}
	return facts
}

func checkChain(t *testing.T, c *corpus, item corpusItem, valid [][]byte) {
	blocks := append(slices.Clone(valid[:item.After]), item.Blocks...)
	if item.Facts != nil {
		checkFacts(t, follow(t, c.genesis[item.Genesis], blocks).facts(), item.Facts)
		return
	}
	last := len(blocks) - 1
	f := follow(t, c.genesis[item.Genesis], blocks[:last])
	before := f.facts()
	checkRefusal(t, f.add(blocks[last]), item.Refused)
	if !reflect.DeepEqual(f.facts(), before) {
		t.Fatal("the refused block has left something behind")
	}
	if last < len(valid) {
		check(t, f.add(valid[last]))
	}
}

func TestMutantsOfReceipts(t *testing.T) {
	c := readCorpus(t)
	receipts, originals, _ := c.valid()
	held := 0
	for i := range receiptMutants {
		_, bytes := mutant(receipts, uint64(i))
		facts, err := checkReceipt(c.genesis["own"], bytes, nil)
		if err != nil {
			continue
		}
		held++
		if !slices.ContainsFunc(originals, func(original receiptFacts) bool { return saysNoMore(*facts, original) }) {
			t.Fatalf("mutant %d proves %+v", i, facts)
		}
	}
	if held == 0 {
		t.Fatal("none of them holds, so the mutants are too far from what is valid")
	}
	t.Logf("%d mutants: %d hold and say the same, the others are refused", receiptMutants, held)
}

// saysNoMore says whether facts are those of the original, by as many of its signers or fewer.
func saysNoMore(facts, original receiptFacts) bool {
	for _, signer := range facts.Signers {
		if !slices.Contains(original.Signers, signer) {
			return false
		}
	}
	facts.Signers, original.Signers = nil, nil
	return reflect.DeepEqual(facts, original)
}

func TestMutantsOfBlocks(t *testing.T) {
	c := readCorpus(t)
	_, _, blocks := c.valid()
	genesis := c.genesis["own"]
	var reached []*follower
	for height := range len(blocks) + 1 {
		reached = append(reached, follow(t, genesis, blocks[:height]))
	}
	held := 0
	for i := range blockMutants {
		of, bytes := mutant(blocks, uint64(i))
		f := reached[of]
		if f.add(bytes) != nil {
			continue
		}
		held++
		if !reflect.DeepEqual(f.facts(), reached[of+1].facts()) {
			t.Fatalf("mutant %d proves %+v", i, f.facts())
		}
		reached[of] = follow(t, genesis, blocks[:of])
	}
	if held == 0 {
		t.Fatal("none of them holds, so the mutants are too far from what is valid")
	}
	t.Logf("%d mutants: %d hold and say the same, the others are refused", blockMutants, held)
}

// splitMix64 is Sebastiano Vigna's generator.
type splitMix64 uint64

func (s *splitMix64) below(bound int) int {
	*s += 0x9e3779b97f4a7c15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return int((z ^ z>>31) % uint64(bound))
}

const stretchMax = 64

// mutant is the one of this number, and the index of the item that it was made of.
func mutant(originals [][]byte, number uint64) (int, []byte) {
	random := splitMix64(number)
	of := random.below(len(originals))
	mutated := slices.Clone(originals[of])
	for range 1 + random.below(3) {
		operation := random.below(8)
		place := random.below(len(mutated) + 1)
		switch operation {
		case 0, 1:
			if place < len(mutated) {
				mutated[place] ^= 1 << random.below(8)
			}
		case 2:
			if place < len(mutated) {
				mutated[place] = byte(random.below(256))
			}
		case 3:
			source := originals[random.below(len(originals))]
			start := random.below(len(source))
			end := min(len(source), start+1+random.below(stretchMax))
			copy(mutated[place:], source[start:end])
		case 4:
			mutated = slices.Insert(mutated, place, byte(random.below(256)))
		case 5:
			mutated = slices.Delete(mutated, place, min(len(mutated), place+1+random.below(stretchMax)))
		case 6:
			mutated = mutated[:place]
		default:
			mutated = append(mutated, originals[random.below(len(originals))]...)
		}
	}
	return of, mutated
}

func TestHashText(t *testing.T) {
	hash := RecordHash(Hash{}, bytes.Repeat([]byte{1}, 3))
	text, err := json.Marshal(hash)
	check(t, err)
	var back Hash
	check(t, json.Unmarshal(text, &back))
	if back != hash || back.String() != hash.String() {
		t.Fatalf("%v came back as %v", hash, back)
	}
	if _, err := ParseHash(base64.StdEncoding.EncodeToString(hash[:])); err == nil {
		t.Fatal("base64 was taken for hex")
	}
}
