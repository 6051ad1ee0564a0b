/** A bound on waiting for one step of a target. The step itself cannot be taken back: a file system that hangs keeps what it has. */

export class Stalled extends Error {
  override readonly name = 'Stalled';

  constructor(limitMs: number) {
    super(`no progress within ${limitMs} ms`);
  }
}

/** @throws Stalled after `limitMs` · whatever the step throws before */
export async function withinStallLimit<T>(limitMs: number, step: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Stalled(limitMs)), limitMs);
  });
  try {
    return await Promise.race([step(), limit]);
  } finally {
    clearTimeout(timer);
  }
}
