/**
 * What grpc-js says when it cannot connect, as people read it: its own wrapping, the names of error
 * classes and OpenSSL's queue entry (thread:error:code:library:function:reason:file:line) go.
 */

const wrapping = /^No connection established\. Last error: (.*?)\.? ?Resolution note: ?.*$/s;
const openSslEntry =
  /(?:write EPROTO )?[0-9A-F]{6,}:error:[0-9A-F]+:[^:]*:[^:]*:([^:\n]*):[^\n]*\n?/g;

export function connectFailureText(details: string): string {
  return (wrapping.exec(details)?.[1] ?? details)
    .replace(/^(?:\w*Error: )+/, "")
    .replace(openSslEntry, "TLS: $1 ")
    .replaceAll(/\s+/g, " ")
    .trim()
    .replace(/\.$/, "");
}

/**
 * Whether a text of `connectFailureText` tells of a certificate or of TLS: the same node refuses
 * the next attempt too. A connection that only broke during the handshake is none of these.
 */
export function isTlsRefusal(text: string): boolean {
  return /certificate|^the server(?: is |'s )|^TLS: /.test(text);
}
