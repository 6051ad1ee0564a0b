/** Kills while a checkpoint of an index is written, renamed into place, or cleans up after the one before: the next start uses the old one
 *  or the new one or builds the graph from rows, gives right answers either way, and leaves no half-made file behind. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Random } from '../support/random.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { attachStrace } from '../support/strace.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('faults/kill-in-checkpoint', { deadlineMs: 900_000 });
const POINTS = 1_200;
const KILLS = Number(process.env['SKEIN_TEST_CHECKPOINT_KILLS'] ?? 40);
/** Node's pool for files is one thread, so that strace counts all calls in one row. */
const ONE_FILE_THREAD = { environment: { UV_THREADPOOL_SIZE: '1' } };

/** Every point is replaced by version after version, which makes rebuilds due again and again, and each is saved. */
class Churn {
  readonly dataDir: string;
  readonly #random: Random;
  #version = 0;
  /** Of the newest acknowledged version. */
  #acknowledged: readonly number[][] = [];
  /** Of the version whose answer did not come, if any: it may be there. */
  #unknown: readonly number[][] | null = null;

  constructor(dataDir: string, seed: number) {
    this.dataDir = dataDir;
    this.#random = new Random(seed);
  }

  async make(server: ServerProcess): Promise<void> {
    const { status } = await server.request('PUT', '/v1/collections/c', { dimension: 8, distance: 'euclid' });
    assert.is(status, 201);
    assert.ok(await this.replace(server));
  }

  /** @returns false when the server went away */
  async replace(server: ServerProcess): Promise<boolean> {
    const version = ++this.#version;
    const vectors = Array.from({ length: POINTS }, () => [...this.#random.vector(8)]);
    const points = vectors.map((vector, id) => ({ id, vector, payload: { version } }));
    this.#unknown = vectors;
    const answer = await server.request('PUT', '/v1/collections/c/points?wait=indexed', { points }).catch(() => null);
    if (answer === null) return false;
    assert.is(answer.status, 200, JSON.stringify(answer.body));
    this.#acknowledged = vectors;
    this.#unknown = null;
    return true;
  }

  /** Takes the last write's fate from the server, then asks for some points by their vectors. */
  async check(server: ServerProcess): Promise<void> {
    const { body } = await server.request<{ points: { id: number; vector: number[]; payload: { version: number } }[] }>(
      'POST',
      '/v1/collections/c/points/get',
      { ids: Array.from({ length: POINTS }, (_, id) => id), with_vector: true },
    );
    assert.is(body.points.length, POINTS);
    const versions = new Set(body.points.map(({ payload }) => payload.version));
    assert.is(versions.size, 1, 'a write is there as a whole');
    if (this.#unknown !== null && versions.has(this.#version)) this.#acknowledged = this.#unknown;
    else assert.ok(versions.has(this.#version - (this.#unknown === null ? 0 : 1)), 'the newest acknowledged version is there');
    this.#unknown = null;
    this.#version = [...versions][0] ?? 0;
    for (const { id, vector } of body.points)
      assert.equal(Float32Array.from(vector), Float32Array.from(this.#acknowledged[id] ?? []));
    for (let id = 0; id < POINTS; id += 60) {
      const { body: found } = await server.request<{
        hits: { id: number; score: number }[];
        complete: boolean;
        explain: { cardinality: { actual: number } };
      }>('POST', '/v1/collections/c/points/search', { vector: this.#acknowledged[id], limit: 3, explain: true });
      assert.ok(found.complete);
      assert.is(found.explain.cardinality.actual, POINTS, 'the index holds each point once');
      assert.is(found.hits[0]?.id, id);
      assert.ok((found.hits[0]?.score ?? 1) < 1e-6);
    }
  }

  files(): string[] {
    try {
      return readdirSync(join(this.dataDir, 'store-1', 'checkpoints', '1', 'default')).sort();
    } catch {
      return [];
    }
  }
}

/** The newest checkpoint, and at most the one before it; nothing without a head. */
function madeWhole(files: readonly string[]): void {
  const heads = files.filter((name) => name.endsWith('.json'));
  const names = heads.map((name) => name.replace('.json', ''));
  for (const name of names) assert.ok(files.includes(`${name}.hnsw`), `${name} has its data`);
  for (const file of files) assert.ok(names.includes(file.replace(/\..*/, '')), `${file} belongs to a whole checkpoint`);
  assert.ok(heads.length <= 2, `${heads.length} checkpoints`);
}

/** Replaces points until the server has been ended by a kill. */
async function churnUntilKilled(churn: Churn, server: ServerProcess): Promise<void> {
  while (await churn.replace(server)) {
    // The kill is somebody else's.
  }
  assert.is((await server.ended).signal, 'SIGKILL');
}

async function begin(t: TestContext): Promise<{ churn: Churn; server: ServerProcess }> {
  const churn = new Churn(join(t.folder(), 'data'), t.seed());
  const server = await startServer(t, churn.dataDir, [], ONE_FILE_THREAD);
  await churn.make(server);
  return { churn, server };
}

const CALLS: readonly { calls: string; what: string }[] = [
  { calls: 'rename', what: 'a rename into place' },
  { calls: 'unlink', what: 'the removal of an older checkpoint' },
];

for (const { calls, what } of CALLS) {
  for (const when of ['1', '2', '3', '4']) {
    test(`SIGKILL at ${what} (call ${when} since the start) costs nothing`, async (t) => {
      const { churn, server } = await begin(t);
      const strace = await attachStrace(t, server.pid, { calls, fault: 'signal=KILL', when });
      await churnUntilKilled(churn, server);
      await strace.detach();
      const next = await startServer(t, churn.dataDir, [], ONE_FILE_THREAD);
      await churn.check(next);
      madeWhole(churn.files());
      assert.is(await next.stop(), 0);
    });
  }
}

test(`${KILLS} kills at any moment of a checkpoint cost nothing`, async (t) => {
  const random = new Random(t.seed());
  const { churn, server: first } = await begin(t);
  let server = first;
  const starts = new Map<string, number>();
  const seen = new Map<string, number>();
  for (let kill = 0; kill < KILLS; kill++) {
    const churning = churnUntilKilled(churn, server);
    // The kill follows a change of the folder: a name reserved, written to, renamed, removed.
    for (let changes = random.integer(1, 6); changes > 0; changes--) {
      const before = churn.files().join();
      await waitUntil(() => churn.files().join() !== before, { deadlineMs: 60_000, what: 'a checkpoint to come along' });
    }
    await server.kill();
    await churning;
    for (const name of churn.files()) {
      const ending = name.replace(/^[\d-]+(?:\.2)?/, '');
      seen.set(ending, (seen.get(ending) ?? 0) + 1);
    }
    server = await startServer(t, churn.dataDir, [], ONE_FILE_THREAD);
    await churn.check(server);
    for (const how of server.output().match(/index_checkpoint_(?:loaded|refused)/g) ?? ['from rows'])
      starts.set(how, (starts.get(how) ?? 0) + 1);
  }
  assert.is(await server.stop(), 0);
  madeWhole(churn.files());
  assert.not(starts.has('index_checkpoint_refused'), 'a checkpoint that has a head is whole');
  assert.ok((seen.get('.hnsw.tmp') ?? 0) + (seen.get('.json.tmp') ?? 0) > 0, 'some kills came while a checkpoint was being made');
  console.log(`${KILLS} kills; files found after them: ${show(seen)}; starts: ${show(starts)}`);
});

function show(counts: Map<string, number>): string {
  return [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
}

test.run();
