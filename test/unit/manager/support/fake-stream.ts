/** The node's end of a bidirectional stream whose other end is a test. */
import type { CallContext } from "../../../../src/rpc/server/handlers.js";
import type { Role } from "../../../../src/rpc/tls/tls-identity.js";

export function callerContext(role: Role, id: string, peerAddress = "127.0.0.1:1"): CallContext {
  return {
    identity: { role, id },
    peerAddress,
    method: "",
    deadlineUnixMs: undefined,
    signal: new AbortController().signal,
  };
}

export class FakeStream<Request, Response> {
  readonly written: Response[] = [];
  /** Whether there is room for what is offered. */
  roomy = true;
  ended = false;
  readonly messages: AsyncIterable<Request>;
  readonly #requests: Request[] = [];
  #wake = () => {};

  constructor(...requests: readonly Request[]) {
    this.#requests.push(...requests);
    this.messages = { [Symbol.asyncIterator]: () => this.#read() };
  }

  send(...requests: readonly Request[]): void {
    this.#requests.push(...requests);
    this.#wake();
  }

  write = async (response: Response): Promise<boolean> => {
    this.written.push(response);
    return true;
  };

  writeInTurn = async (make: () => Promise<Response>): Promise<boolean> => this.write(await make());

  offer = (response: Response): boolean => {
    if (this.roomy) this.written.push(response);
    return this.roomy;
  };

  end = (): void => {
    this.ended = true;
    this.#wake();
  };

  async *#read(): AsyncGenerator<Request> {
    for (;;) {
      const next = this.#requests.shift();
      if (next !== undefined) yield next;
      else if (this.ended) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}

/** Lets everything happen that waits for nothing but its turn. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
