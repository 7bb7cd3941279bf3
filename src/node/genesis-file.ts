import { fileError } from "../config/config-error.js";
import { readGenesisFile } from "../config/key-files.js";
import { type GenesisState, parseGenesis } from "../ledger/genesis.js";

/** Reads and checks a genesis file. @throws ConfigError that says what is wrong with it */
export function loadGenesis(file: string): GenesisState {
  const genesis = parseGenesis(readGenesisFile(file));
  if (genesis.ok) return genesis.value;
  const { message, field } = genesis.error;
  const what = `not a valid genesis file: ${field ?? "file"}: ${message.replace(/\.$/, "")}`;
  const next = field?.startsWith("policy.")
    ? "make the consortium anew with another policy, as a genesis file cannot be mended"
    : "copy the consortium's genesis file again";
  throw fileError(file, what, next);
}
