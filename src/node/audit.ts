/** Where this node writes down what administrators do, as its settings say. */

import type { Config } from '../config/config.js';
import type { Audit } from '../model/audit.js';
import { systemClock } from '../model/clock.js';
import type { Log } from '../model/log.js';
import { createAudit } from '../observability/audit-log.js';

/** @throws Error when the file cannot be there */
export function auditOf({ security }: Pick<Config, 'security'>, log: Log): Audit {
  const { auditLogFile: path, auditLogFileBytesMax: bytesMax, auditLogFilesMax: filesMax } = security;
  return createAudit(path === null ? null : { path, bytesMax, filesMax }, log, () => systemClock.monotonicMs());
}
