/** `skein serve`: a server in this process, from its settings to its last word.
 *
 *    settings ─► (--print-config: print and end) ─► start ─► say where it is and what to try ─► stop on SIGTERM or SIGINT
 *
 *  Must not know: signals, the process; it is told to stop. */

import { SERVE_COMMAND_FIELDS } from '../config/command-fields.js';
import { loadCommandFields, loadConfig } from '../config/config.js';
import { describeConfig } from '../config/describe.js';
import { logOptions } from '../config/log-options.js';
import type { Log, LogOptions, ProcessLog } from '../model/log.js';
import type { Node } from '../node/node.js';
import type { Reloads } from './reloads.js';
import { EXIT, type ExitCode, print, type Surroundings } from './surroundings.js';

/** What serve needs of rooms that a command must not know. */
export interface ServeParts {
  /** @throws Error when its file cannot be there */
  makeLog(options: LogOptions): ProcessLog;
  /** An operator asks for certificates and keys to be read again; left out: nobody can. */
  readonly reloads?: Reloads;
  /** Data may be at risk: ends the process at once. */
  onFatal(reason: string): void;
}

export async function serve(
  flags: Readonly<Record<string, unknown>>,
  surroundings: Surroundings,
  parts: ServeParts,
): Promise<ExitCode> {
  const { environment, workingDir, output, stopping } = surroundings;
  const sources = { flags, environment, workingDir };
  const { values } = loadCommandFields(SERVE_COMMAND_FIELDS, sources);
  const loaded = loadConfig(sources);
  const shownConfig = describeConfig(loaded.config, loaded.sources);
  if (values.printConfig) {
    print(output, JSON.stringify(shownConfig, null, 2));
    return EXIT.done;
  }
  const { config } = loaded;
  const log = parts.makeLog(logOptions(config));
  for (const warning of loaded.warnings) log.warn('configuration', { warning });
  // Loaded here, so that other commands start without a database and an index.
  const { startNode } = await import('../node/node.js');
  const starting = startNode({
    config,
    shownConfig,
    log,
    onFatal: (reason) => {
      log.error('fatal', { reason });
      parts.onFatal(reason);
    },
  });
  const node = await Promise.race([starting, whenAborted(stopping)]);
  // Told to stop during the start: nothing has been acknowledged, and a store is safe to leave at any moment.
  if (node === null) {
    starting.catch(() => undefined);
    log.info('stopped', { during: 'start' });
    return EXIT.done;
  }
  parts.reloads?.listen(() => reloadFiles(node, log));
  const keyed = config.apiKey !== null || config.tokens.keys !== null;
  // Who starts it by npm has no `skein` on his path, most often.
  const command = environment['npm_command'] === undefined ? 'skein' : 'npx skein';
  for (const line of greeting(node, { keyed, docs: config.docs, command })) print(output, line);
  log.info('listening', { url: node.url, data_dir: node.dataDir, native_build: node.nativeBuild });
  await whenAborted(stopping);
  log.info('stopping', {});
  await node.stop();
  log.info('stopped', {});
  return EXIT.done;
}

/** What was asked for during the start is done now: files may have been read before they were replaced. */
function reloadFiles({ reload }: Pick<Node, 'reload'>, log: Log): void {
  if (reload === null) log.info('reload_ignored', { reason: 'no certificate and no key of tokens is read from a file' });
  else void reload();
}

interface GreetingSettings {
  readonly keyed: boolean;
  readonly docs: boolean;
  /** What is typed to run a command. */
  readonly command: string;
}

export function greeting(
  node: Pick<Node, 'url' | 'dataDir' | 'nativeBuild' | 'made'>,
  { keyed, docs, command }: GreetingSettings,
): string[] {
  // An address that means "all" is no address to call.
  const url = node.url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
  const key = keyed ? " -H 'api-key: …'" : '';
  const atDefault = url === 'http://127.0.0.1:7171' ? '' : ` --url ${url}`;
  const json = "-H 'content-type: application/json'";
  return [
    `Skein listens on ${node.url}`,
    `  data    ${node.dataDir}${node.made ? ' (new)' : ''}`,
    `  index   hnswlib, ${node.nativeBuild} build`,
    ...(docs ? [`  docs    ${url}/docs`] : []),
    '',
    'Try:',
    `  curl -X PUT ${url}/v1/collections/first${key} ${json} -d '{"dimension": 3, "distance": "cosine"}'`,
    `  curl -X PUT ${url}/v1/collections/first/points${key} ${json} -d '{"points": [{"id": 1, "vector": [1, 2, 3]}]}'`,
    `  curl ${url}/v1/collections/first/points/search${key} ${json} -d '{"vector": [1, 2, 3]}'`,
    `  ${command} import COLLECTION FILE${atDefault}`,
    `  ${command} search first --vector '[1, 2, 3]'${atDefault}`,
    `  ${command} top${atDefault}`,
    '',
    `More: ${command} --help; docs/CLI.md and docs/OPERATIONS.md of the package`,
    '',
  ];
}

function whenAborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener('abort', () => resolve(null), { once: true });
  });
}
