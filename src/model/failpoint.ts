/** Failpoints: named places where a test may end the process, so that every step between two durable states is seen from both sides.
 *
 *  A step calls `failpoint('name')`; nothing happens unless a test armed that name (SKEIN_TEST_FAIL, read where a thread starts).
 *  Every name stands here once, so a sweep over the list reaches all of them. Cost unarmed: one comparison.
 *  Must not know: processes, environments. */

export const FAILPOINTS = [
  'commit.before_begin',
  'commit.before_commit',
  'commit.after_commit',
  'commit.after_manifest',
  'apply.before_commit',
  'apply.after_commit',
  'stream.before_send',
  'stream.after_send',
  'stream.frame_received',
  'stream.before_ack',
  'link.hello_sent',
  'link.welcome_sent',
  'link.welcome_received',
  'snapshot.before_cut',
  'snapshot.after_cut',
  'snapshot.before_head',
  'snapshot.chunk_sent',
  'snapshot.chunk_received',
  'snapshot.chunk_written',
  'snapshot.before_verify',
  'snapshot.after_verify',
  'switch.before_rename',
  'switch.after_rename',
  'switch.after_current',
  'switch.after_manifest',
  'switch.before_open',
  'switch.after_open',
  'role.before_note',
  'role.after_note',
  'promote.before_history',
  'promote.after_history',
  'rollback.before_write',
  'rollback.after_write',
] as const;

/** Of backups and restores, which no stream has a part in. */
export const BACKUP_FAILPOINTS = [
  'backup.before_head',
  'backup.after_head',
  'backup.head_removed',
  'restore.fetched',
  'restore.replayed',
  'restore.before_switch',
  'restore.after_switch',
] as const;

export type ReplicationFailpoint = (typeof FAILPOINTS)[number];
export type Failpoint = ReplicationFailpoint | (typeof BACKUP_FAILPOINTS)[number];

let armed: { readonly name: Failpoint; reach(): void } | null = null;

/** Calls `reach` each time this thread comes to the place `name`. */
export function armFailpoint(name: Failpoint, reach: () => void): void {
  armed = { name, reach };
}

export function failpoint(name: Failpoint): void {
  if (armed?.name === name) armed.reach();
}
