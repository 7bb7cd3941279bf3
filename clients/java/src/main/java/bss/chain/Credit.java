package bss.chain;

import bss.v1.Policy;
import bss.v1.StorageNodeEntry;
import bss.v1.StorageTotals;
import java.math.BigInteger;

/** What a storage node's credit and reward come to. Amounts of 64 bits are unsigned. */
final class Credit {
  static final int AT_ADMISSION = 100;
  private static final int MAX = 1000;
  private static final BigInteger UNITS_MAX =
      BigInteger.TWO.pow(64).subtract(BigInteger.ONE);
  private static final BigInteger BYTE_MS_PER_KIB_SECOND = BigInteger.valueOf(1_024_000);
  private static final BigInteger KIB_SECONDS_PER_GIB_DAY =
      BigInteger.valueOf((1L << 20) * 86_400);

  private Credit() {}

  static BigInteger unsigned(long value) {
    return new BigInteger(Long.toUnsignedString(value));
  }

  /**
   * A node's credit after a movement. A MATCH that came late gives back what the node has lost by
   * not being seen, and no more.
   */
  static int after(StandingChange.Kind kind, int credit) {
    if (kind == StandingChange.Kind.LATE && credit >= AT_ADMISSION) {
      return credit;
    }
    int movement =
        switch (kind) {
          case MATCH, LATE -> 1;
          case UNSEEN -> -1;
          case MISMATCH -> -50;
          case AUDIT_FAILED -> -100;
          default -> 0;
        };
    return Math.min(MAX, Math.max(0, credit + movement));
  }

  /** Adds the bytes that are stored, for a time. */
  static StorageTotals totalsUntil(StorageTotals totals, long elapsedMs) {
    BigInteger[] parts =
        unsigned(totals.getSealedBytes())
            .multiply(BigInteger.valueOf(elapsedMs))
            .add(unsigned(totals.getRemainder()))
            .divideAndRemainder(BYTE_MS_PER_KIB_SECOND);
    return totals.toBuilder()
        .setKibSeconds(added(totals.getKibSeconds(), parts[0]))
        .setRemainder(parts[1].longValue())
        .build();
  }

  /**
   * Adds what a node has earned by storing until now. What is earned since genesis is rounded, not
   * each stretch.
   */
  static void rewardForStoring(
      StorageNodeEntry.Builder node, long kibSeconds, Policy policy) {
    if (!node.getAuditFailed()) {
      BigInteger units =
          earnedUntil(kibSeconds, policy)
              .subtract(earnedUntil(node.getRewardedKibSeconds(), policy));
      node.setReward(added(node.getReward(), units));
    }
    node.setRewardedKibSeconds(kibSeconds);
  }

  private static BigInteger earnedUntil(long kibSeconds, Policy policy) {
    BigInteger units = unsigned(kibSeconds).multiply(unsigned(policy.getStorageReward()));
    return units.divide(KIB_SECONDS_PER_GIB_DAY);
  }

  /** A sum that fits 64 bits and never wraps around. */
  static long added(long before, BigInteger units) {
    return unsigned(before).add(units).min(UNITS_MAX).longValue();
  }
}
