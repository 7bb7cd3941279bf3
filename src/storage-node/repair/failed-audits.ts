/**
 * Notices that the chain says of this node that an audit failed: what it read and signed was not
 * what managers hold, so its disk gives other records than it was given, and nothing here had
 * noticed.
 */
export type FailedAuditsPorts = {
  /** The chain's word about this node, by the head. */
  readonly isFailed: () => boolean;
  /** Old news: the node is far behind. */
  readonly isBehind: () => boolean;
  readonly onFailed: () => void;
};

export class FailedAudits {
  readonly #ports: FailedAuditsPorts;
  #known = false;

  constructor(ports: FailedAuditsPorts) {
    this.#ports = ports;
  }

  /** To be called when the node starts and after each block. Tells of one failure once. */
  look(): void {
    const { isFailed, isBehind, onFailed } = this.#ports;
    if (isBehind()) return;
    const wasKnown = this.#known;
    this.#known = isFailed();
    if (this.#known && !wasKnown) onFailed();
  }
}
