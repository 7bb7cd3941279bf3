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

/** The outbox and the statements as one `Ready`, undefined when there is nothing to do. */
export function readyOf(outbox: Outbox, statements: readonly Statement[]): Ready | undefined {
  const { messages, tasks, expired, decision, halt } = outbox;
  const idle = [statements, messages, tasks, expired].every(({ length }) => length === 0);
  return idle && decision === undefined && halt === undefined
    ? undefined
    : { ...outbox, statements };
}
