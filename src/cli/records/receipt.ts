/** `bss receipt`: a record's receipt, as a file that proves itself. */
import { type Command, Option } from "commander";
import { printableJson } from "../../base/printable.js";
import { receiptToBinary, receiptToJson } from "../../client/verify/receipt-check.js";
import { addProfileOption, withClient } from "../client-session.js";
import { type HashArgument, hashForms, parseHashArgument, wholeHash } from "./hash-argument.js";

type Options = { readonly format: "json" | "binary" };

export function register(program: Command): void {
  const command = program
    .command("receipt")
    .summary("fetch the receipt of a record")
    .description(
      "Fetches and checks the receipt of a record and prints it (bss.v1.Receipt). Keep it in a " +
        "file: bss receipt HASH > receipt.json. 'bss verify' checks that file without any " +
        "server. The receipt proves which block added the record; it does not prove its " +
        "confirmations and storage attestations, which are what the manager said.",
    )
    .argument("<hash>", `the record hash: ${hashForms}`, parseHashArgument)
    .addOption(
      new Option("--format <format>", "as protobuf JSON, or a third as long as its encoded bytes")
        .choices(["json", "binary"])
        .default("json"),
    )
    .action((argument: HashArgument, options: Options, self: Command) =>
      withClient(self, async (client, output) => {
        const hash = await wholeHash(client, argument);
        const receipt = await client.getReceipt(hash);
        if (options.format === "binary") {
          process.stdout.write(receiptToBinary(receipt));
          return;
        }
        const json = receiptToJson(receipt, { pretty: !output.json });
        process.stdout.write(`${printableJson(json)}\n`);
      }),
    );
  addProfileOption(command);
}
