/**
 * Reads of a stream one message ahead of whoever takes its messages. grpc-js reads sixteen ahead,
 * each as long as a message may be, whether or not anybody takes them.
 */
import { InterceptingCall, type Interceptor } from "@grpc/grpc-js";

export class ReadAhead {
  #received = 0;
  #taken = 0;
  #waiting: (() => void) | undefined;

  /** Starts a read now, or when the message that is there has been taken. */
  request(start: () => void): void {
    if (this.#received > this.#taken) this.#waiting = start;
    else start();
  }

  /** A message has come. */
  received(): void {
    this.#received += 1;
  }

  /** The reader has taken one. */
  taken(): void {
    this.#taken += 1;
    if (this.#received > this.#taken) return;
    const start = this.#waiting;
    this.#waiting = undefined;
    start?.();
  }
}

/** Holds back the reads of a call that this process makes. */
export function readAheadInterceptor(ahead: ReadAhead): Interceptor {
  return (options, nextCall) => new HeldBackCall(ahead, nextCall(options));
}

class HeldBackCall extends InterceptingCall {
  readonly #ahead: ReadAhead;

  constructor(ahead: ReadAhead, call: ConstructorParameters<typeof InterceptingCall>[0]) {
    super(call, {
      start: (metadata, _listener, next) => {
        next(metadata, {
          onReceiveMessage: (message, forward) => {
            ahead.received();
            forward(message);
          },
        });
      },
    });
    this.#ahead = ahead;
  }

  override startRead(): void {
    this.#ahead.request(() => super.startRead());
  }
}
