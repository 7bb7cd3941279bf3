package bss.chain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class CommitteesTest {
  private static final Path VECTORS = Path.of("../../test/vectors/committee.json");

  private static List<String> texts(JsonArray array) {
    List<String> texts = new ArrayList<>();
    array.forEach(each -> texts.add(each.getAsString()));
    return texts;
  }

  /** As the ledger keeps its nodes. The ids of the vectors are not all ASCII. */
  private static List<String> sorted(List<String> ids) {
    return ids.stream()
        .sorted(
            (a, b) ->
                Arrays.compareUnsigned(
                    a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8)))
        .toList();
  }

  @Test
  void theyAreThoseOfAnotherImplementation() throws Exception {
    assumeTrue(Files.exists(VECTORS), "the vectors are only in the whole repository");
    JsonArray cases =
        JsonParser.parseString(Files.readString(VECTORS))
            .getAsJsonObject()
            .getAsJsonArray("cases");
    assertTrue(cases.size() > 0);
    for (JsonElement each : cases) {
      JsonObject one = each.getAsJsonObject();
      long round = one.get("round").getAsLong();
      if (round > 0xffff_ffffL) {
        continue; // No certificate holds such a round.
      }
      byte[] beacon = HexFormat.of().parseHex(one.get("beacon").getAsString());
      List<String> drawn =
          Committees.committee(
              sorted(texts(one.getAsJsonArray("eligible"))),
              ByteString.copyFrom(beacon),
              (int) round);
      assertEquals(
          texts(one.getAsJsonArray("committee")), drawn, one.get("note").getAsString());
    }
  }
}
