/** `skein verify DATA_DIR`: checks a data folder while no server runs on it, and says exactly what is wrong. Changes nothing.
 *  Exit code 0 when the store is sound, 1 when it is damaged or cannot be looked at. */

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { VERIFY_FIELDS } from '../config/command-fields.js';
import type { ValuesOf } from '../config/field.js';
import { messageOf } from '../model/errors.js';
import { encodeToken } from '../model/position.js';
import type { VerifyReport } from '../node/offline.js';
import { progressView } from './import/progress.js';
import { counted, grouped } from './numbers.js';
import { EXIT, type ExitCode, print, type Surroundings } from './surroundings.js';

const OF_A_SERVER = '"skein verify --url URL" compares the replicas of a server while it runs';

export async function verify(
  dataDir: string,
  values: Pick<ValuesOf<typeof VERIFY_FIELDS>, 'json'>,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { output, errors, workingDir } = surroundings;
  const path = resolve(workingDir, dataDir);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw new Error(`there is no folder ${path}`);
  // Loaded here, so that commands that only talk to a server do not load a database.
  const { verifyDataFolder } = await import('../node/offline.js');
  const view = progressView(errors, 'verify', () => performance.now());
  let report: VerifyReport;
  try {
    report = await verifyDataFolder(path, ({ progress }) => view.update(progress, 0));
  } catch (error) {
    throw inUse(error) ? new Error(`${messageOf(error)}. Stop it first; ${OF_A_SERVER}`, { cause: error }) : error;
  } finally {
    view.end();
  }
  for (const line of values.json ? jsonLines(path, report) : textLines(path, report)) print(output, line);
  return report.ok ? EXIT.done : EXIT.failed;
}

function inUse(error: unknown): boolean {
  return error instanceof Error && 'reason' in error && error.reason === 'locked';
}

/** One object for each finding, then one for the whole. */
function jsonLines(path: string, report: VerifyReport): string[] {
  const { ok, level, position, counts, findings, findingsCount } = report;
  const found = findings.map(({ kind, fatal, message, table, collectionUid, label, id, seq }) => ({
    kind: 'finding',
    finding: kind,
    fatal,
    message,
    table,
    collection_uid: collectionUid,
    label,
    id,
    seq,
  }));
  const whole = {
    kind: 'report',
    ok,
    level,
    data_dir: path,
    position: position === null ? null : encodeToken(position),
    history_id: position?.historyId ?? null,
    epoch: position?.epoch ?? null,
    seq: position?.seq ?? null,
    collections: counts.collections,
    points: counts.points,
    dead_points: counts.deadPoints,
    log_entries: counts.logEntries,
    remembered_keys: counts.rememberedKeys,
    findings_count: findingsCount,
  };
  return [...found, whole].map((object) => JSON.stringify(object));
}

function textLines(path: string, { ok, position, counts, findings, findingsCount }: VerifyReport): string[] {
  const lines = findings.map(({ kind, fatal, message }) => `${fatal ? 'damage' : 'note'}  ${kind}: ${message}`);
  if (findingsCount > findings.length) lines.push(`… and ${grouped(findingsCount - findings.length)} more`);
  const at =
    position === null
      ? ''
      : `, seq ${grouped(position.seq)} of history ${position.historyId.slice(0, 8)}, epoch ${position.epoch}`;
  const seen = `${counted(counts.points, 'point')} in ${counted(counts.collections, 'collection')}, log of ${grouped(counts.logEntries)}${at}`;
  if (findings.some(({ kind }) => kind === 'unusable')) return [...lines, `unusable: ${path} cannot be looked at as a store`];
  lines.push(ok ? `sound: ${path}: ${seen}` : `DAMAGED: ${path}: ${counted(findingsCount, 'finding')}; ${seen}`);
  if (!ok) lines.push('Nothing was changed. Restore a backup, or move the folder away and import an export.');
  return lines;
}
