/** `skein backup [create|list|verify|remove]`: the backups of a server. Exit code 0 when it is done, 1 when it is not. */

import type { BACKUP_COMMAND_FIELDS } from '../config/command-fields.js';
import type { ValuesOf } from '../config/field.js';
import type { Backup, BackupDrill, BackupList, SkeinClient } from '../sdk/index.js';
import { UsageError } from './failure.js';
import { counted, grouped } from './numbers.js';
import { connectTo } from './server-connection.js';
import { EXIT, type ExitCode, print, type Surroundings } from './surroundings.js';
import { tableLines } from './table.js';
import { sayingThatItWaits } from './waiting-notice.js';

type Values = ValuesOf<typeof BACKUP_COMMAND_FIELDS>;

interface Said {
  readonly objects: readonly object[];
  readonly lines: readonly string[];
  readonly failed?: boolean;
}

/** @param action create, list, verify or remove @param id for verify, where it may be left out (the newest), and remove @throws UsageError */
export async function backup(
  action: string,
  id: string | undefined,
  values: Values,
  { output, errors, stopping }: Surroundings,
): Promise<ExitCode> {
  if (id !== undefined && action !== 'verify' && action !== 'remove')
    throw new UsageError('only "skein backup verify" and "skein backup remove" take the id of a backup');
  const client = connectTo(values);
  try {
    const work = run(action, id, values, client, stopping);
    const { objects, lines, failed = false } = await sayingThatItWaits(`the backups of ${values.url}`, errors, work);
    for (const line of values.json ? objects.map((object) => JSON.stringify(object)) : lines) print(output, line);
    return failed ? EXIT.failed : EXIT.done;
  } finally {
    client.close();
  }
}

async function run(
  action: string,
  id: string | undefined,
  { full, increments }: Values,
  { backups }: SkeinClient,
  signal: AbortSignal,
): Promise<Said> {
  if (full && action !== 'create') throw new UsageError('--full belongs to "skein backup create"');
  if (increments && action !== 'remove') throw new UsageError('--increments belongs to "skein backup remove"');
  switch (action) {
    case 'create':
      return created(await backups.create(full ? { kind: 'full' } : {}, { signal }));
    case 'list':
      return listed(await backups.list({ signal }));
    case 'verify':
      return verified(await backups.verify(id, { signal }));
    case 'remove':
      if (id === undefined) throw new UsageError('"skein backup remove" needs the id of a backup');
      return removed(await backups.remove(id, { increments }, { signal }));
    default:
      throw new UsageError(`there is no "skein backup ${action}": create, list, verify or remove`);
  }
}

function created(made: Backup | null): Said {
  const object = { kind: 'backup', backup: made === null ? null : shown(made) };
  if (made === null) return { objects: [object], lines: ['nothing was written since the newest backup'] };
  return { objects: [object], lines: [`${made.id}: to seq ${grouped(made.seq)}, ${grouped(made.bytes)} bytes`] };
}

function removed(ids: readonly string[]): Said {
  return { objects: ids.map((id) => ({ kind: 'removed', id })), lines: ids.map((id) => `${id}: removed`) };
}

function listed(list: BackupList): Said {
  const { target, backups, restorableFrom, readAt, readFailure, damaged, lastFailure, failuresInRow } = list;
  const objects = [
    ...backups.map((one) => ({ kind: 'backup', ...shown(one) })),
    ...damaged.map((one) => ({ kind: 'damaged', ...one })),
    ...(restorableFrom === null ? [] : [{ kind: 'restorable', from: restorableFrom }]),
    ...(readFailure === null ? [] : [{ kind: 'not_read', target, read_at: readAt, problem: readFailure }]),
  ];
  if (target === null)
    return { objects, lines: ['this server has no place for backups: set backup_folder, or backup_s3_bucket'] };
  const columns = [{ title: 'id' }, { title: 'seq', right: true }, { title: 'bytes', right: true }, { title: 'verified' }];
  const rows = backups.map(({ id, seq, bytes, verifiedAt }) => [id, grouped(seq), grouped(bytes), verifiedAt ?? '']);
  const lines = [...headingOf(list), ...(rows.length > 0 ? tableLines(columns, rows) : [])];
  if (restorableFrom !== null) {
    const { seq, time } = restorableFrom;
    lines.push(`every state since seq ${grouped(seq)}${time === null ? '' : `, ${time},`} can be restored`);
  }
  for (const { id, object, problem } of damaged) lines.push(`DAMAGED: ${id}: ${object}: ${problem}`);
  if (lastFailure !== null && failuresInRow > 0) lines.push(`backups fail since ${lastFailure.at}: ${lastFailure.message}`);
  return { objects, lines, failed: readFailure !== null };
}

function headingOf({ target, backups, readAt, readFailure }: BackupList): string[] {
  const count = counted(backups.length, 'backup');
  if (readFailure === null) return [`${count} in ${target}`];
  return [
    `NOT READ: ${readFailure}`,
    readAt === null ? `what is in ${target} is not known` : `${count} in ${target} at ${readAt}`,
  ];
}

function verified(drill: BackupDrill): Said {
  const { ok, problem, backups, seq, points, recall, tookMs } = drill;
  const object = { kind: 'drill', ok, problem, backups, seq, points, recall, took_ms: tookMs };
  const what = `${backups.at(-1)} in ${grouped(tookMs)} ms`;
  const found = `seq ${grouped(seq ?? 0)}, ${counted(points ?? 0, 'point')}${recall === null ? '' : `, recall ${recall.toFixed(3)}`}`;
  const line = ok ? `restored and looked at: ${what}: ${found}` : `FAILED: ${what}: ${problem}`;
  return { objects: [object], lines: [line], failed: !ok };
}

function shown({ id, kind, createdAt, fromSeq, seq, position, time, bytes, verifiedAt }: Backup): object {
  return {
    ...{ id, backup_kind: kind, created_at: createdAt, from_seq: fromSeq, seq, position, time, bytes },
    verified_at: verifiedAt,
  };
}
