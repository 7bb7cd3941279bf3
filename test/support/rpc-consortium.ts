/** A server and parties of a made-up consortium, for tests of everything that goes over gRPC. */
import assert from "node:assert/strict";
import type { DescService } from "@bufbuild/protobuf";
import {
  type ChannelOptions,
  createChannel,
  type RpcChannel,
} from "../../src/rpc/channels/channel.js";
import { RpcError } from "../../src/rpc/rpc-error.js";
import type { ServiceHandlers } from "../../src/rpc/server/handlers.js";
import {
  createServer,
  type RpcServer,
  type RpcServerOptions,
} from "../../src/rpc/server/server.js";
import type { Role } from "../../src/rpc/tls/tls-identity.js";
import { TestAuthority, type TestCertificate, uriOf } from "./pki.js";

export class RpcConsortium {
  readonly authority: TestAuthority;
  readonly internalErrors: unknown[] = [];
  readonly #registered = new Map<string, Uint8Array>();
  readonly #certificates = new Map<string, TestCertificate>();
  readonly #open: { close(): unknown }[] = [];

  private constructor(authority: TestAuthority) {
    this.authority = authority;
  }

  static async create(): Promise<RpcConsortium> {
    return new RpcConsortium(await TestAuthority.create());
  }

  readonly registry = {
    spkiOf: async (role: Role, id: string): Promise<Uint8Array | undefined> =>
      this.#registered.get(`${role}/${id}`),
  };

  /** The certificate of a party, made and registered when it is asked for first. */
  async certificateOf(role: Role, id: string): Promise<TestCertificate> {
    const key = `${role}/${id}`;
    const known = this.#certificates.get(key);
    if (known !== undefined) return known;
    const certificate = await this.authority.issue({ uris: [uriOf(role, id)] });
    this.#certificates.set(key, certificate);
    this.register(role, id, certificate);
    return certificate;
  }

  register(role: Role, id: string, certificate: TestCertificate): void {
    this.#registered.set(`${role}/${id}`, certificate.spkiSha256);
  }

  unregister(role: Role, id: string): void {
    this.#registered.delete(`${role}/${id}`);
  }

  /** A server of manager-1 that is not listening yet. */
  async server(options: Partial<RpcServerOptions> = {}): Promise<RpcServer> {
    const certificate = await this.certificateOf("manager", "manager-1");
    const server = createServer({
      tls: this.authority.tls(certificate),
      consortiumName: "demo",
      registry: this.registry,
      onInternalError: (error) => this.internalErrors.push(error),
      ...options,
    });
    this.#open.push({ close: () => server.close(0) });
    return server;
  }

  /** A server with one service on a port of its own. */
  async serve<S extends DescService>(
    service: S,
    handlers: ServiceHandlers<S>,
    options: Partial<RpcServerOptions> = {},
  ): Promise<{ readonly server: RpcServer; readonly address: string; readonly port: number }> {
    const server = (await this.server(options)).implement(service, handlers);
    const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
    return { server, port, address: `127.0.0.1:${port}` };
  }

  /** A connection of a party to a server that should be manager-1. */
  async connect(
    address: string,
    role: Role,
    id: string,
    options: Partial<ChannelOptions> = {},
  ): Promise<RpcChannel> {
    const certificate = await this.certificateOf(role, id);
    return this.connectWith(address, certificate, options);
  }

  connectWith(
    address: string,
    certificate: TestCertificate,
    options: Partial<ChannelOptions> = {},
  ): RpcChannel {
    const channel = createChannel({
      address,
      tls: this.authority.tls(certificate),
      expected: { consortiumName: "demo", role: "manager", id: "manager-1" },
      ...options,
    });
    this.#open.push(channel);
    return channel;
  }

  /** Closes every channel, then every server. */
  async close(): Promise<void> {
    for (const one of this.#open.splice(0).reverse()) await one.close();
  }
}

/** What a call failed with. */
export async function rpcErrorFrom(call: Promise<unknown>): Promise<RpcError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof RpcError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: "the call succeeded" });
}

/** Waits for what another event loop turn brings about. */
export async function until(condition: () => boolean): Promise<void> {
  for (let waits = 0; !condition(); waits++) {
    assert.ok(waits < waitsMax, `this never came about: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

const waitMs = 5;
/** A minute at least. */
const waitsMax = 12_000;
