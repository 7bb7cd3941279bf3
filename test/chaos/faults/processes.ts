/** What befalls processes: killed, paused, stopped and started again, upgraded. */
import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../../simulation/random.js";
import type { World } from "../world.js";
import type { Fault } from "./fault.js";

/** kill -9, and started again when the phase is over. */
export const kill: Fault = async (world, { targets }) => {
  await world.kill(targets);
  return () => world.revive(targets);
};

/** kill -9 again and again, also while the process is starting and recovering. */
export const flap: Fault = async (world, { targets, holdMs, strength }) => {
  const untilMs = performance.now() + holdMs;
  const random = new Random(strength * 2 ** 32);
  const aliveMs = 100 + strength * 2_500;
  while (performance.now() < untilMs) {
    await world.kill(targets);
    const starting = world.revive(targets).catch(() => {});
    await Promise.race([starting, sleep(aliveMs)]);
    await sleep(random.between(0, aliveMs));
    await world.kill(targets);
    await starting;
  }
  return () => world.revive(targets);
};

/** kill -9, and the disk is lost: it starts again with its keys and nothing else. */
export const wipe: Fault = async (world, { targets }) => {
  await world.kill(targets);
  for (const id of targets) world.wipe(id);
  return () => world.revive(targets);
};

/** SIGSTOP: the process keeps its sockets and its clock goes on, but it does nothing. */
export const pause: Fault = async (world, { targets }) => {
  for (const id of targets) world.consortium.node(id).kill("SIGSTOP");
  return async () => {
    for (const id of targets) world.consortium.node(id).kill("SIGCONT");
  };
};

/** Asked to stop, as an operator does, and started again when the phase is over. */
export const restart: Fault = async (world, { targets }) => {
  for (const id of targets) await stopCleanly(world, id);
  return () => world.revive(targets);
};

/** Every node, one after the other, stops and starts from the other build. */
export const upgrade: Fault = async (world, { targets, strength }) => {
  for (const id of targets) {
    await stopCleanly(world, id);
    world.switchBuild(id);
    await world.revive([id]);
    await untilLevel(world, id);
    await sleep(strength * 500);
  }
  return async () => {};
};

async function stopCleanly(world: World, id: string): Promise<void> {
  const exit = await world.stop(id);
  if (exit.code === 0) return;
  world.journal.log(`${id} did not stop cleanly: ${exit.signal ?? `exit code ${exit.code}`}`);
  world.unaskedExits.push({ atMs: world.journal.nowMs, id, exit });
}

/**
 * An operator goes on to the next node when this one has caught up, and all managers are active.
 */
async function untilLevel(world: World, id: string): Promise<void> {
  const goal = Math.max(...(await world.heights()).values());
  const deadlineMs = performance.now() + 30_000;
  while (performance.now() < deadlineMs) {
    const status = await world.consortium.statusOf(id);
    const isLevel = status !== undefined && status.height >= goal;
    if (isLevel && (await world.suspended())?.length === 0) return;
    await sleep(100);
  }
  world.journal.log(`${id} is not back within 30 s of its upgrade`);
}
