/**
 * Serves files of the repository to a page, as any static server would, and pages that stand in
 * memory; takes what a page posts to /report.
 */
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { repositoryRoot } from "../support/tree.js";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
};
/** What pages may read: nothing beside it, such as keys, is served. */
const served = /^\/(dist\/browser|examples\/browser|test\/vectors)\//;
const reportBytesMax = 2 ** 20;

export class PageServer {
  readonly #server: Server;
  readonly #pages: ReadonlyMap<string, string>;
  readonly #report: Promise<unknown>;
  #take: (report: unknown) => void = () => {};

  private constructor(pages: ReadonlyMap<string, string>) {
    this.#pages = pages;
    this.#report = new Promise((resolve) => {
      this.#take = resolve;
    });
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  /** @param pages contents by path */
  static async start(pages: ReadonlyMap<string, string>): Promise<PageServer> {
    const server = new PageServer(pages);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  url(path: string): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}${path}`;
  }

  /** What the page reports, the first time. */
  report(): Promise<unknown> {
    return this.#report;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    if (request.method === "POST" && path === "/report") {
      this.#takeReport(request, response);
      return;
    }
    const content = this.#pages.get(path) ?? fileOf(path);
    if (content === undefined) {
      response.writeHead(404).end();
      return;
    }
    const type = types[extname(path)] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type }).end(content);
  }

  #takeReport(request: IncomingMessage, response: ServerResponse): void {
    let text = "";
    request.on("data", (chunk: Buffer) => {
      text += chunk;
      if (text.length > reportBytesMax) request.destroy();
    });
    request.on("end", () => {
      response.writeHead(204).end();
      this.#take(JSON.parse(text));
    });
  }
}

function fileOf(path: string): Buffer | undefined {
  if (!served.test(path)) return undefined;
  try {
    return readFileSync(join(repositoryRoot(), path));
  } catch {
    return undefined;
  }
}
