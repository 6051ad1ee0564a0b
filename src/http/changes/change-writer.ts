/** Changes as they travel (wire/change-bodies.ts), written straight from what the engine found. Must not know: sockets. */

import type { Change, ChangeEvent } from '../../engine/engine.js';
import type { CollectionSpec } from '../../model/collection.js';
import type { AnswerWriter, FramedWriter } from '../../wire/answer-writer.js';
import { shownDeclarations } from '../declarations.js';
import { writeVectors } from '../point-answer.js';
import { shownVectors } from '../vector-declarations.js';

const [LINE_FEED, CARRIAGE_RETURN, SPACE] = [0x0a, 0x0d, 0x20];

/** `id: token`, `data: {…}`, an empty line. */
export function writeServerEvent(out: FramedWriter, change: Change): void {
  out.frame(`id: ${change.token}\ndata: `);
  writeChange(out, change, false);
  out.frame('\n\n');
}

/** @param withToken false: it stands elsewhere */
export function writeChange(out: AnswerWriter, { event, seq, timeMs, token }: Change, withToken: boolean): void {
  const own = fieldsOf(event);
  out.openObject(own.length + (withToken ? 4 : 3));
  out.key('type');
  out.value(event.kind);
  for (const field of own) writeField(out, event, field);
  out.key('seq');
  out.number(seq);
  out.key(timeMs === null ? 'snapshot' : 'time');
  out.value(timeMs === null ? true : instantText(timeMs));
  if (withToken) {
    out.key('token');
    out.value(token);
  }
  out.closeObject();
}

type Field = 'collection' | 'id' | 'expires_at' | 'payload' | 'vector' | 'vectors' | 'settings' | 'alias';

function fieldsOf(event: ChangeEvent): readonly Field[] {
  switch (event.kind) {
    case 'upsert': {
      const { expiresAtMs, payload, vector, vectors } = event.point;
      const fields: Field[] = ['collection', 'id'];
      if (expiresAtMs !== null) fields.push('expires_at');
      if (payload !== null) fields.push('payload');
      if (vector !== null) fields.push('vector');
      if (vectors !== undefined) fields.push('vectors');
      return fields;
    }
    case 'delete':
    case 'leave':
      return ['collection', 'id'];
    case 'create_collection':
    case 'update_collection':
      return ['collection', 'settings'];
    case 'delete_collection':
      return ['collection'];
    case 'put_alias':
      return ['alias', 'collection'];
    case 'delete_alias':
      return ['alias'];
    case 'snapshot_begin':
    case 'snapshot_end':
      return [];
  }
}

function writeField(out: AnswerWriter, event: ChangeEvent, field: Field): void {
  out.key(field);
  if (field === 'collection' && 'collection' in event) out.value(event.collection);
  else if (field === 'alias' && 'alias' in event) out.value(event.alias);
  else if (field === 'settings' && 'spec' in event) out.value(settingsBody(event.spec));
  else if (field === 'id' && 'id' in event) out.id(event.id);
  else if ('point' in event) writePointField(out, event.point, field);
}

function writePointField(out: AnswerWriter, point: Extract<ChangeEvent, { kind: 'upsert' }>['point'], field: Field): void {
  if (field === 'id') out.id(point.id);
  else if (field === 'payload') out.payload(onOneLine(point.payload ?? new Uint8Array()));
  else if (field === 'vector') out.vector(point.vector ?? new Float32Array());
  else if (field === 'vectors') writeVectors(out, point.vectors ?? new Map());
  else out.value(instantText(point.expiresAtMs ?? 0));
}

function settingsBody(spec: CollectionSpec): Readonly<Record<string, unknown>> {
  const { dimension, distance, hnsw, ttlMs } = spec;
  const { vectors, sparse_vectors: sparse } = shownVectors(spec);
  return {
    dimension,
    distance,
    hnsw: { m: hnsw.m, ef_construct: hnsw.efConstruct, ef_search: hnsw.efSearch },
    ...(vectors === undefined ? {} : { vectors: withoutCounts(vectors) }),
    ...(sparse === undefined ? {} : { sparse_vectors: withoutCounts(sparse) }),
    ...shownDeclarations(spec),
    ttl_ms: ttlMs,
  };
}

/** The log tells of settings, not of how much there is. */
function withoutCounts(named: Readonly<Record<string, { readonly points_count: number }>>): object {
  return Object.fromEntries(Object.entries(named).map(([name, { points_count: _, ...settings }]) => [name, settings]));
}

/** Ends of lines stand between the parts of a JSON text only; in an event they would end its line. */
function onOneLine(json: Uint8Array): Uint8Array {
  if (!json.includes(LINE_FEED) && !json.includes(CARRIAGE_RETURN)) return json;
  return json.map((byte) => (byte === LINE_FEED || byte === CARRIAGE_RETURN ? SPACE : byte));
}

let lastMs = Number.NaN;
let lastText = '';

/** Many changes have one time. */
function instantText(ms: number): string {
  if (ms !== lastMs) {
    lastText = new Date(ms).toISOString();
    lastMs = ms;
  }
  return lastText;
}
