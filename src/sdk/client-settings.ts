/** What a client is made from, and what it shares with its sessions. Must not know: calls. */

import { Caller, type Encoding } from './caller.js';
import { Closing } from './closing.js';
import { Cluster } from './cluster.js';
import { defaultTransport } from './default-transport.js';
import { type HedgeSettings, Hedging } from './hedge.js';
import { mustKnow } from './known-names.js';
import type { ReadPreference } from './nodes.js';
import { DEFAULT_RETRIES, NO_RETRIES, type RetrySettings } from './retry.js';
import { Round } from './round.js';
import type { Session } from './session.js';
import type { Transport } from './transport.js';
import type { ReadOptions } from './types.js';

export interface ClientSettings {
  /** The one node to ask, such as http://127.0.0.1:7171. */
  readonly url?: string;
  /** Or several nodes of one cluster: the client finds its master, and follows it when another node takes over. */
  readonly nodes?: readonly string[];
  readonly apiKey?: string;
  /** Bounds each call, retries included. Default 30,000. */
  readonly timeoutMs?: number;
  /** How long one node may take while there is another to ask. Default 10,000. */
  readonly tryTimeoutMs?: number;
  /** How often and how patiently to try again; false: never. Default 10 tries, from 100 ms up to 5 s apart. */
  readonly retries?: Partial<RetrySettings> | false;
  /** Who answers reads where there are several nodes. Default nearest: with a session that is never less than what this client has seen. */
  readonly readPreference?: ReadPreference;
  /** How old the state may be that reads show, in milliseconds; needed where `fresh` is preferred. Default: any age. */
  readonly maxStalenessMs?: number;
  /** Ask a second node when the first takes long, and take the answer that comes first. Reads alone, and a bounded share of them. Default: no. */
  readonly hedge?: HedgeSettings;
  /** Remember the newest position seen and read at least that, so that this client sees its own writes on any node. Default true. */
  readonly session?: boolean;
  /** Connections at once, to each scheme. Default 64; a browser has its own bound. */
  readonly connectionsMax?: number;
  /** Default msgpack, with binary vectors; json is for looking at the traffic. */
  readonly encoding?: Encoding;
  readonly transport?: Transport;
}

/** What the sessions of one client have in common. */
export interface Shared {
  readonly transport: Transport;
  readonly cluster: Cluster;
  readonly hedging: Hedging | null;
  readonly closing: Closing;
  /** Of a session: where it begins. */
  readonly position?: string | null;
}

const SETTING_NAMES = {
  ...{ url: true, nodes: true, tryTimeoutMs: true, readPreference: true, transport: true },
  ...{ apiKey: true, timeoutMs: true, retries: true, maxStalenessMs: true, hedge: true },
  ...{ session: true, connectionsMax: true, encoding: true },
} as const satisfies Readonly<Record<keyof ClientSettings, true>>;
const ENCODINGS: readonly Encoding[] = ['msgpack', 'json'];
const RETRY_NAMES = { attempts: true, firstDelayMs: true, delayMsMax: true } as const satisfies Record<keyof RetrySettings, true>;
const HEDGE_NAMES = { afterMs: true, shareMax: true } as const satisfies Record<keyof HedgeSettings, true>;

/** @throws TypeError for a setting that there is not, for what is no http or https address, and for both or none of url and nodes */
export function sharedBy(settings: ClientSettings): Shared {
  checkSettings(settings);
  const transport = settings.transport ?? defaultTransport(settings.connectionsMax ?? 64);
  const hedging = settings.hedge === undefined ? null : new Hedging(settings.hedge);
  return { transport, cluster: new Cluster({ urls: urlsOf(settings), transport }), hedging, closing: new Closing() };
}

export function callerOf(settings: ClientSettings, shared: Shared, session: Session | null): Caller {
  const { transport, cluster, hedging, closing } = shared;
  const { encoding = 'msgpack', apiKey = null, timeoutMs = 30_000, tryTimeoutMs = 10_000, retries } = settings;
  const round = new Round({ transport, cluster, hedging, tryTimeoutMs, readPreference: settings.readPreference ?? 'nearest' });
  return new Caller({
    ...{ round, encoding, apiKey, timeoutMs, session, closing },
    retries: retries === false ? NO_RETRIES : { ...DEFAULT_RETRIES, ...retries },
  });
}

/** What the client's settings say of a read beside what the call says. @throws TypeError for a fresh read of any age */
export function readOptionsOf({ readPreference, maxStalenessMs }: ClientSettings, options: ReadOptions): ReadOptions {
  const merged = maxStalenessMs === undefined ? options : { maxStalenessMs, ...options };
  if ((options.readPreference ?? readPreference) === 'fresh' && merged.maxStalenessMs === undefined)
    throw new TypeError('a fresh read says how old its answer may be: give maxStalenessMs');
  return merged;
}

function checkSettings(settings: ClientSettings): void {
  mustKnow(settings, SETTING_NAMES, 'a client');
  if (settings.retries) mustKnow(settings.retries, RETRY_NAMES, 'retries');
  if (settings.hedge) mustKnow(settings.hedge, HEDGE_NAMES, 'hedge');
  const { encoding = 'msgpack', connectionsMax = 64 } = settings;
  if (!ENCODINGS.includes(encoding)) throw new TypeError(`encoding is one of ${ENCODINGS.join(', ')}`);
  if (!(connectionsMax >= 1)) throw new TypeError('connectionsMax is a number from 1 up');
  for (const name of ['timeoutMs', 'tryTimeoutMs', 'maxStalenessMs'] as const)
    if (!((settings[name] ?? 1) >= 0)) throw new TypeError(`${name} is a number of milliseconds, from 0 up`);
}

function urlsOf({ url, nodes }: ClientSettings): readonly string[] {
  if ((url === undefined) === (nodes === undefined)) throw new TypeError('a client is given either url, of one node, or nodes');
  const urls = url === undefined ? (nodes ?? []) : [url];
  for (const one of urls) mustBeAddress(one);
  return urls;
}

/** `localhost:7171` is an address of the scheme `localhost:`, so it is the scheme that is looked at. What is given may hold a password, and is not shown. */
function mustBeAddress(text: string): void {
  const protocol = URL.canParse(text) ? new URL(text).protocol : '';
  if (protocol !== 'http:' && protocol !== 'https:')
    throw new TypeError('the address of a node begins with http:// or https://, such as http://127.0.0.1:7171');
}
