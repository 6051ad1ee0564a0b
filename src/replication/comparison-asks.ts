/** What a replica asks its master to find where their data differs, and the answers: both sides of these link requests, so that each form
 *  stands once.
 *
 *  Bytes travel as base64. What a replica sends fits a frame of 1 MiB: at most IDS_PER_ASK ids, or one bit for each bucket.
 *  Must not know: links, what is done with a difference. */

import { readEntryHead } from '../codec/entry.js';
import type { CompareAnswers, CompareRequest, RunningEngine } from '../engine/engine.js';
import { checkPointId, type PointId } from '../model/point.js';
import type { LinkValues } from '../wire/frames.js';

export type Ask = (method: string, parameters: LinkValues) => Promise<LinkValues>;
export type ComparedEngine = Pick<RunningEngine, 'log' | 'compare'>;

export const IDS_PER_ASK = 1_000;

/** Is this request one of a comparison? */
export function isComparison(method: string): boolean {
  return Object.hasOwn(ANSWERS, method);
}

/** @throws InvalidRequest, RangeError on parameters that are none · as RunningEngine.compare */
export async function answerComparison(engine: ComparedEngine, method: string, parameters: LinkValues): Promise<LinkValues> {
  const answer = isComparison(method) ? ANSWERS[method] : undefined;
  if (answer === undefined) throw new RangeError(`'${method}' is no request of a comparison`);
  return answer(engine, parameters);
}

const ANSWERS: Readonly<Record<string, (engine: ComparedEngine, parameters: LinkValues) => Promise<LinkValues>>> = {
  compare_digest: async ({ log }, parameters) => {
    const digest = digestAt(log, countOf(parameters, 'seq'));
    return { digest: digest === null ? null : base64(digest) };
  },
  compare_catalogue: async (engine) => ({ ...(await engine.compare({ kind: 'catalogue' })) }),
  compare_buckets: async (engine, parameters) => {
    const { seq, sums } = await engine.compare({ kind: 'buckets', uid: countOf(parameters, 'uid') });
    return { seq, sums: sums === null ? null : base64(sums) };
  },
  compare_heads: async (engine, parameters) => {
    const after = idOrNull(parameters, 'after');
    const buckets = bytesOf(parameters, 'buckets');
    const { seq, heads, through } = await engine.compare({ kind: 'heads', uid: countOf(parameters, 'uid'), buckets, after });
    return { seq, heads: base64(heads), through };
  },
  compare_deleted: async (engine, parameters) => {
    const afterSeq = countOf(parameters, 'afterSeq');
    return { ...(await engine.compare({ kind: 'deleted', uid: countOf(parameters, 'uid'), ids: idsOf(parameters), afterSeq })) };
  },
  compare_values: async (engine, parameters) => {
    const throughSeq = countOf(parameters, 'throughSeq');
    const ask = { kind: 'values', uid: countOf(parameters, 'uid'), ids: idsOf(parameters), throughSeq } as const;
    const { values, ...rest } = await engine.compare(ask);
    return { ...rest, values: base64(values) };
  },
};

/** State digest at seq as the log has it, so that it is the one of the node that wrote the log. */
function digestAt(log: ComparedEngine['log'], seq: number): Uint8Array | null {
  const [row] = log.read(seq, 1, 1);
  if (row?.seq === seq) return readEntryHead(row.entry).digest;
  const state = log.state();
  return seq === state.seq ? state.digest : null;
}

type AskOf<K extends CompareRequest['kind']> = Omit<CompareRequest & { readonly kind: K }, 'kind'>;

/** The other side, as the one that asks sees it. @throws Error when there is no answer, or one that is none */
export class OtherSide {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Null when it does not know it (any more). */
  async digest(seq: number): Promise<Uint8Array | null> {
    const answer = await this.#ask('compare_digest', { seq });
    return answer['digest'] === null ? null : bytesOf(answer, 'digest');
  }

  async catalogue(): Promise<{ readonly seq: number; readonly digests: ReadonlyMap<number, string> }> {
    const answer = await this.#ask('compare_catalogue', {});
    const { collections } = answer;
    if (!Array.isArray(collections)) throw new RangeError('the answer names no collections');
    const rows = collections as readonly LinkValues[];
    return { seq: countOf(answer, 'seq'), digests: new Map(rows.map((row) => [countOf(row, 'uid'), String(row['digest'])])) };
  }

  async buckets(uid: number): Promise<CompareAnswers['buckets']> {
    const answer = await this.#ask('compare_buckets', { uid });
    return { seq: countOf(answer, 'seq'), sums: answer['sums'] === null ? null : bytesOf(answer, 'sums') };
  }

  async heads({ uid, buckets, after }: AskOf<'heads'>): Promise<CompareAnswers['heads']> {
    const answer = await this.#ask('compare_heads', { uid, buckets: base64(buckets), after });
    return { seq: countOf(answer, 'seq'), heads: bytesOf(answer, 'heads'), through: idOrNull(answer, 'through') };
  }

  async deleted({ uid, ids, afterSeq }: AskOf<'deleted'>): Promise<CompareAnswers['deleted']> {
    const answer = await this.#ask('compare_deleted', { uid, ids, afterSeq });
    const throughSeq = answer['throughSeq'] === null ? null : countOf(answer, 'throughSeq');
    return { seq: countOf(answer, 'seq'), ids: idsOf(answer), throughSeq };
  }

  async values({ uid, ids, throughSeq }: AskOf<'values'>): Promise<CompareAnswers['values']> {
    const answer = await this.#ask('compare_values', { uid, ids, throughSeq });
    const [seq, count, done] = [countOf(answer, 'seq'), countOf(answer, 'count'), countOf(answer, 'done')];
    if (done === 0) throw new RangeError('the answer looks at no point');
    return { seq, values: bytesOf(answer, 'values'), count, done };
  }
}

function countOf(from: LinkValues, name: string): number {
  const value = from[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new RangeError(`'${name}' is no count`);
  return value;
}

function bytesOf(from: LinkValues, name: string): Uint8Array {
  const value = from[name];
  if (typeof value !== 'string') throw new RangeError(`'${name}' is no base64`);
  return Buffer.from(value, 'base64');
}

function idOrNull(from: LinkValues, name: string): PointId | null {
  return from[name] === null ? null : checkPointId(from[name], name);
}

function idsOf(from: LinkValues): PointId[] {
  const { ids } = from;
  if (!Array.isArray(ids) || ids.length > IDS_PER_ASK) throw new RangeError(`'ids' are no list of at most ${IDS_PER_ASK}`);
  return ids.map((id: unknown) => checkPointId(id, 'ids'));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
