/** What the tests of the following side of a link have in common: its rules, and entries that continue one another. */

import type { ReplicaEffect, ReplicaEvent, ReplicaRules } from '../../src/replication/replica-progress.js';

export const RULES: ReplicaRules = {
  timeoutMs: 1_000,
  greetingMs: 500,
  backoffMinMs: 100,
  backoffMaxMs: 5_000,
  steadyMs: 10_000,
};

export const kinds = (effects: readonly ReplicaEffect[]): string[] => effects.map(({ kind }) => kind);

export const entries = (
  firstSeq: number,
  count: number,
  more: Partial<ReplicaEvent & { kind: 'entries_came' }> = {},
): ReplicaEvent => ({
  kind: 'entries_came',
  epoch: 2,
  firstSeq,
  count,
  hashBefore: `after ${firstSeq - 1}`,
  hashAfter: `after ${firstSeq + count - 1}`,
  bytes: 10,
  nowMs: 1,
  ...more,
});
