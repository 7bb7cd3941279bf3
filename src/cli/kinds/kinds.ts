/**
 * All kinds of records on the command line. The compiler names a kind that `Record.payload` of the
 * schema can hold and that is missing here.
 */
import type { KindName, MessageOf } from "../../ledger/kinds/kind.js";
import { chargingSession } from "./charging-session.js";
import { document } from "./document.js";
import { energyTrade } from "./energy-trade.js";
import type { CliKind } from "./kind.js";
import { loadProfile } from "./load-profile.js";
import { meterReading } from "./meter-reading.js";

/** By the name of the payload's field. */
export const cliKinds: { readonly [Name in KindName]: CliKind<MessageOf<Name>> } = {
  meterReading,
  loadProfile,
  energyTrade,
  chargingSession,
  document,
};

export type AnyCliKind = CliKind<MessageOf<KindName>>;

export const allCliKinds: readonly AnyCliKind[] = Object.values(cliKinds);
