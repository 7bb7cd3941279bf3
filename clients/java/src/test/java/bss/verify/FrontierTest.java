package bss.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class FrontierTest {
  private static final Path VECTORS = Path.of("../../test/vectors/merkle/rfc6962.json");

  @Test
  void itsRootsAreThoseOfTheReferenceImplementation() throws Exception {
    assumeTrue(Files.exists(VECTORS), "the vectors are only in the whole repository");
    JsonObject json = JsonParser.parseString(Files.readString(VECTORS)).getAsJsonObject();
    JsonArray roots = json.getAsJsonArray("roots");
    JsonArray leaves = json.getAsJsonArray("leafInputs");
    Frontier frontier = Frontier.EMPTY;
    for (int size = 0; size <= leaves.size(); size++) {
      assertEquals(Hash.parse(roots.get(size).getAsString()), frontier.root());
      if (size < leaves.size()) {
        byte[] entry = HexFormat.of().parseHex(leaves.get(size).getAsString());
        frontier = frontier.append(List.of(Merkle.leaf(entry)));
      }
    }
  }
}
