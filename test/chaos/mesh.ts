/**
 * The network between the nodes of a consortium: one proxy for each manager that a node dials.
 * Participants reach managers directly; what is cut here is what the consortium says to itself.
 */
import { TcpProxy } from "./proxy.js";

type Link = { readonly dialler: string; readonly manager: string; readonly proxy: TcpProxy };

export type Endpoint = { readonly id: string; readonly host: string; readonly port: number };

export class Mesh {
  readonly #links: readonly Link[];

  private constructor(links: readonly Link[]) {
    this.#links = links;
  }

  /** A proxy from each of `diallers` to each of `managers` but itself. */
  static async open(diallers: readonly string[], managers: readonly Endpoint[]): Promise<Mesh> {
    const pairs = diallers.flatMap((dialler) =>
      managers.filter(({ id }) => id !== dialler).map((manager) => ({ dialler, manager })),
    );
    const links = pairs.map(async ({ dialler, manager: { id, host, port } }) => {
      return { dialler, manager: id, proxy: await TcpProxy.open({ host, port }) };
    });
    return new Mesh(await Promise.all(links));
  }

  /** "host:port" by manager: where this node is to dial. */
  addressesFor(dialler: string): ReadonlyMap<string, string> {
    const own = this.#links.filter((link) => link.dialler === dialler);
    return new Map(own.map(({ manager, proxy }) => [manager, proxy.address]));
  }

  /** Breaks connections between the two sides, and refuses new ones until `heal`. */
  cut(a: readonly string[], b: readonly string[]): void {
    for (const { proxy } of this.#between(a, b)) proxy.setRefusing(true);
  }

  /** Lets nothing through between the two sides, but keeps connections, until `heal`. */
  silence(a: readonly string[], b: readonly string[]): void {
    this.stall(a, b);
    this.stall(b, a);
  }

  /** Lets nothing through that `from` says to `to`, until `heal`. */
  stall(from: readonly string[], to: readonly string[]): void {
    for (const { dialler, proxy } of this.#between(from, to)) {
      proxy.setStalled(from.includes(dialler) ? "up" : "down", true);
    }
  }

  /** Makes what the two sides say to each other late, in both directions, until `heal`. */
  delay(a: readonly string[], b: readonly string[], delayMs: number): void {
    for (const { proxy } of this.#between(a, b)) {
      proxy.setDelay("up", delayMs);
      proxy.setDelay("down", delayMs);
    }
  }

  /** Breaks the connections that there are between the two sides; they may connect again. */
  reset(a: readonly string[], b: readonly string[]): void {
    for (const { proxy } of this.#between(a, b)) proxy.reset();
  }

  heal(): void {
    for (const { proxy } of this.#links) {
      proxy.setRefusing(false);
      for (const way of ["up", "down"] as const) {
        proxy.setDelay(way, 0);
        proxy.setStalled(way, false);
      }
    }
  }

  close(): void {
    for (const { proxy } of this.#links) proxy.close();
  }

  #between(a: readonly string[], b: readonly string[]): readonly Link[] {
    return this.#links.filter(
      ({ dialler, manager }) =>
        (a.includes(dialler) && b.includes(manager)) ||
        (b.includes(dialler) && a.includes(manager)),
    );
  }
}
