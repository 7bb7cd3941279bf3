/** `bss receipt`: a record's receipt, as a file that proves itself. */
import type { Command } from "commander";
import { printableJson } from "../../base/printable.js";
import { receiptToJson } from "../../client/verify/receipt-check.js";
import { parseHash } from "../arguments.js";
import { addProfileOption, withClient } from "../client-session.js";

export function register(program: Command): void {
  const command = program
    .command("receipt")
    .summary("fetch the receipt of a record")
    .description(
      "Fetches and checks the receipt of a record and prints it as JSON (bss.v1.Receipt). Keep it " +
        "in a file: bss receipt HASH > receipt.json. 'bss verify' checks that file without any " +
        "server. The receipt proves which block added the record; it does not prove its " +
        "confirmations and storage attestations, which are what the manager said.",
    )
    .argument("<hash>", "the record hash, 64 hex digits", parseHash)
    .action((hash: Uint8Array, _options: object, self: Command) =>
      withClient(self, async (client, output) => {
        const receipt = await client.getReceipt(hash);
        const json = receiptToJson(receipt, { pretty: !output.json });
        process.stdout.write(`${printableJson(json)}\n`);
      }),
    );
  addProfileOption(command);
}
