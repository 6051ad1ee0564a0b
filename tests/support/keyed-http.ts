/** A server of the HTTP room whose data has access keys, and a header for each. */

import { accessKeyText, secretHash } from '../../src/http/access/credential.js';
import type { AccessKey, KeyScope } from '../../src/model/access-key.js';
import { accessKey } from './fake-keys.js';
import { startHttp, type TestHttp, type TestHttpOptions } from './http-server.js';

/** Of every key that is made here. */
export const KEYED_SECRET = 'S'.repeat(43);
let made = 0;

export interface KeyedHttp extends TestHttp {
  /** Adds a key. @returns the header that shows it */
  key(parts?: Partial<AccessKey>): { readonly authorization: string };
  as(role: AccessKey['role'], scope?: KeyScope): { readonly authorization: string };
}

export async function startKeyed(t: { after(cleanup: () => unknown): void }, options: TestHttpOptions = {}): Promise<KeyedHttp> {
  const http = await startHttp(t, options);
  const key: KeyedHttp['key'] = (parts = {}) => {
    const id = parts.id ?? (++made).toString(16).padStart(16, '0');
    http.engine.keys.put(accessKey(id, { hash: secretHash(KEYED_SECRET), ...parts }));
    return { authorization: `Bearer ${accessKeyText(id, KEYED_SECRET)}` };
  };
  return { ...http, key, as: (role, scope = null) => key({ role, scope }) };
}
