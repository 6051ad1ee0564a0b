/** The address of a node in its forms: where clients reach it, and where its stream is. */

import { invalidRequest } from '../model/errors.js';
import { NODE_URL_EXAMPLE, readNodeUrl } from '../model/node-url.js';

const STREAM_PATH = '/replication/stream';

/** @param url ws(s)://host:port or http(s)://host:port @throws InvalidRequest */
export function streamUrlOf(url: string): { readonly stream: string; readonly http: string } {
  const http = readNodeUrl(url);
  if (http === null) throw invalidRequest('master_url', `must be the address of a node, such as ${NODE_URL_EXAMPLE}`);
  return { stream: `${http.replace('http', 'ws')}${STREAM_PATH}`, http };
}

/** http(s)://host:port, with brackets around an IPv6 address. */
export function httpUrlOf(host: string, port: number, secure: boolean): string {
  return `${secure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
