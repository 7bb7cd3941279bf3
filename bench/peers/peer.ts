/** What the comparison needs of a system: its processes, and a loop that keeps it under a load. */
import type { Loop } from "../../src/cli/bench/loop.js";

export type PeerLoad = {
  /** Of one record or transaction; each is submitted by itself. */
  readonly recordBytes: number;
  readonly inFlight: number;
};

export type RunningPeer = {
  readonly pids: Readonly<Record<"validators" | "replicas", readonly number[]>>;
  /** Starts a closed loop, whose clock may start after this time. */
  startLoop(load: PeerLoad, warmUpMs: number): Loop;
  /** Waits, for a minute at most, until nothing of the last loop is left to be done. */
  settle(): Promise<boolean>;
};

export type Peer = {
  readonly name: string;
  /** What it does for a record, and what it leaves out: figures mean little without. */
  readonly does: string;
  readonly leavesOut: string;
  /** Starts the system, runs `work`, and stops what it has started. */
  run(work: (running: RunningPeer) => Promise<void>): Promise<void>;
};
