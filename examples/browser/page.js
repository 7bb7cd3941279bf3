/**
 * Shows what a receipt proves. Serve the repository after `make build` with any static server, such
 * as `python3 -m http.server`, and open /examples/browser/.
 */
import { Ledger } from "../../dist/browser/verify.js";

const consortium = document.querySelector("#consortium");
const drop = document.querySelector("#drop");
const result = document.querySelector("#result");
const files = document.querySelector("#files");
/** What was dropped so far: the genesis file and the record as bytes, the receipt as text. */
const dropped = {};

files.addEventListener("change", () => take(files.files));
drop.addEventListener("dragover", (event) => event.preventDefault());
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  take(event.dataTransfer.files);
});
consortium.addEventListener("input", check);

async function take(list) {
  for (const file of list) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const kind = kindOf(bytes);
    dropped[kind] = kind === "receipt" ? new TextDecoder().decode(bytes) : bytes;
  }
  check();
}

/** A genesis file lists managers, a receipt names a record's hash; a record is no JSON. */
function kindOf(bytes) {
  try {
    const json = JSON.parse(new TextDecoder().decode(bytes));
    return "managers" in json ? "genesis" : "receipt";
  } catch {
    return "record";
  }
}

function check() {
  const { genesis, receipt, record } = dropped;
  const id = consortium.value.trim();
  if (genesis === undefined || receipt === undefined || id === "") {
    return show("", "The consortium id, genesis.json and receipt.json are needed.");
  }
  const ledger = Ledger.fromGenesis(genesis, id);
  if (!ledger.ok) return refuse(ledger.error);
  const verified = ledger.value.verifyReceipt(receipt, record && { record });
  if (!verified.ok) return refuse(verified.error);
  show("proven", proven(verified.value, ledger.value.genesis));
}

function proven(facts, { name, members }) {
  const time = new Date(facts.timeMs).toISOString();
  const added = `${facts.previousTreeSize} to ${facts.treeSize - 1}`;
  return [
    "Proven:",
    `The ledger of ${name} holds the record ${hex(facts.recordHash)} for good.`,
    `Block ${facts.height} added it at position ${facts.position}, with positions ${added}.`,
    `The block's time is ${time}, by the clock of the manager that made it.`,
    `Signed by ${facts.signers.join(", ")}; ${members.quorum} of ${members.managers.length} are needed.`,
    contentOf(facts),
  ].join("\n");
}

function contentOf({ recordChecked, record }) {
  if (!recordChecked)
    return "The record itself was not given, so nothing is said about its content.";
  if (record === undefined) return "The bytes given are those of the record.";
  const { case: kind, value } = record.payload;
  const { $typeName, ...fields } = value ?? {};
  const text = JSON.stringify(fields, (_, each) => {
    if (typeof each === "bigint") return Number(each);
    return each instanceof Uint8Array ? hex(each) : each;
  });
  return `The record is of ${record.ownerId}: ${kind} ${text}`;
}

function refuse({ step, message }) {
  show("refused", `Refused at step “${step}”: ${message}\nNothing is proven.`);
}

function show(kind, text) {
  result.className = kind;
  result.textContent = text;
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
