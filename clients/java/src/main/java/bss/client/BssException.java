package bss.client;

import bss.v1.Objection;
import bss.v1.RecordOutcome;
import bss.v1.Refusal;
import bss.v1.SubmitResponse;
import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** A refusal by a node, or that none could be reached. */
public final class BssException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  // Reasons of the client's own.
  static final String UNREACHABLE = "NODE_UNREACHABLE";
  static final String DEADLINE = "DEADLINE";
  static final String CANCELLED = "CANCELLED";
  static final String STOPPING = "NODE_STOPPING";

  /** The fact that says to which manager the client has gone on. */
  private static final String GOING_ON_AT = "going_on_at";

  // What the client says of a deadline of its own, and when docs/errors.md says to try again.
  private static final String DEADLINE_MESSAGE =
      "no answer before the deadline; nothing is lost: send the same again";
  private static final Duration DEADLINE_RETRY_AFTER = Duration.ofSeconds(1);

  private static final String DOMAIN = "bss";
  private static final String ALERT = "fatal alert";

  private final String reason;
  private final Status.Code code;
  private String field = "";
  private Duration retryAfter = Duration.ZERO;
  private transient Map<String, String> metadata = Map.of();

  BssException(String reason, Status.Code code, String message, Throwable cause) {
    super(message, cause);
    this.reason = reason;
    this.code = code;
  }

  /** What a call failed with, whether the node, gRPC or the network made the error. */
  static BssException of(Throwable error) {
    if (error instanceof BssException known) {
      return known;
    }
    Status status = Status.fromThrowable(error);
    Details details = new Details();
    com.google.rpc.Status sent = StatusProto.fromThrowable(error);
    if (sent != null) {
      sent.getDetailsList().forEach(details::read);
    }
    String reason = details.reason == null ? localReason(status.getCode()) : details.reason;
    boolean isOwnDeadline = details.reason == null && reason.equals(DEADLINE);
    String message = isOwnDeadline ? DEADLINE_MESSAGE : messageOf(status);
    BssException made = new BssException(reason, status.getCode(), message, error);
    made.field = details.field;
    made.retryAfter = isOwnDeadline ? DEADLINE_RETRY_AFTER : details.retryAfter;
    made.metadata = details.metadata;
    return made;
  }

  /** The parts of google.rpc that a node sends with a refusal. */
  private static final class Details {
    String reason;
    String field = "";
    Duration retryAfter = Duration.ZERO;
    Map<String, String> metadata = Map.of();

    void read(Any detail) {
      try {
        if (detail.is(ErrorInfo.class)) {
          ErrorInfo info = detail.unpack(ErrorInfo.class);
          if (info.getDomain().equals(DOMAIN)) {
            reason = info.getReason();
            metadata = Map.copyOf(info.getMetadataMap());
          }
        } else if (detail.is(BadRequest.class)) {
          BadRequest request = detail.unpack(BadRequest.class);
          field = request.getFieldViolationsCount() == 0
              ? ""
              : request.getFieldViolations(0).getField();
        } else if (detail.is(RetryInfo.class)) {
          var delay = detail.unpack(RetryInfo.class).getRetryDelay();
          retryAfter = Duration.ofSeconds(delay.getSeconds(), delay.getNanos());
        }
      } catch (InvalidProtocolBufferException broken) {
        // A detail that does not decode says nothing; the status holds without it.
      }
    }
  }

  /** For statuses that gRPC makes by itself, without our details. */
  private static String localReason(Status.Code code) {
    return switch (code) {
      case CANCELLED -> CANCELLED;
      case DEADLINE_EXCEEDED -> DEADLINE;
      case RESOURCE_EXHAUSTED -> "MESSAGE_TOO_LARGE";
      case UNAVAILABLE -> UNREACHABLE;
      case UNIMPLEMENTED -> "METHOD_UNIMPLEMENTED";
      default -> "INTERNAL";
    };
  }

  private static String messageOf(Status status) {
    String description = status.getDescription();
    Throwable root = status.getCause();
    while (root != null && root.getCause() != null) {
      root = root.getCause();
    }
    if (root != null && root.getMessage() != null) {
      return root.getMessage();
    }
    // gRPC adds lines about its own pipeline.
    String text = description == null ? status.getCode().name() : description;
    return text.lines().findFirst().orElse("");
  }

  /** A refusal on a stream. */
  static BssException of(Refusal refusal) {
    Status.Code code = Status.fromCodeValue(refusal.getCode()).getCode();
    BssException made = new BssException(refusal.getReason(), code, refusal.getMessage(), null);
    made.field = refusal.getField();
    made.retryAfter = Duration.ofMillis(Integer.toUnsignedLong(refusal.getRetryAfterMs()));
    return made;
  }

  /**
   * Why one record of a submission that was taken is refused; empty if it is not. Its field is the
   * path within the record; {@link #refusals} says which record.
   */
  public static Optional<BssException> ofObjection(RecordOutcome outcome) {
    if (!outcome.hasObjection()) {
      return Optional.empty();
    }
    return Optional.of(of(outcome.getObjection(), "", Map.of()));
  }

  private static BssException of(Objection objection, String place, Map<String, String> facts) {
    BssException made =
        new BssException(
            objection.getReason(), Status.Code.FAILED_PRECONDITION, objection.getMessage(), null);
    boolean isWhole = place.isEmpty() || objection.getField().isEmpty();
    made.field = place + (isWhole ? "" : ".") + objection.getField();
    made.metadata = facts;
    if (!objection.getStandingRecordHash().isEmpty()) {
      made.metadata = new HashMap<>(facts);
      byte[] standing = objection.getStandingRecordHash().toByteArray();
      made.metadata.put("record_hash", HexFormat.of().formatHex(standing));
    }
    return made;
  }

  /**
   * The refusals of a submission's records, in their order; empty if all were taken. A field begins
   * with the record's place in the submission, as when every record is refused.
   */
  public static List<BssException> refusals(SubmitResponse answer) {
    List<RecordOutcome> outcomes = answer.getOutcomesList();
    long count = outcomes.stream().filter(RecordOutcome::hasObjection).count();
    Map<String, String> facts = Map.of("refused_records", String.valueOf(count));
    return IntStream.range(0, outcomes.size())
        .filter(i -> outcomes.get(i).hasObjection())
        .mapToObj(
            i -> of(outcomes.get(i).getObjection(), "submission.records[" + i + "]", facts))
        .toList();
  }

  /**
   * Gives the answer back if no record of the submission was refused; otherwise throws the first
   * one's refusal, as submit does when every record is refused. Its metadata "refused_records"
   * counts them.
   */
  public static SubmitResponse orThrow(SubmitResponse answer) {
    for (BssException refusal : refusals(answer)) {
      throw refusal;
    }
    return answer;
  }

  static BssException cancelled(String message, Throwable cause) {
    return new BssException(CANCELLED, Status.Code.CANCELLED, message, cause);
  }

  /** Says why the client goes on at another manager. */
  static BssException left(String address, String reason, String goingOnAt) {
    String message = address + " " + reason + "; going on at " + goingOnAt;
    var made = new BssException(UNREACHABLE, Status.Code.UNAVAILABLE, message, null);
    made.metadata = Map.of(GOING_ON_AT, goingOnAt);
    return made;
  }

  /** The manager at which the client goes on; null if the failed one was not left for it. */
  String goingOnAt() {
    return metadata().get(GOING_ON_AT);
  }

  /** Keeps the thread's mark of the interruption, and says that the call ended by it. */
  static BssException interrupted(InterruptedException cause) {
    Thread.currentThread().interrupt();
    return cancelled("the calling thread was interrupted", cause);
  }

  /** The same with the address of the manager that failed. */
  BssException at(String address) {
    return text().contains(address) ? this : withMessage(address + ": " + text());
  }

  /** The same with another message, because of this one. */
  BssException withMessage(String message) {
    BssException made = new BssException(reason, code, message, this);
    made.field = field;
    made.retryAfter = retryAfter;
    made.metadata = metadata;
    return made;
  }

  /** What happened, for people, with the reason. */
  @Override
  public String getMessage() {
    String place = field.isEmpty() ? "" : field + ": ";
    return place + super.getMessage() + " [" + reason + "]";
  }

  /** What happened, for people. */
  public String text() {
    return super.getMessage();
  }

  /**
   * Stable and listed in docs/errors.md, for instance "DOUBLE_SPEND". Branch on it, never on the
   * message. The client's own are NODE_UNREACHABLE, DEADLINE and CANCELLED.
   */
  public String reason() {
    return reason;
  }

  /** The gRPC status. */
  public Status.Code code() {
    return code;
  }

  /** The path of the field at fault, for instance "submission.records[3].salt"; may be empty. */
  public String field() {
    return field;
  }

  /** Facts for programs. */
  public Map<String, String> metadata() {
    return metadata == null ? Map.of() : metadata;
  }

  /** How long to wait before trying again; zero if nobody has said so. */
  public Duration retryAfter() {
    return retryAfter;
  }

  /**
   * Whether the same call, with the same bytes, may succeed later or at another manager. So it may
   * after a DEADLINE, the client's own too: nothing is lost, and the same submission again gets the
   * same places.
   */
  public boolean isRetryable() {
    return !retryAfter.isZero()
        || code == Status.Code.UNAVAILABLE
        || code == Status.Code.DEADLINE_EXCEEDED;
  }

  /** Also for what ended at one manager only: a node that stops cancels its calls. */
  boolean mayRepeat() {
    return isRetryable() || code == Status.Code.CANCELLED;
  }

  /** Whether the node itself seems to have failed, or the connection in the middle of a message. */
  boolean isFault() {
    return code == Status.Code.INTERNAL || code == Status.Code.UNKNOWN;
  }

  /** Whether no connection could be made, or it broke; not if it was left for a better manager. */
  boolean isUnreachable() {
    return !isAnswer() && goingOnAt() == null;
  }

  /** Whether the manager itself has said this. */
  boolean isAnswer() {
    return !reason.equals(UNREACHABLE);
  }

  /** Whether TLS refused the connection, and would refuse it again. */
  boolean isTlsFailure() {
    if (!isUnreachable()) {
      return false;
    }
    for (Throwable each = getCause(); each != null; each = each.getCause()) {
      String message = each.getMessage();
      boolean isAlert = message != null && message.contains(ALERT);
      if (each instanceof CertificateException || isAlert) {
        return true;
      }
    }
    return false;
  }
}
