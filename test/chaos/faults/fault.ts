import type { Phase } from "../plan.js";
import type { World } from "../world.js";

/** Strikes; what it resolves to heals. Between the two the phase holds. */
export type Fault = (world: World, phase: Phase) => Promise<() => Promise<void>>;
