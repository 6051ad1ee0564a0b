/** The environment: which SKEIN_ variables are settings, which belong to somebody else, and which are mistakes.
 *
 *  Kubernetes puts variables of every Service into every container. For a Service named `skein`, or one whose name starts so, they
 *  look like ours (SKEIN_PORT=tcp://10.0.0.1:7171, SKEIN_MASTER_SERVICE_HOST=…), so these forms are passed over with a warning.
 *  Invariant: any other SKEIN_ variable is a known setting or refused. Must not know: what settings mean. */

import { nearestName } from './suggest.js';

export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'SKEIN_';
/** Read elsewhere: by the tests, by the benches, and by the install script. */
const OTHERS = [/^SKEIN_TEST_/, /^SKEIN_BENCH_/, /^SKEIN_NATIVE_BUILD$/];
const SERVICE_NAMES = [
  /^SKEIN_PORT_/,
  /^SKEIN_SERVICE_/,
  /^SKEIN_(?:.+_)?SERVICE_(?:HOST|PORT(?:_.+)?)$/,
  /^SKEIN_.+_PORT_\d+_(?:TCP|UDP|SCTP)/,
];
const SERVICE_PORT_NAME = /^SKEIN_(?:.+_)?PORT$/;
const SERVICE_ADDRESS = /^(?:tcp|udp|sctp):\/\//i;

export interface EnvironmentReading {
  /** Settings that are set; an empty variable is not. */
  readonly values: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
  readonly problems: readonly string[];
}

/** @param known the names of all settings, of every command */
export function readEnvironment(environment: Environment, known: ReadonlySet<string>): EnvironmentReading {
  const values = new Map<string, string>();
  const warnings: string[] = [];
  const problems: string[] = [];
  for (const name of Object.keys(environment).sort()) {
    const value = environment[name];
    if (!name.startsWith(PREFIX) || value === undefined || OTHERS.some((pattern) => pattern.test(name))) continue;
    if (isInjectedByService(name, value) && !(known.has(name) && !SERVICE_ADDRESS.test(value))) {
      warnings.push(
        `${name} is passed over: it looks like a variable that Kubernetes sets for a Service (enableServiceLinks: false stops that)`,
      );
    } else if (!known.has(name)) {
      problems.push(`unknown variable ${name}${suggestion(name, known)}`);
    } else if (value !== '') {
      values.set(name, value);
    }
  }
  return { values, warnings, problems };
}

function isInjectedByService(name: string, value: string): boolean {
  if (SERVICE_PORT_NAME.test(name) && SERVICE_ADDRESS.test(value)) return true;
  return SERVICE_NAMES.some((pattern) => pattern.test(name));
}

/** Compared without the prefix, which would make every name look near. */
function suggestion(name: string, known: ReadonlySet<string>): string {
  const bare = [...known].map((other) => other.slice(PREFIX.length));
  const nearest = nearestName(name.slice(PREFIX.length), bare);
  return nearest === null ? '' : ` (did you mean ${PREFIX}${nearest}?)`;
}
