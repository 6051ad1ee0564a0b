/** The bytes of points that one request may hold, shared by all that it is made of. Their rows are read one after the other, so that
 *  each knows what the ones before have taken, and none is read once one was refused. */

import { SkeinError } from './errors.js';
import type { NamedVectors } from './point.js';

/** What a point takes beside its payload and its vector. */
const POINT_BYTES = 64;

interface AnswerPoint {
  readonly payload: Uint8Array | null;
  readonly vector: Float32Array | null;
  readonly vectors?: NamedVectors;
}

/** The refusal of an answer that does not fit. */
export function tooLarge(bytesMax: number): SkeinError {
  return new SkeinError(
    'PayloadTooLarge',
    `The points of the answer have more than ${bytesMax} bytes: ask for fewer, or without their payloads or vectors`,
    { limit_bytes: bytesMax },
  );
}

/** About how many bytes of memory a point of an answer takes. */
export function pointBytes({ payload, vector, vectors }: AnswerPoint): number {
  const bytes = POINT_BYTES + (payload?.byteLength ?? 0) + (vector?.byteLength ?? 0);
  return vectors === undefined ? bytes : bytes + vectorBytes(vectors);
}

/** What the vectors of a point take. */
export function vectorBytes(vectors: NamedVectors): number {
  let bytes = 0;
  for (const vector of vectors.values())
    bytes += POINT_BYTES + vector.values.byteLength + (vector.kind === 'sparse' ? vector.indices.byteLength : 0);
  return bytes;
}

/** What points take together. */
export function pointsBytes(points: readonly AnswerPoint[]): number {
  return points.reduce((sum, point) => sum + pointBytes(point), 0);
}

export class AnswerBudget {
  readonly bytesMax: number;
  #bytes = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** Runs `read` when it is its turn, with the bytes that are taken already. @throws what it or one before it threw */
  take<Answer extends { readonly bytes: number }>(read: (bytesBefore: number) => Promise<Answer>): Promise<Answer> {
    const taken = this.#turn.then(async () => {
      const answer = await read(this.#bytes);
      this.#bytes += answer.bytes;
      return answer;
    });
    this.#turn = taken;
    return taken;
  }

  /** What is taken now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes points that were read before. @throws PayloadTooLarge */
  async add(points: readonly AnswerPoint[]): Promise<void> {
    await this.hold(
      async () => points,
      (all) => all,
    );
  }

  /** Runs a read that has a bound of its own when it is its turn, and takes the points in what it answers: so a request holds
   *  its own bound and that of one such read at most. @throws PayloadTooLarge · what it or one before it threw */
  async hold<Answer>(read: () => Promise<Answer>, pointsOf: (answer: Answer) => readonly AnswerPoint[]): Promise<Answer> {
    const taken = await this.take(async (bytesBefore) => {
      const answer = await read();
      const bytes = pointsBytes(pointsOf(answer));
      if (bytesBefore + bytes > this.bytesMax) throw tooLarge(this.bytesMax);
      return { answer, bytes };
    });
    return taken.answer;
  }

  /** What was read is not held any more. */
  giveBack(bytes: number): void {
    this.#bytes -= bytes;
  }
}
