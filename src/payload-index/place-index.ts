/** Places of labels: which labels have one in a region.
 *
 *  Places stand in the order of their cells' keys (place-cells.ts). A region is walked from the whole Earth down: a cell that lies inside
 *  gives all its labels, one that lies outside none, and one on the edge is cut in four until few places are left, which are looked at
 *  one by one. Must not know: filters' conditions. */

import type { Place } from '../model/place.js';
import { ForwardValues } from './forward-values.js';
import { cardinality, type LabelSource, MadeOnDemand } from './label-source.js';
import { OrderedPairs, type Position } from './ordered-pairs.js';
import { keyOf, keysAt, LEVELS, type Region, rectangleOf } from './place-cells.js';

/** So few places are looked at one by one sooner than their cell is cut. */
const LOOKED_AT_MAX = 32;
/** Cells that a guess at the size walks through. */
const GUESS_CELLS_MAX = 200;

interface Cell {
  readonly level: number;
  readonly column: number;
  readonly row: number;
  readonly key: number;
}

type Visit = (from: Position, to: Position) => void;

export class PlaceIndex {
  readonly #pairs = new OrderedPairs();
  readonly #lats = new ForwardValues();
  readonly #lons = new ForwardValues();
  #labels = 0;

  /** @param label not inside; no places: nothing is kept */
  put(label: number, places: readonly Place[]): void {
    if (places.length === 0) return;
    for (const place of places) this.#pairs.add(keyOf(place), label);
    this.#lats.put(
      label,
      places.map(({ lat }) => lat),
    );
    this.#lons.put(
      label,
      places.map(({ lon }) => lon),
    );
    this.#labels += 1;
  }

  /** A label that is not inside is passed over. */
  remove(label: number): void {
    const lats = this.#lats.take(label);
    const lons = this.#lons.take(label);
    for (const [place, lat] of lats.entries()) this.#pairs.remove(keyOf({ lat, lon: lons[place] as number }), label);
    if (lats.length > 0) this.#labels -= 1;
  }

  within(region: Region): LabelSource {
    return new MadeOnDemand({
      size: () => this.#guess(region),
      gather: () => ({ loose: this.#gather(region), bitmaps: [] }),
      holds: (label) => this.#holds(label, region),
    });
  }

  get memoryBytes(): number {
    return this.#pairs.memoryBytes + this.#lats.memoryBytes + this.#lons.memoryBytes;
  }

  #holds(label: number, region: Region): boolean {
    const lat = this.#lats.one(label);
    if (!Number.isNaN(lat)) return region.contains({ lat, lon: this.#lons.one(label) });
    const lons = this.#lons.several.get(label);
    return this.#lats.several.get(label)?.some((one, place) => region.contains({ lat: one, lon: lons?.[place] ?? 0 })) ?? false;
  }

  #gather(region: Region): Uint32Array {
    const found: Uint32Array[] = [];
    const inside: Visit = (from, to) => {
      // Copied before anything else happens to the index.
      this.#pairs.visit(from, to, (labels) => found.push(labels.slice()));
    };
    const edge: Visit = (from, to) => {
      this.#pairs.visit(from, to, (labels) => found.push(labels.filter((label) => this.#holds(label, region))));
    };
    this.#walk(region, Number.POSITIVE_INFINITY, { inside, edge });
    const labels = new Uint32Array(found.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of found) {
      labels.set(part, at);
      at += part.length;
    }
    return labels;
  }

  #guess(region: Region): ReturnType<LabelSource['size']> {
    let certain = 0;
    let possible = 0;
    this.#walk(region, GUESS_CELLS_MAX, {
      inside: (from, to) => {
        certain += this.#pairs.count(from, to);
      },
      edge: (from, to) => {
        possible += this.#pairs.count(from, to);
      },
    });
    const extra = this.#pairs.size - this.#labels;
    const share = this.#pairs.size === 0 ? 0 : this.#labels / this.#pairs.size;
    const most = Math.min(certain + possible, this.#labels);
    return cardinality(certain - extra, (certain + possible / 2) * share, most);
  }

  /** Level by level; when so many cells were seen, those that are left count as edge. */
  #walk(region: Region, cellsMax: number, { inside, edge }: { readonly inside: Visit; readonly edge: Visit }): void {
    const waiting: Cell[] = [{ level: 0, column: 0, row: 0, key: 0 }];
    let seen = 0;
    // The list grows while it is read.
    for (const cell of waiting) {
      const { level, column, row, key } = cell;
      const from = this.#pairs.find({ value: key, after: false });
      const to = this.#pairs.find({ value: key + keysAt(level), after: false });
      const count = this.#pairs.count(from, to);
      if (count === 0) continue;
      seen += 1;
      const overlap = region.overlap(rectangleOf(level, column, row));
      if (overlap === 'all') inside(from, to);
      else if (overlap === 'some' && (count <= LOOKED_AT_MAX || level === LEVELS || seen >= cellsMax)) edge(from, to);
      else if (overlap === 'some') waiting.push(...quarters(cell));
    }
  }
}

function quarters({ level, column, row, key }: Cell): Cell[] {
  const step = keysAt(level + 1);
  return [0, 1, 2, 3].map((quarter) => ({
    level: level + 1,
    column: column * 2 + (quarter & 1),
    row: row * 2 + (quarter >>> 1),
    key: key + quarter * step,
  }));
}
