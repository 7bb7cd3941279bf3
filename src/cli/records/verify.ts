/** `bss verify`: a receipt checked offline. It opens no connection and needs no profile. */
import { readFileSync, statSync } from "node:fs";
import type { Command } from "commander";
import { equalBytes, toHex } from "../../base/bytes.js";
import {
  type ReceiptAnchor,
  type ReceiptProblem,
  receiptFromBinary,
  receiptFromJson,
  type VerifiedReceipt,
  verifyReceipt,
} from "../../client/verify/receipt-check.js";
import { readGenesis } from "../../config/genesis-file.js";
import type { Receipt } from "../../gen/bss/v1/query_pb.js";
import { parseHeader } from "../../ledger/blocks/block-parsing.js";
import { refuseDirectory } from "../arguments.js";
import { CliError } from "../text/cli-error.js";
import { tinted } from "../text/colours.js";
import { fields, formatTime, outputOf } from "../text/output.js";
import { isReceiptList, verifyList } from "./verify-list.js";

type Options = { readonly genesis: string; readonly record?: string };

const fileBytesMax = 64 * 1024 * 1024;

export function register(program: Command): void {
  program
    .command("verify")
    .summary("check a receipt offline")
    .description(
      "Checks a receipt without any server. The inclusion proof has to lead from the hash of the " +
        "record to HASH1 in the header of the block, enough managers must have signed the header, " +
        "and the header before it has to show that this block added the record. Only the genesis " +
        "file is trusted.",
    )
    .argument("<receipt>", "what 'bss receipt' wrote, or the receipts of 'submit' or 'import'")
    .requiredOption("-g, --genesis <file>", "the consortium's genesis.json")
    .option(
      "--record <file>",
      "also check the content of the record: its exact bytes from 'bss get --bytes'",
    )
    .action(async (file: string, options: Options, self: Command) => {
      const output = outputOf(self);
      const record = options.record === undefined ? undefined : readBytes(options.record);
      refuseDirectory(file);
      if (isReceiptList(file)) {
        await verifyList(file, readGenesis(options.genesis), record, output);
        return;
      }
      const receipt = readReceipt(file);
      const anchor = readGenesis(options.genesis);
      const verified = verifyReceipt(receipt, anchor, record === undefined ? {} : { record });
      if (!verified.ok) {
        const { step, message } = verified.error;
        if (output.json) output.result({ valid: false, step, message }, String);
        const next = adviceOn(verified.error, receipt, anchor);
        throw new CliError(`the receipt is NOT valid (${step}): ${sentence(message)}`, next);
      }
      output.result(resultOf(verified.value), () => textOf(verified.value));
    });
}

/** Throws `CliError`. */
export function readReceipt(file: string): Receipt {
  const bytes = readBytes(file);
  if (bytes.length === 0) {
    const next =
      "it is what a run leaves that was refused; or fetch one with 'bss receipt <record_hash>'";
    throw new CliError(`${file} holds no receipt: it is empty`, next);
  }
  const encoded = receiptFromBinary(bytes);
  if (encoded !== undefined) return encoded;
  const receipt = receiptFromJson(new TextDecoder().decode(bytes));
  if (receipt.ok) return receipt.value;
  throw new CliError(
    `${file}: ${sentence(receipt.error.message)}`,
    "fetch a receipt with 'bss receipt <record_hash>'",
  );
}

/** What to do next: the fault may be in a file of the person's own rather than in the receipt. */
function adviceOn(problem: ReceiptProblem, receipt: Receipt, anchor: ReceiptAnchor): string {
  const parsed = parseHeader(receipt.header);
  // Record hashes depend on the consortium, so with a wrong genesis the record does not match too.
  if (parsed.ok && !equalBytes(parsed.value.header.consortiumId, anchor.consortiumId)) {
    return "check --genesis: the receipt is from another consortium";
  }
  if (problem.step === "record" && receipt.recordHash.length === 32) {
    return "check --record: 'bss get --bytes' writes the right file";
  }
  return "do not rely on it; fetch the receipt again, from another manager";
}

function readBytes(file: string): Uint8Array {
  refuseDirectory(file);
  if (statSync(file).size > fileBytesMax) {
    throw new CliError(
      `${file} is larger than ${fileBytesMax} bytes`,
      "check that it is the right file",
    );
  }
  return new Uint8Array(readFileSync(file));
}

function resultOf(verified: VerifiedReceipt): object {
  const { recordHash, height, blockId, timeMs, position, signers } = verified;
  return {
    valid: true,
    record_hash: recordHash,
    height,
    block_id: blockId,
    time_unix_ms: timeMs,
    position,
    previous_tree_size: verified.previousTreeSize,
    tree_size: verified.treeSize,
    signers,
    record_checked: verified.recordChecked,
  };
}

function textOf(verified: VerifiedReceipt): string {
  const { recordHash, height, blockId, timeMs, position, treeSize, signers } = verified;
  const ok = tinted("good", "ok");
  const steps = verified.steps.map(({ message }) => `  ${ok}  ${message}`).join("\n");
  const facts = fields([
    ["record", toHex(recordHash)],
    ["content", verified.recordChecked ? "is what was recorded" : "not checked (--record FILE)"],
    ["added by block", `${height}  ${toHex(blockId)}`],
    ["block's time", formatTime(timeMs)],
    ["position", `${position} of ${treeSize} records`],
    ["signed by", signers.join(", ")],
  ]);
  return `${tinted("good", "the receipt is valid")}\n${steps}\n${facts}`;
}

/** The text without its full stop, because errors are put together from parts. */
function sentence(text: string): string {
  return text.replace(/\.$/, "");
}
