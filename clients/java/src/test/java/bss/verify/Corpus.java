package bss.verify;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;

/** The corpus that all clients share; docs/sdks.md says what its lines mean. */
public final class Corpus {
  private static final Path DIRECTORY = Path.of("../../test/vectors/forged");

  /** One line of the corpus. */
  public record Item(JsonObject json) {
    public String kind() {
      return text("kind");
    }

    public String text(String name) {
      return json.get(name).getAsString();
    }

    public long number(String name) {
      return json.has(name) ? json.get(name).getAsLong() : 0;
    }

    public byte[] bytes(String name) {
      return json.has(name) ? decoded(json.get(name)) : null;
    }

    public Hash hash(String name) {
      return Hash.of(bytes(name));
    }

    public List<byte[]> list(String name) {
      return elements(name).stream().map(Corpus::decoded).toList();
    }

    public List<ByteString> proof() {
      return list("proof").stream().map(ByteString::copyFrom).toList();
    }

    public List<String> refused() {
      return elements("refused").stream().map(JsonElement::getAsString).toList();
    }

    public JsonObject facts() {
      return json.getAsJsonObject("facts");
    }

    private List<JsonElement> elements(String name) {
      JsonArray array = json.has(name) ? json.getAsJsonArray(name) : new JsonArray();
      return StreamSupport.stream(array.spliterator(), false).toList();
    }
  }

  private final List<Item> items = new ArrayList<>();
  private final Map<String, Genesis> genesis = new HashMap<>();

  private Corpus() {}

  public static Corpus read() {
    assumeTrue(Files.isDirectory(DIRECTORY), "the corpus is only in the whole repository");
    Corpus corpus = new Corpus();
    for (String name :
        List.of("genesis", "signatures", "receipts", "proofs", "chains", "mutations")) {
      try {
        for (String line : Files.readAllLines(DIRECTORY.resolve(name + ".jsonl"))) {
          corpus.add(new Item(JsonParser.parseString(line).getAsJsonObject()));
        }
      } catch (IOException failed) {
        throw new UncheckedIOException(failed);
      }
    }
    return corpus;
  }

  private void add(Item item) {
    items.add(item);
    if (item.kind().equals("genesis")) {
      genesis.put(item.text("name"), Genesis.parse(item.bytes("file")));
    }
  }

  public List<Item> items() {
    return items;
  }

  public Item first(String kind) {
    return items.stream().filter(each -> each.kind().equals(kind)).findFirst().orElseThrow();
  }

  public Genesis genesis(String name) {
    return genesis.get(name);
  }

  /** The receipts that hold. */
  public List<Item> validReceipts() {
    return items.stream()
        .filter(each -> each.kind().equals("receipt") && each.facts() != null)
        .toList();
  }

  /** The first chain that holds. */
  public Item validChain() {
    return items.stream()
        .filter(each -> each.kind().equals("chain") && each.facts() != null)
        .findFirst()
        .orElseThrow();
  }

  private static byte[] decoded(JsonElement base64) {
    return Base64.getDecoder().decode(base64.getAsString());
  }
}
