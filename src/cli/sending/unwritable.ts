import { CliError } from "../text/cli-error.js";
import { adviceOnSystem } from "../text/error-message.js";

/**
 * What to throw when a file of a run cannot be written. The system does not say of which file an
 * error is once it is open.
 */
export function unwritable(path: string, error: unknown): CliError {
  const { message } = error as Error;
  const advice = adviceOnSystem(error) ?? "check the disk";
  const next = `${advice}, and run the same command again: it sends no record twice`;
  return new CliError(`${path} cannot be written: ${message}`, next, { cause: error });
}
