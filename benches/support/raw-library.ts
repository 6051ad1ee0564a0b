/** hnswlib-node itself, for what is held against it. */

import { createRequire } from 'node:module';

type Library = typeof import('hnswlib-node');
export type RawGraph = InstanceType<Library['HierarchicalNSW']>;

export function rawLibrary(): Library['HierarchicalNSW'] {
  return (createRequire(import.meta.url)('hnswlib-node') as Library).HierarchicalNSW;
}
