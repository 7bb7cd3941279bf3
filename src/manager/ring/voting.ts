/** The parts through which a manager signs: what it may say, and the one way of saying it. */
import { SuspensionMode } from "../../gen/bss/v1/genesis_pb.js";
import type { ManagerOptions, SharedPorts } from "../manager-options.js";
import { TipWatch } from "../screening/tip-watch.js";
import { StatementLog, type StatementLogPorts } from "../signing/statement-log.js";
import { type Abstaining, Abstention } from "./abstention.js";

export type Voting = {
  readonly abstention: Abstention;
  readonly statements: StatementLog;
  readonly tip: Pick<TipWatch, "knowsAllFinal">;
  /** The head of another manager has come from itself. */
  readonly hearHead: (managerId: string, height: number) => void;
  /** Tells when abstaining begins, for another reason, and ends. */
  readonly tick: () => void;
};

export type VotingPorts = Pick<
  StatementLogPorts,
  "store" | "candidates" | "height" | "wake" | "onFatal"
> & { readonly isIdle: () => boolean };

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
  const { suspension, suspendAfterMs } = shared.policy;
  const tip = new TipWatch({
    ...shared,
    atTip: () => abstention.mayVote(store.head.height + 1),
    votedHeight: () => (ports.isIdle() ? undefined : ports.height()),
    halfSuspendAfterMs: suspension === SuspensionMode.FLOOR ? suspendAfterMs / 2 : undefined,
  });
  const hearHead = (managerId: string, height: number) => {
    abstention.hearHead(managerId, height);
    tip.hear(managerId);
  };
  let last: Abstaining | undefined;
  const tick = () => {
    tip.tick();
    const now = abstention.reason;
    if (now?.kind === last?.kind) return;
    if (now === undefined) observer.votes();
    else observer.abstains(now);
    last = now;
  };
  return { abstention, statements, tip, hearHead, tick };
}
