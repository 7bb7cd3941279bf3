/**
 * The keys that records touch, collected one record after another. Those of one submission mostly
 * have an owner, a meter and windows in common, so a key like the one before it is left out; other
 * repeats are in the list.
 */
import { stateKeys } from "./state-keys.js";

export class StateKeyList {
  readonly keys: Uint8Array[] = [];
  #participantId = "";
  #meterId = "";
  #readings: Last = { id: "", window: 0 };
  #energy: Last = { id: "", window: 0 };

  participant(id: string): void {
    if (id === this.#participantId) return;
    this.#participantId = id;
    this.keys.push(stateKeys.participant(id));
  }

  meter(id: string): void {
    if (id === this.#meterId) return;
    this.#meterId = id;
    this.keys.push(stateKeys.meter(id));
  }

  record(hash: Uint8Array): void {
    this.keys.push(stateKeys.record(hash));
  }

  readings(id: string, window: number): void {
    if (id === this.#readings.id && window === this.#readings.window) return;
    this.#readings = { id, window };
    this.keys.push(stateKeys.readings(id, window));
  }

  energy(id: string, window: number): void {
    if (id === this.#energy.id && window === this.#energy.window) return;
    this.#energy = { id, window };
    this.keys.push(stateKeys.energy(id, window));
  }

  trade(tradeId: Uint8Array): void {
    this.keys.push(stateKeys.trade(tradeId));
  }
}

/** No id is empty. */
type Last = { readonly id: string; readonly window: number };
