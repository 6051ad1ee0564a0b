/** The frames that set a link up and steer it, as MessagePack maps: schemas, types, and their strict reading.
 *  Whatever a peer may send before it has proven who it is goes through here. Must not know: sockets, states. */

import { type Static, type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { packMessage } from '../codec/msgpack.js';
import { MsgpackReader } from './msgpack-reader.js';

const CONTROL_LISTS_MAX = 1_000;
const Id = Type.String({ pattern: '^[0-9a-f]{32}$' });
const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' });
const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
/** Far beyond what promotions can reach, and with room for the next. */
export const EPOCH_MAX = 2 ** 48;
const Epoch = Type.Integer({ minimum: 0, maximum: EPOCH_MAX });
/** Longest text of a control frame, in UTF-16 units; who writes one cuts it. */
export const CONTROL_TEXT_MAX = 1_024;
const Text = Type.String({ maxLength: CONTROL_TEXT_MAX });
const Url = Type.String({ maxLength: 2_048 });

/** Where a side stands: its last durable seq and the chain hash there. */
const LinkPosition = Type.Object({ historyId: Id, epoch: Epoch, seq: Count, hash: Hash });
const Lineage = Type.Array(Type.Object({ epoch: Epoch, historyId: Id, startSeq: Count, startHash: Hash }), {
  maxItems: CONTROL_LISTS_MAX,
});
const LinkLimits = Type.Object({ windowBytes: Count, heartbeatMs: Count, timeoutMs: Count });

const Decision = Type.Union([
  Type.Object({ kind: Type.Literal('continue'), fromSeq: Count }),
  /** commonSeq: what the replica has beyond it is of a branch that was given up; null when nothing is known to be. */
  Type.Object({ kind: Type.Literal('snapshot'), reason: Text, commonSeq: Type.Union([Count, Type.Null()]) }),
]);

const REJECT_REASONS = [
  'WRONG_CLUSTER',
  'STALE_MASTER',
  'UNSUPPORTED_VERSION',
  'DUPLICATE_NODE',
  'BUSY',
  'LOOP',
  'UNAUTHORIZED',
  'NOT_SERVING',
] as const satisfies string[];

const SCHEMAS = {
  open: Type.Object({ magic: Type.Literal('skein'), protoMin: Count, protoMax: Count, nonce: Id, software: Text }),
  challenge: Type.Object({ proto: Count, nonce: Id, keyed: Type.Boolean() }),
  hello: Type.Object({
    kind: Type.Union([Type.Literal('follow'), Type.Literal('probe')]),
    clusterId: Type.Union([Id, Type.Null()]),
    nodeId: Id,
    runId: Id,
    /** Where its HTTP is reached. */
    host: Type.String({ minLength: 1, maxLength: 255, pattern: '^[0-9A-Za-z._:%-]+$' }),
    port: Type.Integer({ minimum: 0, maximum: 65_535 }),
    voter: Type.Boolean(),
    role: Type.Union([Type.Literal('master'), Type.Literal('replica')]),
    highestEpoch: Epoch,
    position: Type.Union([LinkPosition, Type.Null()]),
    lineage: Lineage,
    /** It asks for a snapshot whatever its position is, and says why. */
    wants: Type.Union([Text, Type.Null()]),
    resume: Type.Union([Type.Object({ snapshotId: Id, nextChunk: Count }), Type.Null()]),
    /** The snapshot that it has just taken, so that going on from it is not counted as a sync of its own. */
    installed: Type.Union([Id, Type.Null()]),
    /** Where it believes the master to be. */
    masterUrl: Type.Union([Url, Type.Null()]),
    proof: Type.String({ maxLength: 64 }),
  }),
  welcome: Type.Object({
    software: Text,
    clusterId: Id,
    nodeId: Id,
    runId: Id,
    role: Type.Union([Type.Literal('master'), Type.Literal('replica')]),
    epoch: Epoch,
    historyId: Id,
    lineage: Lineage,
    logMinSeq: Count,
    lastSeq: Count,
    /** Null to a probe. */
    decision: Type.Union([Decision, Type.Null()]),
    limits: LinkLimits,
    /** Where clients reach the master. */
    masterUrl: Type.Union([Url, Type.Null()]),
    path: Type.Array(Id, { maxItems: CONTROL_LISTS_MAX }),
    proof: Type.String({ maxLength: 64 }),
  }),
  reject: Type.Object({
    reason: Type.Enum(REJECT_REASONS),
    message: Text,
    retryAfterMs: Type.Union([Type.Integer({ minimum: 0, maximum: 60_000 }), Type.Null()]),
    /** Whose word it is; believed beyond this link only with the proof. */
    clusterId: Type.Union([Id, Type.Null()]),
    nodeId: Id,
    epoch: Epoch,
    masterUrl: Type.Union([Url, Type.Null()]),
    proof: Type.String({ maxLength: 64 }),
  }),
  /** The head as engine/snapshot.ts has it; checked there. */
  snapshotHead: Type.Object({ head: Type.Record(Type.String(), Type.Unknown()) }),
  /** Chunks from nextChunk on are wanted, and all before it are there. */
  snapshotWant: Type.Object({ snapshotId: Id, nextChunk: Count }),
  request: Type.Object({ id: Count, method: Text, parameters: Type.Record(Type.String(), Type.Unknown()) }),
  response: Type.Object({
    id: Count,
    error: Type.Union([Text, Type.Null()]),
    result: Type.Record(Type.String(), Type.Unknown()),
  }),
  /** The last word: why the sender closes, and where to go instead. */
  bye: Type.Object({ reason: Text, masterUrl: Type.Union([Url, Type.Null()]) }),
} as const satisfies Record<string, TSchema>;

export type ControlType = keyof typeof SCHEMAS;
type Body<Name extends ControlType> = Static<(typeof SCHEMAS)[Name]> & { readonly type: Name };
export type ControlFrame = { [Name in ControlType]: Body<Name> }[ControlType];

export type PlainLineage = Static<typeof Lineage>;
export type LinkLimits = Static<typeof LinkLimits>;
export type Decision = Static<typeof Decision>;
export type RejectReason = (typeof REJECT_REASONS)[number];
export type Open = Body<'open'>;
export type Challenge = Body<'challenge'>;
export type Hello = Body<'hello'>;
export type Welcome = Body<'welcome'>;
export type Reject = Body<'reject'>;
/** What a request gives along, and what a response brings. */
export type LinkValues = Readonly<Record<string, unknown>>;
export type LinkRequest = Body<'request'>;
export type LinkResponse = Body<'response'>;
export type Bye = Body<'bye'>;

const validators = new Map(Object.entries(SCHEMAS).map(([name, schema]) => [name, Compile(schema as TSchema)]));

export function packControl({ type: _, ...body }: ControlFrame): Uint8Array {
  return packMessage(body);
}

/** @throws Error when there is no such control frame or its payload breaks the schema */
export function readControl(type: string, payload: Uint8Array): ControlFrame {
  const validator = validators.get(type);
  if (validator === undefined) throw new RangeError(`there is no control frame '${type}'`);
  const reader = new MsgpackReader(payload);
  const body = reader.value();
  reader.end();
  if (!validator.Check(body)) {
    const [first] = validator.Errors(body);
    throw new RangeError(`a ${type} frame breaks its schema at '${first?.instancePath ?? ''}': ${first?.message ?? ''}`);
  }
  return { ...(body as object), type } as ControlFrame;
}
