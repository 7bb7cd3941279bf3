/** The parts through which a manager signs: what it may say, and the one way in which it says it. */
import { Abstention } from "./abstention.js";
import type { ManagerOptions, SharedPorts } from "./manager-options.js";
import { StatementLog, type StatementLogPorts } from "./statement-log.js";

export type Voting = {
  readonly abstention: Abstention;
  readonly statements: StatementLog;
};

export type VotingPorts = Pick<
  StatementLogPorts,
  "store" | "candidates" | "height" | "wake" | "onFatal"
>;

export function createVoting(
  options: ManagerOptions,
  shared: SharedPorts,
  ports: VotingPorts,
): Voting {
  const { store, signer, time, newSignerAccepted = false } = options;
  const abstention = new Abstention(
    {
      ...shared,
      headHeight: () => store.head.height,
      holds: (statement) => store.holdsStatement(statement),
      save: (through) => {
        store.saveAbstention(through).catch(ports.onFatal);
      },
      onChange: ports.wake,
    },
    { through: store.abstainsThrough, newSignerAccepted },
  );
  const statements = new StatementLog({ ...shared, ...ports, signer, time, abstention });
  return { abstention, statements };
}
