/** The parts through which a manager signs: what it may say, and the one way of saying it. */
import { type Abstaining, Abstention } from "./abstention.js";
import type { ManagerOptions, SharedPorts } from "./manager-options.js";
import { StatementLog, type StatementLogPorts } from "./statement-log.js";

export type Voting = {
  readonly abstention: Abstention;
  readonly statements: StatementLog;
  /** Tells when abstaining begins, for another reason, and ends. */
  readonly tick: () => void;
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
  const { store, signer, time, observer, newSignerAccepted = false } = options;
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
  let last: Abstaining | undefined;
  const tick = () => {
    const now = abstention.reason;
    if (now?.kind === last?.kind) return;
    if (now === undefined) observer.votes();
    else observer.abstains(now);
    last = now;
  };
  return { abstention, statements, tick };
}
