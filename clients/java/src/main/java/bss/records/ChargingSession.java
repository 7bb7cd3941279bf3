package bss.records;

import bss.v1.Records;
import java.time.Instant;

/** One charging session of an electric vehicle. */
public final class ChargingSession extends RecordBuilder<ChargingSession> {
  private final String stationId;
  private final Instant start;
  private final Instant end;
  private final long energyWh;

  public ChargingSession(
      String ownerId, String stationId, Instant start, Instant end, long energyWh) {
    super(ownerId);
    this.stationId = stationId;
    this.start = start;
    this.end = end;
    this.energyWh = energyWh;
  }

  @Override
  Instant putPayload(Records.Record.Builder record) {
    record.setChargingSession(
        Records.ChargingSession.newBuilder()
            .setStationId(stationId)
            .setStartUnixS(seconds(start))
            .setEndUnixS(seconds(end))
            .setEnergyWh(notNegative(energyWh)));
    return end;
  }

  @Override
  ChargingSession self() {
    return this;
  }
}
