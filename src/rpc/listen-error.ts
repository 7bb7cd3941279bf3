/** A server that cannot listen where it is told to. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  /** What the node's operator can do. */
  readonly next: string;

  constructor(target: string, cause: Error) {
    const taken = cause.message.includes("EADDRINUSE");
    super(taken ? `another process listens on ${target}` : `cannot listen on ${target}`, { cause });
    this.next = taken
      ? "stop that process, or change `listen` in the node's config.yaml"
      : `check \`listen\` in the node's config.yaml (${cause.message})`;
  }
}
