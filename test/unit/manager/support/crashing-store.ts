/** A store whose process dies at a chosen write: before it reaches the disk, or after. */
import type { KeyValueStore } from "../../../../src/store/key-value-store.js";
import { StoreError } from "../../../../src/store/store-error.js";

/** Shared by every store of one process. */
export class Crash {
  /** Writes that still succeed. */
  writesLeft = Number.POSITIVE_INFINITY;
  when: "before" | "after" = "before";
  dead = false;

  /** Over `kv`, until the process dies. */
  over(kv: KeyValueStore): KeyValueStore {
    return {
      get: (key) => kv.get(key),
      getMany: (keys) => kv.getMany(keys),
      range: (options) => kv.range(options),
      scan: (options) => kv.scan(options),
      close: () => kv.close(),
      write: async (batch, durability) => {
        if (this.dead) throw died();
        this.writesLeft -= 1;
        if (this.writesLeft >= 0) return kv.write(batch, durability);
        this.dead = true;
        if (this.when === "after") await kv.write(batch, durability);
        throw died();
      },
    };
  }
}

function died(): StoreError {
  return new StoreError("CLOSED", "the process has died");
}
