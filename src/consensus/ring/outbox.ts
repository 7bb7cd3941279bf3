import type { Evidence } from "../../gen/bss/v1/genesis_pb.js";
import type { Decision, ExpiredStep, Halt, Outgoing, Ready, Statement, Task } from "./events.js";

/** Collects what is to be done until it is handed out; the statements stand with the speaker. */
export type Outbox = {
  readonly messages: Outgoing[];
  readonly tasks: Task[];
  readonly expired: ExpiredStep[];
  decision?: Decision;
  halt?: Halt;
};

export function emptyOutbox(): Outbox {
  return { messages: [], tasks: [], expired: [] };
}

/** All that is to be done as one `Ready`, undefined when there is nothing. */
export function readyOf(
  outbox: Outbox,
  statements: readonly Statement[],
  evidence: readonly Evidence[],
): Ready | undefined {
  const { messages, tasks, expired, decision, halt } = outbox;
  const lists = [statements, messages, tasks, expired, evidence];
  const idle = lists.every(({ length }) => length === 0);
  return idle && decision === undefined && halt === undefined
    ? undefined
    : { ...outbox, statements, evidence };
}
