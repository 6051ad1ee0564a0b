/** The head of a checkpoint: what its data files belong to, how to recognise them, and what of their graphs is not in them.
 *
 *    { head: {…}, sha256: of head's JSON }   one canonical text: encode(decode(text)) = text, byte for byte
 *
 *  The head is written last and names the SHA-256 of all data, so a checkpoint is whole or not there at all.
 *  Must not know: files, native code. */

import { createHash } from 'node:crypto';
import type { GraphMarks } from './hnsw-graph.js';
import type { CheckpointHead, IndexParameters } from './vector-index.js';

export interface StoredHead extends CheckpointHead {
  /** One; or two: the graph that takes new points, and the one that is being left for it. */
  readonly parts: readonly StoredPart[];
}

/** One data file. */
export interface StoredPart extends GraphMarks {
  /** Live labels, twins among them. */
  readonly live: number;
  readonly dataBytes: number;
  readonly dataSha256: string;
}

const FORMAT = 4;
const PARTS_MAX = 2;
/** Rows that wait for a graph are in no checkpoint. */
const KIND = 'graph';

const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex');

export function encodeHead(head: StoredHead): string {
  const { dimension, distance, m, efConstruct, quantization } = head.parameters;
  const body = JSON.stringify({
    format: head.format,
    kind: KIND,
    uid: head.uid,
    label_generation: head.labelGeneration,
    seq: head.seq,
    next_label: head.nextLabel,
    parameters: { dimension, distance, m, ef_construct: efConstruct, quantization },
    parts: head.parts.map((part) => ({
      live: part.live,
      data_bytes: part.dataBytes,
      data_sha256: part.dataSha256,
      removed: packLabels(part.removed),
      unranked: packLabels(Uint32Array.from(part.unranked.keys())),
      unranked_exponents: packExponents(part.unranked.values()),
      twins: [...part.twins].map(([front, labels]) => [front, packLabels(labels)]),
    })),
  });
  return `{"head":${body},"sha256":"${sha256(body)}"}\n`;
}

/** @throws Error when a single byte of the text is not as it was written */
export function decodeHead(written: string): StoredHead {
  const head = fromJson(JSON.parse(written));
  if (encodeHead(head) !== written) throw new Error('the head fails its checksum');
  return head;
}

/** Every field has its type afterwards; that the values are those that were written is for the checksum to say. */
function fromJson(parsed: unknown): StoredHead {
  const head = field(parsed, 'head');
  if (integer(head, 'format') !== FORMAT) throw new Error(`checkpoint format ${integer(head, 'format')} is not known`);
  const parameters = field(head, 'parameters');
  const parts = field(head, 'parts');
  if (!Array.isArray(parts) || parts.length < 1 || parts.length > PARTS_MAX) throw new Error('parts is not a list of one or two');
  return {
    format: FORMAT,
    uid: integer(head, 'uid'),
    labelGeneration: integer(head, 'label_generation'),
    seq: integer(head, 'seq'),
    nextLabel: integer(head, 'next_label'),
    parameters: {
      dimension: integer(parameters, 'dimension'),
      distance: text(parameters, 'distance') as IndexParameters['distance'],
      m: integer(parameters, 'm'),
      efConstruct: integer(parameters, 'ef_construct'),
      quantization: text(parameters, 'quantization') as IndexParameters['quantization'],
    },
    parts: (parts as unknown[]).map((part) => ({
      live: integer(part, 'live'),
      dataBytes: integer(part, 'data_bytes'),
      dataSha256: text(part, 'data_sha256'),
      removed: unpackLabels(text(part, 'removed')),
      unranked: unrankedFrom(unpackLabels(text(part, 'unranked')), text(part, 'unranked_exponents')),
      twins: twinsFrom(field(part, 'twins')),
    })),
  };
}

function unrankedFrom(labels: Uint32Array, packed: string): Map<number, number> {
  const bytes = Buffer.from(packed, 'base64');
  if (bytes.length !== labels.length * 2) throw new Error('the unranked labels have other exponents than they are');
  return new Map(Array.from(labels, (label, i) => [label, 2 ** bytes.readInt16LE(i * 2)]));
}

function twinsFrom(groups: unknown): Map<number, Uint32Array> {
  const twins = new Map<number, Uint32Array>();
  if (!Array.isArray(groups)) throw new Error('twins is not a list');
  for (const group of groups as unknown[]) {
    const [front, labels] = Array.isArray(group) ? (group as unknown[]) : [];
    if (!Number.isSafeInteger(front) || typeof labels !== 'string') throw new Error('a group of twins is not a label and a text');
    twins.set(front as number, unpackLabels(labels));
  }
  return twins;
}

function integer(parent: unknown, name: string): number {
  const value = field(parent, name);
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new Error(`${name} is not an integer from 0`);
  return value as number;
}

function text(parent: unknown, name: string): string {
  const value = field(parent, name);
  if (typeof value !== 'string') throw new Error(`${name} is not a text`);
  return value;
}

function field(parent: unknown, name: string): unknown {
  if (typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, name)) throw new Error(`${name} is missing`);
  return (parent as Record<string, unknown>)[name];
}

/** Ascending labels as their distances, each in groups of 7 bits, low first, a high bit for "more follows"; base64. */
function packLabels(labels: Uint32Array): string {
  const bytes = Buffer.allocUnsafe(labels.length * 5);
  let at = 0;
  let before = 0;
  for (const label of labels) {
    let rest = label - before;
    before = label;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) at = bytes.writeUInt8((rest % 128) | 0x80, at);
    at = bytes.writeUInt8(rest, at);
  }
  return bytes.toString('base64', 0, at);
}

/** Of powers of two, each in 16 bits; base64. */
function packExponents(powers: Iterable<number>): string {
  const exponents = Int16Array.from(powers, Math.log2);
  const bytes = Buffer.allocUnsafe(exponents.length * 2);
  for (const [i, exponent] of exponents.entries()) bytes.writeInt16LE(exponent, i * 2);
  return bytes.toString('base64');
}

function unpackLabels(packed: string): Uint32Array {
  const bytes = Buffer.from(packed, 'base64');
  const labels = new Uint32Array(bytes.length);
  let count = 0;
  let before = 0;
  let value = 0;
  let scale = 1;
  for (const byte of bytes) {
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte > 0x7f) continue;
    before += value;
    labels[count++] = before;
    value = 0;
    scale = 1;
  }
  return labels.slice(0, count);
}
