/** Request ids: the caller's when it is sane, else one of ours; in the answer, in errors, in every log line of the request. */

import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { FIXED } from '../model/limits.js';

const SANE = new RegExp(`^[\\x21-\\x7e]{1,${FIXED.requestIdLengthMax}}$`);

/** @returns a function that names requests; its own names are unique over processes and restarts */
export function requestIds(): (headers: IncomingHttpHeaders) => string {
  const prefix = randomBytes(9).toString('base64url');
  let count = 0;
  return (headers) => {
    const given = headers['x-request-id'];
    if (typeof given === 'string' && SANE.test(given)) return given;
    count++;
    return `${prefix}-${count.toString(36)}`;
  };
}
