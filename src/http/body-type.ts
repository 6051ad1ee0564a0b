/** What a body is, by its headers: JSON or MessagePack, plain or gzip. @throws UnsupportedMediaType for anything else */

import type { IncomingHttpHeaders } from 'node:http';
import { SkeinError } from '../model/errors.js';
import type { BodyForm } from '../wire/body-reader.js';

export const BODY_TYPES = ['application/json', 'application/msgpack'] as const;
export const IMPORT_TYPES = ['application/x-ndjson', 'application/ndjson', 'application/jsonl', 'application/json'] as const;

const FORMS: ReadonlyMap<string, BodyForm> = new Map([
  ['application/json', 'json'],
  ['application/msgpack', 'msgpack'],
  ['application/x-msgpack', 'msgpack'],
  ['application/vnd.msgpack', 'msgpack'],
]);

/** Parameters such as charset are passed over: JSON is UTF-8, and what is not shows when it is read. */
export function bodyForm(headers: IncomingHttpHeaders): BodyForm {
  const form = FORMS.get(mediaType(headers));
  if (form === undefined) throw unsupported(headers['content-type'] ?? null, BODY_TYPES);
  return form;
}

export function checkImportType(headers: IncomingHttpHeaders): void {
  const type = mediaType(headers);
  if (!IMPORT_TYPES.some((known) => known === type)) throw unsupported(headers['content-type'] ?? null, IMPORT_TYPES);
}

/** True for gzip. */
export function isCompressed(headers: IncomingHttpHeaders): boolean {
  const encoding = headers['content-encoding']?.trim().toLowerCase();
  if (encoding === undefined || encoding === '' || encoding === 'identity') return false;
  if (encoding === 'gzip' || encoding === 'x-gzip') return true;
  throw new SkeinError('UnsupportedMediaType', `The content encoding ${encoding} is not read here; gzip is`, {
    content_encoding: encoding,
    supported: ['gzip', 'identity'],
  });
}

/** Neither a length nor chunks: there is no body at all. */
export function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

function mediaType(headers: IncomingHttpHeaders): string {
  const type = headers['content-type'] ?? '';
  const end = type.indexOf(';');
  return (end < 0 ? type : type.slice(0, end)).trim().toLowerCase();
}

export function unsupported(type: string | null, supported: readonly string[]): SkeinError {
  return new SkeinError('UnsupportedMediaType', `The content type ${type ?? '(none)'} is not read here; ${supported[0]} is`, {
    content_type: type,
    supported,
  });
}
