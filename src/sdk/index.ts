/** The TypeScript client's door: everything that a program may import. */

export type { BackupCalls } from './backup-calls.js';
export type * from './backup-types.js';
export type { Call, Encoding } from './caller.js';
export { type ClientSettings, SkeinClient } from './client.js';
export { SkeinApiError, SkeinConnectionError, SkeinTimeoutError } from './errors.js';
export type * from './health-types.js';
export type { KeyCalls, KeyInfo, KeyRole, KeyWithSecret, NewKey } from './key-calls.js';
export type { ReplicationCalls } from './replication-calls.js';
export type * from './replication-types.js';
export type { RetrySettings } from './retry.js';
export {
  HttpTransport,
  type StreamAnswer,
  type StreamRequest,
  type Transport,
  type TransportAnswer,
  type TransportRequest,
} from './transport.js';
export type * from './types.js';
