/** What /metrics shows of the engine is what its status says at that moment. */

import * as assert from 'uvu/assert';
import type { Engine } from '../../src/engine/engine.js';
import { measureBreakers } from '../../src/observability/breaker-measures.js';
import { measureEngine } from '../../src/observability/engine-measures.js';
import { createMetrics } from '../../src/observability/metrics.js';
import { FakeEngine } from '../support/fake-engine.js';
import { suite } from '../support/suite.js';

const test = suite('observability/engine-measures');

test('before the engine is open only the build is shown, then what it says of itself', async () => {
  const { meter, text } = createMetrics();
  let engine: Engine | null = null;
  measureEngine(meter, { version: '1.2.3', nativeBuild: 'avx2' }, () => engine, measureBreakers(meter));
  const before = await text();
  assert.match(before, `skein_build_info{version="1.2.3",native="avx2",node="${process.version}"} 1`);
  assert.match(before, /^skein_collections 0$/m);
  const fake = new FakeEngine();
  engine = fake;
  const spec = { dimension: 2, distance: 'dot', hnsw: { m: 2, efConstruct: 2, efSearch: 2 }, ttlMs: null } as const;
  await fake.write([{ kind: 'create_collection', collection: 'c', spec }], { wait: 'durable', timeoutMs: 1 });
  const after = await text();
  for (const line of ['skein_collections 1', 'skein_points 0', 'skein_durable_seq 1', 'skein_commits_total 1']) {
    assert.match(after, new RegExp(`^${line}$`, 'm'));
  }
  await fake.write([{ kind: 'delete_collection', collection: 'c' }], { wait: 'durable', timeoutMs: 1 });
  assert.match(await text(), /^skein_commits_total 2$/m);
});

test.run();
