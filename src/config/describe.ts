/** The configuration as people and programs may see it: every setting with its value and where it came from, secrets masked. */

import { BACKUP_FIELDS } from './backup-fields.js';
import type { Config } from './config.js';
import { DEPENDENCY_FIELDS } from './dependency-fields.js';
import { type Field, fileKeyOf } from './field.js';
import { GUARD_FIELDS } from './guard-fields.js';
import { HEALTH_FIELDS } from './health-fields.js';
import { LIMIT_FIELDS } from './limit-fields.js';
import { OBSERVING_FIELDS } from './observing-fields.js';
import type { FieldValue } from './parse-value.js';
import { QDRANT_FIELDS } from './qdrant-fields.js';
import { RECOVERY_FIELDS } from './recovery-fields.js';
import { REPLICATION_FIELDS } from './replication-fields.js';
import type { Source } from './resolve.js';
import { MASK, Secret } from './secret.js';
import { SECURITY_FIELDS } from './security-fields.js';
import { SERVER_FIELDS } from './server-fields.js';
import { TOKEN_FIELDS } from './token-fields.js';
import { TRACING_FIELDS } from './tracing-fields.js';

export interface SettingShown {
  readonly value: FieldValue | null;
  readonly source: Source;
}

/** @returns settings by file key, in the order of the page */
export function describeConfig(
  config: Config,
  sources: Readonly<Record<string, Source>>,
): Readonly<Record<string, SettingShown>> {
  const shown: Record<string, SettingShown> = {};
  const add = (key: string, field: Field, value: FieldValue | Secret | null): void => {
    shown[fileKeyOf(key)] = {
      value: value instanceof Secret || (field.secret === true && value !== null) ? MASK : value,
      source: sources[key] ?? 'default',
    };
  };
  for (const [key, field] of Object.entries(SERVER_FIELDS)) add(key, field, config[key as keyof typeof SERVER_FIELDS]);
  for (const [key, field] of Object.entries(REPLICATION_FIELDS))
    add(key, field, config.replication[key as keyof typeof REPLICATION_FIELDS]);
  for (const [key, field] of Object.entries(BACKUP_FIELDS))
    add(key, field, config.backup.values[key as keyof typeof BACKUP_FIELDS]);
  for (const [key, field] of Object.entries(DEPENDENCY_FIELDS))
    add(key, field, config.dependencies.values[key as keyof typeof DEPENDENCY_FIELDS]);
  for (const [key, field] of Object.entries(HEALTH_FIELDS)) add(key, field, config.health[key as keyof typeof HEALTH_FIELDS]);
  for (const [key, field] of Object.entries(SECURITY_FIELDS))
    add(key, field, config.security[key as keyof typeof SECURITY_FIELDS]);
  for (const [key, field] of Object.entries(TOKEN_FIELDS))
    add(key, field, config.tokens.values[key as keyof typeof TOKEN_FIELDS]);
  for (const [key, field] of Object.entries(OBSERVING_FIELDS))
    add(key, field, config.observing[key as keyof typeof OBSERVING_FIELDS]);
  for (const [key, field] of Object.entries(GUARD_FIELDS)) add(key, field, config.guards[key as keyof typeof GUARD_FIELDS]);
  for (const [key, field] of Object.entries(TRACING_FIELDS))
    add(key, field, config.tracing.values[key as keyof typeof TRACING_FIELDS]);
  for (const [key, field] of Object.entries(RECOVERY_FIELDS))
    add(key, field, config.recovery[key as keyof typeof RECOVERY_FIELDS]);
  for (const [key, field] of Object.entries(QDRANT_FIELDS)) add(key, field, config.qdrant[key as keyof typeof QDRANT_FIELDS]);
  for (const [key, field] of Object.entries(LIMIT_FIELDS)) add(key, field, config.limits[key as keyof typeof LIMIT_FIELDS]);
  return shown;
}
