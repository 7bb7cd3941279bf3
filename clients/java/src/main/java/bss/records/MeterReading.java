package bss.records;

import bss.v1.Records;
import java.time.Duration;
import java.time.Instant;

/**
 * Energy that a registered meter measured in one interval. A reading for which neither direction was
 * said is one of 0 Wh, and final: leave an interval without a value out.
 */
public final class MeterReading extends RecordBuilder<MeterReading> {
  private final String meterId;
  private final Instant start;
  private final Duration interval;
  private long importedWh;
  private long exportedWh;

  /**
   * The start is the policy's delivery offset after a multiple of the interval, the meter's
   * registered one.
   */
  public MeterReading(String ownerId, String meterId, Instant start, Duration interval) {
    super(ownerId);
    this.meterId = meterId;
    this.start = start;
    this.interval = interval;
  }

  /** Wh taken from the grid; 0 when left out. */
  public MeterReading importedWh(long energy) {
    importedWh = notNegative(energy);
    return this;
  }

  /** Wh given to the grid; 0 when left out. */
  public MeterReading exportedWh(long energy) {
    exportedWh = notNegative(energy);
    return this;
  }

  @Override
  Instant putPayload(Records.Record.Builder record) {
    record.setMeterReading(
        Records.MeterReading.newBuilder()
            .setMeterId(meterId)
            .setIntervalStartUnixS(seconds(start))
            .setIntervalS(seconds(interval))
            .setImportedWh(importedWh)
            .setExportedWh(exportedWh));
    return start.plus(interval);
  }

  @Override
  MeterReading self() {
    return this;
  }
}
