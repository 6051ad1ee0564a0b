/** When which seq became durable here, on the monotonic clock, and how many bytes of log had come by then: what lag is measured with.
 *
 *  Bounded: when there are too many samples, two neighbours become one that keeps the earlier time and the smaller count, so a lag is
 *  never shown smaller than it is. Must not know: replicas, sockets. */

interface Sample {
  readonly seq: number;
  readonly monotonicMs: number;
  /** Bytes of entries logged before this sample's first entry, since the start. */
  readonly bytesBefore: number;
}

const SAMPLES_MAX = 65_536;
/** What comes this close together is one sample. */
const SAMPLE_MS = 5;

export class CommitTimes {
  #samples: Sample[] = [];
  readonly #startSeq: number;
  #bytes = 0;

  /** @param startSeq what was durable before anything is noted */
  constructor(startSeq: number) {
    this.#startSeq = startSeq;
  }

  /** Bytes of entries noted since the start. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param seq may lie before what was noted already, when bytes come later than the word of them */
  note(seq: number, bytes: number, monotonicMs: number): void {
    const reached = Math.max(seq, this.#samples.at(-1)?.seq ?? 0);
    const last = this.#samples.at(-1);
    if (last !== undefined && monotonicMs - last.monotonicMs < SAMPLE_MS)
      this.#samples[this.#samples.length - 1] = { ...last, seq: reached };
    else this.#samples.push({ seq: reached, monotonicMs, bytesBefore: this.#bytes });
    this.#bytes += bytes;
    if (this.#samples.length > SAMPLES_MAX) this.#thin();
  }

  /** What is behind this seq was given up and will never come. */
  cut(seq: number): void {
    this.#samples = this.#samples.map((sample) => ({ ...sample, seq: Math.min(sample.seq, seq) }));
  }

  #thin(): void {
    const kept: Sample[] = [];
    for (let i = 0; i < this.#samples.length; i += 2) {
      const first = this.#samples[i] as Sample;
      const second = this.#samples[i + 1] ?? first;
      kept.push({ ...first, seq: second.seq });
    }
    this.#samples = kept;
  }

  /** When the first seq behind `seq` became durable; null when that was before the start, or when there is none. */
  firstAfter(seq: number): number | null {
    return seq < this.#startSeq ? null : (this.#at(seq)?.monotonicMs ?? null);
  }

  /** Bytes of the entries behind `seq`; null when it lies before the start. */
  bytesAfter(seq: number): number | null {
    if (seq < this.#startSeq) return null;
    const sample = this.#at(seq);
    return sample === undefined ? 0 : this.#bytes - sample.bytesBefore;
  }

  /** The first sample that reaches beyond `seq`, by halving. */
  #at(seq: number): Sample | undefined {
    let low = 0;
    let high = this.#samples.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#samples[middle] as Sample).seq > seq) high = middle;
      else low = middle + 1;
    }
    return this.#samples[low];
  }
}
