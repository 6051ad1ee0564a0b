/** What a payload index is held against: live points in a plain map, asked one by one. */

import * as assert from 'uvu/assert';
import type { PayloadIndexSpec } from '../../src/model/collection.js';
import type { Filter } from '../../src/model/filter.js';
import { labelFilterOf, labelsOf, passesFilter } from '../../src/model/label-filter.js';
import { anyAt, anyElement } from '../../src/model/payload-path.js';
import type { JsonValue, Payload, PointId } from '../../src/model/point.js';
import { createPayloadIndex } from '../../src/payload-index/open-index.js';
import type { PayloadIndex } from '../../src/payload-index/payload-index.js';
import { compileFilter } from '../../src/search/evaluate-filter.js';

export type Change = { readonly label: number; readonly payload: Payload } | { readonly label: number; readonly payload: null };

export class ModelledIndex {
  readonly index: PayloadIndex;
  readonly #points = new Map<number, Payload>();
  readonly #idOf: (label: number) => PointId;
  readonly #labels: readonly number[];

  /** @param labels all that may ever be inside */
  constructor(specs: readonly PayloadIndexSpec[], labels: readonly number[], idOf: (label: number) => PointId) {
    this.index = createPayloadIndex(specs);
    this.#labels = labels;
    this.#idOf = idOf;
  }

  change({ label, payload }: Change): void {
    const before = this.index.changes;
    const was = this.#points.has(label);
    if (payload === null) {
      this.index.remove(label);
      this.#points.delete(label);
    } else {
      this.index.put(label, payload);
      this.#points.set(label, payload);
    }
    assert.is(this.index.changes > before, was || payload !== null, 'changes are counted');
    assert.is(this.index.size, this.#points.size);
    assert.is(this.index.has(label), payload !== null);
  }

  /** Labels of ids, those of points that are gone included. */
  readonly resolveIds = (ids: readonly PointId[]): Uint32Array => {
    const wanted = new Set(ids);
    return Uint32Array.from(this.#labels.filter((label) => wanted.has(this.#idOf(label))).reverse());
  };

  matching(filter: Filter): number[] {
    const matches = compileFilter(filter);
    const labels = [...this.#points.keys()].sort((a, b) => a - b);
    return labels.filter((label) => matches(this.#idOf(label), this.#points.get(label) ?? {}));
  }

  /** Holds every answer about a filter against the points. @returns was the match exact */
  check(filter: Filter): { exact: boolean; matched: number } {
    const wanted = this.matching(filter);
    const text = JSON.stringify({ filter, points: this.#points.size < 10 ? [...this.#points] : [] });
    const estimate = this.index.estimate(filter, this.resolveIds);
    const { least, expected, most } = estimate;
    assert.ok(least <= wanted.length && wanted.length <= most, `${wanted.length} in ${JSON.stringify(estimate)}: ${text}`);
    assert.ok(least <= expected && expected <= most && Number.isInteger(expected), JSON.stringify(estimate));
    const match = this.index.match(filter, this.resolveIds);
    const found = [...labelsOf(match.labels)];
    if (match.exact) assert.equal(found, wanted, text);
    else {
      for (const label of wanted) assert.ok(passesFilter(match.labels, label), `${label} is missed: ${text}`);
      assert.ok(found.length > wanted.length || match.unindexed.length > 0, 'it says what was not indexed');
      for (const label of found) assert.ok(this.#points.has(label), 'only what is inside');
    }
    assert.is(match.labels.size, found.length);
    assert.is(match.exact || match.unindexed.length > 0, true, text);
    return { exact: match.exact, matched: wanted.length };
  }

  /** Labels that match, and such as are not inside. */
  #mayBeCounted(filter: Filter): (label: number) => boolean {
    const matching = new Set(this.matching(filter));
    return (label) => matching.has(label) || !this.#points.has(label);
  }

  /** Facets against a plain count. @returns was it exact */
  checkFacet(path: string, filter: Filter | null, limit: number): boolean {
    const types = new Set(this.index.specs.filter((spec) => spec.path === path).map((spec) => spec.type));
    const among =
      filter === null ? null : labelFilterOf(Uint32Array.from(this.#labels.filter(this.#mayBeCounted(filter))).sort());
    const facet = this.index.facet(path, among, limit);
    const hasNumbers = types.has('integer') || types.has('float');
    if (!hasNumbers && !types.has('keyword') && !types.has('bool')) {
      assert.is(facet, null);
      return false;
    }
    assert.ok(facet !== null);
    if (!facet.exact) return false;
    const counts = new Map<JsonValue, number>();
    for (const label of this.matching(filter ?? {})) {
      for (const value of scalarsAt(this.#points.get(label) ?? {}, path)) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    const wanted = [...counts].map(([value, count]) => ({ value, count }));
    const kinds = ['boolean', 'number', 'string'];
    const rank = (value: JsonValue): number => kinds.indexOf(typeof value);
    wanted.sort((a, b) => b.count - a.count || rank(a.value) - rank(b.value) || ((a.value ?? 0) < (b.value ?? 0) ? -1 : 1));
    assert.equal(facet.values, wanted.slice(0, limit));
    return true;
  }
}

/** Texts, numbers and booleans at a path, each once. */
function scalarsAt(payload: Payload, path: string): Set<JsonValue> {
  const found = new Set<JsonValue>();
  const collect = (value: JsonValue): boolean => {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') found.add(value === 0 ? 0 : value);
    return false;
  };
  anyAt(payload, path.split('.'), (value) => anyElement(value, collect));
  return found;
}
