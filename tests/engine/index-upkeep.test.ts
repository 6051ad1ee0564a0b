/** Index upkeep against a model: whatever the history and however it is sliced, a search between two slices sees each point once,
 *  as some version that was alive, never an older one than was seen before, and the end equals the store. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { encodeDefaultVector } from '../../src/codec/vector-set.js';
import { IndexUpkeep } from '../../src/engine/index-upkeep.js';
import type { IndexedContent } from '../../src/engine/indexed-content.js';
import type { LabelRow, StoreReads } from '../../src/storage/storage.js';
import { suite } from '../support/suite.js';

const test = suite('engine/index-upkeep');

interface ModelRow {
  readonly point: number;
  readonly label: number;
  readonly labelSeq: number;
  readonly prevLabel: number | null;
  deadSeq: number | null;
  /** Seq of the last write; the payload is that seq. */
  version: number;
}

/** A store of label rows only: units of writes, each one seq. */
class ModelStore {
  readonly rows: ModelRow[] = [];
  readonly live = new Map<number, ModelRow>();
  seq = 0;

  write(changes: readonly Change[]): void {
    this.seq += 1;
    const seen = new Set<number>();
    for (const { point, what } of changes) {
      if (seen.has(point)) continue;
      seen.add(point);
      const before = this.live.get(point);
      if (what === 'patch' && before !== undefined) {
        before.version = this.seq;
        continue;
      }
      if (before !== undefined) before.deadSeq = this.seq;
      this.live.delete(point);
      if (what === 'remove') continue;
      const row: ModelRow = {
        point,
        label: this.rows.length,
        labelSeq: this.seq,
        prevLabel: before?.label ?? null,
        deadSeq: null,
        version: this.seq,
      };
      this.rows.push(row);
      this.live.set(point, row);
    }
  }

  reads(pageRows: number): StoreReads {
    const partial: Partial<StoreReads> = {
      snapshot: (read) => read(),
      state: () => ({ seq: this.seq }) as ReturnType<StoreReads['state']>,
      labelsFrom: (_uid, from, limit): LabelRow[] =>
        this.rows.slice(from, from + Math.min(limit, pageRows)).map((row) => ({
          ...row,
          vectorSet: encodeDefaultVector(new Float32Array([row.point])),
          payload: payloadOf(row),
        })),
      changedBetween: (_uid, after, through) => {
        const found = [...this.live.values()]
          .filter(({ version, labelSeq }) => version > labelSeq && version > after && version <= through)
          .sort((a, b) => a.version - b.version || a.label - b.label);
        // A page ends behind a version.
        const last = found[pageRows - 1]?.version ?? through;
        const rows = found.filter(({ version }) => version <= last);
        return { rows: rows.map((row) => ({ ...row, payload: payloadOf(row) })), damaged: [], throughSeq: last };
      },
      headByLabel: (_uid, label) => this.rows[label] as unknown as ReturnType<StoreReads['headByLabel']>,
      pointByLabel: (_uid, label) => {
        const row = this.rows[label];
        return row === undefined
          ? undefined
          : ({ ...row, payload: payloadOf(row) } as unknown as ReturnType<StoreReads['pointByLabel']>);
      },
      deadBetween: (_uid, after, through, limit) =>
        this.rows
          .filter(
            (row): row is ModelRow & { deadSeq: number } => row.deadSeq !== null && row.deadSeq > after && row.deadSeq <= through,
          )
          .sort((a, b) => a.deadSeq - b.deadSeq)
          .slice(0, limit)
          .map(({ label, deadSeq }) => ({ label, deadSeq })),
    };
    return partial as StoreReads;
  }
}

function payloadOf({ version }: ModelRow): Uint8Array {
  return Uint8Array.from([version]);
}

/** An index that is a set, and calls back after every turn. */
class SetIndex implements IndexedContent {
  readonly labels = new Set<number>();
  /** The payload that was last seen of each label inside. */
  readonly versions = new Map<number, number>();
  readonly needsPayload = true;
  readonly crowded = false;
  readonly inserts = 0;
  readonly #turn: () => void;

  constructor(turn: () => void) {
    this.#turn = turn;
  }

  add({ label, payload }: LabelRow, replaces: number | null): void {
    assert.not(this.labels.has(label), 'a label is added once');
    this.labels.add(label);
    this.versions.set(label, payload?.[0] as number);
    if (replaces !== null) assert.ok(this.labels.delete(replaces), 'what is replaced is inside');
    this.#turn();
  }

  remove(label: number): void {
    if (this.labels.delete(label)) this.#turn();
  }

  update(label: number, payload: Uint8Array): void {
    assert.ok((payload[0] as number) >= (this.versions.get(label) as number), 'a payload never goes back');
    this.versions.set(label, payload[0] as number);
    this.#turn();
  }

  liveLabels(): Uint32Array {
    return Uint32Array.from(this.labels).sort();
  }

  has(label: number): boolean {
    return this.labels.has(label);
  }

  work(): null {
    return null;
  }
}

interface Change {
  readonly point: number;
  readonly what: 'put' | 'patch' | 'remove';
}

const change = fc.record({ point: fc.nat(5), what: fc.constantFrom('put', 'patch', 'remove') }) as fc.Arbitrary<Change>;
const unit = fc.array(change, { minLength: 1, maxLength: 4 });
const history = fc.array(fc.record({ units: fc.array(unit, { maxLength: 6 }), slices: fc.nat(3) }), {
  minLength: 1,
  maxLength: 8,
});

test('between any two turns a point is seen at most once and never goes back, and the end equals the store', () => {
  fc.assert(
    fc.property(history, fc.integer({ min: 1, max: 7 }), (rounds, pageRows) => {
      const store = new ModelStore();
      const seen = new Map<number, number>();
      const index = new SetIndex(() => {
        const visible = new Map<number, ModelRow>();
        for (const label of index.labels) {
          const row = store.rows[label] as ModelRow;
          assert.not(visible.has(row.point), 'a point is seen once');
          visible.set(row.point, row);
        }
        for (const row of visible.values()) {
          assert.ok(row.label >= (seen.get(row.point) ?? 0), 'a point never goes back to an older version');
          seen.set(row.point, row.label);
        }
        // A point alive and unchanged in being (put, never deleted) since before the cursor may not vanish.
        for (const [point, label] of seen) {
          if (visible.has(point)) continue;
          const deletions = store.rows.filter((row) => row.point === point && row.label >= label && row.deadSeq !== null);
          const replacedOnly = deletions.every((row) => store.rows.some((next) => next.prevLabel === row.label));
          assert.not(deletions.length === 0 || replacedOnly, 'a point that was only replaced stays visible');
        }
      });
      const upkeep = new IndexUpkeep(store.reads(pageRows), 1, index, 0, 0, 0);
      for (const { units, slices } of rounds) {
        for (const changes of units) store.write(changes);
        for (let i = 0; i < slices; i++) upkeep.advance(0);
        for (const [, row] of store.live) {
          if (row.labelSeq <= upkeep.seq) assert.ok(index.has(row.label), 'what seq promises is inside');
        }
        for (const label of index.labels) {
          const { version } = store.rows[label] as ModelRow;
          if (version <= upkeep.seq)
            assert.ok((index.versions.get(label) ?? 0) >= version, 'so is the payload, also of what has died since');
        }
      }
      while (upkeep.advance(1) === 0) {
        // Until level.
      }
      assert.is(upkeep.seq, store.seq);
      for (const { label, version } of store.live.values()) assert.is(index.versions.get(label), version);
      assert.equal(
        [...index.labels].sort((a, b) => a - b),
        [...store.live.values()].map(({ label }) => label).sort((a, b) => a - b),
      );
    }),
    { numRuns: 2_000 },
  );
});

test('an index that is built serves nobody until it is complete, and then holds exactly the state of its seq', () => {
  fc.assert(
    fc.property(history, history, fc.integer({ min: 1, max: 7 }), (before, during, pageRows) => {
      const store = new ModelStore();
      for (const { units } of before) for (const changes of units) store.write(changes);
      const index = new SetIndex(() => {});
      const upkeep = new IndexUpkeep(store.reads(pageRows), 1, index, 0, 0, store.rows.length);
      for (const { units, slices } of during) {
        for (let i = 0; i < slices; i++) upkeep.advance(0);
        for (const changes of units) store.write(changes);
        if (!upkeep.complete) continue;
        const { seq } = upkeep;
        for (const row of store.rows) {
          const next = store.rows.find((other) => other.prevLabel === row.label);
          const waits = next !== undefined && next.label >= upkeep.nextLabel;
          // A deletion beyond the seq may have been seen already; a replacement shows by its successor.
          if (row.labelSeq <= seq && (row.deadSeq === null || (row.deadSeq > seq && waits))) {
            assert.ok(index.has(row.label), 'what is alive at its seq is inside until its successor is');
          }
          if (row.deadSeq !== null && row.deadSeq <= seq) assert.not(index.has(row.label), 'what died by its seq is not inside');
        }
      }
      while (upkeep.advance(1) === 0) {
        // Until level.
      }
      assert.ok(upkeep.complete);
      const live = [...store.live.values()].map(({ label }) => label);
      assert.equal(
        [...index.labels].sort((a, b) => a - b),
        live.sort((a, b) => a - b),
      );
    }),
    { numRuns: 2_000 },
  );
});

test('what changed in place before thousands died is inside as it was last, however far behind the index is', () => {
  const points = 6_000;
  const changed = points - 1;
  const removed = Array.from({ length: 5_000 }, (_, point): Change => ({ point, what: 'remove' }));
  const store = new ModelStore();
  const write = (from: number, to: number, what: Change['what']): void =>
    store.write(Array.from({ length: to - from }, (_, i) => ({ point: from + i, what })));
  write(0, points, 'put');
  const index = new SetIndex(() => {});
  const upkeep = new IndexUpkeep(store.reads(512), 1, index, 0, 0, 0);
  while (upkeep.advance(50) === 0) {
    // Until level.
  }
  store.write([{ point: changed, what: 'patch' }]);
  const { seq } = store;
  // Behind these rows the cursor stops, before it comes to the deaths.
  write(points, points + 1_500, 'put');
  store.write(removed);
  store.write([{ point: changed, what: 'remove' }]);
  let seen = 0;
  while (upkeep.advance(0) === 0) {
    if (upkeep.seq < seq || !index.has(changed)) continue;
    seen += 1;
    assert.is(index.versions.get(changed), seq);
  }
  assert.ok(seen > 0);
  assert.is(upkeep.seq, store.seq);
});

test.run();
