/**
 * A node answered with something that does not prove what it claims: the node is faulty or lies.
 */
export class UntrueAnswer extends Error {
  override readonly name = "UntrueAnswer";
  /** What the caller should do next. */
  readonly next = "ask another manager, and tell the consortium's operators";
}
