package bss.verify;

import com.google.protobuf.ByteString;
import java.util.Arrays;
import java.util.HexFormat;

/** A SHA-256 digest, as every hash of the protocol is. It prints as hex. */
public final class Hash {
  /** The length of every hash. */
  public static final int BYTES = 32;

  private final byte[] bytes;

  private Hash(byte[] bytes) {
    this.bytes = bytes;
  }

  /** Takes 32 bytes, and throws {@link IllegalArgumentException} for others. */
  public static Hash of(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException("a hash has 32 bytes, not " + bytes.length);
    }
    return new Hash(bytes.clone());
  }

  /** Takes 32 bytes, and throws {@link IllegalArgumentException} for others. */
  public static Hash of(ByteString bytes) {
    return of(bytes.toByteArray());
  }

  /** Reads 64 hex digits. */
  public static Hash parse(String digits) {
    try {
      return of(HexFormat.of().parseHex(digits));
    } catch (IllegalArgumentException wrong) {
      throw new IllegalArgumentException("a hash has 64 hex digits", wrong);
    }
  }

  /** Whether these bytes have the length of a hash. */
  public static boolean isHash(ByteString bytes) {
    return bytes.size() == BYTES;
  }

  /** A copy of the 32 bytes. */
  public byte[] toBytes() {
    return bytes.clone();
  }

  /** The 32 bytes as protocol buffers have them. */
  public ByteString toByteString() {
    return ByteString.copyFrom(bytes);
  }

  /** Whether these are the bytes of this hash. */
  public boolean is(ByteString other) {
    return toByteString().equals(other);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Hash hash && Arrays.equals(bytes, hash.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return HexFormat.of().formatHex(bytes);
  }
}
