package bss.client;

/**
 * Says that the answer of a node does not prove what it claims: the node is faulty, or it lies. Ask
 * another manager, and tell the consortium's operators. The cause may be a {@link
 * bss.verify.NotProvenException}.
 */
public final class UntrueAnswerException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  UntrueAnswerException(String message) {
    super(message);
  }

  UntrueAnswerException(String message, Throwable cause) {
    super(message + ": " + cause.getMessage(), cause);
  }
}
