package bss.client;

import bss.v1.Records.Submission;
import bss.v1.SubmitResponse;
import java.util.List;

/**
 * What became of one submission of a stream. Call {@link #orThrow}, or look at {@link #refusals}: a
 * record may have been refused although {@code refusal} is null.
 *
 * @param index the place of the submission in the source, from 0; outcomes come as they are final,
 *     in any order
 * @param response an outcome for each record, its place or an objection; null if the submission was
 *     refused as a whole
 * @param refusal why it was refused as a whole; else null
 */
public record SubmissionOutcome(
    long index, Submission submission, SubmitResponse response, BssException refusal) {

  /** That of the whole submission, or those of its records; empty if all were taken. */
  public List<BssException> refusals() {
    return refusal == null ? BssException.refusals(response) : List.of(refusal);
  }

  /**
   * The response if all of the submission was taken; otherwise throws the refusal of the whole, or
   * that of the first record that was refused.
   */
  public SubmitResponse orThrow() {
    if (refusal != null) {
      throw refusal;
    }
    return BssException.orThrow(response);
  }
}
