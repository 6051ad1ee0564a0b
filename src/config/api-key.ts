/** The key file: its first line is the key. The rest of the file is for people. */

import { readFileSync, statSync } from 'node:fs';
import { Secret } from './secret.js';

export const API_KEY_LENGTH_MIN = 16;
const WORLD_READABLE = 0o004;
const SENDABLE = /^[\x21-\x7e]+$/;

export interface ApiKeyReading {
  readonly key: Secret;
  readonly warnings: readonly string[];
}

/** @throws Error saying what is wrong with the file; the key itself is never part of a message */
export function readApiKeyFile(path: string): ApiKeyReading {
  let text: string;
  let mode: number;
  try {
    text = readFileSync(path, 'utf8');
    mode = statSync(path).mode;
  } catch (error) {
    throw new Error(`the key file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const key = (text.replace(/^\uFEFF/, '').split(/\r?\n/, 1)[0] ?? '').trim();
  if (key.length < API_KEY_LENGTH_MIN) {
    throw new Error(
      `the first line of the key file ${path} has ${key.length} characters; a key has at least ${API_KEY_LENGTH_MIN}`,
    );
  }
  if (!SENDABLE.test(key)) {
    throw new Error(
      `the first line of the key file ${path} holds characters that a header cannot carry; use printable ASCII without spaces`,
    );
  }
  const open = process.platform !== 'win32' && (mode & WORLD_READABLE) !== 0;
  const warnings = open ? [`every user of this machine can read the key file ${path}: chmod 600 it`] : [];
  return { key: new Secret(key), warnings };
}
