package bss.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import bss.v1.Objection;
import bss.v1.RecordOutcome;
import bss.v1.RecordPlace;
import bss.v1.Records.Submission;
import bss.v1.SubmitResponse;
import com.google.protobuf.ByteString;
import io.grpc.Status;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What was refused of a submission is not overlooked. */
class RefusalsTest {
  private static final RecordOutcome COMMITTED =
      RecordOutcome.newBuilder().setCommitted(RecordPlace.getDefaultInstance()).build();

  private static RecordOutcome objection(String field) {
    return RecordOutcome.newBuilder()
        .setObjection(
            Objection.newBuilder()
                .setReason("INTERVAL_OVERLAP")
                .setField(field)
                .setStandingRecordHash(ByteString.copyFrom(new byte[] {1, 2})))
        .build();
  }

  private static SubmitResponse answer(RecordOutcome... outcomes) {
    return SubmitResponse.newBuilder().addAllOutcomes(List.of(outcomes)).build();
  }

  private static SubmissionOutcome outcome(SubmitResponse response, BssException refusal) {
    return new SubmissionOutcome(0, Submission.getDefaultInstance(), response, refusal);
  }

  @Test
  void ofSomeRecordsIsOneExceptionWithItsPlace() {
    SubmitResponse taken = answer(COMMITTED);
    assertSame(taken, BssException.orThrow(taken));
    assertEquals(List.of(), BssException.refusals(taken));
    SubmitResponse partly = answer(COMMITTED, objection("parent"), objection(""));
    var first = assertThrows(BssException.class, () -> BssException.orThrow(partly));
    assertEquals("INTERVAL_OVERLAP", first.reason());
    assertEquals("submission.records[1].parent", first.field());
    assertEquals(Map.of("refused_records", "2", "record_hash", "0102"), first.metadata());
    assertEquals("submission.records[2]", BssException.refusals(partly).get(1).field());
  }

  @Test
  void ofAStreamAreThoseOfTheWholeOrOfRecords() {
    SubmitResponse taken = answer(COMMITTED);
    assertSame(taken, outcome(taken, null).orThrow());
    assertEquals(List.of(), outcome(taken, null).refusals());
    var whole = new BssException("SIGNATURE_INVALID", Status.Code.INVALID_ARGUMENT, "no", null);
    assertEquals(List.of(whole), outcome(null, whole).refusals());
    assertSame(whole, assertThrows(BssException.class, outcome(null, whole)::orThrow));
    SubmissionOutcome one = outcome(answer(objection("")), null);
    assertEquals(1, one.refusals().size());
    assertThrows(BssException.class, one::orThrow);
  }
}
