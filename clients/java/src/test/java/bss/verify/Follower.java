package bss.verify;

import bss.chain.Chain;
import bss.chain.ChainBlock;
import bss.v1.BlockView;
import bss.verify.NotProvenException.Step;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.protobuf.InvalidProtocolBufferException;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A chain and what it has proven, as the corpus shows it. */
final class Follower {
  private final Chain chain;
  private final JsonArray operations = new JsonArray();
  private final Map<String, JsonArray> changes = new HashMap<>();

  Follower(Genesis genesis, List<byte[]> blocks) {
    chain = new Chain(genesis);
    blocks.forEach(this::add);
  }

  void add(byte[] encoded) {
    BlockView view;
    try {
      view = BlockView.parseFrom(encoded);
    } catch (InvalidProtocolBufferException wrong) {
      throw new NotProvenException(Step.ENCODING, wrong.getMessage());
    }
    ChainBlock added = chain.add(view);
    added
        .block()
        .operations()
        .forEach(each -> operations.add(each.getOperationCase().name().toLowerCase()));
    added
        .changes()
        .forEach(
            each ->
                changes
                    .computeIfAbsent(each.nodeId(), id -> new JsonArray())
                    .add(each.kind().label()));
  }

  JsonObject facts() {
    JsonObject facts = new JsonObject();
    facts.addProperty("height", chain.height());
    facts.addProperty("blockId", base64(chain.id()));
    facts.addProperty("treeSize", chain.treeSize());
    facts.addProperty("root", base64(chain.root()));
    facts.add("operations", operations.deepCopy());
    JsonArray nodes = new JsonArray();
    for (var node : chain.storageNodes()) {
      JsonObject each = new JsonObject();
      String id = node.getAdmission().getNodeId();
      each.addProperty("id", id);
      each.addProperty("credit", node.getCredit());
      each.addProperty("reward", Long.toUnsignedString(node.getReward()));
      each.addProperty("paid", Long.toUnsignedString(node.getPaid()));
      each.add("changes", changes.getOrDefault(id, new JsonArray()).deepCopy());
      nodes.add(each);
    }
    facts.add("nodes", nodes);
    return facts;
  }

  static String base64(Hash hash) {
    return Base64.getEncoder().encodeToString(hash.toBytes());
  }
}
