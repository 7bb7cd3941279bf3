/**
 * The network between the nodes of a simulation: who listens, how long messages take, what is cut.
 * Streams behave like those of gRPC over TCP: reliable and in order until they break.
 */
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { CallContext, ServerStream } from "../../../src/rpc/server/handlers.js";
import type { Process } from "../nodes/process.js";
import type { Random } from "../random.js";
import type { Scheduler } from "../scheduler.js";
import { type ClientEnd, connect, type Link } from "./link.js";

export type Role = "manager" | "storage";

export type Node = { readonly id: string; readonly role: Role; readonly process: Process };

export type NetworkOptions = {
  readonly delayMinMs: number;
  /** Mean of the exponential part of a delay. */
  readonly delayMeanMs: number;
  readonly delayMaxMs: number;
  /** A connection over which nothing passes breaks after this time. */
  readonly keepaliveMs: number;
  readonly adversity?: Adversity;
};

/** What gRPC never does to a stream. */
export type Adversity = {
  readonly dropChance: number;
  readonly duplicateChance: number;
  readonly reorderChance: number;
};

export type Service<I extends DescMessage = DescMessage, O extends DescMessage = DescMessage> = {
  readonly name: string;
  /** "bss.v1.VoteService/Vote". */
  readonly method: string;
  readonly request: I;
  readonly response: O;
};

export type Handler<I extends DescMessage, O extends DescMessage> = (
  context: CallContext,
  stream: ServerStream<MessageShape<I>, MessageInitShape<O>>,
) => Promise<void>;

/** Sees what a node reads from its streams. */
export type Tap = (from: string, service: string, message: unknown) => void;

export type Listener = {
  readonly node: Node;
  readonly handlers: ReadonlyMap<string, Handler<DescMessage, DescMessage>>;
  /** A handler has failed. */
  readonly onError: (error: unknown, service: string) => void;
};

const calm: NetworkOptions = {
  delayMinMs: 0.5,
  delayMeanMs: 0.5,
  delayMaxMs: 5,
  keepaliveMs: 5_000,
};

export class Network {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly count: (what: string, by?: number) => void;
  #options: NetworkOptions;
  readonly #listeners = new Map<string, Listener>();
  readonly #listenersIn = new Map<string, (bytes: Uint8Array) => void>();
  readonly #taps = new Map<string, Tap>();
  readonly #links = new Set<Link>();
  /** One way: "from>to" cannot speak, by how many partitions. */
  readonly #cut = new Map<string, number>();

  constructor(
    scheduler: Scheduler,
    random: Random,
    options: NetworkOptions,
    count: (what: string, by?: number) => void,
  ) {
    this.scheduler = scheduler;
    this.random = random;
    this.#options = options;
    this.count = count;
  }

  get adversity(): Adversity | undefined {
    return this.#options.adversity;
  }

  get keepaliveMs(): number {
    return this.#options.keepaliveMs;
  }

  delayMs(): number {
    const { delayMinMs, delayMeanMs, delayMaxMs } = this.#options;
    return Math.min(delayMinMs + this.random.exponential(delayMeanMs), delayMaxMs);
  }

  /** From now on nothing is lost, and everything arrives soon. */
  calm(): void {
    this.#options = calm;
    this.#cut.clear();
    for (const link of this.#links) link.resume();
  }

  listen(listener: Listener): void {
    this.#listeners.set(listener.node.id, listener);
  }

  listenerOf(id: string): Listener | undefined {
    const listener = this.#listeners.get(id);
    return listener?.node.process.alive ? listener : undefined;
  }

  tap(id: string, tap: Tap): void {
    this.#taps.set(id, tap);
  }

  tapOf(id: string): Tap | undefined {
    return this.#taps.get(id);
  }

  /** Shows the bytes of every message that a node reads. */
  listenIn(id: string, listener: (bytes: Uint8Array) => void): void {
    this.#listenersIn.set(id, listener);
  }

  readBy(id: string, bytes: Uint8Array): void {
    this.#listenersIn.get(id)?.(bytes);
  }

  dial<I extends DescMessage, O extends DescMessage>(
    node: Node,
    to: string,
    service: Service<I, O>,
  ): ClientEnd<I, O> {
    return connect(this, node, to, service, this.#links);
  }

  /** The node's process has died: whoever was connected to it learns of it, sooner or later. */
  died(id: string, silently: boolean): void {
    for (const link of [...this.#links]) if (link.involves(id)) link.nodeDied(id, silently);
  }

  /** Breaks some of the connections there are. */
  resetSome(chance: number): void {
    for (const link of [...this.#links]) {
      if (!this.random.chance(chance)) continue;
      this.count("connection reset");
      link.reset();
    }
  }

  isCut(from: string, to: string): boolean {
    return this.#cut.size > 0 && this.#cut.has(wayOf(from, to));
  }

  /** Nothing passes from one group to the other; back it does only when `oneWay`. */
  cut(groupA: readonly string[], groupB: readonly string[], oneWay: boolean): () => void {
    const ways = groupA.flatMap((a) =>
      groupB.flatMap((b) => (oneWay ? [wayOf(a, b)] : [wayOf(a, b), wayOf(b, a)])),
    );
    for (const way of ways) this.#cut.set(way, (this.#cut.get(way) ?? 0) + 1);
    for (const link of this.#links) link.watch();
    return () => {
      for (const way of ways) {
        const left = (this.#cut.get(way) ?? 1) - 1;
        if (left <= 0) this.#cut.delete(way);
        else this.#cut.set(way, left);
      }
      for (const link of this.#links) link.resume();
    };
  }
}

function wayOf(from: string, to: string): string {
  return `${from}>${to}`;
}
