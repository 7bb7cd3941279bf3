package bss.records;

import bss.v1.Records.Record;
import bss.verify.Hash;
import com.google.protobuf.ByteString;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;

/**
 * Makes a record. A record is its exact bytes: they are hashed, sealed and kept, so whoever makes
 * one keeps the bytes and sends the same ones again after a failure. A builder draws the salt once:
 * {@link #toBytes} gives the same bytes again until something is changed. Another builder with the
 * same values makes another record.
 *
 * <p>Nothing is checked here that the ledger's rules check: a wrong record comes back with its
 * reason.
 *
 * @param <B> the kind of record
 */
public abstract class RecordBuilder<B extends RecordBuilder<B>> {
  private static final int RANDOM_BYTES = 16;
  private static final long UINT32_MAX = 0xffff_ffffL;
  private static final SecureRandom RANDOM = new SecureRandom();

  private final String ownerId;
  private Hash parent;
  private byte[] salt;
  private Instant time;

  /** All but the salt of what was made last, and what was made of it. */
  private Record content;

  private byte[] made;

  RecordBuilder(String ownerId) {
    this.ownerId = ownerId;
  }

  /** The hash of the version that this record updates; none for a first version. */
  public B parent(Hash hash) {
    parent = hash;
    return self();
  }

  /** 16 bytes that nobody can guess; drawn, once, when left out. */
  public B salt(byte[] bytes) {
    salt = bytes.clone();
    return self();
  }

  /**
   * When the recorded fact was complete. When left out it is the end of what is recorded, and of
   * trades and documents the time of the call.
   */
  public B time(Instant at) {
    time = at;
    return self();
  }

  /** The exact bytes of the record; the same ones again until something is changed. */
  public byte[] toBytes() {
    Record.Builder record = Record.newBuilder().setOwnerId(ownerId);
    Instant end = putPayload(record);
    if (parent != null) {
      record.setParent(parent.toByteString());
    }
    if (salt != null) {
      record.setSalt(ByteString.copyFrom(salt));
    }
    if (time != null) {
      record.setTimeUnixMs(time.toEpochMilli());
    }
    Record present = record.build();
    if (!present.equals(content)) {
      content = present;
      record.setSalt(drawn(salt)).setTimeUnixMs((time == null ? end : time).toEpochMilli());
      made = record.build().toByteArray();
    }
    return made.clone();
  }

  /** Puts in what is of this kind, and returns its end. */
  abstract Instant putPayload(Record.Builder record);

  abstract B self();

  static ByteString drawn(byte[] given) {
    if (given != null) {
      return ByteString.copyFrom(given);
    }
    byte[] random = new byte[RANDOM_BYTES];
    RANDOM.nextBytes(random);
    return ByteString.copyFrom(random);
  }

  static long notNegative(long energy) {
    if (energy < 0) {
      throw new IllegalArgumentException("energy is 0 Wh or more, not " + energy);
    }
    return energy;
  }

  /** Refuses what the ledger's whole seconds would cut off. */
  static long seconds(Instant at) {
    if (at.getNano() != 0) {
      throw new IllegalArgumentException("starts and ends are whole seconds, not " + at);
    }
    return at.getEpochSecond();
  }

  static int seconds(Duration interval) {
    long seconds = interval.toSeconds();
    if (interval.getNano() != 0 || seconds < 0 || seconds > UINT32_MAX) {
      throw new IllegalArgumentException(
          "an interval is a number of whole seconds, not " + interval);
    }
    return (int) seconds;
  }
}
