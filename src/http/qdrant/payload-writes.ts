/** The dialect's writes of points by ids or by a filter: payloads set, replaced, cut and cleared, vectors taken away, points deleted.
 *
 *  By ids each is one unit, all or nothing, and an id that is not there refuses it, but for deletes. By a filter it is done in units of the
 *  engine: each is atomic, all together are not. */

import type { Static, TSchema } from 'typebox';
import { invalidRequest } from '../../model/errors.js';
import type { Filter } from '../../model/filter.js';
import type { Operation } from '../../model/operation.js';
import type { PayloadChange } from '../../model/payload-change.js';
import type { JsonValue, PointChange, PointId } from '../../model/point.js';
import { PROTO_KEY } from '../../model/proto-key.js';
import { canonicalText } from '../../wire/canonical-hash.js';
import { join } from '../../wire/place.js';
import { DeletePayloadBody, DeleteVectorsBody, DialectDeleteBody, SetPayloadBody } from '../../wire/qdrant-parts.js';
import type { DialectOperation } from '../../wire/qdrant-points.js';
import { plainAsked } from '../asked.js';
import type { Room } from '../room.js';
import { type DialectCheck, dialectCheck } from './body.js';
import type { DialectRoute } from './dialect-route.js';
import { sendResult } from './envelope.js';
import { formMistake } from './mistakes.js';
import { payloadSteps } from './payload-path.js';
import { isObject } from './plain-object.js';
import { type AskedId, heldIds } from './point-id.js';
import { type PointTarget, targetOf } from './point-target.js';
import { mustNameNoShard } from './shard-key.js';
import {
  type AskedWrite,
  beginPointUpdate,
  nothingToDo,
  type PreparedWrite,
  runUnits,
  runUpdate,
  type UpdateResult,
} from './update.js';

const PATH = '/collections/:collection/points';
const ABOUT = { needs: 'write', master: true, timed: true, tag: 'points' } as const;

type Kind = Exclude<DialectOperation['kind'], 'upsert' | 'update_vectors'>;
type Target = { readonly points?: readonly unknown[]; readonly filter?: unknown; readonly shard_key?: unknown };

/** What is to be done with the points of a target; null: they go. */
type Read = (value: JsonValue, inside: string) => { readonly target: Target; readonly change: PointChange | null };

interface Form {
  readonly body: TSchema;
  readonly read: Read;
}

function form<Schema extends TSchema>(
  schema: Schema,
  changeOf: (body: Static<Schema>, inside: string) => PointChange | null,
): Form {
  const check: DialectCheck<Static<Schema>> = dialectCheck(schema);
  return {
    body: schema,
    read: (value, inside) => {
      const body = check(value, inside);
      return { target: body as Target, change: changeOf(body, inside) };
    },
  };
}

const FORMS: Readonly<Record<Kind, Form>> = {
  delete: form(DialectDeleteBody, () => null),
  clear_payload: form(DialectDeleteBody, () => ({ change: { kind: 'replace', payload: new Uint8Array(0) } })),
  delete_vectors: form(DeleteVectorsBody, ({ vector }) => ({ unsetVectors: vector })),
  delete_payload: form(DeletePayloadBody, ({ keys }, inside) => ({
    change: { kind: 'remove', paths: keys.map((key, i) => steps(key, `${join(inside, 'keys')}[${i}]`)) },
  })),
  set_payload: form(SetPayloadBody, ({ payload, key }, inside) => ({
    change: {
      kind: 'set',
      payload: payloadBytes(payload, join(inside, 'payload')),
      ...(key !== undefined && { at: steps(key, join(inside, 'key')) }),
    },
  })),
  overwrite_payload: form(SetPayloadBody, ({ payload, key }, inside) => {
    if (key !== undefined) throw formMistake(join(inside, 'key'), 'a whole payload is replaced, so there is no place in it');
    return { change: { kind: 'replace', payload: payloadBytes(payload, join(inside, 'payload')) } };
  }),
};

function payloadBytes(payload: unknown, path: string): Uint8Array {
  if (!isObject(payload)) throw formMistake(path, 'a payload is an object');
  return Buffer.from(JSON.stringify(payload));
}

function steps(key: string, path: string): Extract<PayloadChange, { kind: 'remove' }>['paths'][number] {
  const found = payloadSteps(key, path, formMistake);
  if (found.includes(PROTO_KEY)) throw invalidRequest(path, `no key is named ${PROTO_KEY}`);
  return found;
}

export function payloadWriteRoutes(room: Room): DialectRoute[] {
  const route = (method: 'POST' | 'PUT', path: string, kind: Kind, summary: string): DialectRoute => ({
    ...ABOUT,
    method,
    path: PATH + path,
    operationId: `qdrant_${kind}`,
    summary,
    body: FORMS[kind].body,
    work: kind === 'delete' ? 'free' : 'write',
    handle: async (request, reply) => {
      const asked = await beginPointUpdate(room, request, reply, kind);
      const read = FORMS[kind].read(await room.bodies.read(request, { kind: 'plain' }), '');
      const target = resolved(asked, read.target, '');
      plainAsked(request, 'ids' in target ? { points: target.ids.length } : {}, 'filter' in target ? target.filter : undefined);
      return sendResult(request, reply, await prepared(asked, target, read.change, '')(asked, ''));
    },
  });
  return [
    route('POST', '/delete', 'delete', 'Delete points by id or by filter'),
    route('POST', '/vectors/delete', 'delete_vectors', 'Take vectors away from points'),
    route('POST', '/payload', 'set_payload', 'Set keys of payloads'),
    route('PUT', '/payload', 'overwrite_payload', 'Replace payloads'),
    route('POST', '/payload/delete', 'delete_payload', 'Take keys out of payloads'),
    route('POST', '/payload/clear', 'clear_payload', 'Take all out of payloads'),
  ];
}

/** One of a row of operations, of which nothing is done yet. @throws InvalidRequest, InvalidFilter */
export function preparedPlain(
  asked: AskedWrite,
  { kind, body, path }: { readonly kind: Kind; readonly body: JsonValue; readonly path: string },
): PreparedWrite {
  const { target, change } = FORMS[kind].read(body, path);
  return prepared(asked, resolved(asked, target, path), change, path);
}

function resolved({ room }: AskedWrite, target: Target, inside: string): PointTarget {
  mustNameNoShard(target, inside);
  return targetOf(target, room.limits, inside);
}

function prepared(
  { room: { strict }, collection }: AskedWrite,
  target: PointTarget,
  change: PointChange | null,
  path: string,
): PreparedWrite {
  if ('filter' in target) {
    const { filter } = target;
    strict.deletes(collection, filter);
    return (asked, part) => byFilter(asked, filter, change, part);
  }
  const { ids } = target;
  if (ids.length === 0) return nothingToDo;
  if (change !== null) strict.points(collection, ids.length, join(path, 'points'));
  return (asked, part) => ofIds(asked, ids, change, part);
}

/** Who repeats it is known by what was asked, whichever spelling of an id was there. */
async function ofIds(
  { room, reply, update, collection }: AskedWrite,
  asked: readonly AskedId[],
  change: PointChange | null,
  part: string,
): Promise<UpdateResult> {
  const held = await heldIds(update.write.engine, collection, asked);
  const told = [byIds(collection, new Set(asked.map(({ id }) => id)), change)];
  return runUpdate(room, reply, update, [byIds(collection, new Set(held), change)], part, told);
}

function byIds(collection: string, ids: ReadonlySet<PointId>, change: PointChange | null): Operation {
  if (change === null) return { kind: 'delete', collection, ids: [...ids] };
  return { kind: 'patch', collection, patches: [...ids].map((id) => ({ ...change, id })) };
}

function byFilter(
  { room, reply, update, collection }: AskedWrite,
  filter: Filter,
  change: PointChange | null,
  part: string,
): Promise<UpdateResult> {
  const { engine } = update.write;
  const told = [
    change === null ? 'delete_by_filter' : `patch_by_filter ${toldChange(change)}`,
    collection,
    canonicalText(filter),
  ];
  return runUnits(room, reply, update, told, part, (options) =>
    change === null
      ? engine.deleteByFilter(collection, filter, options)
      : engine.patchByFilter(collection, filter, change, options),
  );
}

/** As text that is equal where changes are. */
function toldChange({ change, unsetVectors }: PointChange): string {
  if (change === undefined) return canonicalText(unsetVectors ?? null);
  if (change.kind === 'remove') return canonicalText(['remove', change.paths]);
  const at = change.kind === 'set' ? (change.at ?? null) : null;
  return canonicalText([change.kind, at, Buffer.from(change.payload).toString()]);
}
