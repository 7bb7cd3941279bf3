package bss.verify;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import bss.v1.Receipt;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class CorpusTest {
  // Together 100,000.
  private static final int RECEIPT_MUTANTS = 96_000;
  private static final int BLOCK_MUTANTS = 4_000;

  private final Corpus corpus = Corpus.read();
  private final List<byte[]> receipts =
      corpus.validReceipts().stream().map(each -> each.bytes("receipt")).toList();
  private final List<byte[]> blocks = corpus.validChain().list("blocks");

  @TestFactory
  Stream<DynamicTest> everyLine() {
    return corpus.items().stream()
        .map(
            item ->
                DynamicTest.dynamicTest(item.kind() + "/" + item.text("name"), () -> check(item)));
  }

  private void check(Corpus.Item item) throws Exception {
    switch (item.kind()) {
      case "genesis" -> assertTrue(corpus.genesis(item.text("name")).quorum() > 0);
      case "signature" ->
          assertEquals(
              item.json().get("valid").getAsBoolean(),
              Ed25519.verify(item.bytes("key"), item.hash("digest"), item.bytes("signature")));
      case "receipt" -> checkReceipt(item);
      case "inclusion" ->
          assertEquals(
              item.json().get("valid").getAsBoolean(),
              new Merkle.Inclusion(
                      item.hash("leafHash"),
                      item.number("leafIndex"),
                      item.number("treeSize"),
                      item.hash("root"),
                      item.proof())
                  .holds());
      case "consistency" ->
          assertEquals(
              item.json().get("valid").getAsBoolean(),
              new Merkle.Consistency(
                      item.number("fromSize"),
                      item.number("toSize"),
                      item.hash("fromRoot"),
                      item.hash("toRoot"),
                      item.proof())
                  .holds());
      case "chain" -> checkChain(item);
      case "mutations" -> checkMutations(item);
      default -> throw new AssertionError("the corpus has a kind that this test does not know");
    }
  }

  @Test
  void aReceiptIsWrittenAndRead() {
    for (Corpus.Item item : corpus.validReceipts()) {
      Receipt receipt = Receipts.fromBinary(item.bytes("receipt"));
      String text = Receipts.toJson(receipt);
      assertEquals(receipt, Receipts.fromJson(text));
      assertArrayEquals(item.bytes("receipt"), Receipts.toBinary(receipt));
      byte[] json = text.getBytes(StandardCharsets.UTF_8);
      var refused = assertThrows(NotProvenException.class, () -> Receipts.fromBinary(json));
      assertTrue(refused.getMessage().contains("fromJson"), refused.getMessage());
    }
    assertThrows(NotProvenException.class, () -> Receipts.fromJson("{}"));
  }

  private void checkReceipt(Corpus.Item item) {
    Genesis genesis = corpus.genesis(item.text("genesis"));
    if (item.facts() == null) {
      checkRefusal(
          item, () -> verified(genesis, item.bytes("receipt"), item.bytes("record")));
    } else {
      assertEquals(item.facts(), verified(genesis, item.bytes("receipt"), item.bytes("record")));
    }
  }

  private static void checkRefusal(Corpus.Item item, Runnable verifying) {
    var refused = assertThrows(NotProvenException.class, verifying::run);
    assertTrue(
        item.refused().contains(refused.step().label()),
        () -> refused.step() + " is not one of " + item.refused() + ": " + refused.getMessage());
  }

  private static JsonObject verified(Genesis genesis, byte[] encoded, byte[] record) {
    ReceiptFacts facts = Receipts.verify(Receipts.fromBinary(encoded), genesis, record);
    JsonObject shown = new JsonObject();
    shown.addProperty("recordHash", Follower.base64(facts.recordHash()));
    shown.addProperty("height", facts.height());
    shown.addProperty("blockId", Follower.base64(facts.blockId()));
    shown.addProperty("timeMs", facts.time().toEpochMilli());
    shown.addProperty("position", facts.position());
    shown.addProperty("treeSize", facts.treeSize());
    shown.addProperty("previousTreeSize", facts.previousTreeSize());
    JsonArray signers = new JsonArray();
    facts.signers().forEach(signers::add);
    shown.add("signers", signers);
    return shown;
  }

  private void checkChain(Corpus.Item item) {
    Genesis genesis = corpus.genesis(item.text("genesis"));
    List<byte[]> all = new ArrayList<>(blocks.subList(0, (int) item.number("after")));
    all.addAll(item.list("blocks"));
    if (item.facts() != null) {
      assertEquals(item.facts(), new Follower(genesis, all).facts());
      return;
    }
    int last = all.size() - 1;
    Follower follower = new Follower(genesis, all.subList(0, last));
    JsonObject before = follower.facts();
    checkRefusal(item, () -> follower.add(all.get(last)));
    assertEquals(before, follower.facts(), "the refused block has left something behind");
    if (last < blocks.size()) {
      follower.add(blocks.get(last));
    }
  }

  private void checkMutations(Corpus.Item item) throws Exception {
    Mutants mutants = new Mutants(item.text("of").equals("chain") ? blocks : receipts);
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    for (long i = 0; i < item.number("count"); i++) {
      byte[] mutant = mutants.get(i).bytes();
      digest.update(ByteBuffer.allocate(8).putLong(mutant.length).flip());
      digest.update(mutant);
    }
    assertEquals(item.text("sha256"), HexFormat.of().formatHex(digest.digest()));
  }

  @Test
  void noMutantOfAReceiptProvesAnythingElse() {
    List<JsonObject> originals = corpus.validReceipts().stream().map(Corpus.Item::facts).toList();
    Genesis genesis = corpus.genesis("own");
    Mutants mutants = new Mutants(receipts);
    int held = 0;
    for (long i = 0; i < RECEIPT_MUTANTS; i++) {
      byte[] mutant = mutants.get(i).bytes();
      final JsonObject facts;
      try {
        facts = verified(genesis, mutant, null);
      } catch (NotProvenException refused) {
        continue;
      }
      held++;
      assertTrue(
          originals.stream().anyMatch(each -> saysNoMore(facts, each)),
          "mutant " + i + " proves " + facts);
    }
    assertFalse(held == 0, "none holds, so the mutants are too far from what is valid");
  }

  /** Whether facts are those of the original, by as many of its signers or fewer. */
  private static boolean saysNoMore(JsonObject facts, JsonObject original) {
    JsonObject found = facts.deepCopy();
    JsonObject wanted = original.deepCopy();
    JsonArray signers = found.remove("signers").getAsJsonArray();
    JsonArray known = wanted.remove("signers").getAsJsonArray();
    return found.equals(wanted)
        && StreamSupport.stream(signers.spliterator(), false).allMatch(known::contains);
  }

  @Test
  void noMutantOfABlockProvesAnythingElse() {
    Genesis genesis = corpus.genesis("own");
    List<Follower> reached = new ArrayList<>();
    for (int height = 0; height <= blocks.size(); height++) {
      reached.add(new Follower(genesis, blocks.subList(0, height)));
    }
    Mutants mutants = new Mutants(blocks);
    int held = 0;
    for (long i = 0; i < BLOCK_MUTANTS; i++) {
      Mutants.Mutant mutant = mutants.get(i);
      Follower follower = reached.get(mutant.of());
      try {
        follower.add(mutant.bytes());
      } catch (NotProvenException refused) {
        continue;
      }
      held++;
      assertEquals(reached.get(mutant.of() + 1).facts(), follower.facts(), "mutant " + i);
      reached.set(mutant.of(), new Follower(genesis, blocks.subList(0, mutant.of())));
    }
    assertFalse(held == 0, "none holds, so the mutants are too far from what is valid");
  }
}
