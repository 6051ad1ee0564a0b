/** Writes docs/ERRORS.md from the table of src/model/errors.ts. Run it after a change of an error:
 *
 *    npm run build && node dist/tests/model/errors-page.js --write
 *
 *  tests/model/errors.test.ts holds the page to the table. */

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ERRORS, type ErrorType } from '../../src/model/errors.js';

/** From dist/tests/model/ to the folder of the project. */
export const PAGE_PATH = fileURLToPath(new URL('../../../docs/ERRORS.md', import.meta.url));

/** What programs find in `details`, beside what the message says. */
const DETAILS: Readonly<Partial<Record<ErrorType, string>>> = {
  InvalidRequest: '`issues: [{path, message}]`; `limit` where a limit was passed',
  InvalidJson: '`offset`',
  DimensionMismatch: '`expected`, `got`, `point_id`, `path`',
  InvalidVector: '`point_id`, `component`, `path`',
  InvalidFilter: '`path`, `message`; `limit` where a limit was passed',
  InvalidCollectionName: '`collection`',
  ZeroVector: '`point_id`, `path`',
  WriteConcernImpossible: '`required`, `voters`',
  Forbidden:
    '`needed`, `key_role`; `collection` where it is not in the scope; `origin` or `host` alone for a page that may not call',
  CollectionNotFound: '`collection`, `available_collections` (at most 100)',
  PointNotFound: '`id`, `collection`',
  KeyNotFound: '`key_id`',
  AliasNotFound: '`alias`, `available_aliases` (at most 100)',
  ReplicaNotFound: '`id`',
  RouteNotFound: '`method`, `path`',
  MethodNotAllowed: '`method`, `path`, `allowed`; header `Allow`',
  CollectionAlreadyExists: '`collection`; `alias_of` where an alias has the name',
  VersionConflict: '`id`, `expected`, `actual`',
  BackupNeeded: '`backup`, `reason`: `last_full`, `increments`, `log`, `newest` or `unknown`; `needed_by`: up to ten ids',
  PositionLost: '`requested_seq`, `last_seq`, or `seq` alone, where they are known',
  NotPromotable: '`reason`',
  ChangesGone: '`requested_seq`, `oldest_seq`, `oldest` (a token)',
  NotRepairable: '`reason`',
  PayloadTooLarge: '`limit_bytes`; `point_id`, `path` where it is a payload',
  UnsupportedMediaType: '`content_type` or `content_encoding`, `supported`',
  NotMaster: '`master_url`; header `Location`',
  RateLimited: '`retry_after_ms`; `limit` and `strict_mode` where they are known; header `Retry-After`',
  CorruptData:
    '`collection`; `point_id` where it is about a point (null: its id is damaged too); `table`, and `collection_uid`, `label` or `seq` of the row; `code` where a page of the file is damaged',
  BackupDamaged: '`backup`, `object`, `problem`',
  BackupTargetFailed: '`target`, `operation`, `key`, `reason`: `unreachable`, `timeout`, `denied`, `full` or `refused`',
  Starting: '`step`, `progress`, `eta_ms`',
  ReplicaBehind: '`requested`, `applied`, `lag_ms`; `max_staleness_ms` where that was asked for',
  IndexBehind: '`requested`, `applied`',
  CircuitOpen: '`dependency`, `retry_after_ms`; `last_failure` where it is known; header `Retry-After`',
  Overloaded: '`reason`; header `Retry-After`',
  SearchUnavailable: '`failed: [{engine, message}]`',
  WriteConcernTimeout: '`required`, `acknowledged`, `position`',
  MemoryLimitExceeded: '`used_bytes`, `limit_bytes`',
  ReadOnly: '`reason` where it is known',
  DiskLimitExceeded: '`reason`, `free_bytes`, `needed_bytes` where they are known',
};

const INTRODUCTION = `# Errors

This page is written from src/model/errors.ts (\`node dist/tests/model/errors-page.js --write\`); change that, not it.

Every error answer, of every route and in both body forms, has one shape:

\`\`\`json
{"error": {"type": "CollectionNotFound", "message": "Collection 'my-collection' not found",
           "details": {"collection": "my-collection", "available_collections": ["other-collection"]},
           "retryable": false, "request_id": "k3Jd81mQpX0a-7"}}
\`\`\`

- \`type\` is for programs and never changes its meaning. \`message\` is for people and may change.
- \`details\` names the place: the JSON path, the point id, the component, the limit that was passed.
- \`retryable\`: the same request may succeed later. A write that was retried after a \`Timeout\`, a \`WriteConcernTimeout\` or a lost
  connection should carry the \`Idempotency-Key\` it had the first time.
- \`request_id\` is also in the header \`x-request-id\` and in the log of the server.
- A refused write has changed nothing. After \`Timeout\` it may still take effect; after \`WriteConcernTimeout\` it is durable here.
- 429 and 503 carry \`Retry-After\`, in seconds. Whose fault: \`client\` (the request), \`state\` (the situation), \`server\` (a defect or damage).
- Bytes that are no HTTP at all get the same shape with status 400; headers that are too large, with 431.
`;

export function errorsPage(): string {
  const rows = Object.entries(ERRORS)
    .sort(([, a], [, b]) => a.status - b.status)
    .map(([type, { status, retryable, fault, meaning }]) => {
      return `| ${status} | \`${type}\` | ${meaning} | ${DETAILS[type as ErrorType] ?? ''} | ${retryable ? 'yes' : 'no'} | ${fault} |`;
    });
  const head = ['| status | type | meaning | details | retryable | fault |', '|---|---|---|---|---|---|'];
  return `${INTRODUCTION}\n${[...head, ...rows].join('\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv.includes('--write'))
  writeFileSync(PAGE_PATH, errorsPage());
