package bss.chain;

import bss.v1.StorageNodeEntry;
import java.math.BigInteger;

/**
 * One change of a storage node's credit, reward or status.
 *
 * @param height that of the block that makes the change
 * @param aboutHeight that of the block that it is about: the attested one; else the same
 * @param credit the credit after the change
 * @param creditDelta by how much the credit changed
 * @param rewardDelta the reward units that were earned by it
 * @param paidDelta the reward units that were paid
 */
public record StandingChange(
    String nodeId,
    Kind kind,
    long height,
    long aboutHeight,
    int credit,
    int creditDelta,
    BigInteger rewardDelta,
    BigInteger paidDelta) {

  /** What moved a storage node's standing. */
  public enum Kind {
    /** A block's integrity certificate names the node. */
    MATCH("match"),
    /** Its MATCH came after the certificate was complete. */
    LATE("late"),
    /** No block carried an attestation of it in time. */
    UNSEEN("unseen"),
    /** It attested another root or tree size than the block's. */
    MISMATCH("mismatch"),
    AUDIT_FAILED("audit-failed"),
    AUDIT_PASSED("audit-passed"),
    ADMITTED("admitted"),
    UNREACHABLE("unreachable"),
    RETURNED("returned"),
    BOYCOTTED("boycotted"),
    RETIRED("retired"),
    PAID("paid");

    private final String label;

    Kind(String label) {
      this.label = label;
    }

    /** The name that the clients of all languages use. */
    public String label() {
      return label;
    }
  }

  /**
   * From one entry of a node to the next; for a new one, {@code before} is the default instance.
   */
  static StandingChange between(
      StorageNodeEntry before, StorageNodeEntry after, Kind kind, long height, long aboutHeight) {
    return new StandingChange(
        after.getAdmission().getNodeId(),
        kind,
        height,
        aboutHeight,
        after.getCredit(),
        after.getCredit() - before.getCredit(),
        Credit.unsigned(after.getReward()).subtract(Credit.unsigned(before.getReward())),
        Credit.unsigned(after.getPaid()).subtract(Credit.unsigned(before.getPaid())));
  }
}
