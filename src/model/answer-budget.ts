/** The bytes of points that one answer may hold, shared by the searches of a batch. Their rows are read one search after the other, so that
 *  each knows what the ones before have taken, and none is read once one was refused. */

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
