package bss.interop;

import bss.client.BssException;
import bss.client.Client;
import bss.client.StreamOptions;
import bss.client.SubmissionOutcome;
import bss.profile.Profile;
import bss.records.LoadProfile;
import bss.records.MeterReading;
import bss.v1.RecordOutcome;
import bss.v1.Records.Submission;
import bss.v1.StorageNodeEntry;
import bss.verify.Block;
import bss.verify.Hash;
import bss.verify.NotProvenException;
import bss.verify.ReceiptFacts;
import bss.verify.Receipts;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.RuntimeVersion;
import io.grpc.internal.GrpcUtil;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Iterator;
import java.util.stream.IntStream;

/**
 * Does what test/interop asks for, one JSON object a line: requests on the standard input, answers
 * on the standard output. The programs of the other languages do the same. Usage: InteropProgram
 * PROFILE
 */
public final class InteropProgram {
  private static final Duration HOUR = Duration.ofHours(1);

  private final Profile profile;
  private final Client client;

  private InteropProgram(Profile profile, Client client) {
    this.profile = profile;
    this.client = client;
  }

  public static void main(String[] args) throws IOException {
    Profile profile = Profile.read(Path.of(args[0]));
    var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (Client client = new Client(profile)) {
      var program = new InteropProgram(profile, client);
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        say(program.answer(JsonParser.parseString(line).getAsJsonObject()));
      }
    }
  }

  private static void say(JsonObject answer) {
    System.out.println(answer);
    System.out.flush();
  }

  private JsonObject answer(JsonObject asked) {
    try {
      return does(asked);
    } catch (RuntimeException failed) {
      JsonObject answer = said("error", String.valueOf(failed.getMessage()));
      if (failed instanceof BssException refused) {
        answer.addProperty("reason", refused.reason());
      }
      return answer;
    }
  }

  private JsonObject does(JsonObject asked) {
    switch (asked.get("do").getAsString()) {
      case "versions":
        return versions();
      case "submit":
        return submit(asked);
      case "stream":
        return stream(asked);
      case "receipt":
        var read = client.getReceipt(Hash.parse(asked.get("hash").getAsString()));
        byte[] encoded = read.receipt().toByteArray();
        JsonObject answer = said("receipt", Base64.getEncoder().encodeToString(encoded));
        answer.add("facts", facts(read.facts()));
        return answer;
      case "verify":
        return verify(Base64.getDecoder().decode(asked.get("receipt").getAsString()));
      case "watch":
        return watch(asked.get("from").getAsLong(), asked.get("to").getAsLong());
      case "statement":
        return statement(asked.get("node").getAsString());
      default:
        throw new IllegalArgumentException("unknown request " + asked);
    }
  }

  private static JsonObject said(String name, String value) {
    JsonObject answer = new JsonObject();
    answer.addProperty(name, value);
    return answer;
  }

  private static JsonObject versions() {
    JsonObject versions = said("java", System.getProperty("java.version"));
    // Such as "grpc-java-netty/1.84.2".
    versions.addProperty("grpc", GrpcUtil.getGrpcBuildVersion().getImplementationVersion());
    versions.addProperty(
        "protobuf",
        RuntimeVersion.MAJOR + "." + RuntimeVersion.MINOR + "." + RuntimeVersion.PATCH);
    JsonObject answer = new JsonObject();
    answer.add("versions", versions);
    return answer;
  }

  private byte[] reading(String meter, Instant start, long importedWh) {
    return new MeterReading(profile.id(), meter, start, HOUR).importedWh(importedWh).toBytes();
  }

  /** Submits a reading and a load profile, and once more the same bytes. */
  private JsonObject submit(JsonObject asked) {
    String meter = asked.get("meter").getAsString();
    Instant start = Instant.ofEpochSecond(asked.get("startS").getAsLong());
    byte[] load =
        new LoadProfile(profile.id(), meter, start.plus(HOUR), HOUR)
            .measured(300, 0)
            .absent()
            .estimated(0, 1250)
            .toBytes();
    Submission submission = client.sign(reading(meter, start, 412), load);
    var first = client.submit(submission);
    var again = client.submit(submission);
    JsonArray hashes = new JsonArray();
    for (int i = 0; i < first.getOutcomesCount(); i++) {
      RecordOutcome outcome = first.getOutcomes(i);
      BssException.ofObjection(outcome)
          .ifPresent(
              objection -> {
                throw objection;
              });
      if (!outcome.getCommitted().equals(again.getOutcomes(i).getCommitted())) {
        throw new IllegalStateException("the same bytes got another place");
      }
      hashes.add(Hash.of(outcome.getRecordHash()).toString());
    }
    JsonObject answer = new JsonObject();
    answer.add("hashes", hashes);
    return answer;
  }

  /** Submits readings, one in each submission. */
  private JsonObject stream(JsonObject asked) {
    String meter = asked.get("meter").getAsString();
    Instant start = Instant.ofEpochSecond(asked.get("startS").getAsLong());
    int count = asked.get("count").getAsInt();
    Iterator<Submission> source =
        IntStream.range(0, count)
            .mapToObj(i -> client.sign(reading(meter, start.plus(HOUR.multipliedBy(i)), i)))
            .iterator();
    String[] hashes = new String[count];
    var options = StreamOptions.DEFAULT.withInFlightMax(8);
    try (var outcomes = client.submitStream(source, options)) {
      for (SubmissionOutcome outcome : outcomes) {
        if (outcome.refusal() != null) {
          throw outcome.refusal();
        }
        var hash = outcome.response().getOutcomes(0).getRecordHash();
        hashes[(int) outcome.index()] = Hash.of(hash).toString();
      }
    }
    JsonArray list = new JsonArray();
    for (String hash : hashes) {
      list.add(hash);
    }
    JsonObject answer = new JsonObject();
    answer.add("hashes", list);
    return answer;
  }

  private JsonObject verify(byte[] encoded) {
    try {
      JsonObject answer = new JsonObject();
      var receipt = Receipts.fromBinary(encoded);
      answer.add("facts", facts(Receipts.verify(receipt, profile.genesis())));
      return answer;
    } catch (NotProvenException refused) {
      return said("refused", refused.step().label());
    }
  }

  private static JsonObject facts(ReceiptFacts proven) {
    JsonObject facts = said("recordHash", proven.recordHash().toString());
    facts.addProperty("height", proven.height());
    facts.addProperty("blockId", proven.blockId().toString());
    facts.addProperty("timeMs", proven.time().toEpochMilli());
    facts.addProperty("position", proven.position());
    facts.addProperty("treeSize", proven.treeSize());
    facts.addProperty("previousTreeSize", proven.previousTreeSize());
    JsonArray signers = new JsonArray();
    proven.signers().forEach(signers::add);
    facts.add("signers", signers);
    return facts;
  }

  private JsonObject watch(long from, long to) {
    try (var blocks = client.watchBlocks(from)) {
      for (Block block : blocks) {
        JsonObject given = said("id", block.id().toString());
        given.addProperty("block", block.height());
        say(given);
        if (block.height() >= to) {
          break;
        }
      }
    }
    JsonObject answer = new JsonObject();
    answer.addProperty("watched", true);
    return answer;
  }

  private JsonObject statement(String nodeId) {
    var statement = client.getStatement(nodeId);
    var node = statement.node().orElse(StorageNodeEntry.getDefaultInstance());
    JsonObject answer = said("reward", Long.toUnsignedString(node.getReward()));
    answer.addProperty("height", statement.height());
    answer.addProperty("credit", node.getCredit());
    answer.addProperty("changes", statement.changes().size());
    return answer;
  }
}
