/** From a data folder to a store that may be opened: lock, look, make or verify. Says each step; changes nothing it does not name.
 *
 *    lock ─► what snapshots left is removed, a switch that was cut off is ended
 *        └─► fresh or half-made: make a store
 *        └─► data: verify in a child process ─► sound ─► (manifest repaired, if it alone was damaged)
 *                                            └─► behind its manifest: refused, unless the operator accepts the loss (new history)
 *                                            └─► damaged: refused, saying exactly what; or served without the damaged rows; or, on a
 *                                                replica, moved away for a fresh copy (recovery/start-damage.ts)
 *  A server never starts empty over a folder that had data, and never serves what it could not check.
 *  Must not know: HTTP, the engine. */

import { randomBytes } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { removeSnapshotLeftovers } from '../engine/snapshot.js';
import type { Limits } from '../model/limits.js';
import type { Log } from '../model/log.js';
import { NO_EPOCH } from '../model/position.js';
import { createDataFolder, inspectDataFolder, type StoreFolder } from '../storage/data-folder.js';
import { type FolderLock, lockFolder } from '../storage/folder-lock.js';
import { type ManifestReading, readManifest } from '../storage/manifest.js';
import { StoreRefused } from '../storage/storage.js';
import { verifyInChild } from '../storage/verify-in-child.js';
import type { Finding } from '../storage/verify-report.js';
import { type RoleWish, roleWithoutNote } from './forgotten-role.js';
import { beginNewHistory } from './new-history.js';
import { type NodeState, writeNodeState } from './node-state.js';
import { endMove, movedStores, moveStoreAside, resumeMove } from './recovery/moved-stores.js';
import { QUARANTINE_FOLDER } from './recovery/quarantine-list.js';
import { planForDamage, type RecoverAtStart } from './recovery/start-damage.js';
import { ROLLBACK_FOLDER } from './rollback.js';

export interface OpenDataOptions {
  readonly dataDir: string;
  /** A new store is made for a node that will take its data from a master: it belongs to no cluster yet. */
  readonly blank: boolean;
  readonly verifyAtStart: 'auto' | 'full' | 'quick';
  readonly acceptLostTail: boolean;
  readonly recoverAtStart: RecoverAtStart;
  /** Why data cannot be taken from this master now, or null. @param manifest of the store that would be moved away */
  cannotFollow(masterUrl: string, manifest: ManifestReading): Promise<string | null>;
  /** What the node was when it ran last, or is to be at its first start. */
  readonly before: NodeState;
  /** Where no NODE file says what it was, and there is data; null: there is one. */
  readonly forgotten: RoleWish | null;
  readonly cacheBytes: number;
  readonly limits: Limits;
  readonly bootId: string;
  readonly log: Log;
  /** The store that is there, before it is checked; null when there is none. */
  onFound(store: StoreFolder | null): void;
  onStep(step: 'lock' | 'verify' | 'open', progress: number, message: string): void;
}

export interface OpenData {
  readonly lock: FolderLock;
  readonly store: StoreFolder;
  /** What the node is, from here on. */
  readonly before: NodeState;
  /** True when this start made the store. */
  readonly made: boolean;
  /** True when not every row is known to be whole: only a quick check was done, or damaged rows were found. */
  readonly quick: boolean;
}

/** Of a store that has never joined a cluster. */
const NO_ID = '0'.repeat(32);
/** Where data was put away that counted once. */
const PUT_AWAY = [QUARANTINE_FOLDER, ROLLBACK_FOLDER];
const FULL_CHECK_BYTES_MAX = 4 * 1024 ** 3;
const FINDINGS_SHOWN_MAX = 10;
/** A report names no more. */
const FINDINGS_NAMED_MAX = 1_000;
const HOUR_MS = 3_600_000;

/** @throws StoreRefused, or Error with what is wrong and what to do */
export async function openData(options: OpenDataOptions): Promise<OpenData> {
  options.onStep('lock', 0, `locking ${options.dataDir}`);
  const lock = lockFolder(options.dataDir);
  try {
    const moved = resumeMove(options.dataDir);
    await removeSnapshotLeftovers(options.dataDir);
    const found = inspectDataFolder(options.dataDir);
    if (found.kind === 'refused') throw new StoreRefused('folder', found.reason);
    options.onFound(found.kind === 'data' ? found.store : null);
    if (found.kind !== 'data') return { lock, before: options.before, ...make(options, found.kind, moved) };
    if (moved !== null) endMove(moved);
    const before =
      options.forgotten === null
        ? options.before
        : roleWithoutNote({ ...options, ...options.forgotten }, found.store.databasePath, found.manifest.record?.role ?? null);
    const known = { ...options, before };
    const checked = await check(known, found.store, found.manifest);
    if (typeof checked === 'object') return { lock, before, ...make(known, 'fresh', checked.moved) };
    return { lock, before, store: found.store, made: false, quick: checked === 'unsure' };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** The store that counts, after a switch that may or may not have happened. @throws StoreRefused */
export function currentStore(dataDir: string): StoreFolder {
  const found = inspectDataFolder(dataDir);
  if (found.kind !== 'data') throw new StoreRefused('folder', `${dataDir} has no store that counts`);
  return found.store;
}

/** @param moved where the store lies whose place this one takes, as the same node; null: there was none */
function make(
  options: OpenDataOptions,
  kind: 'fresh' | 'half_made',
  moved: string | null,
): Pick<OpenData, 'store' | 'made' | 'quick'> {
  const { dataDir } = options;
  if (!options.blank && PUT_AWAY.some((name) => existsSync(join(dataDir, name))))
    throw new StoreRefused(
      'folder',
      `${dataDir} has no store, and ${PUT_AWAY.join('/ or ')}/ says that it had data: it is lost or was moved away`,
    );
  options.onStep('open', 0, 'making a new store');
  if (kind === 'half_made') options.log.warn('half_made_store_replaced', { data_dir: options.dataDir });
  const id = (): string => randomBytes(16).toString('hex');
  const identity = options.blank
    ? { clusterId: NO_ID, nodeId: nodeIdOf(moved) ?? id(), historyId: NO_ID, epoch: NO_EPOCH }
    : { clusterId: id(), nodeId: id(), historyId: id(), epoch: 1 };
  const role = options.blank ? 'replica' : 'master';
  const store = createDataFolder(dataDir, identity, { role, bootId: options.bootId }, { cacheBytes: options.cacheBytes });
  if (moved !== null) endMove(moved);
  return { store, made: true, quick: false };
}

function nodeIdOf(moved: string | null): string | null {
  return moved === null ? null : (readManifest(moved).record?.nodeId ?? null);
}

/** unsure: not every row is known to be whole. moved: where the store lies that was given up for a copy of the master's. */
type Checked = 'whole' | 'unsure' | { readonly moved: string };

async function check(options: OpenDataOptions, store: StoreFolder, manifest: ManifestReading): Promise<Checked> {
  const { verifyAtStart, dataDir, log } = options;
  const clean = manifest.record?.cleanShutdown === true;
  const small = statSync(store.databasePath).size <= FULL_CHECK_BYTES_MAX;
  const level = verifyAtStart === 'auto' ? (small || !clean ? 'full' : 'quick') : verifyAtStart;
  options.onStep('verify', 0, `${level} check of ${store.name}${clean ? '' : ' after a stop that was not clean'}`);
  const report = await verifyInChild(dataDir, level, ({ step, progress }) =>
    options.onStep('verify', progress, `checking ${step}`),
  );
  // What is wrong with the manifest alone is repaired by the first write to it.
  for (const finding of report.findings) if (!finding.fatal) log.warn('manifest_repaired', { problem: finding.message });
  const damage = report.findings.filter(({ fatal, kind }) => fatal && kind !== 'tail_lost');
  const moved = damage.length === 0 ? null : await recover(options, manifest, damage, report.findingsCount);
  if (moved !== null) return { moved };
  const lost = report.findings.find(({ kind }) => kind === 'tail_lost');
  if (lost !== undefined) {
    if (!options.acceptLostTail) throw new Error(describeLoss(options, lost.message));
    acceptLoss(options, store, lost.message);
  }
  return level === 'quick' || damage.length > 0 ? 'unsure' : 'whole';
}

/** @returns where the store was moved; null: it is to be served  @throws Error saying what is damaged, and what might help */
async function recover(
  options: OpenDataOptions,
  manifest: ManifestReading,
  damage: readonly Finding[],
  findingsCount: number,
): Promise<string | null> {
  const { dataDir, before, log, recoverAtStart: setting } = options;
  const nowMs = Date.now();
  const movedLately = movedStores(dataDir).filter(({ atMs }) => nowMs - atMs < HOUR_MS).length;
  const plan = planForDamage({ setting, damage, isAll: findingsCount <= FINDINGS_NAMED_MAX, before, movedLately });
  if (plan.kind === 'serve') {
    log.error('damaged_rows_refused', { rows: damage.length, first: firstOf(damage) });
    return null;
  }
  const hint = plan.kind === 'refuse' ? plan.hint : await options.cannotFollow(plan.masterUrl, manifest);
  if (plan.kind === 'refuse' || hint !== null) throw new Error(describeDamage(dataDir, damage, findingsCount, hint));
  // What the node knows of itself must not go with its store.
  writeNodeState(dataDir, { ...before, highestEpoch: Math.max(before.highestEpoch, manifest.record?.epoch ?? NO_EPOCH) });
  const path = moveStoreAside(dataDir, nowMs);
  log.error('store_quarantined', { path, first: firstOf(damage) });
  return path;
}

function firstOf(damage: readonly Finding[]): string[] {
  return damage.slice(0, FINDINGS_SHOWN_MAX).map(({ message }) => message);
}

/** What a replica lacks its master has: it is behind, and no more. A master begins another history. */
function acceptLoss({ before, dataDir, log, limits, cacheBytes }: OpenDataOptions, store: StoreFolder, problem: string): void {
  if (before.role === 'replica') {
    log.error('lost_tail_accepted', { problem });
    return;
  }
  const begun = beginNewHistory(store.databasePath, {
    limits,
    cacheBytes,
    notBelowEpoch: before.highestEpoch + 1,
    noteEpoch: (highestEpoch) => writeNodeState(dataDir, { ...before, highestEpoch }),
  });
  log.error('lost_tail_accepted', { problem, history_id: begun.historyId, seq: begun.seq });
}

function describeDamage(dataDir: string, damage: readonly Finding[], count: number, hint: string | null): string {
  const shown = damage.slice(0, FINDINGS_SHOWN_MAX).map(({ message }) => `  - ${message}`);
  const more = count > shown.length ? [`  - and ${count - shown.length} more`] : [];
  return [
    `the data in ${dataDir} is damaged, so the server does not start (nothing was changed):`,
    ...shown,
    ...more,
    ...(hint === null ? [] : [hint]),
    `Run 'skein verify ${dataDir}' for the whole list. Restore a backup, or move the folder away and import an export.`,
  ].join('\n');
}

function describeLoss({ dataDir, before }: OpenDataOptions, message: string): string {
  const after =
    before.role === 'replica'
      ? ['This node was a replica: start it once with --accept-lost-tail, and what is missing comes from its master.']
      : [
          'Restore a backup if there is one. To go on without the missing writes, start once with --accept-lost-tail:',
          'a new history begins, and clients that hold a position of the lost part are told so (409 PositionLost).',
        ];
  return [
    `the store in ${dataDir} has lost writes that were acknowledged, so the server does not start (nothing was changed):`,
    `  - ${message}`,
    ...after,
  ].join('\n');
}
