/**
 * One direction of a connection: bytes go in at one end and come out at the other, in order and
 * complete, until the connection breaks; then what is on its way is lost. As long as nothing
 * passes from the one node to the other, messages wait.
 *
 * Faults beyond what TCP does, drops, repetitions and a wrong order, are there for protocols that
 * claim to bear them.
 */
import { Inbox } from "./inbox.js";
import type { Network } from "./network.js";

/** Unread messages at which the sender has to wait. */
const windowMessages = 64;
/** Unread messages at which a sender that does not wait is refused. */
const queueMessagesMax = 4_096;

export class Pipe {
  readonly inbox: Inbox<Uint8Array>;
  readonly #network: Network;
  readonly #from: string;
  readonly #to: string;
  #lastAtMs = 0;
  #underWay = 0;
  /** Held back, as nothing passes. */
  #held: (() => void)[] = [];
  #waiting: ((room: boolean) => void)[] = [];
  #broken = false;

  constructor(network: Network, from: string, to: string) {
    this.#network = network;
    this.#from = from;
    this.#to = to;
    this.inbox = new Inbox(() => this.#wake(true));
  }

  /** Resolves when there is room for more, with false when the connection is over. */
  write(bytes: Uint8Array): Promise<boolean> {
    if (this.#broken) return Promise.resolve(false);
    this.#send(bytes);
    if (this.#unread < windowMessages) return Promise.resolve(true);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  offer(bytes: Uint8Array): boolean {
    if (this.#broken || this.#unread >= queueMessagesMax) return false;
    this.#send(bytes);
    return true;
  }

  /** After what is on its way. */
  end(): void {
    this.#deliver(() => this.inbox.end());
  }

  /** The sender learns that nothing more goes through. */
  break(): void {
    this.#broken = true;
    this.#held = [];
    this.#wake(false);
  }

  /** Something may pass again. */
  resume(): void {
    for (const deliver of this.#held.splice(0)) this.#schedule(deliver);
  }

  get #unread(): number {
    return this.#underWay + this.inbox.unread;
  }

  #send(bytes: Uint8Array): void {
    const { adversity, random, count } = this.#network;
    // A receiver shares nothing with the sender.
    const arrive = () => this.inbox.push(new Uint8Array(bytes));
    if (adversity !== undefined && random.chance(adversity.dropChance)) {
      count("message dropped");
      return;
    }
    this.#deliver(arrive);
    if (adversity === undefined || !random.chance(adversity.duplicateChance)) return;
    count("message duplicated");
    this.#deliver(arrive);
  }

  #deliver(arrive: () => void): void {
    this.#underWay += 1;
    const land = () => {
      if (this.#broken) return;
      if (this.#network.isCut(this.#from, this.#to)) {
        this.#network.count("message held by a partition");
        this.#held.push(land);
        return;
      }
      this.#underWay -= 1;
      arrive();
    };
    this.#schedule(land);
  }

  #schedule(land: () => void): void {
    const { scheduler, adversity, random, count } = this.#network;
    const atMs = scheduler.nowMs + this.#network.delayMs();
    if (adversity !== undefined && random.chance(adversity.reorderChance)) {
      count("message overtaken");
      scheduler.after(atMs - scheduler.nowMs, land);
      return;
    }
    this.#lastAtMs = Math.max(this.#lastAtMs, atMs);
    scheduler.after(this.#lastAtMs - scheduler.nowMs, land);
  }

  #wake(room: boolean): void {
    if (this.#waiting.length === 0 || (room && this.#unread >= windowMessages)) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(room);
  }
}
