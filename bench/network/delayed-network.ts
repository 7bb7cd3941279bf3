/**
 * Round trips as between cities, on one machine: everybody who dials a manager (managers, storage
 * nodes, clients) does so through a proxy that holds each byte back for half a round trip in each
 * direction. TCP itself runs on loopback on both sides of the proxy, so what is delayed is the time
 * of flight; handshakes, loss and slow start of TCP are not those of a long line.
 */
import { type ChildProcess, fork } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { type BssClient, connect } from "../../src/client/index.js";
import type { NodeConfig } from "../../src/config/node-config.js";
import type { DelayAnswer, DelayRequest } from "./delay-host.js";

const clientName = "client";

export class DelayedNetwork {
  readonly #host: ChildProcess;
  /** Of clients, by the address that is delayed. */
  readonly #proxies: ReadonlyMap<string, string>;

  private constructor(host: ChildProcess, proxies: ReadonlyMap<string, string>) {
    this.#host = host;
    this.#proxies = proxies;
  }

  /** Redirects nodes that have not started yet, by their config files. */
  static async open(configs: readonly NodeConfig[], rttMs: number): Promise<DelayedNetwork> {
    const managers = configs
      .filter(({ role }) => role === "manager")
      .map(({ id, listen }) => ({ id, host: listen.host, port: listen.port }));
    const diallers = [...configs.map(({ id }) => id), clientName];
    const host = fork(join(import.meta.dirname, "delay-host.js"));
    const answer = new Promise<DelayAnswer>((resolve, reject) => {
      host.once("message", (message) => resolve(message as DelayAnswer));
      host.once("exit", () => reject(new Error("the proxies' process has ended")));
    });
    host.send({ diallers, managers, oneWayMs: rttMs / 2 } satisfies DelayRequest);
    const addresses = await answer;
    for (const { id, file } of configs) redirect(file, addresses[id] ?? {});
    const proxies = managers.map(({ id, host: name, port }) => {
      return [`${name}:${port}`, addresses[clientName]?.[id] ?? ""] as const;
    });
    return new DelayedNetwork(host, new Map(proxies));
  }

  /** A client of the same profile whose calls are as late. */
  connect({ profile }: BssClient): Promise<BssClient> {
    const addresses = profile.addresses.map((address) => this.#proxies.get(address) ?? address);
    return connect(Object.assign({}, profile, { addresses }));
  }

  close(): void {
    this.#host.disconnect();
  }
}

function redirect(configFile: string, addresses: Readonly<Record<string, string>>): void {
  const config = parse(readFileSync(configFile, "utf8"));
  const managers = Object.entries(addresses).map(([id, address]) => ({ id, address }));
  writeFileSync(configFile, stringify(Object.assign({}, config, { managers })));
}
