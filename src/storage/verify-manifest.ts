/** Compares the manifest with the store: who the data belongs to, and whether the store has all that was acknowledged.
 *  A store ahead of its manifest is fine (the manifest is written after the commit); one behind has lost an acknowledged tail. */

import type { ManifestReading } from './manifest.js';
import type { ManifestRecord } from './manifest-slot.js';
import type { StoreState } from './storage.js';
import type { FindingList, VerifyCounts } from './verify-report.js';

/** @param counts what the store holds, or null when it could not be counted */
export function verifyManifest(
  manifest: ManifestReading,
  state: StoreState,
  counts: Pick<VerifyCounts, 'collections' | 'points'> | null,
  findings: FindingList,
): void {
  for (const problem of manifest.problems) findings.add('manifest', problem);
  const { record } = manifest;
  if (record === null) {
    findings.add('manifest', 'Without a manifest it cannot be told whether the store has lost its last acknowledged writes');
    return;
  }
  for (const name of ['clusterId', 'nodeId'] as const) {
    if (record[name] === state[name]) continue;
    findings.add('identity_mismatch', `MANIFEST says ${name} ${record[name]} and the store says ${state[name]}`, {
      table: 'state',
    });
  }
  compareTails(record, state, counts, findings);
}

function compareTails(
  record: ManifestRecord,
  state: StoreState,
  counts: Pick<VerifyCounts, 'collections' | 'points'> | null,
  findings: FindingList,
): void {
  const { epoch, seq, historyId } = state;
  if (record.epoch > epoch) {
    findings.add('tail_lost', `MANIFEST was written in epoch ${record.epoch} and the store is in epoch ${epoch}`, {
      table: 'state',
      seq,
    });
  } else if (record.epoch === epoch && record.historyId !== historyId) {
    const message = `MANIFEST belongs to history ${record.historyId} and the store to ${historyId}, both in epoch ${epoch}`;
    findings.add('identity_mismatch', message, { table: 'state' });
  } else if (record.historyId === historyId && record.lastSeq > seq) {
    const message = `MANIFEST says that seq ${record.lastSeq} was durable and the store ends at ${seq}: ${record.lastSeq - seq} entries are lost`;
    findings.add('tail_lost', message, { table: 'state', seq: seq + 1 });
  } else if (record.historyId === historyId && record.lastSeq === seq && counts !== null) {
    compareCounts(record, counts, findings);
  }
}

function compareCounts(
  record: ManifestRecord,
  counts: Pick<VerifyCounts, 'collections' | 'points'>,
  findings: FindingList,
): void {
  for (const name of ['collections', 'points'] as const) {
    if (record.counts[name] === counts[name]) continue;
    const message = `MANIFEST says ${record.counts[name]} ${name} at seq ${record.lastSeq} and the store has ${counts[name]}`;
    findings.add('count_mismatch', message, { seq: record.lastSeq });
  }
}
