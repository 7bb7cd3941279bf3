import { type GenesisState, parseGenesis } from "../ledger/genesis.js";
import { fileError } from "./config-error.js";
import { readGenesisFile } from "./key-files.js";

/** Reads and checks a genesis file. @throws ConfigError that says what is wrong with the file */
export function readGenesis(file: string): GenesisState {
  const genesis = parseGenesis(readGenesisFile(file));
  if (genesis.ok) return genesis.value;
  const { message, field } = genesis.error;
  const what = `not a valid genesis file: ${field === undefined ? "" : `${field}: `}${message.replace(/\.$/, "")}`;
  const next = field?.startsWith("policy.")
    ? "make the consortium again with another policy: a genesis file cannot be changed"
    : "copy the genesis file of the consortium again";
  throw fileError(file, what, next);
}
