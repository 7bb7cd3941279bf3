/** The keys of a config.yaml that say where a node listens. */
export type ListenSetting = "listen" | "metrics";

/** A server that cannot listen where it is told to. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  /** What the node's operator can do. */
  readonly next: string;
  /** What in the config.yaml says so. */
  readonly setting: ListenSetting;
  /** Whether another process has the address. */
  readonly isTaken: boolean;

  constructor(target: string, cause: Error, setting: ListenSetting = "listen") {
    const isTaken = cause.message.includes("EADDRINUSE");
    super(isTaken ? `another process listens on ${target}` : `cannot listen on ${target}`, {
      cause,
    });
    this.setting = setting;
    this.isTaken = isTaken;
    this.next = isTaken
      ? `stop that process (this node, if it runs already), or change \`${setting}\` in config.yaml`
      : `check \`${setting}\` in the node's config.yaml (${cause.message})`;
  }
}
