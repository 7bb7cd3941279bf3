/**
 * A TCP proxy that spoils what passes through it: it holds bytes back in one direction or both,
 * delays them, or breaks connections and refuses new ones. It loses no byte of a connection that
 * lives, because TCP does not either.
 */
import { once } from "node:events";
import { createServer, type Server, Socket } from "node:net";
import { assert } from "../../src/base/assert.js";

/** What happens to bytes on their way: `up` from the one that dialled, `down` to it. */
export type Way = "up" | "down";

type Flow = { stalled: boolean; delayMs: number };

/** Bytes of one connection that are held back before its sender has to wait. */
const heldBytesMax = 1024 * 1024;

export class TcpProxy {
  readonly #server: Server;
  readonly #flows: Readonly<Record<Way, Flow>> = {
    up: { stalled: false, delayMs: 0 },
    down: { stalled: false, delayMs: 0 },
  };
  readonly #connections = new Set<Connection>();
  readonly #target: { readonly host: string; readonly port: number };
  #refusing = false;

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  /** Listens on a free port of the loopback interface. */
  static async open(target: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server.listen({ host: "127.0.0.1", port: 0 });
    await once(proxy.#server, "listening");
    return proxy;
  }

  /** "host:port" to dial instead of the target. */
  get address(): string {
    const address = this.#server.address();
    assert(typeof address === "object" && address !== null, "the proxy listens");
    return `127.0.0.1:${address.port}`;
  }

  /** Holds bytes back, of new connections too, until it is told to go on. */
  setStalled(way: Way, stalled: boolean): void {
    this.#flows[way].stalled = stalled;
    if (!stalled) for (const connection of this.#connections) connection.goOn(way);
  }

  setDelay(way: Way, delayMs: number): void {
    this.#flows[way].delayMs = delayMs;
  }

  /** Breaks every connection, and each new one at once until it is told not to. */
  setRefusing(refusing: boolean): void {
    this.#refusing = refusing;
    if (refusing) this.reset();
  }

  /** Breaks the connections that there are. */
  reset(): void {
    for (const connection of this.#connections) connection.reset();
  }

  close(): void {
    this.#server.close();
    this.setRefusing(true);
  }

  #accept(near: Socket): void {
    if (this.#refusing) {
      near.on("error", () => {});
      near.resetAndDestroy();
      return;
    }
    const connection = new Connection(near, this.#target, this.#flows, () => {
      this.#connections.delete(connection);
    });
    this.#connections.add(connection);
  }
}

class Connection {
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #pipes: Readonly<Record<Way, Pipe>>;

  constructor(
    near: Socket,
    target: { readonly host: string; readonly port: number },
    flows: Readonly<Record<Way, Flow>>,
    onEnd: () => void,
  ) {
    this.#near = near;
    this.#far = new Socket({ allowHalfOpen: true });
    this.#pipes = {
      up: new Pipe(near, this.#far, flows.up),
      down: new Pipe(this.#far, near, flows.down),
    };
    for (const socket of [this.#near, this.#far]) {
      socket.setNoDelay(true);
      socket.on("error", () => this.reset());
      socket.on("close", () => {
        if (this.#near.destroyed && this.#far.destroyed) onEnd();
      });
    }
    this.#far.connect(target);
  }

  goOn(way: Way): void {
    this.#pipes[way].pump();
  }

  reset(): void {
    for (const socket of [this.#near, this.#far]) {
      if (!socket.destroyed) socket.resetAndDestroy();
    }
  }
}

/** One direction of one connection: chunks in order, each not before it is due. */
class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #flow: Flow;
  readonly #queue: { readonly chunk: Buffer | "end"; readonly dueMs: number }[] = [];
  #heldBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, flow: Flow) {
    this.#from = from;
    this.#to = to;
    this.#flow = flow;
    from.on("data", (chunk: Buffer) => this.#take(chunk));
    from.on("end", () => this.#take("end"));
    to.on("close", () => clearTimeout(this.#timer));
  }

  pump(): void {
    clearTimeout(this.#timer);
    for (;;) {
      const next = this.#queue[0];
      if (next === undefined || this.#flow.stalled || this.#to.destroyed) break;
      const waitMs = next.dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.pump(), waitMs);
        break;
      }
      this.#queue.shift();
      if (next.chunk === "end") this.#to.end();
      else {
        this.#to.write(next.chunk);
        this.#heldBytes -= next.chunk.length;
      }
    }
    if (this.#heldBytes < heldBytesMax) this.#from.resume();
  }

  #take(chunk: Buffer | "end"): void {
    this.#queue.push({ chunk, dueMs: performance.now() + this.#flow.delayMs });
    if (chunk !== "end") this.#heldBytes += chunk.length;
    if (this.#heldBytes >= heldBytesMax) this.#from.pause();
    this.pump();
  }
}
