/** The table of the digest tree's leaves: 64 bucket sums of 16 bytes a row, 64 rows a collection. A row that was never written is zeros.
 *  Must not know: what is summed. */

import { DIGEST_BYTES } from '../codec/digest.js';
import { FIXED } from '../model/limits.js';
import { damagedRow } from './database-errors.js';
import type { Database } from './driver.js';
import { isBytes, isCount, rowChecksum } from './row-checksum.js';
import { pageKey } from './row-keys.js';
import type { StoreReads, StoreWriter } from './storage.js';

export type DigestPageReads = Pick<StoreReads, 'digestPage'>;
export type DigestPageWrites = Pick<StoreWriter, 'writeDigestPage'>;

const PAGE_BYTES = DIGEST_BYTES * FIXED.digestBucketsPerPage;

export function digestPageReads(db: Database): DigestPageReads {
  const byKey = db.prepare('SELECT key, crc, sums FROM digest_pages WHERE key = ?').raw();
  return {
    digestPage: (uid, page) => {
      const cells = byKey.get(pageKey(uid, page)) as unknown[] | undefined;
      if (cells === undefined) return Buffer.alloc(PAGE_BYTES);
      const sums = readDigestPage(cells);
      if (sums === null) throw damagedRow('digest_pages', { collection_uid: uid, page });
      return sums;
    },
  };
}

export function digestPageWrites(db: Database): DigestPageWrites {
  const write = db.prepare('INSERT OR REPLACE INTO digest_pages (key, crc, sums) VALUES (?, ?, ?)');
  return {
    writeDigestPage: (uid, page, sums) => {
      if (sums.length !== PAGE_BYTES) throw new RangeError(`a digest page has ${PAGE_BYTES} bytes, not ${sums.length}`);
      const key = pageKey(uid, page);
      write.run(key, rowChecksum([key], [sums]), sums);
    },
  };
}

/** The sums of a row given as key, crc, sums; null when it is damaged. */
export function readDigestPage(cells: readonly unknown[]): Buffer | null {
  const [key, crc, sums] = cells;
  if (!isCount(key) || !isBytes(sums) || sums.length !== PAGE_BYTES) return null;
  return rowChecksum([key], [sums]) === crc ? sums : null;
}
