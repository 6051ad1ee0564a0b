/** Making an index: empty, or from the newest checkpoint that can be trusted.
 *
 *  Nothing of a checkpoint reaches native code before its head's checksum, its owner, its size, its SHA-256 and its shape are found right;
 *  then it is read into a fresh native object. What is refused is rebuilt from the store. Where the native library of this process cannot
 *  keep vectors in the form that is asked for, they are kept whole, here and in checkpoints: `parameters` of the index say so.
 *  Must not know: storage, threads. */

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '../model/clock.js';
import { DISTANCES } from '../model/distance.js';
import { messageOf } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import { committedNames, dataPath } from './checkpoint-folder.js';
import { decodeHead, type StoredHead, type StoredPart } from './checkpoint-head.js';
import { type FileDigest, readHashed } from './hashed-file.js';
import { HnswFileCheck } from './hnsw-file.js';
import { HnswGraph, nativeLibrary } from './hnsw-graph.js';
import { RenewingGraph } from './renewing-graph.js';
import { SparseIndex } from './sparse-index.js';
import { SumsPool } from './sparse-sums.js';
import { type IndexLimits, TieredIndex } from './tiered-index.js';
import {
  type CheckpointHead,
  type IndexParameters,
  type OpenedCheckpoint,
  VECTOR_FORMS,
  type VectorIndex,
} from './vector-index.js';

/** All have defaults: model/limits.ts FIXED, the system's clock. */
export interface IndexOptions {
  readonly limits?: Partial<IndexLimits>;
  readonly clock?: Clock;
}

/** What a checkpoint must belong to. */
export interface ExpectedCheckpoint {
  readonly uid: number;
  readonly labelGeneration: number;
  readonly parameters: IndexParameters;
}

export { type TakenCheckpoint, takeCheckpoint } from './checkpoint-copy.js';
export { removeLeftovers } from './checkpoint-folder.js';
export { LabelSet } from './label-set.js';
export type { SparseIndex } from './sparse-index.js';

const HEAD_BYTES_MAX = 64 * 1024 * 1024;
/** Below 2, hnswlib's level of a point is infinite; its link counts are 16 bits wide. */
const M_MIN = 2;
const M_MAX = 4_096;

/** An empty index. @throws RangeError on parameters that the native code must never see */
export function createIndex(parameters: IndexParameters, options: IndexOptions = {}): VectorIndex {
  checkParameters(parameters);
  return indexOf(keepable(parameters), options, null, 0);
}

/** Opens the newest checkpoint in the folder that is whole and belongs to `expected`. Never rejects.
 *  @returns the index on a fresh native object, or `refused`: 'none' when no checkpoint is there, else what is wrong with each
 *  Cost: reads the file twice (verifying, loading), in slices or off this thread. */
export async function openCheckpoint(
  folder: string,
  expected: ExpectedCheckpoint,
  options: IndexOptions = {},
): Promise<OpenedCheckpoint> {
  const refusals: string[] = [];
  try {
    checkParameters(expected.parameters);
    for (const name of await committedNames(folder)) {
      try {
        return await openOne(folder, name, { ...expected, parameters: keepable(expected.parameters) }, options);
      } catch (error) {
        refusals.push(`${name}: ${messageOf(error)}`);
      }
    }
  } catch (error) {
    refusals.push(messageOf(error));
  }
  return { refused: refusals.length === 0 ? 'none' : refusals.join('; ') };
}

/** All searches of sparse vectors in this thread add up here, whichever their index. */
const SUMS = new SumsPool();

/** An empty one. */
export function createSparseIndex(): SparseIndex {
  return new SparseIndex(SUMS);
}

/** Which build of the native library this process runs, for status. */
export function nativeBuild(): string {
  return nativeLibrary().build;
}

/** The rows are the truth, so a form is never worth failing for. */
function keepable(parameters: IndexParameters): IndexParameters {
  const { quantization } = parameters;
  const canKeep = quantization === 'none' || nativeLibrary().forms.includes(quantization);
  return canKeep ? parameters : { ...parameters, quantization: 'none' };
}

async function openOne(
  folder: string,
  name: string,
  expected: ExpectedCheckpoint,
  options: IndexOptions,
): Promise<OpenedCheckpoint> {
  const head = await readHead(join(folder, `${name}.json`));
  checkOwner(head, expected);
  const { parameters } = expected;
  const open = (number: number): Promise<HnswGraph> =>
    openGraph(parameters, dataPath(folder, name, number), head, head.parts[number] as StoredPart);
  const first = await open(0);
  try {
    const second = head.parts.length === 1 ? null : await open(1);
    const both = second?.liveLabels().find((label) => first.has(label));
    if (both !== undefined) throw new Error(`label ${both} is alive in both graphs`);
    const { rebuildTombstonesMin } = limitsOf(options);
    const graph = new RenewingGraph(parameters, rebuildTombstonesMin, options.clock ?? systemClock, first, second);
    return { index: indexOf(parameters, options, graph, head.nextLabel), head: publicHead(head) };
  } catch (error) {
    first.free();
    throw error;
  }
}

async function openGraph(parameters: IndexParameters, path: string, head: StoredHead, part: StoredPart): Promise<HnswGraph> {
  const check = new HnswFileCheck(parameters, await checkSize(path, part));
  mustEqual(await readHashed(path, check), part);
  checkLabels(check.labels, head, part);
  return HnswGraph.open(parameters, path, check.labels, part);
}

async function checkSize(path: string, part: StoredPart): Promise<number> {
  const { size } = await stat(path);
  if (size !== part.dataBytes) throw new Error(`the data has ${size} bytes instead of ${part.dataBytes}`);
  return size;
}

async function readHead(path: string): Promise<StoredHead> {
  const { size } = await stat(path);
  if (size > HEAD_BYTES_MAX) throw new Error(`the head has ${size} bytes`);
  return decodeHead(await readFile(path, 'utf8'));
}

function checkOwner(head: StoredHead, expected: ExpectedCheckpoint): void {
  const compare = (what: string, found: unknown, wanted: unknown): void => {
    if (found !== wanted) throw new Error(`it is of ${what} ${String(found)}, not ${String(wanted)}`);
  };
  compare('collection uid', head.uid, expected.uid);
  compare('label generation', head.labelGeneration, expected.labelGeneration);
  compare('dimension', head.parameters.dimension, expected.parameters.dimension);
  compare('distance', head.parameters.distance, expected.parameters.distance);
  compare('m', head.parameters.m, expected.parameters.m);
  compare('ef_construct', head.parameters.efConstruct, expected.parameters.efConstruct);
  compare('quantization', head.parameters.quantization, expected.parameters.quantization);
}

function mustEqual(found: FileDigest, part: StoredPart): void {
  if (found.bytes !== part.dataBytes || found.sha256 !== part.dataSha256) throw new Error('the data fails its checksum');
}

function checkLabels(labels: Uint32Array, head: StoredHead, part: StoredPart): void {
  let twins = 0;
  for (const group of [labels, ...part.twins.values()]) {
    for (const label of group)
      if (label >= head.nextLabel) throw new Error(`label ${label} is beyond next_label ${head.nextLabel}`);
    if (group !== labels) twins += group.length;
  }
  if (labels.length !== part.live + part.removed.length - twins) throw new Error(`the data hold ${labels.length} labels`);
}

function publicHead({ uid, labelGeneration, seq, nextLabel, parameters }: StoredHead): CheckpointHead {
  return { format: 4, uid, labelGeneration, seq, nextLabel, parameters };
}

function indexOf(
  parameters: IndexParameters,
  options: IndexOptions,
  graph: RenewingGraph | null,
  nextLabel: number,
): VectorIndex {
  return new TieredIndex(parameters, limitsOf(options), options.clock ?? systemClock, graph, nextLabel);
}

function limitsOf({ limits = {} }: IndexOptions): IndexLimits {
  const { flatPointsMax, flatBytesMax, waitingBytesMax, rebuildTombstonesMin } = { ...FIXED, ...limits };
  return { flatPointsMax, flatBytesMax, waitingBytesMax, rebuildTombstonesMin };
}

function checkParameters({ dimension, distance, m, efConstruct, quantization }: IndexParameters): void {
  const between = (name: string, value: number, least: number, most: number): void => {
    if (!Number.isInteger(value) || value < least || value > most)
      throw new RangeError(`${name} is ${value}, not ${least} to ${most}`);
  };
  between('dimension', dimension, 1, FIXED.dimensionMax);
  between('m', m, M_MIN, M_MAX);
  between('ef_construct', efConstruct, 1, FIXED.labelMax);
  if (!DISTANCES.includes(distance)) throw new RangeError(`distance ${distance} is not known`);
  if (!VECTOR_FORMS.includes(quantization)) throw new RangeError(`quantization ${quantization} is not known`);
}
