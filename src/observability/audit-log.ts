/** Where administrative calls are written down: a file of their own that is rotated, or the log. What the file does not take goes to the
 *  log, so nothing is lost while there is one. Must not know: requests. */

import type { Audit, AuditEntry } from '../model/audit.js';
import type { Log, LogFileOptions } from '../model/log.js';
import { LogFile } from './log-file.js';

/** @param file null: the log @throws Error when the file cannot be there */
export function createAudit(file: LogFileOptions | null, log: Log, nowMs: () => number): Audit {
  // A line of the log has a time of its own.
  const tell = ({ time: _, ...entry }: Shown): void => log.info('audit', entry);
  if (file === null) return (entry) => tell(shown(entry));
  const lines = new LogFile({ ...file, nowMs, instead: (line) => tell(JSON.parse(line) as Shown) });
  return (entry) => lines.write(`${JSON.stringify(shown(entry))}\n`);
}

type Shown = Omit<AuditEntry, 'requestId'> & { readonly request_id: string };

function shown({ requestId, ...entry }: AuditEntry): Shown {
  return { ...entry, request_id: requestId };
}
