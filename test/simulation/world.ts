/** What everybody in a simulation shares. */
import type { ControlOperation } from "../../src/gen/bss/v1/genesis_pb.js";
import type { Consortium } from "./consortium.js";
import type { Counters } from "./counters.js";
import type { Checker } from "./events.js";
import type { Inbound } from "./inbound.js";
import type { Judge } from "./judge.js";
import type { Message } from "./messages.js";
import type { Network } from "./network.js";
import type { Plan } from "./plan.js";
import type { Random } from "./random.js";
import type { Scheduler } from "./scheduler.js";

export type World = {
  readonly plan: Plan;
  readonly consortium: Consortium;
  readonly scheduler: Scheduler;
  readonly network: Network<Message>;
  readonly counters: Counters;
  readonly judge: Judge;
  readonly inbound: Inbound;
  readonly random: Random;
  readonly checkers: readonly Checker[];
  /** Members that are to be admitted; whoever makes a block puts them in. */
  readonly admissions: ControlOperation[];
  /** True until everything is made good. */
  faulty: boolean;
  readonly log: (line: () => string) => void;
};

export function notify(world: World, tell: (checker: Checker) => void): void {
  for (const checker of world.checkers) tell(checker);
}
