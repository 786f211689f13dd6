// What the page knows of its server.

export interface About {
  version: string;
  chaosPort: number | null;
}

export async function about(): Promise<About> {
  try {
    const answer = await fetch('/page.json');
    return (await answer.json()) as About;
  } catch {
    return { version: '', chaosPort: null };
  }
}

/** Where the chat is: behind the faulty network, where there is one. */
export function chatUrl(chaosPort: number | null): string {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  return chaosPort === null ? `${scheme}//${location.host}/ws/chat/` : `ws://${location.hostname}:${chaosPort}/ws/chat/`;
}

/** One command of the faulty network, or only how it is; the answer is a line. */
export async function chaos(command?: string): Promise<string> {
  const answer = command === undefined
    ? await fetch('/chaos')
    : await fetch('/chaos', { method: 'POST', headers: { 'x-redial-chaos': '1' }, body: command });
  return await answer.text();
}
