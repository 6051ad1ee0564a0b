/** What a program says of the database that it opens. All of it is looked at before anything is opened: a name that nobody knows is refused, because
 *  passing over a misspelt dataDir would open another folder.
 *
 *  Invariant: whatever is wrong is said at once, by the names that the program gave. Must not know: nodes, what settings mean. */

import { ConfigError } from '../config/resolve.js';
import { didYouMean } from '../config/suggest.js';
import { LOG_LEVELS, type LogLevel } from '../model/log.js';
import { NODE_URL_EXAMPLE, readNodeUrl } from '../model/node-url.js';
import type { ClientSettings } from '../sdk/index.js';

export interface OpenOptions {
  /** The folder with everything: made when it is not there, locked while it is open. */
  readonly dataDir: string;
  /** Address of a server, as http://host:7171 or ws://host:7171: this program becomes a read replica of it. Counts when the folder is new; later it
   *  is what it was last. With data it opens and reads without the server, too. */
  readonly follow?: string;
  /** File with the key that nodes prove to each other, where the server has one. */
  readonly clusterKeyFile?: string;
  /** Further settings, as in a configuration file: snake_case names (docs/CONFIGURATION.md). `voter` is false here unless it is given: programs come
   *  and go, and a majority must not wait for them. Nothing is read from the environment. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** Of what the node has to say, to standard error. Default warn. */
  readonly logLevel?: LogLevel;
  /** As for a client of a server. apiKey is for the master, which writes of a replica are sent on to; the own node asks for none. */
  readonly client?: Omit<ClientSettings, 'url' | 'nodes' | 'transport' | 'tryTimeoutMs' | 'readPreference'>;
  /** Gives up the opening, such as the wait of a new replica for its first data; then the folder is free again. */
  readonly signal?: AbortSignal;
  /** A commit failed or a thread was lost, so that what is on disk is known only after it is opened again: every call fails from then on. Left out,
   *  the reason is thrown where nobody catches it, which ends the program. Not called before openSkein has resolved: until then it rejects. */
  readonly onFatal?: (reason: Error) => void;
}

/** What a value must be, or null where it is. */
type Look = (value: unknown) => string | null;

const isText: Look = (value) => (typeof value === 'string' && value !== '' ? null : 'must be a text that is not empty');
const LOOKS: Readonly<Record<keyof OpenOptions, Look>> = {
  dataDir: (value) => isText(value) && 'must be the path of a folder, as text',
  follow: (value) =>
    typeof value === 'string' && readNodeUrl(value) !== null
      ? null
      : `must be the address of a server such as ${NODE_URL_EXAMPLE}`,
  clusterKeyFile: isText,
  settings: (value) => (isRecord(value) ? null : 'must be an object, as a configuration file holds'),
  logLevel: (value) => ((LOG_LEVELS as readonly unknown[]).includes(value) ? null : `must be one of ${LOG_LEVELS.join(', ')}`),
  client: (value) => (isRecord(value) ? null : 'must be an object'),
  signal: (value) => (value instanceof AbortSignal ? null : 'must be an AbortSignal'),
  onFatal: (value) => (typeof value === 'function' ? null : 'must be a function'),
};

const CLIENT_NAMES = {
  ...{ apiKey: true, timeoutMs: true, retries: true, maxStalenessMs: true, hedge: true },
  ...{ session: true, connectionsMax: true, encoding: true },
} as const satisfies Readonly<Record<keyof NonNullable<OpenOptions['client']>, true>>;

/** Settings that have an option of their own. */
const OWN_OPTIONS = { data_dir: 'dataDir', master: 'follow', cluster_key_file: 'clusterKeyFile', log_level: 'logLevel' } as const;

/** @throws ConfigError naming everything that is wrong */
export function checkOptions(options: unknown): asserts options is OpenOptions {
  if (!isRecord(options)) throw new ConfigError(["openSkein takes an object, such as { dataDir: './data' }"]);
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const problems = unknownNames(given, LOOKS, 'openSkein');
  if (options['dataDir'] === undefined) problems.push('dataDir is missing: the folder with the data');
  for (const [name, value] of given) {
    const problem = Object.hasOwn(LOOKS, name) ? LOOKS[name as keyof OpenOptions](value) : null;
    if (problem !== null) problems.push(`${name} ${problem}`);
  }
  const { settings, client } = options;
  if (isRecord(client)) problems.push(...unknownNames(Object.entries(client), CLIENT_NAMES, 'client'));
  if (isRecord(settings)) problems.push(...saidTwice(options, settings));
  if (problems.length > 0) throw new ConfigError(problems);
}

function unknownNames(given: readonly (readonly [string, unknown])[], known: object, where: string): string[] {
  return given
    .filter(([name]) => !Object.hasOwn(known, name))
    .map(([name]) => `${where} has no option ${JSON.stringify(name)}${didYouMean(name, Object.keys(known))}`);
}

function saidTwice(options: Readonly<Record<string, unknown>>, settings: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(OWN_OPTIONS)
    .filter(([setting, option]) => Object.hasOwn(settings, setting) && options[option] !== undefined)
    .map(([setting, option]) => `${setting} in settings is said by ${option} already`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
