package org.example;

import bss.client.BssException;
import bss.client.Client;
import bss.profile.Profile;
import bss.records.LoadProfile;
import bss.records.MeterReading;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;

/** Submits a meter reading and a load profile, and verifies their receipts: PROFILE METER START. */
public final class Submit {
  public static void main(String[] args) {
    Profile profile = Profile.read(Path.of(args[0]));
    Instant start = Instant.parse(args[2]);
    Duration hour = Duration.ofHours(1);
    try (Client client = new Client(profile)) {
      byte[] reading =
          new MeterReading(profile.id(), args[1], start, hour).importedWh(412).toBytes();
      byte[] load = new LoadProfile(profile.id(), args[1], start.plus(hour), hour)
          .measured(300, 0).absent().estimated(0, 1250).toBytes();
      var submission = client.sign(reading, load); // keep it to send it again
      for (var outcome : client.submit(submission).getOutcomesList()) {
        var objection = BssException.ofObjection(outcome);
        if (objection.isPresent()) throw objection.get();
      }
      for (byte[] record : new byte[][] {reading, load}) {
        var facts = client.getReceipt(client.recordHash(record)).facts();
        System.out.println(facts.recordHash() + " is in block " + facts.height());
      }
    }
  }
}
