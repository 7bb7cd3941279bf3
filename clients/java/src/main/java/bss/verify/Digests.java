package bss.verify;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * What is hashed and signed: SHA-256 over a tag, which says what the digest is of, and the parts.
 */
public final class Digests {
  static final String BODY = "bss/v1/body";
  static final String CERTIFICATES = "bss/v1/certificates";
  private static final String RECORD = "bss/v1/record";
  private static final String SUBMISSION = "bss/v1/submission";
  private static final String TRADE = "bss/v1/trade";
  private static final String BLOCK = "bss/v1/block";
  private static final String COMMIT = "bss/v1/commit";

  private Digests() {}

  /** The "data hash" of a record's exact bytes. */
  public static Hash record(Hash consortiumId, byte[] record) {
    return tagged(RECORD, consortiumId.toBytes(), record);
  }

  /** What the submitter signs, of the exact bytes of a SubmissionHeader. */
  public static Hash submission(byte[] header) {
    return tagged(SUBMISSION, header);
  }

  /** What both parties of a trade sign, of the exact bytes of its TradeTerms. */
  public static Hash trade(Hash consortiumId, byte[] terms) {
    return tagged(TRADE, consortiumId.toBytes(), terms);
  }

  /** The id of the block with these exact bytes of a ManagerBlockHeader. */
  public static Hash block(ByteString header) {
    return tagged(BLOCK, header.toByteArray());
  }

  /** What a manager signs in a COMMIT. */
  static Hash commit(Message commit) {
    return tagged(COMMIT, commit.toByteArray());
  }

  static Hash tagged(String tag, byte[]... parts) {
    MessageDigest digest = sha256();
    digest.update(tag.getBytes(StandardCharsets.US_ASCII));
    for (byte[] part : parts) {
      digest.update(part);
    }
    return Hash.of(digest.digest());
  }

  /** SHA-256 without a tag. */
  public static Hash plain(byte[] bytes) {
    return Hash.of(sha256().digest(bytes));
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every Java has SHA-256", impossible);
    }
  }
}
