/** Addresses of nodes. People may write http, https, ws or wss; inside there is one form,
 *  `http(s)://host:port`: ws is http, wss is https, the port is always there. No user, path, query or fragment. */

const HTTP_SCHEMES: ReadonlyMap<string, string> = new Map([
  ['http:', 'http:'],
  ['ws:', 'http:'],
  ['https:', 'https:'],
  ['wss:', 'https:'],
]);

/** @returns the one form, without a slash at its end; null when the text is no address of a node */
export function readNodeUrl(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const scheme = HTTP_SCHEMES.get(url.protocol);
  const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === '' && url.pathname === '/';
  if (scheme === undefined || !plain || url.hostname === '') return null;
  const port = url.port === '' ? (scheme === 'https:' ? '443' : '80') : url.port;
  return `${scheme}//${url.hostname}:${port}`;
}

export const NODE_URL_EXAMPLE = 'ws://127.0.0.1:7171';
