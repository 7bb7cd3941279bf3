package bss.client;

import bss.v1.RecordEntry;
import bss.v1.Records.Record;
import bss.verify.Digests;
import bss.verify.Hash;
import bss.verify.Wire;
import com.google.protobuf.InvalidProtocolBufferException;
import java.time.Instant;

/**
 * A record as far as the caller may see it.
 *
 * @param height what the answering manager says; a receipt proves it, as it does the position
 * @param bytes the exact ones, checked against the hash; null for callers that are not a party of
 *     the record
 * @param record the same decoded
 * @param successor the version that updates this one, as the manager says; null for the latest
 */
public record LedgerRecord(
    Hash hash,
    long height,
    long position,
    Hash sealDigest,
    byte[] bytes,
    Record record,
    Hash successor) {

  /**
   * Which records to list: those of one participant or of one meter. A reading's time is the END of
   * its interval, unless it was given another: the one of [s, s+i) is found between s+i and s+i plus
   * a millisecond.
   *
   * @param participantId empty for a meter
   * @param meterId empty for a participant
   * @param from bounds the records' times, inclusive; null for all
   * @param to bounds the records' times, exclusive; null for all
   */
  public record Query(String participantId, String meterId, Instant from, Instant to) {
    /** Those of one participant. */
    public static Query ofParticipant(String id) {
      return new Query(id, "", null, null);
    }

    /** Those of one meter. */
    public static Query ofMeter(String id) {
      return new Query("", id, null, null);
    }

    /** The same within these times. */
    public Query between(Instant start, Instant end) {
      return new Query(participantId, meterId, start, end);
    }
  }

  @Override
  public String toString() {
    String what = record == null ? "not readable" : record.getPayloadCase().toString();
    String next = successor == null ? "" : ", updated by " + successor;
    return "record " + hash + " at " + position + " in block " + height + " (" + what + ")" + next;
  }

  /** A record of an answer, whose content has the hash that it is called by. */
  static LedgerRecord checked(RecordEntry entry, Hash consortiumId) {
    if (!Hash.isHash(entry.getRecordHash()) || !Hash.isHash(entry.getSealDigest())) {
      throw new UntrueAnswerException("the answer holds no record");
    }
    Hash hash = Hash.of(entry.getRecordHash());
    byte[] bytes = entry.hasRecord() ? entry.getRecord().toByteArray() : null;
    return new LedgerRecord(
        hash,
        entry.getHeight(),
        entry.getPosition(),
        Hash.of(entry.getSealDigest()),
        bytes,
        bytes == null ? null : decoded(bytes, hash, consortiumId),
        Hash.isHash(entry.getSuccessor()) ? Hash.of(entry.getSuccessor()) : null);
  }

  private static Record decoded(byte[] bytes, Hash hash, Hash consortiumId) {
    try {
      Record record = Record.parseFrom(bytes);
      boolean isHashed = Digests.record(consortiumId, bytes).equals(hash);
      if (isHashed && !Wire.hasUnknownFields(record)) {
        return record;
      }
    } catch (InvalidProtocolBufferException notOne) {
      // Said below.
    }
    throw new UntrueAnswerException("the content of record " + hash + " is not what was hashed");
  }
}
