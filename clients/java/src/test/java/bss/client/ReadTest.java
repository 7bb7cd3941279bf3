package bss.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import bss.chain.Chain;
import bss.records.Document;
import bss.v1.Receipt;
import bss.v1.RecordEntry;
import bss.v1.Settlement;
import bss.v1.StorageNodeEntry;
import bss.v1.StorageNodeStatus;
import bss.verify.Corpus;
import bss.verify.Hash;
import com.google.protobuf.ByteString;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ReadTest {
  private final World world = new World();

  @AfterEach
  void close() {
    world.close();
  }

  @Test
  void aSettlementIsTheOneThatWasAskedFor() {
    FakeManager manager = world.start("manager-1");
    Hash tariff = Hash.of(new byte[Hash.BYTES]);
    manager.settlement =
        Settlement.newBuilder()
            .setParticipantId("participant-1")
            .setFromUnixS(3600)
            .setToUnixS(7200)
            .setTariffHash(tariff.toByteString())
            .setHeight(9)
            .setCurrency("EUR")
            .build();
    Client client = world.connect();
    Instant from = Instant.ofEpochSecond(3600);
    Instant to = Instant.ofEpochSecond(7200);
    var asked = new Client.SettlementQuery("participant-1", from, to, tariff, 0);
    assertEquals("EUR", client.getSettlement(asked).getCurrency());
    var elsewhere = new Client.SettlementQuery("participant-1", from, to, tariff, 8);
    assertThrows(UntrueAnswerException.class, () -> client.getSettlement(elsewhere));
    manager.settlement = Settlement.getDefaultInstance();
    assertThrows(UntrueAnswerException.class, () -> client.getSettlement(asked));
  }

  private List<StorageNodeStatus> standings() {
    Chain chain = new Chain(world.genesis);
    world.blocks.forEach(chain::add);
    List<StorageNodeStatus> standings = new ArrayList<>();
    for (var node : chain.storageNodes()) {
      standings.add(
          StorageNodeStatus.newBuilder()
              .setNodeId(node.getAdmission().getNodeId())
              .setCredit(node.getCredit())
              .setReward(node.getReward())
              .setPaid(node.getPaid())
              .setChangedHeight(node.getChangedHeight())
              .setLastAttestedHeight(node.getLastAttestedHeight())
              .build());
    }
    return standings;
  }

  @Test
  void aStatementIsRecomputedFromGenesis() {
    FakeManager manager = world.start("manager-1");
    manager.blocks = world.blocks;
    manager.nodes = standings();
    Client client = world.connect();
    for (var node : world.chain.facts().getAsJsonArray("nodes")) {
      var wanted = node.getAsJsonObject();
      Statement statement = client.getStatement(wanted.get("id").getAsString());
      assertEquals(20, statement.height());
      assertEquals(wanted.get("credit").getAsInt(), statement.node().orElseThrow().getCredit());
      assertEquals(wanted.getAsJsonArray("changes").size(), statement.changes().size());
    }
    int operations = 0;
    for (var block : client.follow(new Chain(world.genesis))) {
      operations += block.block().operations().size();
    }
    assertEquals(10, operations);
  }

  @Test
  void aManagerThatSaysOtherwiseIsNotBelieved() {
    FakeManager manager = world.start("manager-1");
    manager.blocks = world.blocks;
    manager.nodes = new ArrayList<>(standings());
    StorageNodeStatus first = manager.nodes.get(0);
    manager.nodes.set(0, first.toBuilder().setReward(first.getReward() + 1).build());
    Client client = world.connect();
    assertThrows(
        UntrueAnswerException.class, () -> client.getStatement(first.getNodeId()));
  }

  @Test
  void everyMemberOfAStatementIsCompared() {
    var computed = Optional.of(StorageNodeEntry.newBuilder().setCredit(5).build());
    var truth = StorageNodeStatus.newBuilder().setCredit(5).build();
    assertTrue(Statement.isSame(computed, Optional.of(truth)));
    var lies =
        List.of(
            truth.toBuilder().setCredit(6),
            truth.toBuilder().setReward(1),
            truth.toBuilder().setPaid(1),
            truth.toBuilder().setChangedHeight(1),
            truth.toBuilder().setLastAttestedHeight(1));
    for (var lie : lies) {
      assertFalse(Statement.isSame(computed, Optional.of(lie.build())), lie::toString);
    }
    assertFalse(Statement.isSame(computed, Optional.empty()));
    assertFalse(Statement.isSame(Optional.empty(), Optional.of(truth)));
  }

  private static RecordEntry entry(Client client, byte[] record) {
    ByteString hash = client.recordHash(record).toByteString();
    return RecordEntry.newBuilder()
        .setRecordHash(hash)
        .setSealDigest(hash)
        .setHeight(1)
        .setRecord(ByteString.copyFrom(record))
        .build();
  }

  @Test
  void aRecordHasTheHashThatWasAskedFor() {
    FakeManager manager = world.start("manager-1");
    Client client = world.connect();
    byte[] record = new Document("participant-1", "text/plain", new byte[0]).toBytes();
    manager.records = List.of(entry(client, record));
    Hash hash = client.recordHash(record);
    assertArrayEquals(record, client.getRecord(hash).bytes());
    Hash other = client.recordHash(new byte[] {1});
    assertThrows(UntrueAnswerException.class, () -> client.getRecord(other));
    manager.records =
        List.of(
            manager.records.get(0).toBuilder()
                .setRecord(ByteString.copyFrom(new byte[] {1}))
                .build());
    assertThrows(UntrueAnswerException.class, () -> client.getRecord(hash));
  }

  @Test
  void eachVersionUpdatesTheOneBefore() {
    FakeManager manager = world.start("manager-1");
    Client client = world.connect();
    byte[] first = new Document("participant-1", "text/plain", new byte[0]).toBytes();
    byte[] second =
        new Document("participant-1", "text/plain", new byte[1])
            .parent(client.recordHash(first))
            .toBytes();
    manager.records = List.of(entry(client, first), entry(client, second));
    List<Hash> versions = new ArrayList<>();
    client
        .getRecordHistory(client.recordHash(second))
        .forEach(version -> versions.add(version.hash()));
    assertEquals(List.of(client.recordHash(first), client.recordHash(second)), versions);

    var unknown = client.getRecordHistory(client.recordHash(new byte[] {1}));
    assertThrows(UntrueAnswerException.class, () -> unknown.forEach(version -> {}));
    manager.records = List.of(entry(client, second));
    var beheaded = client.getRecordHistory(client.recordHash(second));
    assertThrows(UntrueAnswerException.class, () -> beheaded.forEach(version -> {}));
  }

  @Test
  void aReceiptIsVerified() throws Exception {
    FakeManager manager = world.start("manager-1");
    byte[] encoded = Corpus.read().validReceipts().get(0).bytes("receipt");
    manager.receipt = Receipt.parseFrom(encoded);
    Client client = world.connect();
    Hash hash = Hash.of(manager.receipt.getRecordHash());
    assertEquals(manager.receipt.getPosition(), client.getReceipt(hash).facts().position());
    manager.receipt = manager.receipt.toBuilder().setPosition(77).build();
    assertThrows(UntrueAnswerException.class, () -> client.getReceipt(hash));
  }
}
