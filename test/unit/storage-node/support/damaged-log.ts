import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Overwrites some bytes in the middle of RocksDB's write-ahead log. */
export function damageLog(directory: string): void {
  const name = readdirSync(directory).find((each) => /^\d+\.log$/.test(each));
  const file = join(directory, name ?? "");
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.fill(0x5a, bytes.length >> 1, (bytes.length >> 1) + 10));
}
