/** A node's log: JSON lines that each name the node, within the bounds of log-limits.ts. */
import { type DestinationStream, type Logger, type LoggerOptions, pino } from "pino";
import { printableJson } from "../base/printable.js";
import { systemTime } from "../base/time.js";
import type { LogLevel } from "../config/node-config.js";
import { type LogAdmission, LogLimits } from "./log-limits.js";

/** Log lines that cannot be written yet; further ones are dropped. */
const waitingBytesMax = 1024 * 1024;
/** A line may hold what others have sent, which may be long. */
export const lineCharsMax = 8_192;
const fieldCharsMax = 1_000;
const itemsMax = 20;

type LogOptions = {
  /** Where log lines go; standard output when absent. */
  readonly logTo?: DestinationStream;
  readonly monotonicMs?: () => number;
  readonly stackOf?: (stack: string) => string;
};

export function openLog(
  node: { readonly role: "manager" | "storage"; readonly id: string; readonly level: LogLevel },
  { logTo, monotonicMs = systemTime.monotonicMs, stackOf = (stack) => stack }: LogOptions,
): Logger {
  const { role, id, level } = node;
  const limits = new LogLimits(monotonicMs);
  const target = logTo ?? standardOutput();
  // Lines are made and written one at a time, so what is being written is what was admitted last.
  let admitted: LogAdmission | undefined;
  const write = (line: string): void => {
    const bounded = boundedLine(line);
    if (admitted !== undefined) limits.charge(admitted.budget, Buffer.byteLength(bounded));
    target.write(bounded);
  };
  const hooks: LoggerOptions["hooks"] = {
    logMethod(args, method, levelNumber) {
      const { fields, text } = eventOf(args);
      admitted = limits.admit({ text, fields, level: levelNumber });
      if (admitted !== undefined) {
        const { leftOut } = admitted;
        if (leftOut === 0) method.apply(this, args);
        else method.apply(this, [{ ...fields, leftOut }, text]);
      }
      const summary = limits.summary();
      if (summary !== undefined) this.warn(summary, "lines of this log were left out");
    },
  };
  const serializers = {
    err(error: Error) {
      // Whatever was thrown comes here, also what is no error.
      const told: { stack?: unknown } = pino.stdSerializers.err(error);
      if (typeof told?.stack === "string") told.stack = stackOf(told.stack);
      return told;
    },
  };
  return pino({ level, base: { role, id }, hooks, serializers }, { write });
}

/** It must not end the node that lines cannot be written, for instance on a full disk. */
function standardOutput(): DestinationStream {
  const stream = pino.destination({ dest: 1, sync: true, maxLength: waitingBytesMax });
  stream.on("error", () => {});
  return stream;
}

/** Cuts off what is too long of a line and escapes what does not print. */
function boundedLine(line: string): string {
  const printable = printableJson(line);
  if (printable.length <= lineCharsMax) return printable;
  const whole: unknown = JSON.parse(line);
  const shortened = printableJson(`${JSON.stringify(whole, shortValue)}\n`);
  if (shortened.length <= lineCharsMax) return shortened;
  const { level, time, role, id, msg } = whole as Readonly<Record<string, unknown>>;
  const text = shortValue("", msg);
  return printableJson(`${JSON.stringify({ level, time, role, id, isCut: true, msg: text })}\n`);
}

function shortValue(_key: string, value: unknown): unknown {
  if (Array.isArray(value) && value.length > itemsMax) return value.slice(0, itemsMax);
  if (typeof value !== "string" || value.length <= fieldCharsMax) return value;
  return `${value.slice(0, fieldCharsMax)}… (${value.length} characters)`;
}

/** Lines are `log.warn({ … }, "text")` or `log.warn("text")` everywhere. */
function eventOf([first, second]: readonly unknown[]) {
  if (typeof first !== "object" || first === null) return { fields: {}, text: String(first) };
  const fields = first instanceof Error ? { err: first } : first;
  return { fields: fields as Readonly<Record<string, unknown>>, text: String(second) };
}
