/** Names of backups, and the keys of what they consist of. Pure.
 *
 *    skein_v1.20261122T021200.123Z.snapshot         a full backup: everything up to one seq
 *    skein_v1.20261122T021200.123Z.101-250.log      an increment: the log from one seq to another
 *    <cluster id>/<name>/head.json, …/<file>.gz     the objects of it; the head is written last and removed first
 *
 *  The name is the id by which a backup is spoken of. Names in bytewise order are in the order of their making.
 *  Must not know: targets, what is in the objects. */

export const BACKUP_FORMAT = 1;
export const HEAD_NAME = 'head.json';

export interface BackupName {
  readonly createdAtMs: number;
  /** Null: a full one. */
  readonly range: { readonly fromSeq: number; readonly toSeq: number } | null;
}

const NAME = /^skein_v([0-9]{1,4})\.([0-9]{8}T[0-9]{6}\.[0-9]{3}Z)\.(?:snapshot|([1-9][0-9]{0,15})-([1-9][0-9]{0,15})\.log)$/;
const KEY = /^([0-9a-f]{32})\/([^/]+)\/(.+)$/;

export function nameOf({ createdAtMs, range }: BackupName): string {
  const time = new Date(createdAtMs).toISOString().replaceAll(/[-:]/g, '');
  const what = range === null ? 'snapshot' : `${range.fromSeq}-${range.toSeq}.log`;
  return `skein_v${BACKUP_FORMAT}.${time}.${what}`;
}

/** Null for what is no name of a backup, or not in the form that nameOf gives. Another format is a name as well. */
export function readName(text: string): (BackupName & { readonly format: number }) | null {
  const [, format, time = '', from, to] = NAME.exec(text) ?? [];
  if (format === undefined) return null;
  const createdAtMs = Date.parse(time.replace(/^(....)(..)(..T..)(..)(.*)$/, '$1-$2-$3:$4:$5'));
  const range = from === undefined || to === undefined ? null : { fromSeq: Number(from), toSeq: Number(to) };
  if (Number.isNaN(createdAtMs) || (range !== null && range.fromSeq > range.toSeq)) return null;
  return { format: Number(format), createdAtMs, range };
}

/** @param file of the backup, such as `skein.db.gz` */
export function keyOf(clusterId: string, id: string, file: string): string {
  return `${clusterId}/${id}/${file}`;
}

/** Null for a key that belongs to no backup. */
export function readKey(key: string): { readonly clusterId: string; readonly id: string; readonly file: string } | null {
  const [, clusterId, id, file] = KEY.exec(key) ?? [];
  if (clusterId === undefined || id === undefined || file === undefined || readName(id) === null) return null;
  return { clusterId, id, file };
}
