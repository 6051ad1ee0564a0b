/** What a payload has at the declared paths, found in one walk: the paths stand in a tree, and each object is asked for the keys of its
 *  place in the tree only. Paths run as model/payload-path.ts says. Must not know: labels, indexes. */

import { isObject } from '../model/payload-path.js';
import { type Place, placeOf } from '../model/place.js';
import type { JsonValue, Payload } from '../model/point.js';

/** What one payload has at one path. The elements of an array there count as values; lists may repeat. */
export class Found {
  /** Something is there, null and empty arrays included. */
  present = false;
  hasNull = false;
  hasTrue = false;
  hasFalse = false;
  /** An object, or an array inside an array. */
  hasObject = false;
  /** An array was met on the way to the path's end. */
  crossed = false;
  texts: string[] = [];
  numbers: number[] = [];
  places: Place[] = [];
  /** How many values each value at the path counts: null 0, an array its length, anything else 1. */
  counts: number[] = [];

  clear(): void {
    this.present = this.hasNull = this.hasTrue = this.hasFalse = this.hasObject = this.crossed = false;
    if (this.texts.length > 0) this.texts = [];
    if (this.numbers.length > 0) this.numbers = [];
    if (this.places.length > 0) this.places = [];
    if (this.counts.length > 0) this.counts = [];
  }

  take(value: JsonValue): void {
    this.present = true;
    if (!Array.isArray(value)) {
      this.counts.push(value === null ? 0 : 1);
      this.#takeElement(value);
      return;
    }
    this.counts.push(value.length);
    for (const element of value as readonly JsonValue[]) this.#takeElement(element);
  }

  #takeElement(value: JsonValue): void {
    if (typeof value === 'string') this.texts.push(value);
    // −0 becomes 0, which it equals.
    else if (typeof value === 'number') this.numbers.push(value + 0);
    else if (value === true) this.hasTrue = true;
    else if (value === false) this.hasFalse = true;
    else if (value === null) this.hasNull = true;
    else {
      this.hasObject = true;
      const place = placeOf(value);
      if (place !== null) this.places.push(place);
    }
  }
}

interface Branch {
  readonly steps: Map<string, Branch>;
  /** Of the paths that go on from here. */
  readonly beyond: Found[];
  /** Of the path that ends here. */
  found: Found | null;
}

export class PayloadWalk {
  readonly #root: Branch = { steps: new Map(), beyond: [], found: null };
  readonly #found: Found[] = [];

  /** Adds a path. @returns where each walk leaves what it found there, until the next one */
  follow(path: string): Found {
    const way: Branch[] = [];
    let branch = this.#root;
    for (const step of path.split('.')) {
      way.push(branch);
      const next = branch.steps.get(step) ?? { steps: new Map(), beyond: [], found: null };
      branch.steps.set(step, next);
      branch = next;
    }
    if (branch.found !== null) return branch.found;
    const found = new Found();
    branch.found = found;
    this.#found.push(found);
    for (const passed of way) passed.beyond.push(found);
    return found;
  }

  /** Cost: the keys of the paths, once for each object on the way, and the values at their ends. */
  walk(payload: Payload): void {
    for (const found of this.#found) found.clear();
    walkInto(payload, this.#root);
  }
}

function walkInto(object: Payload, branch: Branch): void {
  for (const [key, next] of branch.steps) {
    if (!Object.hasOwn(object, key)) continue;
    const value = object[key] as JsonValue;
    next.found?.take(value);
    if (next.steps.size === 0) continue;
    if (isObject(value)) walkInto(value, next);
    else if (Array.isArray(value)) {
      for (const found of next.beyond) found.crossed = true;
      for (const element of value as readonly JsonValue[]) if (isObject(element)) walkInto(element, next);
    }
  }
}
