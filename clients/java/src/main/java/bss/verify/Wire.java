package bss.verify;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import java.util.List;
import java.util.Optional;

/** Strict reading of protocol buffers: nothing is believed of bytes that say more than is known. */
public final class Wire {
  /** The largest integer that every language's client holds exactly, 2^53-1. */
  private static final long SAFE_MAX = (1L << 53) - 1;

  private Wire() {}

  /** Whether a number may stand in the ledger. Those from 2^63 on are negative in Java. */
  static boolean isSafe(long value) {
    return value >= 0 && value <= SAFE_MAX;
  }

  /**
   * Reads bytes of which there is one encoding: fields ascending, defaults left out, none unknown.
   * Empty for all others.
   */
  public static <M extends Message> Optional<M> decodeCanonical(
      ByteString encoded, Parser<M> parser) {
    try {
      M message = parser.parseFrom(encoded);
      boolean isCanonical = !hasUnknownFields(message) && message.toByteString().equals(encoded);
      return isCanonical ? Optional.of(message) : Optional.empty();
    } catch (InvalidProtocolBufferException notOne) {
      return Optional.empty();
    }
  }

  /** Whether a message, or one within it, carries fields that this version does not know. */
  public static boolean hasUnknownFields(Message message) {
    if (message.getUnknownFields().getSerializedSize() > 0) {
      return true;
    }
    return message.getAllFields().values().stream().anyMatch(Wire::holdsUnknownFields);
  }

  private static boolean holdsUnknownFields(Object value) {
    if (value instanceof List<?> list) {
      return list.stream().anyMatch(Wire::holdsUnknownFields);
    }
    return value instanceof Message message && hasUnknownFields(message);
  }
}
