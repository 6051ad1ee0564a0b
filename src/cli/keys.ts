/** `skein keys create|list|revoke|rotate`: access keys of a server. A secret is printed once, alone on its line. Exit code 0 when done. */

import type { CREATE_KEY_FIELDS, LIST_KEYS_FIELDS, ROTATE_KEY_FIELDS } from '../config/command-fields.js';
import type { ValuesOf } from '../config/field.js';
import { formatDuration } from '../config/parse-value.js';
import { isScopePattern } from '../model/access-key.js';
import { FIXED } from '../model/limits.js';
import { isPrintable } from '../model/printable.js';
import type { KeyInfo, KeyWithSecret, SkeinClient } from '../sdk/index.js';
import { UsageError } from './failure.js';
import { type ConnectionValues, connectTo } from './server-connection.js';
import { EXIT, type ExitCode, print, type Surroundings } from './surroundings.js';
import { tableLines } from './table.js';

/** What a command says: objects for programs, lines for people. */
interface Outcome {
  readonly objects: readonly object[];
  readonly lines: readonly string[];
}

/** @throws UsageError when the name or a pattern is none */
export function createKey(
  name: string,
  values: ValuesOf<typeof CREATE_KEY_FIELDS>,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { role, collections, lifeMs, requestsPerSecond } = values;
  const scope = collections === null ? null : collections.split(',').map((pattern) => pattern.trim());
  checkWishes(name, scope ?? []);
  return run(values, surroundings, async ({ keys }, signal) => {
    const expiresAt = lifeMs === null ? null : new Date(Date.now() + lifeMs).toISOString();
    const rateLimit = requestsPerSecond === null ? null : { requestsPerSecond };
    const made = await keys.create({ name, role: role ?? 'read', collections: scope, expiresAt, rateLimit }, { signal });
    return secretOutcome(made, `made key ${made.id} (${made.role}); this is the only time that it is shown:`);
  });
}

/** What no server would take is seen before one is asked. @throws UsageError */
function checkWishes(name: string, scope: readonly string[]): void {
  if (name === '' || name.length > FIXED.keyNameLengthMax || !isPrintable(name))
    throw new UsageError(`the name of a key has 1 to ${FIXED.keyNameLengthMax} characters, none of them a control character`);
  const bad = scope.find((pattern) => !isScopePattern(pattern));
  if (bad !== undefined)
    throw new UsageError(
      `--collections: ${JSON.stringify(bad)} is neither the name of a collection nor the beginning of one with * behind it`,
    );
}

/** @throws UsageError when the time is longer than any server lets it be */
export function rotateKey(id: string, values: ValuesOf<typeof ROTATE_KEY_FIELDS>, surroundings: Surroundings): Promise<ExitCode> {
  if (values.graceMs > FIXED.keyGraceMsMax)
    throw new UsageError(`--grace-ms must be at most ${formatDuration(FIXED.keyGraceMsMax)}`);
  return run(values, surroundings, async ({ keys }, signal) => {
    const made = await keys.rotate(id, { graceMs: values.graceMs }, { signal });
    const before = made.previousUntil === null ? 'does not work any more' : `works until ${made.previousUntil}`;
    return secretOutcome(made, `key ${id} has another secret, the one before ${before}; this is the only time that it is shown:`);
  });
}

export function revokeKey(id: string, values: ValuesOf<typeof LIST_KEYS_FIELDS>, surroundings: Surroundings): Promise<ExitCode> {
  return run(values, surroundings, async ({ keys }, signal) => {
    await keys.revoke(id, { signal });
    return { objects: [{ kind: 'revoked', id }], lines: [`key ${id} does not work any more`] };
  });
}

export function listKeys(values: ValuesOf<typeof LIST_KEYS_FIELDS>, surroundings: Surroundings): Promise<ExitCode> {
  return run(values, surroundings, async ({ keys }, signal) => {
    const all = await keys.list({ signal });
    const titles = ['id', 'name', 'role', 'collections', 'state', 'expires', 'last used here'].map((title) => ({ title }));
    const rows = all.map(({ id, name, role, collections, state, expiresAt, lastUsedAt }) => [
      id,
      name,
      role,
      collections === null ? 'all' : collections.join(','),
      state,
      expiresAt ?? 'never',
      lastUsedAt ?? '-',
    ]);
    return { objects: all.map(keyObject), lines: all.length === 0 ? ['there are no access keys'] : tableLines(titles, rows) };
  });
}

function secretOutcome(made: KeyWithSecret, line: string): Outcome {
  const { key, confirmed } = made;
  const warning = confirmed
    ? []
    : ['not confirmed by the other nodes yet: it works, and is lost if this master is lost before they have it'];
  return { objects: [{ ...keyObject(made), key, confirmed }], lines: [...warning, line, key] };
}

function keyObject(key: KeyInfo): object {
  return {
    kind: 'key',
    id: key.id,
    name: key.name,
    role: key.role,
    collections: key.collections,
    state: key.state,
    created_at: key.createdAt,
    expires_at: key.expiresAt,
    rotated_at: key.rotatedAt,
    previous_until: key.previousUntil,
    last_used_at: key.lastUsedAt,
    requests_per_second: key.rateLimit?.requestsPerSecond ?? null,
  };
}

async function run(
  values: ConnectionValues & { readonly json: boolean },
  { output, stopping }: Surroundings,
  action: (client: SkeinClient, signal: AbortSignal) => Promise<Outcome>,
): Promise<ExitCode> {
  const client = connectTo(values);
  try {
    const { objects, lines } = await action(client, stopping);
    for (const line of values.json ? objects.map((object) => JSON.stringify(object)) : lines) print(output, line);
    return EXIT.done;
  } finally {
    client.close();
  }
}
