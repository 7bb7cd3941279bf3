/** CometBFT with its built-in key-value app as one of the systems that are compared. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { untilNothingWaits } from "../../usage/quiet.js";
import type { Peer } from "../peer.js";
import { type Settings, tunedSettings } from "./config.js";
import { CometLoop } from "./loop.js";
import { startCometNetwork } from "./network.js";
import { cometVersion } from "./program.js";
import { CometRpc } from "./rpc.js";

export function cometPeers(program: string): readonly Peer[] {
  const does =
    "4 validators agree on the order, run the app, and keep the block; votes are signed and its " +
    "log of messages is on disk";
  const leavesOut =
    "no signature of a client, no rules, nothing sealed, state in memory, no replicas beside the " +
    "validators and none that attest, no receipt; the client speaks HTTP without TLS";
  return [
    cometPeer("CometBFT", { program, settings: {}, does, leavesOut }),
    cometPeer("CometBFT tuned", {
      program,
      settings: tunedSettings,
      does: "as CometBFT, without a pause after a block",
      leavesOut: "as CometBFT; no index of transactions either",
    }),
  ];
}

function cometPeer(
  name: string,
  parts: Pick<Peer, "does" | "leavesOut"> & {
    readonly program: string;
    readonly settings: Settings;
  },
): Peer {
  const { program, settings, does, leavesOut } = parts;
  return {
    name: `${name} ${cometVersion}`,
    does,
    leavesOut,
    run: async (work) => {
      const directory = mkdtempSync(join(tmpdir(), "bss-bench-comet-"));
      try {
        const network = await startCometNetwork(program, directory, settings);
        try {
          await work({
            pids: { validators: network.pids, replicas: [] },
            startLoop: (load, warmUpMs) => new CometLoop(network.rpcPorts[0] ?? 0, load, warmUpMs),
            settle: () => untilEmpty(network.rpcPorts[0] ?? 0),
          });
        } finally {
          await network.stop();
        }
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    },
  };
}

async function untilEmpty(port: number): Promise<boolean> {
  const rpc = new CometRpc(port, 1);
  try {
    return await untilNothingWaits(() => rpc.waiting());
  } finally {
    rpc.close();
  }
}
