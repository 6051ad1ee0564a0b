/** The bytes of points that one answer may hold, shared by the searches of a batch. Their rows are read one search after the other, so that
 *  each knows what the ones before have taken, and none is read once one was refused. */

/** What a point takes beside its payload and its vector. */
const POINT_BYTES = 64;

/** About how many bytes of memory a point of an answer takes. */
export function pointBytes({
  payload,
  vector,
}: {
  readonly payload: Uint8Array | null;
  readonly vector: Float32Array | null;
}): number {
  return POINT_BYTES + (payload?.byteLength ?? 0) + (vector?.byteLength ?? 0);
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

  /** What was read is not answered. */
  giveBack(bytes: number): void {
    this.#bytes -= bytes;
  }
}
