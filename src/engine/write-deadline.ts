/** The deadline of a write that is on its way: the caller is told, the write goes on. */

import { SkeinError } from '../model/errors.js';

/** @throws what the work throws · Timeout when timeoutMs passes first: the write may still take effect */
export async function durableBefore<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = 'The write is queued and not yet durable; it may still take effect';
    timer = setTimeout(() => reject(new SkeinError('Timeout', message, { state: 'queued' })), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
