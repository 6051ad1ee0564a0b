/** Answers off the wire: what they hold, or the error that they are. Must not know: who sent them, what is done about an error. */

import { unpackMessage } from '../codec/msgpack.js';
import type { Call } from './call.js';
import { apiErrorFrom, type SkeinApiError } from './errors.js';
import type { TransportAnswer } from './transport.js';

const decoder = new TextDecoder();

/** @param call which statuses beyond 2xx are answers, and of what kind they are
 *  @throws SkeinApiError for every other, and for what cannot be read */
export function bodyOf(answer: TransportAnswer, { alsoFine = [], isText = false }: Pick<Call, 'alsoFine' | 'isText'>): unknown {
  const fine = (answer.status >= 200 && answer.status < 300) || alsoFine.includes(answer.status);
  const isPlain = isText && fine && answer.headers['content-type']?.startsWith('text/plain') === true;
  const body = isPlain ? decoder.decode(answer.body) : decode(answer.body, answer.headers);
  if (!fine || body === undefined) throw apiErrorFrom(answer.status, body, answer.headers);
  return body;
}

export function errorOf({ status, headers, body }: TransportAnswer): SkeinApiError {
  return apiErrorFrom(status, decode(body, headers), headers);
}

/** By the answer's own type, so that the JSON of a proxy is read as well; null when it is empty, undefined when it cannot be read. */
function decode(bytes: Uint8Array, headers: Readonly<Record<string, string>>): unknown {
  const type = headers['content-type'] ?? '';
  if (bytes.byteLength === 0) return null;
  try {
    if (type.startsWith('application/msgpack')) return unpackMessage(bytes);
    if (/[/+](?:x-nd)?json/.test(type)) return JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined;
  }
  return undefined;
}
