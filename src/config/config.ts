/** The configuration of a server: one frozen, checked object, made once at start.
 *
 *    flags  >  environment (SKEIN_…)  >  file (--config F)  >  defaults
 *
 *  Invariant: a Config that exists is usable: every value is in range, limits agree with each other, and a server that can be reached
 *  from other machines has a key unless the operator said otherwise. Must not know: the command line parser, the node. */

import { messageOf } from '../model/errors.js';
import { checkLimits, type Limits } from '../model/limits.js';
import { readApiKeyFile } from './api-key.js';
import { BACKUP_FIELDS } from './backup-fields.js';
import { type BackupSettings, readBackups } from './backup-settings.js';
import type { CLIENT_FIELDS } from './client-fields.js';
import { COMMAND_SECTIONS, SERVE_COMMAND_FIELDS } from './command-fields.js';
import { readConfigFile } from './config-file.js';
import { originProblems } from './cors-origins.js';
import { DEPENDENCY_FIELDS } from './dependency-fields.js';
import { type DependencySettings, readDependencies } from './dependency-settings.js';
import { type Environment, readEnvironment } from './environment.js';
import { environmentNameOf, type FieldTable, type ValuesOf } from './field.js';
import { GUARD_FIELDS } from './guard-fields.js';
import { HEALTH_FIELDS } from './health-fields.js';
import { type HealthSettings, readHealth } from './health-settings.js';
import { LIMIT_FIELDS } from './limit-fields.js';
import { isLoopback } from './loopback.js';
import { OBSERVING_FIELDS } from './observing-fields.js';
import { QDRANT_FIELDS } from './qdrant-fields.js';
import { type QdrantSettings, readQdrant } from './qdrant-settings.js';
import { RECOVERY_FIELDS } from './recovery-fields.js';
import { REPLICATION_FIELDS } from './replication-fields.js';
import { type ReplicationSettings, readReplication } from './replication-settings.js';
import { ConfigError, resolveFields, type Source, type Sources } from './resolve.js';
import type { Secret } from './secret.js';
import { SECURITY_FIELDS } from './security-fields.js';
import { SERVER_FIELDS, SERVER_SECTIONS } from './server-fields.js';
import { stopContradictions } from './stop-times.js';
import { TOKEN_FIELDS } from './token-fields.js';
import { readTokens, type TokenSettings } from './token-settings.js';
import { TRACING_FIELDS } from './tracing-fields.js';
import { readTracing, type TracingSettings } from './tracing-settings.js';

/** Paths are absolute; sizes are bytes, durations milliseconds; `auto` is left to whoever uses the value. */
export interface Config extends ValuesOf<typeof SERVER_FIELDS> {
  readonly limits: Limits;
  readonly replication: ReplicationSettings;
  readonly backup: BackupSettings;
  readonly dependencies: DependencySettings;
  readonly observing: ValuesOf<typeof OBSERVING_FIELDS>;
  readonly security: ValuesOf<typeof SECURITY_FIELDS>;
  readonly guards: ValuesOf<typeof GUARD_FIELDS>;
  readonly health: HealthSettings;
  readonly tracing: TracingSettings;
  readonly tokens: TokenSettings;
  readonly recovery: ValuesOf<typeof RECOVERY_FIELDS>;
  readonly qdrant: QdrantSettings;
  /** The admin key from apiKeyFile, or null: no key is asked for. */
  readonly apiKey: Secret | null;
}

export interface ConfigSources {
  /** By key, as the command line parser found them: text, or a boolean for a bare switch. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly environment: Environment;
  readonly workingDir: string;
  /** Settings as they would stand in a file, in its place. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Where each value came from, by key. */
  readonly sources: Readonly<Record<string, Source>>;
  /** What the operator should know; the server logs them. */
  readonly warnings: readonly string[];
}

/** Reads every source, the file and the key file included.
 *  @throws ConfigError listing everything that is wrong */
export function loadConfig(given: ConfigSources): LoadedConfig {
  const environment = readEnvironment(given.environment, settingVariables());
  const problems = [...environment.problems];
  const warnings = [...environment.warnings];
  const base = { flags: given.flags, environment: environment.values, workingDir: given.workingDir };

  const start = resolveFields(SERVE_COMMAND_FIELDS, { ...base, file: null });
  problems.push(...start.problems);
  const path = given.settings === undefined ? start.values.config : 'settings';
  const content = given.settings ?? (path === null ? null : attempt(() => readConfigFile(path), problems));
  const file = path === null || content === null ? null : { path, content };
  const table = {
    ...SERVER_FIELDS,
    ...REPLICATION_FIELDS,
    ...BACKUP_FIELDS,
    ...HEALTH_FIELDS,
    ...DEPENDENCY_FIELDS,
    ...OBSERVING_FIELDS,
    ...SECURITY_FIELDS,
    ...TOKEN_FIELDS,
    ...GUARD_FIELDS,
    ...TRACING_FIELDS,
    ...RECOVERY_FIELDS,
    ...QDRANT_FIELDS,
    ...LIMIT_FIELDS,
  };
  const { values, sources, problems: badValues } = resolveFields(table, { ...base, file });
  problems.push(...badValues);

  const keyReading = values.apiKeyFile === null ? null : attempt(() => readApiKeyFile(values.apiKeyFile ?? ''), problems);
  warnings.push(...(keyReading?.warnings ?? []));
  if (environment.values.has(environmentNameOf('apiKey'))) {
    warnings.push(
      'SKEIN_API_KEY is the key that commands send; a server takes its key from api_key_file, so this one protects nothing',
    );
  }
  if (problems.length > 0) throw new ConfigError(problems);
  const backup = readBackups(picked(BACKUP_FIELDS, values), values.dataDir);
  const dependencies = readDependencies(picked(DEPENDENCY_FIELDS, values));
  const health = readHealth(picked(HEALTH_FIELDS, values));
  const tracing = readTracing(picked(TRACING_FIELDS, values));
  const tokens = readTokens(picked(TOKEN_FIELDS, values), keyReading?.key ?? null);
  const keyed = values.apiKeyFile !== null || tokens.settings.keys !== null;
  const qdrant = readQdrant(picked(QDRANT_FIELDS, values));
  const replication = readReplication(values, sources, { host: values.host, asksForKeys: keyed });
  const readings = [replication, backup, health, tracing, tokens];
  problems.push(
    ...contradictions(values, values, keyed),
    ...stopContradictions(values),
    ...originProblems(values.corsOrigins),
    ...dependencies.problems,
    ...qdrant.problems,
    ...readings.flatMap((reading) => reading.problems),
  );
  if (problems.length > 0) throw new ConfigError(problems);
  if (values.insecureNoAuth && !isLoopback(values.host) && !keyed) {
    warnings.push(`listening on ${values.host} without a key: everybody who reaches the port may do everything`);
  }
  warnings.push(...readings.flatMap((reading) => reading.warnings));
  const groups = {
    apiKey: keyReading?.key ?? null,
    replication: replication.settings,
    backup: backup.settings,
    health: health.settings,
    dependencies: dependencies.settings,
    observing: Object.freeze(picked(OBSERVING_FIELDS, values)),
    guards: Object.freeze(picked(GUARD_FIELDS, values)),
    tracing: tracing.settings,
    tokens: tokens.settings,
    security: Object.freeze(picked(SECURITY_FIELDS, values)),
    recovery: Object.freeze(picked(RECOVERY_FIELDS, values)),
    qdrant: qdrant.settings,
  };
  const config = assemble(values, values, groups);
  return { config, sources: Object.freeze(sources), warnings };
}

/** The settings of a command that talks to a server or reads a folder: flags over environment over a file, where it has one, over defaults.
 *  @throws ConfigError listing everything that is wrong */
export function loadCommandFields<const Table extends FieldTable>(
  table: Table,
  given: ConfigSources,
  file: Sources['file'] = null,
): { readonly values: ValuesOf<Table>; readonly warnings: readonly string[] } {
  const environment = readEnvironment(given.environment, settingVariables());
  const sources = { flags: given.flags, environment: environment.values, workingDir: given.workingDir, file };
  const { values, sources: origins, problems } = resolveFields(table, sources);
  const all = [...environment.problems, ...problems];
  if (all.length > 0) throw new ConfigError(all);
  const own = isFileStronger(origins) ? { ...values, apiKey: null } : values;
  return { values: Object.freeze(own), warnings: environment.warnings };
}

/** A key and the file that holds one are two ways to say one thing: a flag for the file stands over a key from the environment. */
function isFileStronger(origins: Readonly<Record<string, Source | undefined>>): boolean {
  return origins['apiKeyFile'] === 'flag' && origins['apiKey'] === 'environment';
}

/** The key that a command sends: given as it is, or from a file. The key itself where both came the same way.
 *  @throws ConfigError when the file cannot be used */
export function clientKey(values: Pick<ValuesOf<typeof CLIENT_FIELDS>, 'apiKey' | 'apiKeyFile'>): string | null {
  const { apiKey, apiKeyFile } = values;
  if (apiKey !== null || apiKeyFile === null) return apiKey;
  const problems: string[] = [];
  const reading = attempt(() => readApiKeyFile(apiKeyFile), problems);
  if (reading === null) throw new ConfigError(problems);
  return reading.key.reveal();
}

/** Every SKEIN_ variable that is a setting of some command. */
export function settingVariables(): ReadonlySet<string> {
  const sections = [...SERVER_SECTIONS, ...COMMAND_SECTIONS];
  return new Set(sections.flatMap(({ fields }) => Object.keys(fields).map(environmentNameOf)));
}

type ServerValues = ValuesOf<typeof SERVER_FIELDS>;
type LimitValues = ValuesOf<typeof LIMIT_FIELDS>;

function contradictions(server: ServerValues, limits: LimitValues, keyed: boolean): string[] {
  const found: string[] = [];
  attempt(() => checkLimits(limits), found);
  if (!isLoopback(server.host) && !keyed && !server.insecureNoAuth) {
    found.push(
      `host ${server.host} can be reached from other machines, and no key is set: give --api-key-file FILE, or --insecure-no-auth if everybody may do everything`,
    );
  }
  return found;
}

/** What is read by files of its own. */
type Groups = Omit<Config, keyof ServerValues | 'limits'>;

function assemble(server: ServerValues, limits: LimitValues, groups: Groups): Config {
  const config: Record<string, unknown> = { ...groups };
  for (const key of Object.keys(SERVER_FIELDS)) config[key] = server[key as keyof ServerValues];
  const bounds: Record<string, number> = {};
  for (const key of Object.keys(LIMIT_FIELDS)) bounds[key] = limits[key as keyof LimitValues];
  config['limits'] = Object.freeze(bounds);
  return Object.freeze(config) as unknown as Config;
}

/** Of all values those of one table: no group carries what is not its own. */
function picked<const Table extends FieldTable>(table: Table, values: ValuesOf<Table>): ValuesOf<Table> {
  const entries = Object.keys(table).map((key) => [key, values[key]]);
  return Object.fromEntries(entries) as ValuesOf<Table>;
}

/** Runs `action`; what it throws becomes a problem, and the answer null. */
function attempt<Value>(action: () => Value, problems: string[]): Value | null {
  try {
    return action();
  } catch (error) {
    problems.push(messageOf(error));
    return null;
  }
}
