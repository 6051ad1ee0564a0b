/** Figures of graphs: a hundred by name, the worst of the rest together. */

import * as assert from 'uvu/assert';
import type { CatalogueEntry } from '../../src/engine/catalogue.js';
import { graphFigures } from '../../src/engine/graph-figures.js';
import { suite } from '../support/suite.js';

const test = suite('engine/graph-figures');

function entry(name: string, tombstones: number, reachable: number | null, kind = 'graph'): CatalogueEntry {
  const health = reachable === null ? null : { sampled: 100, reachable };
  return {
    row: { name },
    vector: { report: { status: { kind, live: 100 - tombstones, tombstones } } },
    health,
  } as unknown as CatalogueEntry;
}

test('a graph shows its dead places and, once it was looked at, what it does not find; flat rows show nothing', () => {
  assert.equal(graphFigures([entry('a', 25, 98), entry('b', 0, null), entry('c', 0, null, 'flat')]), [
    { collection: 'a', tombstoneRatio: 0.25, unreachableRatio: 1 - 0.98 },
    { collection: 'b', tombstoneRatio: 0, unreachableRatio: null },
  ]);
});

test('beyond a hundred the worst of each is told, under no name', () => {
  const many = Array.from({ length: 100 }, (_, i) => entry(`c${i}`, 0, 100));
  const figures = graphFigures([...many, entry('x', 50, null), entry('y', 10, 100), entry('z', 0, 75)]);
  assert.is(figures.length, 101);
  assert.equal(figures.at(-1), { collection: null, tombstoneRatio: 0.5, unreachableRatio: 0.25 });
});

test.run();
