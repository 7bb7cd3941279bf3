package bss.records;

import bss.v1.Records.Submission;
import bss.v1.Records.SubmissionHeader;
import bss.verify.Digests;
import bss.verify.Ed25519;
import bss.verify.Hash;
import com.google.protobuf.ByteString;
import java.security.PrivateKey;
import java.util.List;

/** Signs records for submission. */
public final class Submissions {
  private Submissions() {}

  /**
   * Signs the exact bytes of 1 to policy.submission_records_max records in a participant's name:
   * the records' owner, or an agent of each owner. The same records always give the same
   * submission.
   */
  public static Submission sign(
      Hash consortiumId, String participantId, PrivateKey key, List<byte[]> records) {
    SubmissionHeader.Builder header =
        SubmissionHeader.newBuilder()
            .setConsortiumId(consortiumId.toByteString())
            .setParticipantId(participantId);
    Submission.Builder submission = Submission.newBuilder();
    for (byte[] record : records) {
      header.addRecordHashes(Digests.record(consortiumId, record).toByteString());
      submission.addRecords(ByteString.copyFrom(record));
    }
    byte[] encoded = header.build().toByteArray();
    byte[] signature = Ed25519.sign(key, Digests.submission(encoded));
    return submission
        .setHeader(ByteString.copyFrom(encoded))
        .setSignature(ByteString.copyFrom(signature))
        .build();
  }
}
