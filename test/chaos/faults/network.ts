/** What befalls connections between nodes. */
import { setTimeout as sleep } from "node:timers/promises";
import type { World } from "../world.js";
import type { Fault } from "./fault.js";

const delayMinMs = 30;
const delayMaxMs = 600;
const resetPeriodMs = 700;

/** Connections break and new ones are refused, as when a router says no. */
export const cut: Fault = async (world, { targets }) => {
  world.mesh.cut(targets, others(world, targets));
  return healed(world);
};

/** Nothing arrives any more, in both directions, and nobody is told. */
export const silence: Fault = async (world, { targets }) => {
  world.mesh.silence(targets, others(world, targets));
  return healed(world);
};

/** The targets say everything and hear nothing. */
export const deafen: Fault = async (world, { targets }) => {
  world.mesh.stall(others(world, targets), targets);
  return healed(world);
};

/** The targets hear everything and nobody hears them. */
export const mute: Fault = async (world, { targets }) => {
  world.mesh.stall(targets, others(world, targets));
  return healed(world);
};

export const delay: Fault = async (world, { targets, strength }) => {
  const delayMs = Math.round(delayMinMs + strength * (delayMaxMs - delayMinMs));
  world.journal.log(`  by ${delayMs} ms each way`);
  world.mesh.delay(targets, others(world, targets), delayMs);
  return healed(world);
};

/** All connections to managers break, again and again, and come back at once. */
export const reset: Fault = async (world, { targets }) => {
  const abort = new AbortController();
  const resetting = (async () => {
    while (!abort.signal.aborted) {
      world.mesh.reset(targets, world.ids);
      await sleep(resetPeriodMs, undefined, { signal: abort.signal }).catch(() => {});
    }
  })();
  return async () => {
    abort.abort();
    await resetting;
  };
};

/** The managers fall into two halves; storage nodes go with one half each, in turn. */
export const split: Fault = async (world, { targets }) => {
  const rest = world.managers.filter((id) => !targets.includes(id));
  const [even, odd] = [0, 1].map((parity) => world.storage.filter((_, i) => i % 2 === parity));
  world.mesh.silence([...targets, ...(even ?? [])], [...rest, ...(odd ?? [])]);
  return healed(world);
};

function others(world: World, targets: readonly string[]): readonly string[] {
  return world.ids.filter((id) => !targets.includes(id));
}

function healed(world: World): () => Promise<void> {
  return async () => world.mesh.heal();
}
