import type { FaultKind } from "../plan.js";
import type { Fault } from "./fault.js";
import { fillDisk, moveClock } from "./machines.js";
import { cut, deafen, delay, mute, reset, silence, split } from "./network.js";
import { flap, kill, pause, restart, upgrade, wipe } from "./processes.js";

export const faults: Readonly<Record<FaultKind, Fault>> = {
  "kill-manager": kill,
  "kill-storage": kill,
  "kill-manager-and-storage": kill,
  "kill-two-managers": kill,
  "kill-all": kill,
  "flap-manager": flap,
  "flap-storage": flap,
  "wipe-manager": wipe,
  "wipe-storage": wipe,
  "pause-manager": pause,
  "pause-storage": pause,
  "restart-manager": restart,
  "restart-storage": restart,
  "cut-manager": cut,
  "cut-storage": cut,
  "silence-manager": silence,
  "deafen-manager": deafen,
  "mute-manager": mute,
  "delay-manager": delay,
  "reset-connections": reset,
  "split-managers": split,
  "fill-disk-of-manager": fillDisk,
  "fill-disk-of-storage": fillDisk,
  "move-clock": moveClock,
  "upgrade-all": upgrade,
};
