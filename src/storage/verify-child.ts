/** The entry of the verifying process: verify-child.js <data folder or database file> <level>. Prints one JSON line per message:
 *  {"progress": …} while it works, then {"report": …}. Started by verify-in-child.ts only. */

import { writeSync } from 'node:fs';
import type { VerifyLevel } from './verify-report.js';
import { verifyStore } from './verify-store.js';

const STDOUT = 1;
const [path, level] = process.argv.slice(2);

function print(message: object): void {
  const line = Buffer.from(`${JSON.stringify(message)}\n`);
  // Written whole and at once, so that nothing is lost in a buffer when a damaged page ends the process.
  for (let at = 0; at < line.length; ) at += writeSync(STDOUT, line, at);
}

if (path === undefined || (level !== 'full' && level !== 'quick'))
  throw new Error('usage: verify-child.js <data folder or database file> full|quick');
print({ report: verifyStore(path, level satisfies VerifyLevel, (progress) => print({ progress })) });
