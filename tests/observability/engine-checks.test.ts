/** What is found of the engine's parts: sentences, statuses, and whether requests are served. */
import * as assert from 'uvu/assert';
import type { IndexProbe, SearchEngineStatus } from '../../src/engine/engine.js';
import { SkeinError } from '../../src/model/errors.js';
import type { HealthCheck, HealthFinding } from '../../src/model/health.js';
import { DEFAULT_LIMITS } from '../../src/model/limits.js';
import { digestFinding, engineChecks, indexFinding } from '../../src/observability/engine-checks.js';
import { FakeEngine, QUIET_SEARCH } from '../support/fake-engine.js';
import { suite } from '../support/suite.js';

const test = suite('observability/engine-checks');

const USED: SearchEngineStatus = { ...QUIET_SEARCH.vector, collections: 2 };
const ANSWERED: IndexProbe = { asked: 2, answered: 2, busy: 0, points: 1234, latencyMs: 3, failure: null };
const SILENT: IndexProbe = { ...ANSWERED, answered: 0, latencyMs: null, failure: 'Timeout' };

const brief = ({ status, serves, message }: HealthFinding): unknown[] => [status, serves, message];

test('an engine that answers says how many vectors it has, or that it works', () => {
  const vector = indexFinding('vector', USED, ANSWERED, 0);
  assert.equal(brief(vector), ['healthy', 'yes', 'Vector store operational (1234 vectors)']);
  assert.is(vector.latencyMs, 3);
  assert.equal(brief(indexFinding('text', USED, ANSWERED, 0)), ['healthy', 'yes', 'BM25 search operational']);
  const unused = { ...ANSWERED, asked: 0, answered: 0, points: 0, latencyMs: null };
  assert.is(indexFinding('text', QUIET_SEARCH.text, unused, 0).serves, 'unused');
});

const CASES: readonly (readonly [string, Partial<SearchEngineStatus>, IndexProbe, number, string, string])[] = [
  ['an open breaker', { breaker: 'open' }, ANSWERED, 0, 'unhealthy', 'no'],
  ['a breaker that lets one try', { breaker: 'half_open' }, ANSWERED, 0, 'degraded', 'no'],
  ['an index that is not there yet', { loading: 1 }, ANSWERED, 0, 'degraded', 'yes'],
  ['silence, once', {}, SILENT, 1, 'degraded', 'yes'],
  ['silence, twice', {}, SILENT, 2, 'unhealthy', 'no'],
  ['a thread that stands still', { stalled: 1 }, SILENT, 1, 'unhealthy', 'no'],
  ['one thread of two that is silent', {}, { ...SILENT, answered: 1 }, 2, 'unhealthy', 'yes'],
  ['searches that wait for each other', {}, { ...SILENT, busy: 2, failure: 'Overloaded' }, 0, 'healthy', 'yes'],
];
for (const [what, status, probe, misses, wanted, serves] of CASES) {
  test(`${what}: ${wanted}`, () => {
    const found = indexFinding('vector', { ...USED, ...status }, probe, misses);
    assert.equal([found.status, found.serves], [wanted, serves], found.message);
  });
}

test('a digest that is not the sum of its parts is degraded, and says what to do', () => {
  const probe = { seq: 7, digest: 'ab', collections: 3, whole: true, bucketsWhole: true };
  assert.equal(brief(digestFinding(probe, 1)), [
    'healthy',
    undefined,
    'Merkle digest exists at seq 7 and is the sum of its parts (3 collections)',
  ]);
  assert.is(digestFinding({ ...probe, whole: false }, 1).status, 'degraded');
  const { status, message } = digestFinding({ ...probe, bucketsWhole: false }, 1);
  assert.equal([status, message], ['degraded', 'the digest of a collection is not the sum of its buckets: run a verification']);
});

function checkOf(engine: FakeEngine, name: string, concern: string | null = null): HealthCheck['check'] {
  const care = { storeConcern: () => concern, recovery: () => null };
  const parts = { engine: () => engine, limits: DEFAULT_LIMITS, timeoutMs: 1_000, ...care };
  const found = engineChecks(parts).find((check) => check.name === name);
  if (found === undefined) throw new Error(name);
  return found.check;
}
const SIGNAL = new AbortController().signal;

test('storage names everything that is wrong, and is read for it', async () => {
  const engine = new FakeEngine();
  const before = engine.status();
  assert.equal(brief(await checkOf(engine, 'storage')(SIGNAL)), [
    'healthy',
    'yes',
    'the store is open, readable and takes writes',
  ]);
  const storage = { ...before.storage, full: true, readOnly: true, walBytes: 2 ** 30 };
  engine.status = () => ({ ...before, storage });
  const found = await checkOf(engine, 'storage', 'one row is damaged')(SIGNAL);
  assert.equal([found.status, found.message.split('; ').length], ['degraded', 4]);
  engine.probes.store = () => {
    throw new SkeinError('CorruptData', 'a row is damaged');
  };
  assert.throws(() => checkOf(engine, 'storage')(SIGNAL), /damaged/);
});

test('a scan thread that is busy does not make the digest suspicious once it was seen whole', async () => {
  const engine = new FakeEngine();
  const check = checkOf(engine, 'digest');
  assert.is((await check(SIGNAL)).status, 'healthy');
  engine.probes.digest = () => Promise.reject(new SkeinError('Timeout', 'busy'));
  const found = await check(SIGNAL);
  assert.equal([found.status, found.latencyMs], ['healthy', null]);
  assert.match(found.message, /was whole at seq 0/);
});

test('searching is degraded by fallback and by indexes that are far behind', async () => {
  const engine = new FakeEngine();
  const before = engine.status();
  const index = { ...before.index, lagBytes: DEFAULT_LIMITS.indexLagBytesMax };
  const search = { ...before.search, fallback: { active: true, sinceMs: 0, count: 1 } };
  engine.status = () => ({ ...before, index, search });
  const found = await checkOf(engine, 'search')(SIGNAL);
  assert.equal(brief(found), [
    'degraded',
    undefined,
    'the indexes are far behind the log; hybrid searches are answered by one engine alone',
  ]);
});

test.run();
