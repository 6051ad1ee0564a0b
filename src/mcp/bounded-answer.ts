/** Answers that fit: a model that asked for a hundred points must not be handed a hundred megabytes. What is left out is said.
 *
 *  Rule: points stand in their order; a point that alone is too large keeps its id and loses payload and vector; once the whole is full,
 *  the rest is counted in `left_out`. Must not know: where points come from. */

type Point = Readonly<Record<string, unknown>>;

export const ANSWER_BYTES_MAX = 256 * 1024;
export const POINT_BYTES_MAX = 64 * 1024;

export interface BoundedList {
  readonly items: readonly Point[];
  /** How many of the list are not there. */
  readonly leftOut: number;
}

export function boundedList(
  list: readonly Point[],
  { answerBytesMax = ANSWER_BYTES_MAX, pointBytesMax = POINT_BYTES_MAX } = {},
): BoundedList {
  const items: Point[] = [];
  let bytes = 0;
  for (const point of list) {
    const shown = fitting(point, pointBytesMax);
    bytes += shown.bytes;
    if (bytes > answerBytesMax) break;
    items.push(shown.point);
  }
  return { items, leftOut: list.length - items.length };
}

/** The fields that say how many are missing; none when all are there. */
export function leftOutFields(leftOut: number, what: string): Readonly<Record<string, unknown>> {
  if (leftOut === 0) return {};
  return {
    left_out: leftOut,
    left_out_reason: `the answer would be too large: ask for fewer ${what}, or without payloads and vectors`,
  };
}

function fitting(point: Point, bytesMax: number): { readonly point: Point; readonly bytes: number } {
  const bytes = sizeOf(point);
  if (bytes <= bytesMax) return { point, bytes };
  const { payload: _payload, vector: _vector, ...rest } = point;
  const bare = { ...rest, contents_left_out_bytes: bytes };
  return { point: bare, bytes: sizeOf(bare) };
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '');
}
