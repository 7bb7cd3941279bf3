/** Says how far the page came, or that it failed. */
export async function report(work: () => Promise<unknown>): Promise<void> {
  const body = await work().catch((error: unknown) => {
    return { crashed: error instanceof Error ? error.stack : String(error) };
  });
  await fetch("/report", { method: "POST", body: JSON.stringify(body) });
}
