/** A part of a payload: the keys that are wanted, or all but some. A key is a path of dots and may go through lists (`a[].b`, or `a.b` likewise);
 *  what none names is not there. Pure; payloads are bytes in and bytes out. */

import { isObject } from './plain-object.js';

export type Keep = 'include' | 'exclude';
/** @param bytes UTF-8 JSON of an object; empty means `{}` */
export type PayloadChoice = (bytes: Uint8Array) => Uint8Array;

/** Keys below a key; with none it is meant as a whole. */
type Tree = Map<string, Tree>;

const NOTHING = new Uint8Array(0);

export function keptPayload(keep: Keep, keys: readonly string[]): PayloadChoice {
  if (keep === 'include' && keys.length === 0) return () => NOTHING;
  const tree = treeOf(keys);
  const choose = keep === 'include' ? included : excluded;
  return (bytes) => {
    if (bytes.length === 0) return bytes;
    const kept = choose(JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()), tree);
    return kept === undefined ? NOTHING : Buffer.from(JSON.stringify(kept));
  };
}

function treeOf(keys: readonly string[]): Tree {
  const tree: Tree = new Map();
  for (const key of keys) {
    let at = tree;
    const parts = key.replaceAll('[]', '').split('.');
    for (const [i, part] of parts.entries()) {
      const below = at.get(part);
      // A shorter key that ends here covers what is below it.
      if (below !== undefined && below.size === 0) break;
      const next: Tree = i === parts.length - 1 ? new Map() : (below ?? new Map());
      at.set(part, next);
      at = next;
    }
  }
  return tree;
}

function included(value: unknown, tree: Tree): unknown {
  if (tree.size === 0) return value;
  if (Array.isArray(value)) return value.map((item) => included(item, tree)).filter((item) => item !== undefined);
  if (!isObject(value)) return undefined;
  const kept = Object.entries(value).flatMap(([key, field]): [string, unknown][] => {
    const below = tree.get(key);
    const inner = below === undefined ? undefined : included(field, below);
    return inner === undefined ? [] : [[key, inner]];
  });
  return Object.fromEntries(kept);
}

function excluded(value: unknown, tree: Tree): unknown {
  if (Array.isArray(value)) return value.map((item) => excluded(item, tree));
  if (!isObject(value)) return value;
  const kept = Object.entries(value).flatMap(([key, field]): [string, unknown][] => {
    const below = tree.get(key);
    if (below === undefined) return [[key, field]];
    return below.size === 0 ? [] : [[key, excluded(field, below)]];
  });
  return Object.fromEntries(kept);
}
