/** `skein restore`: the data as it was, in a new folder with no server (--to), or in the running server (--in-place). Exit code 0 when it is done.
 *
 *  Invariant: a server's own data is replaced only where that was asked for in so many words; a slip in the words ends before anything is asked. */

import { BACKUP_TARGET_FIELDS } from '../config/backup-fields.js';
import { readBackupPlace } from '../config/backup-settings.js';
import type { RESTORE_FIELDS } from '../config/command-fields.js';
import { flagOf, type ValuesOf } from '../config/field.js';
import { ConfigError } from '../config/resolve.js';
import type { RestoreWish } from '../model/backup.js';
import { parseInstant } from '../model/instant.js';
import { decodeToken, encodeToken, type Position } from '../model/position.js';
import type { OfflineRestore } from '../node/offline-restore.js';
import { UsageError } from './failure.js';
import { progressView } from './import/progress.js';
import { grouped } from './numbers.js';
import { connectTo } from './server-connection.js';
import { EXIT, type ExitCode, print, type Surroundings, type TextStream } from './surroundings.js';
import { sayingThatItWaits } from './waiting-notice.js';

type Values = ValuesOf<typeof RESTORE_FIELDS>;

/** What a restore reached, or would reach. */
interface Reached {
  readonly base: string;
  readonly increments: readonly string[];
  readonly seq: number;
  readonly time: string | null;
  readonly stored_bytes: number;
}

/** @param flags those of the command line, by key: a place of backups in the environment may be that of a server beside it
 *  @throws UsageError · ConfigError · what the server or the place answers */
export async function restore(
  values: Values,
  flags: Readonly<Record<string, unknown>>,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const wish = wishOf(values);
  if (values.to !== null && values.inPlace) throw new UsageError('--to and --in-place are both given: one of them');
  if (values.to !== null) return intoFolder({ ...values, to: values.to }, wish, surroundings);
  mustMeanServer(values, flags);
  return inServer(values, surroundings);
}

/** @throws UsageError */
function mustMeanServer(
  { url, cluster, keepClusterId, inPlace, dryRun }: Values,
  flags: Readonly<Record<string, unknown>>,
): void {
  const place = Object.keys(BACKUP_TARGET_FIELDS).find((key) => flags[key] !== undefined);
  const other = keepClusterId ? '--keep-cluster-id' : cluster !== null ? '--cluster' : place === undefined ? null : flagOf(place);
  if (other !== null)
    throw new UsageError(
      `${other} goes with --to FOLDER: without it the server at ${url} restores its own data, from its own backups`,
    );
  if (inPlace || dryRun) return;
  throw new UsageError(
    `this would replace the data of the server at ${url}, and of its replicas, by what it was: --dry-run shows what that comes to, --in-place does it, and --to FOLDER restores into a new folder instead`,
  );
}

async function inServer(values: Values, { output, errors, stopping: signal }: Surroundings): Promise<ExitCode> {
  const client = connectTo(values);
  const { backup, at, position, dryRun, url } = values;
  try {
    const target = {
      ...(backup === null ? {} : { backup }),
      ...(at === null ? {} : { toTime: at }),
      ...(position === null ? {} : { toPosition: isSeq(position) ? Number(position) : position }),
    };
    const work = client.backups.restore(target, { dryRun }, { signal });
    const done = await sayingThatItWaits(`the restore of ${url}`, errors, work);
    const reached = {
      base: done.base,
      increments: done.increments,
      seq: done.seq,
      time: done.time,
      stored_bytes: done.storedBytes,
    };
    const more = {
      operations_lost: done.operationsLost,
      restored_position: done.restoredPosition,
      replaced_position: done.replacedPosition,
    };
    say(values, output, { kind: 'restore', dry_run: dryRun, url, ...reached, ...more }, [
      ...reachedLines(reached),
      `${done.operationsLost === null ? 'another line of data' : `${grouped(done.operationsLost)} operations back from now`}`,
      dryRun ? 'nothing was changed' : `restored; what was replaced is at ${done.replacedPosition}`,
    ]);
    return EXIT.done;
  } finally {
    client.close();
  }
}

async function intoFolder(
  values: Values & { readonly to: string },
  wish: RestoreWish,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { output, errors, stopping: signal } = surroundings;
  const { place, problems, warnings } = readBackupPlace(values);
  if (problems.length > 0) throw new ConfigError(problems);
  if (place === null) throw new UsageError('where the backups are is not said: --backup-folder, or --backup-s3-bucket');
  for (const warning of warnings) print(errors, `skein: ${warning}`);
  // Loaded here, so that commands that only talk to a server do not load a database.
  const { offlineRestoreFrom } = await import('../node/offline.js');
  const view = progressView(errors, 'restore', () => performance.now());
  let done: OfflineRestore;
  try {
    const into = values.dryRun ? null : { dataDir: values.to, keepClusterId: values.keepClusterId };
    const onStep = (_step: string, fraction: number): void => view.update(fraction, 0);
    done = await offlineRestoreFrom(place, {
      ...{ stallMs: values.backupStallMs, clusterId: values.cluster, wish, into, signal, onStep },
    });
  } finally {
    view.end();
  }
  const { plan, foresight, made } = done;
  const time = foresight.timeMs === null ? null : new Date(foresight.timeMs).toISOString();
  const increments = plan.increments.map(({ id }) => id);
  const reached = { base: plan.full.id, increments, seq: foresight.seq, time, stored_bytes: foresight.storedBytes };
  const shown = made && {
    cluster_id: made.clusterId,
    node_id: made.nodeId,
    position: encodeToken(made.position),
    digest: made.digest,
    access_keys: made.accessKeys.map(({ id, name, role }) => ({ id, name, role })),
  };
  warnOfKeys(errors, made?.accessKeys.length ?? 0);
  say(values, output, { kind: 'restore', dry_run: made === null, data_dir: values.to, ...reached, ...shown }, [
    ...reachedLines(reached),
    made === null
      ? 'nothing was changed'
      : `restored into ${values.to}, as cluster ${made.clusterId}: "skein serve --data-dir ${values.to}"`,
  ]);
  return EXIT.done;
}

function warnOfKeys(errors: TextStream, count: number): void {
  if (count === 0) return;
  const what = count === 1 ? 'the access key' : `the ${grouped(count)} access keys`;
  const again = count === 1 ? 'also if it was revoked or rotated since' : 'also those that were revoked or rotated since';
  print(errors, `skein: WARNING: ${what} of that moment open${count === 1 ? 's' : ''} the copy, ${again}.`);
  print(
    errors,
    'skein: Look through them ("skein keys list") before anybody can reach it, and revoke or rotate what must not work.',
  );
}

function say(values: Pick<Values, 'json'>, output: Surroundings['output'], object: object, lines: readonly string[]): void {
  for (const line of values.json ? [JSON.stringify(object)] : lines) print(output, line);
}

function reachedLines({ base, increments, seq, time, stored_bytes: bytes }: Reached): string[] {
  const behind = increments.length === 0 ? '' : ` and ${grouped(increments.length)} behind it`;
  const when = time === null ? '' : `, written ${time}`;
  return [`from ${base}${behind}, ${grouped(bytes)} bytes`, `to seq ${grouped(seq)}${when}`];
}

/** @throws UsageError */
function wishOf({ backup, at, position }: Values): RestoreWish {
  if (at !== null && position !== null) throw new UsageError('--at and --position are both given: one of them');
  const timeMs = at === null ? null : parseInstant(at);
  if (at !== null && timeMs === null) throw new UsageError(`--at ${at} is not an instant such as 2026-11-20T08:30:00Z`);
  if (position === null) return { backup, position: null, seq: null, timeMs };
  if (isSeq(position)) return { backup, position: null, seq: Number(position), timeMs };
  return { backup, position: tokenIn(position), seq: null, timeMs };
}

/** @throws UsageError */
function tokenIn(text: string): Position {
  try {
    return decodeToken(text, 'position');
  } catch {
    throw new UsageError(`--position ${text} is neither a position token nor a seq`);
  }
}

/** A token has 44 characters. */
function isSeq(text: string): boolean {
  return /^[0-9]{1,15}$/.test(text);
}
