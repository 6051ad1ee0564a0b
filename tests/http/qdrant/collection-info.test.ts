/** What is shown of a collection is what its indexes know: nothing is counted for it row by row. */

import * as assert from 'uvu/assert';
import type { Engine } from '../../../src/engine/engine.js';
import { startHttp } from '../../support/http-server.js';
import { openTestEngine } from '../../support/open-test-engine.js';
import { suite } from '../../support/suite.js';

const test = suite('http/qdrant/collection-info');
const POINTS = 3_000;

/** Reads no rows to count them. */
function withoutCounting(engine: Engine): Engine {
  return new Proxy(engine, {
    get: (target, name) => {
      if (name === 'count') throw new Error('it counts rows');
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

test('points of a field are those in its index: none before it serves, and no row is counted for them', async (t) => {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const { ask } = await startHttp(t, { engine: withoutCounting(engine) });
  await ask('PUT', '/collections/c', { vectors: { size: 1, distance: 'Dot' } });
  await ask('PUT', '/collections/c/index?wait=true', { field_name: 'n', field_schema: 'integer' });
  const points = Array.from({ length: POINTS }, (_, id) => ({
    id,
    vector: [id],
    payload: id % 3 === 0 ? { n: id, late: 'x y' } : {},
  }));
  await ask('PUT', '/collections/c/points?wait=true', { points });
  const shown = async (): Promise<unknown> => {
    const { status, body } = await ask('GET', '/collections/c');
    assert.is(status, 200, JSON.stringify(body));
    const schema = body.result.payload_schema as Record<string, { points: number }>;
    return Object.fromEntries(Object.entries(schema).map(([field, { points: inside }]) => [field, inside]));
  };
  assert.equal(await shown(), { n: POINTS / 3 });
  await ask('PUT', '/collections/c/index', { field_name: 'late', field_schema: 'keyword' });
  const { n, late } = (await shown()) as Record<string, number>;
  assert.equal([n, late === 0 || late === POINTS / 3], [POINTS / 3, true], `${late}`);
  await ask('PUT', '/collections/c/index?wait=true', { field_name: 'late', field_schema: 'text' });
  assert.equal(await shown(), { n: POINTS / 3, late: POINTS / 3 });
  await ask('POST', '/collections/c/points/delete?wait=true', { filter: { must: [{ key: 'n', range: { lt: 300 } }] } });
  assert.equal(await shown(), { n: POINTS / 3 - 100, late: POINTS / 3 - 100 });
});

test.run();
