package bss.records;

import bss.v1.Records;
import bss.v1.Records.ProfileRun;
import bss.v1.Records.ValueQuality;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Energy that a registered meter measured in consecutive intervals, up to 31 days. Its values are
 * added in order, one for each interval.
 */
public final class LoadProfile extends RecordBuilder<LoadProfile> {
  private final String meterId;
  private final Instant start;
  private final Duration interval;
  private final List<Value> values = new ArrayList<>();
  private Records.RegisterReading registerStart;
  private Records.RegisterReading registerEnd;

  private record Value(ValueQuality quality, int importedWh, int exportedWh) {}

  /**
   * The start is the policy's delivery offset after a multiple of the interval, the meter's
   * registered one.
   */
  public LoadProfile(String ownerId, String meterId, Instant start, Duration interval) {
    super(ownerId);
    this.meterId = meterId;
    this.start = start;
    this.interval = interval;
  }

  /** There is no value for the next interval, which stays free. */
  public LoadProfile absent() {
    return add(ValueQuality.VALUE_QUALITY_ABSENT, 0, 0);
  }

  /** What was measured in the next interval. */
  public LoadProfile measured(long importedWh, long exportedWh) {
    return add(ValueQuality.VALUE_QUALITY_MEASURED, importedWh, exportedWh);
  }

  /** Made in place of a measurement that may still come. */
  public LoadProfile estimated(long importedWh, long exportedWh) {
    return add(ValueQuality.VALUE_QUALITY_ESTIMATED, importedWh, exportedWh);
  }

  /** Made in place of a measurement that is missing or wrong. */
  public LoadProfile substituted(long importedWh, long exportedWh) {
    return add(ValueQuality.VALUE_QUALITY_SUBSTITUTED, importedWh, exportedWh);
  }

  private LoadProfile add(ValueQuality quality, long importedWh, long exportedWh) {
    values.add(new Value(quality, uint32(importedWh), uint32(exportedWh)));
    return this;
  }

  private static int uint32(long energy) {
    if (energy < 0 || energy > 0xffff_ffffL) {
      throw new IllegalArgumentException("a value is from 0 to 2^32-1 Wh, not " + energy);
    }
    return (int) energy;
  }

  /** What the meter's counters showed at the start; may be left out. */
  public LoadProfile registerStart(long importedWh, long exportedWh) {
    registerStart = register(importedWh, exportedWh);
    return this;
  }

  /** What the meter's counters showed at the end; may be left out. */
  public LoadProfile registerEnd(long importedWh, long exportedWh) {
    registerEnd = register(importedWh, exportedWh);
    return this;
  }

  private static Records.RegisterReading register(long importedWh, long exportedWh) {
    return Records.RegisterReading.newBuilder()
        .setImportedWh(importedWh)
        .setExportedWh(exportedWh)
        .build();
  }

  @Override
  Instant putPayload(Records.Record.Builder record) {
    List<Value> present =
        values.stream().filter(each -> each.quality != ValueQuality.VALUE_QUALITY_ABSENT).toList();
    Records.LoadProfile.Builder profile =
        Records.LoadProfile.newBuilder()
            .setMeterId(meterId)
            .setStartUnixS(seconds(start))
            .setIntervalS(seconds(interval))
            .addAllRuns(runs())
            .addAllImportedWh(allOrNone(present.stream().map(Value::importedWh).toList()))
            .addAllExportedWh(allOrNone(present.stream().map(Value::exportedWh).toList()));
    if (registerStart != null) {
      profile.setRegisterStart(registerStart);
    }
    if (registerEnd != null) {
      profile.setRegisterEnd(registerEnd);
    }
    record.setLoadProfile(profile);
    return start.plus(interval.multipliedBy(values.size()));
  }

  private List<ProfileRun> runs() {
    List<ProfileRun> runs = new ArrayList<>();
    for (Value value : values) {
      int last = runs.size() - 1;
      if (last >= 0 && runs.get(last).getQuality() == value.quality) {
        ProfileRun run = runs.get(last);
        runs.set(last, run.toBuilder().setCount(run.getCount() + 1).build());
      } else {
        runs.add(ProfileRun.newBuilder().setCount(1).setQuality(value.quality).build());
      }
    }
    return runs;
  }

  /** Leaves out a list of nothing but 0. */
  private static List<Integer> allOrNone(List<Integer> list) {
    return list.stream().allMatch(value -> value == 0) ? List.of() : list;
  }

  @Override
  LoadProfile self() {
    return this;
  }
}
