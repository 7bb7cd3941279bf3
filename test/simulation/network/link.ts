/**
 * A bidirectional stream between two nodes: the caller's end, as `ReconnectingStream` wants it, and
 * the server's end, as handlers want it. Messages travel as bytes, encoded once for all receivers
 * and decoded by each.
 */
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { answerBounds, requestBounds } from "../../../src/rpc/bounds/method-bounds.js";
import type { OpenedStream } from "../../../src/rpc/channels/reconnecting-stream.js";
import { decodeMessage, encodeMessage } from "../../../src/rpc/message-codec.js";
import { RpcError } from "../../../src/rpc/rpc-error.js";
import type { CallContext, ServerStream } from "../../../src/rpc/server/handlers.js";
import { never } from "../nodes/process.js";
import type { Listener, Network, Node, Service } from "./network.js";
import { Pipe } from "./pipe.js";

export type ClientEnd<I extends DescMessage, O extends DescMessage> = OpenedStream<
  MessageInitShape<I>,
  MessageShape<O>
>;

/** How long a caller tries to reach a node that does not answer at all. */
const connectTimeoutMs = 3_000;

export class Link {
  readonly #network: Network;
  readonly #links: Set<Link>;
  readonly #client: Node;
  readonly #serverId: string;
  readonly up: Pipe;
  readonly down: Pipe;
  readonly #abort = new AbortController();
  #over = false;
  #watched = false;

  constructor(network: Network, client: Node, serverId: string, links: Set<Link>) {
    this.#network = network;
    this.#client = client;
    this.#serverId = serverId;
    this.#links = links;
    this.up = new Pipe(network, client.id, serverId);
    this.down = new Pipe(network, serverId, client.id);
    links.add(this);
  }

  get over(): boolean {
    return this.#over;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get isCut(): boolean {
    const { id } = this.#client;
    return this.#network.isCut(id, this.#serverId) || this.#network.isCut(this.#serverId, id);
  }

  involves(id: string): boolean {
    return this.#client.id === id || this.#serverId === id;
  }

  /** The caller gives it up; what it said before still arrives. */
  cancel(): void {
    if (this.#over) return;
    this.down.break();
    this.down.inbox.end();
    this.up.end();
    this.#close();
  }

  /** The server ends it in good order. */
  end(): void {
    if (this.#over) return;
    this.up.break();
    this.up.inbox.end();
    this.down.end();
    this.#close();
  }

  /** Broken: what is on its way is lost, and both ends are told. */
  reset(): void {
    if (this.#over) return;
    this.#close();
    this.#finish();
  }

  /** The system of a dead process says so; a machine without power says nothing. */
  nodeDied(id: string, silently: boolean): void {
    (this.#client.id === id ? this.down : this.up).inbox.kill();
    const { scheduler, random, keepaliveMs } = this.#network;
    const unheard = silently || this.isCut;
    const afterMs = unheard ? random.between(0, keepaliveMs) : this.#network.delayMs();
    scheduler.after(afterMs, () => this.reset());
  }

  /** The way is cut, or may be: nothing passes for long, and the connection is given up. */
  watch(): void {
    if (this.#watched || this.#over || !this.isCut) return;
    this.#watched = true;
    this.#network.scheduler.after(this.#network.keepaliveMs, () => {
      this.#watched = false;
      if (!this.isCut || this.#over) return;
      this.#network.count("connection lost in a partition");
      this.reset();
    });
  }

  resume(): void {
    this.up.resume();
    this.down.resume();
    this.watch();
  }

  #close(): void {
    this.#over = true;
    this.#abort.abort();
    // Whom a partition keeps from hearing of the end finds out by itself.
    this.#network.scheduler.after(this.#network.keepaliveMs, () => this.#finish());
  }

  #finish(): void {
    this.#links.delete(this);
    for (const pipe of [this.up, this.down]) {
      pipe.break();
      pipe.inbox.end(lost());
    }
  }
}

/** Dials, and hands the other end to the server's handler. */
export function connect<I extends DescMessage, O extends DescMessage>(
  network: Network,
  client: Node,
  serverId: string,
  service: Service<I, O>,
  links: Set<Link>,
): ClientEnd<I, O> {
  const link = new Link(network, client, serverId, links);
  const { scheduler } = network;
  const opened = new Promise<void>((resolve, reject) => {
    const fail = () => {
      link.reset();
      if (client.process.alive) reject(lost());
    };
    if (link.isCut) {
      scheduler.after(connectTimeoutMs, fail);
      return;
    }
    scheduler.after(network.delayMs(), () => {
      const listener = network.listenerOf(serverId);
      if (listener === undefined || link.over) return fail();
      void serve(network, listener, client, link, service);
      scheduler.after(network.delayMs(), () => {
        if (client.process.alive && !link.over) resolve();
        else fail();
      });
    });
  });
  opened.catch(() => {});
  return clientEnd(network, client, serverId, link, service, opened);
}

function clientEnd<I extends DescMessage, O extends DescMessage>(
  network: Network,
  client: Node,
  serverId: string,
  link: Link,
  { name, method, request, response }: Service<I, O>,
  opened: Promise<void>,
): ClientEnd<I, O> {
  const send = (bytes: Uint8Array): Promise<boolean> =>
    spend(client) ? link.up.write(bytes) : never();
  return {
    opened,
    messages: link.down.inbox.read((bytes) => {
      client.process.touch();
      network.readBy(client.id, bytes);
      const message = decodeMessage(response, bytes, answerBounds(method));
      network.tapOf(client.id)?.(serverId, name, message);
      return message;
    }),
    encode: (message) => encodeMessage(request, message),
    write: (message) => send(encodeMessage(request, message)),
    writeEncoded: (bytes) => send(bytes),
    cancel: () => link.cancel(),
  };
}

/** Runs the handler at the server's end until it returns. */
async function serve<I extends DescMessage, O extends DescMessage>(
  network: Network,
  listener: Listener,
  client: Node,
  link: Link,
  { name, method, request, response }: Service<I, O>,
): Promise<void> {
  const { node, handlers, onError } = listener;
  const handler = handlers.get(name);
  if (handler === undefined) return link.end();
  const context: CallContext = {
    identity: { role: client.role, id: client.id },
    peerAddress: client.id,
    method,
    deadlineUnixMs: undefined,
    signal: link.signal,
  };
  type Stream = ServerStream<MessageShape<I>, MessageInitShape<O>>;
  const write: Stream["write"] = (message) =>
    spend(node) ? link.down.write(encodeMessage(response, message)) : never();
  const stream: Stream = {
    messages: link.up.inbox.read((bytes) => {
      node.process.touch();
      const message = decodeMessage(request, bytes, requestBounds(method));
      network.tapOf(node.id)?.(client.id, name, message);
      return message;
    }),
    write,
    writeInTurn: async (make) => write(await make()),
    offer: (message) => spend(node) && link.down.offer(encodeMessage(response, message)),
    end: () => link.end(),
  };
  try {
    await handler(context, stream as never);
    link.end();
  } catch (error) {
    // The way in which a call ends whose caller has gone.
    if (!(error instanceof RpcError)) onError(error, name);
    link.reset();
  }
}

/** Whether the process still gets this message out. */
function spend({ process }: Node): boolean {
  if (!process.alive) return false;
  if (process.sendsLeft === undefined) return true;
  process.sendsLeft -= 1;
  return process.sendsLeft >= 0;
}

function lost(): RpcError {
  return new RpcError("NODE_UNREACHABLE", "the connection is lost");
}
