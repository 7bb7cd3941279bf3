/** Where a server listens or is dialled. */
export type HostPort = { readonly host: string; readonly port: number };

/** "host:port"; IPv6 addresses stand in brackets. */
export function joinHostPort({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
