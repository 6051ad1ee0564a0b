/** The hello of a replica, all fields given. Its bytes stand in tests/wire/frames-v1.golden. */

import type { Hello } from '../../src/wire/frames.js';

const HTTP_PORT = 7700;

export const HELLO: Omit<Hello, 'type'> = {
  kind: 'follow',
  clusterId: null,
  nodeId: '1'.repeat(32),
  runId: '2'.repeat(32),
  host: 'replica.example',
  port: HTTP_PORT,
  voter: true,
  role: 'replica',
  highestEpoch: 3,
  position: { historyId: '3'.repeat(32), epoch: 3, seq: 300, hash: '4'.repeat(64) },
  lineage: [{ epoch: 1, historyId: '5'.repeat(32), startSeq: 0, startHash: '0'.repeat(64) }],
  wants: null,
  resume: { snapshotId: '6'.repeat(32), nextChunk: 9 },
  installed: null,
  masterUrl: null,
  proof: '7'.repeat(64),
};
