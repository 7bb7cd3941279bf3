package bss.client;

import bss.v1.Records.Submission;
import bss.v1.SubmitResponse;

/**
 * What became of one submission of a stream.
 *
 * @param index the place of the submission in the source, from 0; outcomes come as they are final,
 *     in any order
 * @param response an outcome for each record; null if the submission was refused as a whole
 * @param refusal why it was refused as a whole; else null
 */
public record SubmissionOutcome(
    long index, Submission submission, SubmitResponse response, BssException refusal) {}
