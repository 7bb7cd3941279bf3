package bss.verify;

/**
 * Says why something proves nothing: at which check it failed first, and one sentence for people.
 */
public final class NotProvenException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** The checks: those of a receipt in their order, and those of a chain. */
  public enum Step {
    ENCODING("encoding"),
    RECORD("record"),
    HEADER("header"),
    BLOCK_ID("block-id"),
    INCLUSION("inclusion"),
    PREVIOUS_HEADER("previous-header"),
    COMMIT_CERTIFICATE("commit-certificate"),
    SIGNATURES("signatures"),
    BODY("body"),
    LOG("log"),
    MEMBERS("members"),
    GENESIS("genesis");

    private final String label;

    Step(String label) {
      this.label = label;
    }

    /** The name that the clients of all languages use. */
    public String label() {
      return label;
    }
  }

  private final Step step;

  /** One sentence, as {@link String#format} makes it. */
  public NotProvenException(Step step, String message, Object... arguments) {
    super(arguments.length == 0 ? message : String.format(message, arguments));
    this.step = step;
  }

  /** The first check that failed. */
  public Step step() {
    return step;
  }
}
