/**
 * Lets a stream be read one message ahead of its reader. grpc-js by itself reads sixteen messages
 * ahead, each of which may be as long as allowed, whether or not anybody takes them.
 */
import { InterceptingCall, type Interceptor } from "@grpc/grpc-js";

export class ReadAhead {
  #received = 0;
  #taken = 0;
  #waiting: (() => void) | undefined;

  /** Starts a read now, or as soon as the message that has come was taken. */
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

/** Delays the reads of a call that this process makes, as `ahead` says. */
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
