/** MCP over streamable HTTP: every POST is a conversation of its own, so nothing is kept between requests and nothing can be taken over.
 *
 *  The caller's key goes to the Skein server with every call, and that server decides; this process has no key for callers. Beyond this machine
 *  requests without a key are refused, and all are while the Skein server asks nobody for one: an open server on a loopback address must not
 *  become an open one on the network. Must not know: tools. */

import { hash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { messageOf } from '../model/errors.js';
import { HttpTransport, SkeinApiError, SkeinClient, type Transport } from '../sdk/index.js';
import { HeldBytes } from './held-bytes.js';
import { type AccessRules, keyOf, pathOf, type Refusal, refusalOf } from './http-access.js';
import { type ProtocolOptions, protocolServer } from './protocol-server.js';
import { RunningCalls } from './running-calls.js';

const CONNECTIONS_MAX = 256;
const BODY_BYTES_MAX = 32 * 1024 * 1024;
/** Of all requests together. */
const BODY_BYTES_HELD_MAX = 128 * 1024 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
const STOP_MS = 5_000;
/** How long it is believed that the Skein server asks for keys. */
const KEYED_MS = 30_000;
const KEYS_KNOWN_MAX = 1_000;
const CHALLENGE = { 'www-authenticate': 'Bearer' };

export interface HttpListenerOptions extends Omit<ProtocolOptions, 'client' | 'calls'> {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly rules: Omit<AccessRules, 'keyNeeded'>;
  /** Callers beyond this machine need no key, and the Skein server need not ask for one. */
  readonly openToAll: boolean;
  /** Of the Skein server. */
  readonly url: string;
  readonly timeoutMs: number;
  /** Milliseconds that only grow. */
  nowMs(): number;
}

export interface HttpListener {
  /** http://host:port/mcp */
  readonly url: string;
  /** Lets running requests end for a few seconds. */
  close(): Promise<void>;
}

/** @throws Error when the address cannot be bound */
export async function listenHttp(options: HttpListenerOptions): Promise<HttpListener> {
  const transport = new HttpTransport({ connectionsMax: CONNECTIONS_MAX });
  const parts: Parts = {
    options,
    transport,
    guard: new KeyGuard(options, transport),
    calls: new RunningCalls(),
    held: new HeldBytes({ bytesMax: BODY_BYTES_HELD_MAX, unknownBytes: BODY_BYTES_MAX }),
  };
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    answer(request, response, parts).catch((error: unknown) => {
      options.report(`a request failed: ${messageOf(error)}`);
      refuse(response, { status: 500, message: 'a defect of the MCP server; its log says more' });
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  const { address, family, port } = await listening(server, options);
  const host = family === 'IPv6' ? `[${address}]` : address;
  return { url: `http://${host}:${port}/mcp`, close: () => close(server).finally(() => transport.close()) };
}

interface Parts {
  readonly options: HttpListenerOptions;
  readonly transport: Transport;
  readonly guard: KeyGuard;
  readonly calls: RunningCalls;
  readonly held: HeldBytes;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { options, transport, guard, calls, held }: Parts,
): Promise<void> {
  const { method = '', headers } = request;
  const path = pathOf(request.url ?? '');
  const refusal =
    refusalOf({ method, path, headers }, { ...options.rules, keyNeeded: guard.keyNeeded }) ??
    (await guard.refusal(keyOf(headers)));
  if (refusal !== null) {
    refuse(response, refusal);
    return;
  }
  // Whoever went away meanwhile is answered nothing, and would never give its share back.
  if (response.destroyed || request.socket.destroyed) return;
  const release = held.reserve(headers['content-length']);
  if (release === null) {
    refuse(response, { status: 503, message: 'too many large messages are on their way in', headers: { 'retry-after': '1' } });
    return;
  }
  onceOver(request, response, release);
  const key = keyOf(headers);
  const { url, timeoutMs } = options;
  const client = new SkeinClient({ url, timeoutMs, transport, encoding: 'json', ...(key !== null && { apiKey: key }) });
  const server = protocolServer({ ...options, client, calls });
  const conversation = new StreamableHTTPServerTransport({ enableJsonResponse: true, maxRequestBodySize: BODY_BYTES_MAX });
  // A caller that has gone away waits for nothing any more: its calls are cancelled.
  onceOver(request, response, () => void server.close());
  await server.connect(conversation as Parameters<typeof server.connect>[0]);
  await conversation.handleRequest(request, response);
}

/** When the answer is out, or its caller is gone: an answer that still waits behind another of its connection is not told of that itself. */
function onceOver({ socket }: IncomingMessage, response: ServerResponse, over: () => void): void {
  const end = (): void => {
    response.off('close', end);
    socket.off('close', end);
    over();
  };
  response.once('close', end);
  socket.once('close', end);
}

/** Holds callers off while a server that asks nobody for a key would be opened to the network. */
class KeyGuard {
  readonly #options: HttpListenerOptions;
  readonly #client: SkeinClient;
  readonly #transport: Transport;
  /** By digest of the key: until when it is believed to be one, oldest first. */
  readonly #known = new Map<string, number>();
  #believedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: HttpListenerOptions, transport: Transport) {
    this.#options = options;
    this.#transport = transport;
    this.#client = new SkeinClient({ url: options.url, timeoutMs: options.timeoutMs, transport, encoding: 'json' });
  }

  get keyNeeded(): boolean {
    return !this.#options.rules.loopback && !this.#options.openToAll;
  }

  /** Asked before anything of the body is read. */
  async refusal(key: string | null): Promise<Refusal | null> {
    return (await this.#openServer()) ?? (await this.#unknownKey(key));
  }

  /** A server that does not answer knows no key; the tools say so to the caller themselves. */
  async #unknownKey(key: string | null): Promise<Refusal | null> {
    const name = hash('sha256', key ?? '', 'hex');
    const nowMs = this.#options.nowMs();
    if ((this.#known.get(name) ?? Number.NEGATIVE_INFINITY) > nowMs) return null;
    const { url, timeoutMs } = this.#options;
    const transport = this.#transport;
    const client = new SkeinClient({ url, timeoutMs, transport, encoding: 'json', ...(key !== null && { apiKey: key }) });
    try {
      await client.version();
    } catch (error) {
      if (!(error instanceof SkeinApiError)) return null;
      if (error.status === 401) return { status: 401, message: 'Unauthorized: the key is not good', headers: CHALLENGE };
      if (error.status === 429) return { status: 429, message: 'RateLimited: too many wrong keys, or too many calls' };
      return null;
    }
    this.#known.delete(name);
    this.#known.set(name, nowMs + KEYED_MS);
    const [oldest] = this.#known.keys();
    if (this.#known.size > KEYS_KNOWN_MAX && oldest !== undefined) this.#known.delete(oldest);
    return null;
  }

  async #openServer(): Promise<Refusal | null> {
    if (!this.keyNeeded || this.#options.nowMs() < this.#believedUntilMs) return null;
    try {
      await this.#client.collections();
    } catch (error) {
      // 429: wrong keys came this way, so many that it does not even look any more.
      if (!(error instanceof SkeinApiError && (error.status === 401 || error.status === 429)))
        return { status: 503, message: 'the Skein server does not answer' };
      this.#believedUntilMs = this.#options.nowMs() + KEYED_MS;
      return null;
    }
    this.#options.report(
      'refused a caller: the Skein server asks nobody for a key, and this listener can be reached from other machines',
    );
    return { status: 403, message: 'the Skein server asks nobody for a key, so it is not opened to the network' };
  }
}

function refuse(response: ServerResponse, { status, message, headers = {} }: Refusal): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = JSON.stringify({ jsonrpc: '2.0', error: { code: -32_000, message }, id: null });
  // What was not read is not waited for.
  response.writeHead(status, { ...headers, 'content-type': 'application/json', connection: 'close' }).end(body);
}

function listening(server: Server, { host, port }: HttpListenerOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });
}

function close(server: Server): Promise<void> {
  const deadline = setTimeout(() => server.closeAllConnections(), STOP_MS);
  return new Promise((resolve) => {
    server.close(() => {
      clearTimeout(deadline);
      resolve();
    });
    server.closeIdleConnections();
  });
}
