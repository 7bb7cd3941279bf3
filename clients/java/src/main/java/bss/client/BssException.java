package bss.client;

import bss.v1.Objection;
import bss.v1.RecordOutcome;
import bss.v1.Refusal;
import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** A refusal by a node, or that none could be reached. */
public final class BssException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  // Reasons of the client's own.
  static final String UNREACHABLE = "NODE_UNREACHABLE";
  static final String DEADLINE = "DEADLINE";
  static final String CANCELLED = "CANCELLED";
  static final String STOPPING = "NODE_STOPPING";

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
    BssException made =
        new BssException(reason, status.getCode(), messageOf(status), error);
    made.field = details.field;
    made.retryAfter = details.retryAfter;
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

  /** Why one record of a submission that was taken is refused; empty if it is not. */
  public static Optional<BssException> ofObjection(RecordOutcome outcome) {
    if (!outcome.hasObjection()) {
      return Optional.empty();
    }
    Objection objection = outcome.getObjection();
    BssException made =
        new BssException(
            objection.getReason(), Status.Code.FAILED_PRECONDITION, objection.getMessage(), null);
    made.field = objection.getField();
    return Optional.of(made);
  }

  static BssException cancelled(String message, Throwable cause) {
    return new BssException(CANCELLED, Status.Code.CANCELLED, message, cause);
  }

  /** Keeps the thread's mark of the interruption, and says that the call ended by it. */
  static BssException interrupted(InterruptedException cause) {
    Thread.currentThread().interrupt();
    return cancelled("the calling thread was interrupted", cause);
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

  /** When to try again; zero if trying again does not help. */
  public Duration retryAfter() {
    return retryAfter;
  }

  /** Whether the same call may succeed later, or at another manager. */
  public boolean isRetryable() {
    return !retryAfter.isZero() || code == Status.Code.UNAVAILABLE;
  }

  /** Also for what ended at one manager only: a node that stops cancels its calls. */
  boolean mayRepeat() {
    return isRetryable()
        || code == Status.Code.DEADLINE_EXCEEDED
        || code == Status.Code.CANCELLED;
  }

  /** Whether the node itself seems to have failed, or the connection in the middle of a message. */
  boolean isFault() {
    return code == Status.Code.INTERNAL || code == Status.Code.UNKNOWN;
  }

  boolean isUnreachable() {
    return reason.equals(UNREACHABLE);
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
