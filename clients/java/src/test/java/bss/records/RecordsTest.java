package bss.records;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import bss.v1.Records;
import bss.verify.Digests;
import bss.verify.Ed25519;
import bss.verify.Hash;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class RecordsTest {
  private static final Path VECTORS = Path.of("../../test/vectors/submission.json");
  private static final Instant START = Instant.ofEpochSecond(1_793_491_200);
  private static final Duration HOUR = Duration.ofHours(1);

  private static byte[] hex(JsonObject of, String name) {
    return HexFormat.of().parseHex(of.get(name).getAsString());
  }

  private static byte[] ascending(int from) {
    byte[] list = new byte[16];
    for (int i = 0; i < list.length; i++) {
      list[i] = (byte) (from + i);
    }
    return list;
  }

  @Test
  void aBuilderGivesTheSameBytesUntilItIsChanged() {
    MeterReading reading = new MeterReading("home-1", "meter-1", START, HOUR).importedWh(412);
    byte[] made = reading.toBytes();
    assertArrayEquals(made, reading.toBytes());
    byte[] other = reading.importedWh(413).toBytes();
    assertFalse(Arrays.equals(saltOf(made), saltOf(other)));
    assertFalse(Arrays.equals(made, new MeterReading("home-1", "meter-1", START, HOUR)
        .importedWh(412).toBytes()));
    TradeTerms terms = new TradeTerms(null, "home-1", "home-2", START, 400, 110_000);
    assertArrayEquals(terms.toBytes(), terms.toBytes());
    var document = new Document("home-1", "text/plain", new byte[3]);
    assertArrayEquals(document.toBytes(), document.toBytes());
  }

  private static byte[] saltOf(byte[] record) {
    try {
      return Records.Record.parseFrom(record).getSalt().toByteArray();
    } catch (InvalidProtocolBufferException wrong) {
      throw new AssertionError(wrong);
    }
  }

  @Test
  void theDocumentedExampleHasTheseBytes() throws Exception {
    assumeTrue(Files.exists(VECTORS), "the vectors are only in the whole repository");
    JsonObject example = JsonParser.parseString(Files.readString(VECTORS)).getAsJsonObject();
    Hash consortiumId = Hash.of(hex(example, "consortiumId"));
    List<PrivateKey> keys =
        List.of(0, 1).stream()
            .map(i -> example.getAsJsonArray("parties").get(i).getAsJsonObject())
            .map(party -> Ed25519.privateKey(hex(party, "seed")))
            .toList();

    byte[] reading =
        new MeterReading("home-1", "meter-1", START, HOUR)
            .exportedWh(1250)
            .salt(ascending(0x00))
            .toBytes();
    assertArrayEquals(hex(example.getAsJsonObject("reading"), "bytes"), reading);

    byte[] terms =
        new TradeTerms(ascending(0x10), "home-1", "home-2", START, 400, 110_000).toBytes();
    JsonObject wanted = example.getAsJsonObject("terms");
    assertArrayEquals(hex(wanted, "bytes"), terms);
    byte[] seller = TradeTerms.sign(consortiumId, terms, keys.get(0));
    byte[] buyer = TradeTerms.sign(consortiumId, terms, keys.get(1));
    assertArrayEquals(hex(wanted, "sellerSignature"), seller);
    assertArrayEquals(hex(wanted, "buyerSignature"), buyer);

    byte[] trade =
        new EnergyTrade("home-1", terms, seller, buyer)
            .salt(ascending(0x20))
            .time(Instant.ofEpochMilli(1_793_495_000_000L))
            .toBytes();
    JsonObject wantedTrade = example.getAsJsonObject("trade");
    assertArrayEquals(hex(wantedTrade, "bytes"), trade);
    assertEquals(Hash.of(hex(wantedTrade, "hash")), Digests.record(consortiumId, trade));

    var submission =
        Submissions.sign(consortiumId, "home-1", keys.get(0), List.of(reading, trade));
    JsonObject wantedSubmission = example.getAsJsonObject("submission");
    assertArrayEquals(hex(wantedSubmission, "header"), submission.getHeader().toByteArray());
    assertArrayEquals(
        hex(wantedSubmission, "signature"), submission.getSignature().toByteArray());
  }

  @Test
  void aLoadProfileKeepsAbsentValuesApartFromZeros() throws Exception {
    byte[] bytes =
        new LoadProfile("home-1", "meter-1", START, Duration.ofMinutes(15))
            .measured(5, 0)
            .measured(0, 0)
            .absent()
            .absent()
            .substituted(7, 0)
            .registerEnd(12, 0)
            .toBytes();
    Records.Record record = Records.Record.parseFrom(bytes);
    Records.LoadProfile profile = record.getLoadProfile();
    List<List<Integer>> runs =
        profile.getRunsList().stream()
            .map(run -> List.of(run.getCount(), run.getQualityValue()))
            .toList();
    assertEquals(List.of(List.of(2, 2), List.of(2, 1), List.of(1, 4)), runs);
    assertEquals(List.of(5, 0, 7), profile.getImportedWhList());
    assertEquals(List.of(), profile.getExportedWhList());
    assertFalse(profile.hasRegisterStart());
    assertEquals(12, profile.getRegisterEnd().getImportedWh());
    assertEquals(1_793_495_700_000L, record.getTimeUnixMs());
  }

  @Test
  void whatARecordCannotHoldIsRefused() {
    Instant between = START.plusMillis(1);
    var records =
        List.of(
            new MeterReading("a", "m", START, Duration.ofMillis(1_500)),
            new LoadProfile("a", "m", between, HOUR),
            new ChargingSession("a", "s", START, between, 1));
    for (RecordBuilder<?> each : records) {
      assertThrows(IllegalArgumentException.class, each::toBytes);
    }
    var load = new LoadProfile("a", "m", START, HOUR);
    assertThrows(IllegalArgumentException.class, () -> load.measured(1L << 32, 0));
    assertThrows(IllegalArgumentException.class, () -> load.measured(-1, 0));
    MeterReading negative = new MeterReading("home-1", "m", Instant.EPOCH, Duration.ofHours(1));
    assertThrows(IllegalArgumentException.class, () -> negative.importedWh(-1));
    assertThrows(IllegalArgumentException.class, () -> negative.exportedWh(-1));
  }
}
