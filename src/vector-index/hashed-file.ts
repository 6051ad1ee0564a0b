/** Reading a whole file once, in blocks, with its SHA-256: the only way by which a checkpoint's data is looked at.
 *
 *  Between two blocks the thread is free, so searches go on while a large file is verified.
 *  Must not know: what the bytes mean (a FileCheck does). */

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

/** Looks at a file's bytes as they pass. */
export interface FileCheck {
  /** @param block the next bytes, valid during the call only  @throws Error naming what is wrong */
  feed(block: Buffer): void;
  /** The file has ended. @throws Error when it ended too early */
  end(): void;
}

export interface FileDigest {
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

const BLOCK_BYTES = 1024 * 1024;

/** @throws Error of the file system, or of the check. Cost: the file once, about 1 ms of this thread per MiB. */
export async function readHashed(path: string, check: FileCheck): Promise<FileDigest> {
  const file = await open(path, 'r');
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(BLOCK_BYTES);
    let bytes = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, BLOCK_BYTES, bytes);
      if (bytesRead === 0) break;
      bytes += bytesRead;
      const block = buffer.subarray(0, bytesRead);
      hash.update(block);
      check.feed(block);
    }
    check.end();
    return { bytes, sha256: hash.digest('hex') };
  } finally {
    await file.close();
  }
}
