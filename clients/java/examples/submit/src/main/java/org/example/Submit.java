package org.example;

import bss.client.BssException;
import bss.client.Client;
import bss.profile.Profile;
import bss.records.LoadProfile;
import bss.records.MeterReading;
import bss.verify.Receipts;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;

/** Submits a reading and a load profile, keeps a receipt, and verifies it: PROFILE METER START. */
public final class Submit {
  public static void main(String[] args) throws Exception {
    if (args.length != 3) throw new IllegalArgumentException("give PROFILE METER START");
    Profile profile = Profile.read(Path.of(args[0]));
    Instant start = Instant.parse(args[2]);
    Duration hour = Duration.ofHours(1);
    byte[] reading =
        new MeterReading(profile.id(), args[1], start, hour).importedWh(412).toBytes();
    byte[] load = new LoadProfile(profile.id(), args[1], start.plus(hour), hour)
        .measured(300, 0).absent().estimated(0, 1250).toBytes();
    try (Client client = new Client(profile)) {
      var submission = client.sign(reading, load);
      // Keep it until the receipts are there: after a failure submit the same one again.
      Path kept = Path.of("submission-" + client.recordHash(reading) + ".bin");
      Files.write(kept, submission.toByteArray());
      BssException.orThrow(client.submit(submission));
      var receipt = client.getReceipt(client.recordHash(reading)).receipt();
      Files.writeString(Path.of("receipt.json"), Receipts.toJson(receipt));
    }
    // Years later, without a connection: all that is trusted is the genesis file.
    var kept = Receipts.fromJson(Files.readString(Path.of("receipt.json")));
    var facts = Receipts.verify(kept, profile.genesis(), reading);
    System.out.println(facts.recordHash() + " is in block " + facts.height());
  }
}
