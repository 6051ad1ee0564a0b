/** Whatever callers send, the number of series stays bounded. */

import * as assert from 'uvu/assert';
import { ERRORS } from '../../src/model/errors.js';
import { measureCollections } from '../../src/observability/collection-measures.js';
import { createMetrics } from '../../src/observability/metrics.js';
import { startHttp } from '../support/http-server.js';
import { suite } from '../support/suite.js';

const test = suite('observability/cardinality');

const seriesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

test('thousands of paths, methods, collections, ids and error causes make no new labels', async (t) => {
  const { ask } = await startHttp(t, { slowQueries: { thresholdMs: 0.000_001 } });
  const attack = async (round: number): Promise<void> => {
    const name = `c${round}`;
    await Promise.all([
      ask('GET', `/nowhere/${name}`),
      ask('DELETE', `/v1/collections/${name}`),
      ask('GET', `/v1/collections/${name}/points/${round}`),
      ask('POST', `/v1/collections/${name}/points/search`, { vector: [round] }),
      ask('POST', `/v1/collections/.${name}/points/search`, { vector: [round] }),
      ask('PATCH', `/${name}`, { [name]: name }, { 'x-request-id': name }),
    ]);
  };
  await attack(0);
  const before = seriesOf((await ask('GET', '/metrics')).body);
  for (let round = 1; round <= 150; round++) await attack(round);
  const after = seriesOf((await ask('GET', '/metrics')).body);
  const names = (lines: readonly string[]): string[] => lines.map((line) => line.slice(0, line.lastIndexOf(' ')));
  // The first /metrics counts the answer before it.
  const added = names(after).filter((name) => !names(before).includes(name) && !name.includes('/metrics'));
  assert.equal(added, []);
  for (const line of after) {
    const type = /http_errors_total.*type="(\w+)"/.exec(line)?.[1];
    assert.ok(type === undefined || type in ERRORS, line);
  }
});

test('of thousands of collections the largest hundred have series of their own, and the sum is all of them', async () => {
  const { meter, text } = createMetrics();
  const show = measureCollections(meter);
  const collections = Array.from({ length: 5_000 }, (_, i) => ({
    name: `c${i}`,
    pointsCount: i,
    memoryBytes: 2 * i,
    diskBytes: 1,
  }));
  show(collections);
  const series = seriesOf(await text()).filter((line) => line.startsWith('skein_collection_points{'));
  assert.is(series.length, 101);
  assert.ok(series.includes('skein_collection_points{collection="c4999"} 4999'));
  const sum = series.reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);
  assert.is(sum, (4_999 * 5_000) / 2);
  show(collections.slice(0, 3));
  assert.is(seriesOf(await text()).length, 9);
});

test.run();
