/** What health says of damage and repairs: places by name, times as instants, and lists that are bounded. */

import * as assert from 'uvu/assert';
import { damageOf } from '../../src/model/damage.js';
import type { RecoveryStatus } from '../../src/model/recovery.js';
import { recoveryDetails } from '../../src/observability/recovery-details.js';
import { suite } from '../support/suite.js';

const test = suite('observability/recovery-details');
const damage = damageOf('payload', 'points', 'it fails', { collectionUid: 1, label: 2, id: 'x', version: 3 });
const place = { kind: 'payload', table: 'points', collection_uid: 1, label: 2, id: 'x', seq: null, page: null };

test('when the store was read as a whole, what is damaged, and what was tried', () => {
  const status: RecoveryStatus = {
    scrub: { on: true, running: false, rowsTotal: 1, bytesTotal: 2, lastCompletedAtMs: 0 },
    damaged: 150,
    quarantined: 1,
    known: Array.from({ length: 150 }, () => ({ damage, collection: 'c', foundAtMs: 1, attempts: 3, quarantined: true })),
    counts: [],
    attempts: [{ atMs: 2, way: 'log', outcome: 'absent', damage, error: 'not there' }],
    quarantineBytes: 7,
  };
  const { damage: named, repairs, ...rest } = recoveryDetails(status);
  assert.equal(rest, {
    last_verified: '1970-01-01T00:00:00.000Z',
    scrub_running: false,
    damaged_rows: 150,
    quarantined_rows: 1,
    quarantine_bytes: 7,
  });
  assert.is((named as unknown[]).length, 100);
  const found = { collection: 'c', found_at: '1970-01-01T00:00:00.001Z', attempts: 3, quarantined: true };
  assert.equal((named as unknown[])[0], { ...place, ...found });
  assert.equal(repairs, [{ at: '1970-01-01T00:00:00.002Z', way: 'log', outcome: 'absent', ...place, error: 'not there' }]);
  assert.equal(recoveryDetails(null), { last_verified: null });
});

test.run();
