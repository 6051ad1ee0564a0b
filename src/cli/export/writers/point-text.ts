/** Points as JSON text that keeps every bit of their vectors, in as few digits as a float32 needs: −0 has its sign, which JSON.stringify
 *  takes away. Pure. */

import { floatText } from '../../../codec/float-text.js';
import type { NamedVector, PointRecord } from '../../../sdk/index.js';

/** One object, as `skein import` reads it. */
export function pointText({ id, vector, vectors, payload, expiresAt }: PointRecord): string {
  const fields = [`"id":${JSON.stringify(id)}`];
  if (vector !== undefined) fields.push(`"vector":${vectorText(vector)}`);
  if (vectors !== undefined) fields.push(`"vectors":${vectorsText(vectors)}`);
  if (payload !== undefined) fields.push(`"payload":${JSON.stringify(payload)}`);
  if (expiresAt !== undefined) fields.push(`"expires_at":${JSON.stringify(expiresAt)}`);
  return `{${fields.join(',')}}`;
}

export function vectorsText(vectors: Readonly<Record<string, NamedVector>>): string {
  const named = Object.entries(vectors).map(([name, vector]) => `${JSON.stringify(name)}:${anyVectorText(vector)}`);
  return `{${named.join(',')}}`;
}

function anyVectorText(vector: NamedVector): string {
  if (vector instanceof Float32Array) return vectorText(vector);
  return `{"indices":[${vector.indices.join(',')}],"values":${vectorText(vector.values)}}`;
}

export function vectorText(vector: Float32Array): string {
  let text = '[';
  for (let i = 0; i < vector.length; i++) {
    const value = vector[i] ?? 0;
    if (i > 0) text += ',';
    text += Object.is(value, -0) ? '-0' : floatText(value);
  }
  return `${text}]`;
}
