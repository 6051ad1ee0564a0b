/** A payload damaged on the disk of a real server: every door that meets it names the collection and the point, and all else is answered. */

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { runSkein } from '../cli/run-skein.js';
import { driver } from '../storage/raw-database.js';
import { type ErrorBody, type ServerProcess, startServer } from '../support/server-process.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('scenarios/damage-named', { deadlineMs: 60_000 });
const COUNT = 60;
const DAMAGED = 33;

interface Found {
  readonly hits: readonly { readonly id: number }[];
  readonly complete: boolean;
}

const vectorOf = (id: number): number[] => [id + 1, id % 7, 1];

/** @returns a server of which one payload of each collection is damaged, in its row and in the log from which it could be repaired */
async function damagedServer(t: TestContext): Promise<ServerProcess> {
  const dataDir = join(t.folder(), 'data');
  const whole = await startServer(t, dataDir);
  const points = Array.from({ length: COUNT }, (_, id) => ({ id, vector: vectorOf(id), payload: { even: id % 2 === 0 } }));
  for (const [name, indexes] of [
    ['films', []],
    ['indexed', [{ path: 'even', type: 'bool' }]],
  ] as const) {
    const spec = { dimension: 3, distance: 'euclid', payload_indexes: indexes };
    assert.is((await whole.request('PUT', `/v1/collections/${name}`, spec)).status, 201);
    assert.is((await whole.request('PUT', `/v1/collections/${name}/points`, { points })).status, 200);
  }
  assert.is((await whole.request('PUT', '/v1/aliases/movies', { collection: 'films' })).status, 200);
  assert.is(await whole.stop(), 0);
  const db = driver(join(dataDir, 'store-1', 'skein.db'));
  db.exec(
    `UPDATE points SET payload = x'7b7d' WHERE key % ${2 ** 31} = ${DAMAGED}; UPDATE log SET entry = x'00' WHERE length(entry) > 1000`,
  );
  db.close();
  return startServer(t, dataDir);
}

test('reads, searches, scrolls, writes and exports that meet a damaged payload name its collection and its point', async (t) => {
  const server = await damagedServer(t);
  const search = { vector: vectorOf(DAMAGED), limit: 3, with_payload: true };
  const filter = { must: [{ key: 'even', match: { value: false } }] };
  const path = '/v1/collections/films/points';
  for (const [method, where, body] of [
    ['GET', `${path}/${DAMAGED}`, undefined],
    ['GET', `/v1/collections/movies/points/${DAMAGED}`, undefined],
    ['POST', `${path}/search`, search],
    ['POST', `${path}/search`, { ...search, with_payload: false, filter }],
    ['POST', `${path}/count`, { filter }],
    ['POST', `${path}/scroll`, { limit: COUNT }],
    ['POST', `${path}/scroll`, { limit: COUNT, filter }],
    ['PUT', path, { points: [{ id: DAMAGED, vector: [1, 2, 3] }] }],
    ['POST', `${path}/delete`, { ids: [DAMAGED] }],
  ] as const) {
    const answer = await server.request<ErrorBody>(method, where, body);
    const { type, details, message } = answer.body.error;
    const seen = [answer.status, type, details['collection'], details['point_id']];
    assert.equal(seen, [500, 'CorruptData', 'films', DAMAGED], `${method} ${where}: ${message}`);
  }
  const exported = await runSkein(['export', 'films', '-'], { environment: { SKEIN_URL: server.url } });
  assert.is(exported.exitCode === 0, false);
  assert.match(exported.errors, /point 33 of collection 'films'/);

  const passedOver = await server.request<Found>('POST', '/v1/collections/indexed/points/search', search);
  assert.equal([passedOver.status, passedOver.body.hits.length, passedOver.body.complete], [200, 3, false]);
  assert.is(
    passedOver.body.hits.some(({ id }) => id === DAMAGED),
    false,
  );
  const bare = await server.request<Found>('POST', `${path}/search`, {
    ...search,
    with_payload: false,
  });
  assert.equal([bare.status, bare.body.hits[0]?.id, bare.body.complete], [200, DAMAGED, true]);
  assert.is((await server.request('GET', `${path}/${DAMAGED - 1}`)).status, 200);
  assert.is((await server.request('PUT', path, { points: [{ id: COUNT, vector: [1, 2, 3] }] })).status, 200);
  assert.is(await server.stop(), 0);
});

test.run();
