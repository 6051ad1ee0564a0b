/** What a start does about a store that its verification found damaged. Decisions only.
 *
 *    single rows, all else sound ─► serve (their repair follows)      recover_at_start rows, resync
 *    anything worse, on a replica ─► resync                           recover_at_start resync, few enough lately
 *    else ─► refuse
 *  A master never gives up its store: nobody else may have what it has. Must not know: folders, how data comes again. */

import type { Finding } from '../../storage/verify-report.js';
import type { NodeState } from '../node-state.js';

export type RecoverAtStart = 'off' | 'rows' | 'resync';

/** What of a finding matters here. */
export type Damaged = Pick<Finding, 'kind' | 'table'>;

export interface StartDamage {
  readonly setting: RecoverAtStart;
  /** Of the store; those that keep it from being served. */
  readonly damage: readonly Damaged[];
  /** False: more was found than is named. */
  readonly isAll: boolean;
  readonly before: Pick<NodeState, 'role' | 'masterUrl'>;
  /** Stores that were moved away within the last hour. */
  readonly movedLately: number;
}

export type StartPlan =
  | { readonly kind: 'serve' }
  | { readonly kind: 'resync'; readonly masterUrl: string }
  /** hint: what might have helped. */
  | { readonly kind: 'refuse'; readonly hint: string | null };

/** More is a sign that the disk is at fault, not the data. */
export const MOVED_MAX = 3;
const ROW_TABLES: ReadonlySet<string | null> = new Set(['points', 'vectors', 'digest_pages', 'log', 'remembered']);

/** Damage of a single row, which its checksum keeps from being served. */
export function isRowDamage({ kind, table }: Damaged): boolean {
  if (kind === 'row_missing') return table === 'vectors' || table === 'log';
  return kind === 'row_damaged' && ROW_TABLES.has(table);
}

export function planForDamage({ setting, damage, isAll, before, movedLately }: StartDamage): StartPlan {
  const isRows = isAll && damage.length > 0 && damage.every(isRowDamage);
  if (isRows && setting !== 'off') return { kind: 'serve' };
  const couldResync = before.role === 'replica' && before.masterUrl !== null;
  if (setting !== 'resync') {
    if (isRows)
      return { kind: 'refuse', hint: 'Single rows are damaged: --recover-at-start rows serves the others and repairs these.' };
    return {
      kind: 'refuse',
      hint: couldResync ? 'This node was a replica: --recover-at-start resync takes its data again.' : null,
    };
  }
  if (!couldResync || before.masterUrl === null) return { kind: 'refuse', hint: null };
  if (movedLately >= MOVED_MAX) {
    const hint = `${movedLately} stores were moved to quarantine/ within an hour: look at the disk before another one is taken.`;
    return { kind: 'refuse', hint };
  }
  return { kind: 'resync', masterUrl: before.masterUrl };
}
