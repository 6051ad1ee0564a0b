/** Positions and tokens: where in which line of history a state stands.
 *
 *  token = base64url( u8 version=1 | 16 bytes history id | u64 BE epoch | u64 BE seq ), canonical: equal strings ⇔ equal positions.
 *  seq is dense and starts at 1; 0 is the empty beginning. epoch starts at 1. Both stay below 2^53. */

import { invalidRequest } from './errors.js';

/** The epoch of a store that has never had data of a cluster. */
export const NO_EPOCH = 0;

export interface Position {
  /** 32 lower-case hex digits. */
  readonly historyId: string;
  readonly epoch: number;
  readonly seq: number;
}

/** The last seq of a history in a line of data: where the next one began, or the line's own last. Null for a history that it never had.
 *  @param lineage oldest first */
export function historyEnd(
  lineage: readonly { readonly historyId: string; readonly startSeq: number }[],
  historyId: string,
  lastSeq: number,
): number | null {
  const at = lineage.findIndex((row) => row.historyId === historyId);
  return at === -1 ? null : (lineage[at + 1]?.startSeq ?? lastSeq);
}

/** The position of `seq` in the history that wrote it: equal on every node, whoever is the master by now.
 *  @param lineage oldest first @param beginning what nothing was written in yet belongs to */
export function positionAt(
  lineage: readonly { readonly historyId: string; readonly epoch: number; readonly startSeq: number }[],
  seq: number,
  beginning: Pick<Position, 'historyId' | 'epoch'>,
): Position {
  const { historyId, epoch } = lineage.findLast(({ startSeq }) => startSeq < seq) ?? beginning;
  return { historyId, epoch, seq };
}

const TOKEN_VERSION = 1;
const TOKEN_BYTES = 33;

export function encodeToken(position: Position): string {
  const bytes = Buffer.alloc(TOKEN_BYTES);
  bytes.writeUInt8(TOKEN_VERSION, 0);
  bytes.write(position.historyId, 1, 'hex');
  bytes.writeBigUInt64BE(BigInt(position.epoch), 17);
  bytes.writeBigUInt64BE(BigInt(position.seq), 25);
  return bytes.toString('base64url');
}

/** @throws InvalidRequest naming `path` when the text is not a canonical token */
export function decodeToken(text: string, path: string): Position {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length !== TOKEN_BYTES || bytes.readUInt8(0) !== TOKEN_VERSION || bytes.toString('base64url') !== text) {
    throw invalidRequest(path, 'not a position token of this server');
  }
  const epoch = bytes.readBigUInt64BE(17);
  const seq = bytes.readBigUInt64BE(25);
  if (epoch === 0n || epoch > BigInt(Number.MAX_SAFE_INTEGER) || seq > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw invalidRequest(path, 'not a position token of this server');
  }
  return { historyId: bytes.toString('hex', 1, 17), epoch: Number(epoch), seq: Number(seq) };
}
