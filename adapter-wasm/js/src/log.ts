/** Logs where the option says so, or else where the page's storage asks for it. */
export function log(option: boolean | undefined, ...what: unknown[]): void {
  if (option ?? asked()) console.debug('redial', ...what);
}

function asked(): boolean {
  try {
    return !!globalThis.localStorage?.debug?.includes('websocket');
  } catch {
    return false;
  }
}
