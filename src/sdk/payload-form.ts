/** Payloads as plain JSON values. MessagePack could carry what JSON cannot (undefined, dates); the server refuses that, so it is
 *  turned here into what JSON.stringify would make of it. A clean payload, the usual case, is passed on as it is. */

import type { Payload } from '../model/point.js';

/** @throws TypeError for what JSON has no form for (a bigint) */
export function plainPayload(payload: Payload): Payload {
  return isPlain(payload) ? payload : (JSON.parse(JSON.stringify(payload)) as Payload);
}

function isPlain(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (Array.isArray(value)) return value.every(isPlain);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  if ('toJSON' in value) return false;
  for (const key in value) if (!isPlain((value as Record<string, unknown>)[key])) return false;
  return true;
}
