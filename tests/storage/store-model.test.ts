/** The store against a plain model: random changes, savepoints, rollbacks, reopenings and upkeep, compared after every commit. */

import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { encodePointId } from '../../src/codec/point-id.js';
import { decodeDefaultVector } from '../../src/codec/vector-set.js';
import type { PointId } from '../../src/model/point.js';
import { createDataFolder } from '../../src/storage/data-folder.js';
import { openReader, openWriter } from '../../src/storage/open-store.js';
import type { PointHead, StoreReads, StoreWriter } from '../../src/storage/storage.js';
import { verifyStore } from '../../src/storage/verify-store.js';
import { suite } from '../support/suite.js';
import { IDENTITY, OPTIONS, Story } from './story.js';

const test = suite('storage/store-model', { deadlineMs: 120_000 });

interface ModelPoint {
  readonly payload: string;
  readonly vector: number;
  readonly version: number;
}
interface Model {
  seq: number;
  /** By collection name. */
  collections: Map<string, { uid: number; points: Map<PointId, ModelPoint> }>;
}

type Step =
  | { readonly kind: 'put'; readonly name: string; readonly id: PointId; readonly payload: string; readonly vector: number }
  | { readonly kind: 'delete' | 'refused_put'; readonly name: string; readonly id: PointId }
  | { readonly kind: 'recreate'; readonly name: string }
  | { readonly kind: 'commit' | 'rollback' | 'reopen' | 'reap' | 'purge' | 'prune' | 'vacuum' | 'checkpoint' };

const name = fc.constantFrom('a', 'b');
const id = fc.constantFrom<PointId>(0, 1, 255, 256, 2 ** 32, 'a', 'b', 'ab', 'é', '1');
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      name,
      id,
      payload: fc.constantFrom('', '{"a":1}', JSON.stringify({ text: 'long '.repeat(1_200) })),
      vector: fc.nat(3),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('delete' as const, 'refused_put' as const), name, id }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('recreate' as const), name }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'commit' as const,
        'commit' as const,
        'rollback' as const,
        'reopen' as const,
        'reap' as const,
        'purge' as const,
        'prune' as const,
        'vacuum' as const,
        'checkpoint' as const,
      ),
    }),
  },
);

class Run {
  store: StoreWriter;
  readonly #path: string;
  #story: Story;
  #model: Model = { seq: 0, collections: new Map() };
  /** What a rollback goes back to. */
  #committed: Model = { seq: 0, collections: new Map() };
  #open = false;

  constructor(path: string) {
    this.#path = path;
    this.store = openWriter(path, OPTIONS);
    this.#story = new Story(this.store);
  }

  do(step: Step): void {
    switch (step.kind) {
      case 'put':
      case 'delete':
      case 'refused_put':
        return this.#point(step);
      case 'recreate':
        return this.#recreate(step.name);
      case 'commit':
        return this.commit();
      case 'rollback':
        this.#begin();
        this.store.rollback();
        this.#open = false;
        this.#model = copyOf(this.#committed);
        return;
      case 'reopen':
        this.commit();
        this.store.close();
        this.store = openWriter(this.#path, OPTIONS);
        this.#story = new Story(this.store);
        return;
      default:
        this.commit();
        this.#upkeep(step.kind);
    }
  }

  #upkeep(kind: 'reap' | 'purge' | 'prune' | 'vacuum' | 'checkpoint'): void {
    const { seq } = this.store.state();
    if (kind === 'reap') this.store.reapDead(seq, 3);
    if (kind === 'purge') this.store.purgeDropped(3);
    if (kind === 'prune') this.store.pruneLog({ olderThanMs: 0, keepBytes: 0, hardBytes: 20_000, keepFromSeq: seq - 2 }, 5);
    if (kind === 'vacuum') this.store.vacuumSome(4);
    if (kind === 'checkpoint') this.store.checkpointWal(0);
    this.compare(this.store);
  }

  #begin(): void {
    if (!this.#open) this.store.begin();
    this.#open = true;
  }

  commit(): void {
    if (this.#open) this.store.commit();
    this.#open = false;
    this.#committed = copyOf(this.#model);
    this.compare(this.store);
  }

  #point(step: Step & { kind: 'put' | 'delete' | 'refused_put' }): void {
    const collection = this.#model.collections.get(step.name) ?? this.#create(step.name);
    const { uid, points } = collection;
    this.#begin();
    if (step.kind === 'refused_put') {
      this.store.savepoint();
      this.#story.unit(this.#story.put(uid, { id: step.id, vector: [7, 7, 7, 7], payload: '{"refused":true}' }));
      this.store.rollbackToSavepoint();
    } else if (step.kind === 'put') {
      this.store.savepoint();
      const vector = [step.vector, 1, 1, 1];
      this.#model.seq = this.#story.unit(this.#story.put(uid, { id: step.id, vector, payload: step.payload }));
      this.store.release();
      points.set(step.id, { payload: step.payload, vector: step.vector, version: this.#model.seq });
    } else if (points.delete(step.id)) {
      this.#model.seq = this.#story.unit(this.#story.delete(uid, step.id));
    }
  }

  #create(collectionName: string): { uid: number; points: Map<PointId, ModelPoint> } {
    this.#begin();
    const uid = this.store.state().nextUid;
    this.#model.seq = this.#story.unit(this.#story.create(collectionName));
    const made = { uid, points: new Map<PointId, ModelPoint>() };
    this.#model.collections.set(collectionName, made);
    return made;
  }

  #recreate(collectionName: string): void {
    const before = this.#model.collections.get(collectionName);
    this.#begin();
    if (before !== undefined) this.#story.unit(this.#story.drop(before.uid));
    this.#create(collectionName);
  }

  compare(reads: StoreReads): void {
    const { seq, collections } = this.#model;
    assert.is(reads.state().seq, seq);
    assert.equal(
      reads.collections().map((row) => [row.name, row.uid, row.pointsCount]),
      [...collections]
        .map(([key, { uid, points }]) => [key, uid, points.size])
        .sort((a, b) => (a[1] as number) - (b[1] as number)),
    );
    for (const { uid, points } of collections.values()) this.#comparePoints(reads, uid, points);
    const { logMinSeq } = reads.state();
    assert.equal(
      reads.logFrom(logMinSeq, 10_000, 1e9).map((row) => row.seq),
      Array.from({ length: seq - logMinSeq + 1 }, (_, i) => logMinSeq + i),
    );
  }

  #comparePoints(reads: StoreReads, uid: number, points: Map<PointId, ModelPoint>): void {
    const expected = [...points.keys()].sort((a, b) => Buffer.compare(encodePointId(a), encodePointId(b)));
    const scrolled: PointId[] = [];
    for (let after: PointId | null = null; ; ) {
      const page = reads.pointsAfter(uid, after, 3, 8_000);
      scrolled.push(...page.map((row) => row.id));
      const last = page.at(-1);
      if (last === undefined) break;
      after = last.id;
    }
    assert.equal(scrolled, expected);
    const labels: number[] = [];
    const heads: PointHead[] = [];
    for (const pointId of expected) {
      const row = reads.pointById(uid, pointId);
      const model = points.get(pointId);
      assert.ok(row !== undefined && model !== undefined);
      if (row === undefined || model === undefined) return;
      assert.is(Buffer.from(row.payload).toString(), model.payload);
      assert.is(row.version, model.version);
      assert.is(decodeDefaultVector(reads.vectorSet(uid, row.label) ?? new Uint8Array())?.[0], model.vector);
      assert.equal(reads.pointByLabel(uid, row.label), row);
      const { payload: _, ...head } = row;
      assert.equal([reads.headById(uid, pointId), reads.headByLabel(uid, row.label)], [head, head]);
      heads.push(head);
      labels.push(row.label);
    }
    assert.equal(reads.headsAfter(uid, null, 1_000), heads);
    assert.equal(reads.lastHead(uid), heads.at(-1));
    assert.equal(reads.headsAfter(uid, expected[0] ?? null, 2), heads.slice(1, 3));
    labels.sort((a, b) => a - b);
    assert.equal([...reads.liveLabels(uid, 2 ** 31)], labels);
    const rows = reads.labelsFrom(uid, 0, 1_000, 1e9);
    assert.equal(
      rows.filter((row) => row.deadSeq === null).map((row) => row.label),
      labels,
    );
    const dead = rows.filter((row) => row.deadSeq !== null).map(({ label, deadSeq }) => ({ label, deadSeq }));
    dead.sort((a, b) => (a.deadSeq as number) - (b.deadSeq as number) || a.label - b.label);
    assert.equal(reads.deadBetween(uid, 0, 2 ** 40, 1_000), dead);
    this.#compareChanges(reads, uid, heads);
  }

  /** All at once, and a page at a time as an index reads it. */
  #compareChanges(reads: StoreReads, uid: number, heads: readonly PointHead[]): void {
    const changed = heads.filter(({ version, labelSeq }) => version > labelSeq);
    const expected = changed.map(({ version, label }) => [version, label]).sort(([a = 0], [b = 0]) => a - b);
    const found: number[][] = [];
    for (let seq = 0; seq < this.#model.seq; ) {
      const { rows, throughSeq } = reads.changedBetween(uid, seq, this.#model.seq, 2, 5_000);
      assert.ok(throughSeq > seq);
      for (const { label, version, payload } of rows) {
        assert.equal(payload, reads.pointByLabel(uid, label)?.payload);
        found.push([version, label]);
      }
      seq = throughSeq;
    }
    assert.equal(found, expected);
    const withPayloads = reads.labelsFrom(uid, 0, 1_000, 1e9, true);
    for (const { label, payload } of withPayloads) assert.equal(payload, reads.pointByLabel(uid, label)?.payload);
    const bare = withPayloads.map((row) => ({ ...row, payload: null }));
    assert.equal(bare, reads.labelsFrom(uid, 0, 1_000, 1e9));
  }
}

function copyOf(model: Model): Model {
  const collections = new Map([...model.collections].map(([key, { uid, points }]) => [key, { uid, points: new Map(points) }]));
  return { seq: model.seq, collections };
}

test('random changes leave exactly what a plain model holds, in the writer, in a reader, and by verification', (t) => {
  let round = 0;
  const folder = t.folder();
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 70 }), (steps) => {
      round += 1;
      const dataDir = `${folder}/${round}`;
      const { databasePath } = createDataFolder(dataDir, IDENTITY, { role: 'master', bootId: 'boot' }, OPTIONS);
      const run = new Run(databasePath);
      const reader = openReader(databasePath, OPTIONS);
      try {
        for (const one of steps) run.do(one);
        run.commit();
        run.compare(reader);
      } finally {
        reader.close();
        run.store.rollback();
        run.store.close();
      }
      assert.equal(verifyStore(dataDir, 'full').findings, []);
      assert.equal(verifyStore(dataDir, 'quick').findings, []);
    }),
    { numRuns: 60, seed: t.seed() },
  );
});

test.run();
