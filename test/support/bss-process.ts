/**
 * Runs each command line that its parent sends over the channel that it inherits, and sends back
 * how it ended and what it printed.
 */
import { runCommandLine } from "../../src/cli/program.js";
import type { Ran } from "./bss.js";

process.on("message", async (args: readonly string[]) => {
  const [out, err] = [collect(process.stdout), collect(process.stderr)];
  const code = await runCommandLine(args);
  const ran: Ran = { code, out: out(), err: err() };
  process.send?.(ran);
});
process.on("disconnect", () => process.exit());

/** Keeps what is written to a stream from now on; what is returned gives it back. */
function collect(stream: NodeJS.WriteStream): () => string {
  let text = "";
  stream.write = (chunk: Uint8Array | string, ...rest: readonly unknown[]) => {
    text += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
    const done = rest.find((each) => typeof each === "function");
    if (done !== undefined) process.nextTick(done as () => void);
    return true;
  };
  return () => text;
}
