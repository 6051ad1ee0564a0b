/** A part of a payload: the keys that are wanted, or all but some. A key is a path (payload-path.ts) and goes through lists, said (`a[].b`) or
 *  not (`a.b`); what none names is not there. Pure; payloads are bytes in and bytes out. */

import { payloadText } from '../../codec/payload.js';
import type { Payload } from '../../model/point.js';
import { formMistake } from './mistakes.js';
import { payloadSteps } from './payload-path.js';
import { isObject } from './plain-object.js';

export type Keep = 'include' | 'exclude';
/** @param bytes UTF-8 JSON of an object; empty means `{}` */
export type PayloadChoice = (bytes: Uint8Array) => Uint8Array;

/** Keys below a key; with none it is meant as a whole. */
type Tree = Map<string, Tree>;

const NOTHING = new Uint8Array(0);

/** @param path of the list of keys, in the body @throws InvalidRequest (body_form) */
export function keptPayload(keep: Keep, keys: readonly string[], path = ''): PayloadChoice {
  const tree = treeOf(keys.map((key, i) => keysOf(key, `${path}[${i}]`)));
  if (keep === 'include' && keys.length === 0) return () => NOTHING;
  const choose = keep === 'include' ? included : excluded;
  return (bytes) => {
    if (bytes.length === 0) return bytes;
    const kept = choose(JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()) as Payload, tree);
    return kept === undefined ? NOTHING : Buffer.from(payloadText(kept as Payload, true));
  };
}

function keysOf(key: string, path: string): string[] {
  return payloadSteps(key, path, formMistake).flatMap((step) => {
    if (typeof step === 'number')
      throw formMistake(path, 'shows all elements of an array or none: write [] in the place of a number');
    return step === null ? [] : [step];
  });
}

function treeOf(paths: readonly (readonly string[])[]): Tree {
  const tree: Tree = new Map();
  for (const parts of paths) {
    let at = tree;
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
