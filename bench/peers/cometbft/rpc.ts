/** The few calls of CometBFT's JSON-RPC that the comparison makes, over connections that stay. */
import { Agent, request } from "node:http";

export type TxResult = { readonly code: number; readonly log: string };

type Answer<T> = { readonly result?: T; readonly error?: { readonly data?: string } };

/** Longer than the node itself waits for a block (10 s). */
const callTimeoutMs = 20_000;

export class CometRpc {
  readonly #port: number;
  readonly #agent: Agent;

  constructor(port: number, connectionsMax: number) {
    this.#port = port;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connectionsMax });
  }

  /** Height of the last block that the node has. */
  async height(): Promise<number> {
    const status = await this.#call<{ sync_info: { latest_block_height: string } }>("status", {});
    return Number(status.sync_info.latest_block_height);
  }

  /** Transactions that wait for a block. */
  async waiting(): Promise<number> {
    const { n_txs } = await this.#call<{ n_txs: string }>("num_unconfirmed_txs", {});
    return Number(n_txs);
  }

  async peers(): Promise<number> {
    const info = await this.#call<{ n_peers: string }>("net_info", {});
    return Number(info.n_peers);
  }

  /** Resolves when a block with the transaction is final and executed. */
  async commit(tx: Buffer): Promise<TxResult> {
    const { check_tx, tx_result } = await this.#call<{
      readonly check_tx: TxResult;
      readonly tx_result: TxResult;
    }>("broadcast_tx_commit", { tx: tx.toString("base64") });
    return check_tx.code === 0 ? tx_result : check_tx;
  }

  /** Resolves when the node has checked the transaction and taken it into its pool. */
  sync(tx: Buffer): Promise<TxResult> {
    return this.#call<TxResult>("broadcast_tx_sync", { tx: tx.toString("base64") });
  }

  /**
   * The transactions of a block in base64, with the code of each. Undefined before it is executed,
   * which is some time after it is there.
   */
  async block(height: number): Promise<ReadonlyMap<string, number> | undefined> {
    type Block = { readonly block: { readonly data: { readonly txs: readonly string[] | null } } };
    type Results = { readonly txs_results: readonly TxResult[] | null };
    const at = { height: `${height}` };
    const results = await this.#answer<Results>("block_results", at);
    if (results.result === undefined) return undefined;
    const codes = results.result.txs_results ?? [];
    const { block } = await this.#call<Block>("block", at);
    return new Map((block.data.txs ?? []).map((tx, i) => [tx, codes[i]?.code ?? -1]));
  }

  close(): void {
    this.#agent.destroy();
  }

  async #answer<T>(method: string, params: Readonly<Record<string, string>>): Promise<Answer<T>> {
    return JSON.parse(await this.#post(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })));
  }

  async #call<T>(method: string, params: Readonly<Record<string, string>>): Promise<T> {
    const { result, error } = await this.#answer<T>(method, params);
    if (result === undefined) throw new Error(`${method}: ${error?.data ?? "no result"}`);
    return result;
  }

  #post(body: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const call = request({
        host: "127.0.0.1",
        port: this.#port,
        method: "POST",
        agent: this.#agent,
        headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
        timeout: callTimeoutMs,
      });
      call.on("timeout", () => call.destroy(new Error("no answer in time")));
      call.on("error", reject);
      call.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
      });
      call.end(body);
    });
  }
}
