/** The keys of a config.yaml that say where a node listens. */
export type ListenSetting = "listen" | "metrics";

/** A server that cannot listen where it is told to. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  /** What the node's operator can do. */
  readonly next: string;
  /** What in the config.yaml says so. */
  readonly setting: ListenSetting;

  constructor(target: string, cause: Error, setting: ListenSetting = "listen") {
    const taken = cause.message.includes("EADDRINUSE");
    super(taken ? `another process listens on ${target}` : `cannot listen on ${target}`, { cause });
    this.setting = setting;
    this.next = taken
      ? `stop that process (this node, if it runs already), or change \`${setting}\` in config.yaml`
      : `check \`${setting}\` in the node's config.yaml (${cause.message})`;
  }
}
