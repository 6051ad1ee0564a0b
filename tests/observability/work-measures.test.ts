/** Work of the engine is measured as it ends; the machine is asked when somebody looks. */

import * as assert from 'uvu/assert';
import { createMetrics } from '../../src/observability/metrics.js';
import { measureSystem } from '../../src/observability/system-measures.js';
import { measureWork } from '../../src/observability/work-measures.js';
import { openTestEngine } from '../support/open-test-engine.js';
import { suite } from '../support/suite.js';

const test = suite('observability/work-measures');

test('commits, reads and points are measured from what a real engine tells', async (t) => {
  const { meter, text } = createMetrics();
  const opened = await openTestEngine(t.folder(), {}, 'master', 0, { onWork: measureWork(meter) });
  t.after(() => opened.engine.stop());
  await opened.create('c', 2);
  await opened.put('c', [
    { id: 1, vector: [1, 2] },
    { id: 2, vector: [2, 1] },
  ]);
  await opened.remove('c', [1, 3]);
  await opened.nearest('c', [1, 1], 1);
  const printed = await text();
  for (const line of [
    'skein_commit_duration_seconds_count 3',
    'skein_operations_total\\{kind="create_collection"\\} 1',
    'skein_operations_total\\{kind="delete"\\} 1',
    'skein_points_written_total\\{change="upsert"\\} 2',
    'skein_points_written_total\\{change="delete"\\} 1',
    'skein_store_read_duration_seconds_count\\{kind="hits"\\} 1',
  ]) {
    assert.match(printed, new RegExp(`^${line}$`, 'm'));
  }
});

test('the machine is shown as the system tells it', async (t) => {
  const { meter, text } = createMetrics();
  t.after(measureSystem(meter));
  const printed = await text();
  for (const name of ['system_memory_bytes{kind="total"}', 'system_memory_bytes{kind="available"}', 'system_cpus'])
    assert.ok(Number(printed.split(`\nskein_${name} `)[1]?.split('\n')[0]) > 0, name);
  assert.match(printed, /^skein_system_cpu_seconds_total\{mode="idle"\} \d/m);
});

test.run();
