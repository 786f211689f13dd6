/** What the standard's constructor and `close` refuse, they refuse here too, and at once. */

const syntax = (message: string) => new DOMException(message, 'SyntaxError');

/** The URL as the standard serialises it: `http` stands for `ws`, and a relative one counts from the document. */
export function resolve(url: string | URL): string {
  let parsed: URL;
  try {
    parsed = new URL(url, globalThis.document?.baseURI ?? globalThis.location?.href);
  } catch {
    throw syntax(`The URL '${url}' is invalid.`);
  }
  if (/^http/.test(parsed.protocol)) parsed.protocol = parsed.protocol.replace('http', 'ws');
  if (!/^wss?:$/.test(parsed.protocol)) throw syntax(`The URL's scheme must be either 'http', 'https', 'ws', or 'wss'. '${parsed.protocol}' is not allowed.`);
  if (parsed.hash || parsed.href.endsWith('#')) throw syntax(`The URL contains a fragment identifier ('${parsed.hash}').`);
  return parsed.href;
}

/** Each a token (RFC 9110, section 5.6.2), and none twice. */
export function protocolList(protocols: string | string[]): string[] {
  const list = typeof protocols == 'string' ? [protocols] : Array.from(protocols, String);
  list.forEach((protocol, index) => {
    if (!/^[!#$%&'*+\-.^\w`|~]+$/.test(protocol)) throw syntax(`The subprotocol '${protocol}' is invalid.`);
    if (list.indexOf(protocol) < index) throw syntax(`The subprotocol '${protocol}' is duplicated.`);
  });
  return list;
}

export function checkClose(code?: number, reason?: string): void {
  if (code !== undefined && code != 1000 && !(code >= 3000 && code <= 4999)) {
    throw new DOMException(`The close code must be either 1000, or between 3000 and 4999. ${code} is neither.`, 'InvalidAccessError');
  }
  if (reason !== undefined && byteLength(reason) > 123) throw syntax('The close reason must not be greater than 123 UTF-8 bytes.');
}

/** How many bytes a text has in UTF-8. */
export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
