/** Clients that do not know what became of a write ask again with the same idempotency key, over kill after kill: every write has exactly
 *  one effect, a retry is answered as the first time would have been, and an interrupted import goes on where it was. */

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { decodeEntry } from '../../src/codec/entry.js';
import { openReader } from '../../src/storage/open-store.js';
import { checkDigests, TEST_CACHE } from '../support/open-test-store.js';
import { Random } from '../support/random.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('faults/kill-and-retry', { deadlineMs: 600_000 });
const KILLS = Number(process.env['SKEIN_TEST_RETRY_KILLS'] ?? 25);
const WRITERS = 5;
const LINES = 12_000;
const IMPORT_KILLS = 6;

interface Receipt {
  readonly upserted: number;
  readonly seq: number;
  readonly position: string;
}

/** How often the log wrote each point id of the collection with the uid. */
function writesInLog(dataDir: string, uid: number): Map<unknown, number> {
  const reads = openReader(join(dataDir, 'store-1', 'skein.db'), TEST_CACHE);
  const { logMinSeq } = reads.state();
  assert.is(logMinSeq, 1, 'nothing was pruned');
  checkDigests(reads);
  const writes = new Map<unknown, number>();
  for (const { entry } of reads.logFrom(1, 1_000_000, 2 ** 31)) {
    const { effect } = decodeEntry(entry);
    if (effect.kind !== 'put_points' || effect.uid !== uid) continue;
    for (const { id } of effect.points) writes.set(id, (writes.get(id) ?? 0) + 1);
  }
  reads.close();
  return writes;
}

test(`writes that are retried over ${KILLS} kills have one effect each, and a retry says what the first answer said`, async (t) => {
  const dataDir = join(t.folder(), 'data');
  let server = await startServer(t, dataDir);
  await server.request('PUT', '/v1/collections/c', { dimension: 2, distance: 'euclid' });
  const receipts = new Map<number, Receipt>();
  let next = 0;
  let retried = 0;
  const put = (id: number): Promise<Receipt | null> =>
    server
      .request<Receipt>(
        'PUT',
        '/v1/collections/c/points',
        { points: [{ id, vector: [id, 1] }] },
        { 'idempotency-key': `key-${id}` },
      )
      .then(({ status, body }) => {
        assert.is(status, 200, JSON.stringify(body));
        return body;
      })
      .catch((error: Error) => {
        if (error.name === 'Assertion') throw error;
        return null;
      });
  /** Each writer owns one id at a time and does not let go of it before it is answered. */
  const open = new Set<number>();
  const write = async (): Promise<void> => {
    for (;;) {
      const id = next++;
      open.add(id);
      const receipt = await put(id);
      if (receipt === null) return;
      receipts.set(id, receipt);
      open.delete(id);
    }
  };
  for (let kill = 0; kill < KILLS; kill++) {
    const goal = next + WRITERS + Math.floor(Math.random() * 80);
    const writing = Promise.all(Array.from({ length: WRITERS }, write));
    await waitUntil(() => next >= goal, { what: 'some writes before the kill', deadlineMs: 30_000 });
    await server.kill();
    await writing;
    server = await startServer(t, dataDir);
    for (const id of open) {
      const receipt = await put(id);
      assert.ok(receipt, `the retry of ${id} is answered`);
      receipts.set(id, receipt as Receipt);
      retried += 1;
    }
    open.clear();
    // An old answer is given again, seq and position included.
    const known = [...receipts.keys()].slice(-8);
    for (const id of known) assert.equal(await put(id), receipts.get(id));
  }
  const { body } = await server.request<{ points: { id: number; version: number }[] }>('POST', '/v1/collections/c/points/get', {
    ids: [...receipts.keys()],
  });
  assert.is(body.points.length, receipts.size);
  assert.is(await server.stop(), 0);
  const writes = writesInLog(dataDir, 1);
  assert.is(writes.size, receipts.size);
  for (const [id, count] of writes) assert.is(count, 1, `point ${String(id)} was written ${count} times`);
  console.log(`${KILLS} kills, ${receipts.size} writes, ${retried} of them retried, each with one effect`);
});

/** @returns the last line of the answer, or null when the server went away */
async function importAll(server: ServerProcess, lines: string, onProgress: () => void): Promise<{ imported: number } | null> {
  try {
    const answer = await fetch(`${server.url}/v1/collections/c/points/import?timeout_ms=60000`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', 'idempotency-key': 'the-import' },
      body: lines,
    });
    let text = '';
    for await (const piece of answer.body ?? []) {
      text += Buffer.from(piece as Uint8Array).toString();
      onProgress();
    }
    const last = text.trimEnd().split('\n').at(-1) ?? '';
    return last.includes('"imported"') && !last.includes('"progress"') ? (JSON.parse(last) as { imported: number }) : null;
  } catch {
    return null;
  }
}

test(`an import that is killed ${IMPORT_KILLS} times and repeated with its key writes every line once`, async (t) => {
  const dataDir = join(t.folder(), 'data');
  const random = new Random(t.seed());
  const lines = Array.from({ length: LINES }, (_, id) => JSON.stringify({ id, vector: [...random.vector(16)] })).join('\n');
  let server = await startServer(t, dataDir);
  await server.request('PUT', '/v1/collections/c', { dimension: 16, distance: 'cosine' });
  const counts: number[] = [];
  for (let kill = 0; kill < IMPORT_KILLS; kill++) {
    let progress = 0;
    const importing = importAll(server, lines, () => (progress += 1));
    const enough = random.integer(1, 4);
    await waitUntil(() => progress >= enough, { what: 'the import to come along', deadlineMs: 60_000 });
    await server.kill();
    assert.is(await importing, null);
    server = await startServer(t, dataDir);
    const { body } = await server.request<{ count: number }>('POST', '/v1/collections/c/points/count', {});
    assert.is(body.count % 1_000, 0, 'a chunk is there as a whole or not at all');
    assert.ok(body.count >= (counts.at(-1) ?? 0), 'nothing goes back');
    counts.push(body.count);
  }
  const outcome = await importAll(server, lines, () => {});
  assert.is(outcome?.imported, LINES);
  const { body } = await server.request<{ count: number }>('POST', '/v1/collections/c/points/count', {});
  assert.is(body.count, LINES);
  assert.is(await server.stop(), 0);
  const writes = writesInLog(dataDir, 1);
  assert.is(writes.size, LINES);
  for (const [id, count] of writes) assert.is(count, 1, `line ${String(id)} was written ${count} times`);
  console.log(`points after each of ${IMPORT_KILLS} kills: ${counts.join(', ')}; each of ${LINES} lines written once`);
});

test.run();
