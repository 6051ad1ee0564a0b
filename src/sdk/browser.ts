/** The TypeScript client's door where there is no Node, and what is behind both doors. `npm run build` makes one file of it:
 *  dist/bundle/client/skein-client.js. */

export type { BackupCalls } from './backup-calls.js';
export type * from './backup-types.js';
export type { Call } from './call.js';
export type { Encoding } from './caller.js';
export type * from './change-types.js';
export { SkeinClient } from './client.js';
export type { ClientSettings } from './client-settings.js';
export type { ErrorDetailsOf } from './error-details.js';
export { type ApiErrorClass, type ApiErrorOf, errors, SkeinApiError, SkeinConnectionError, SkeinTimeoutError } from './errors.js';
export { FetchTransport } from './fetch-transport.js';
export type * from './health-types.js';
export type { HedgeSettings } from './hedge.js';
export type { KeyCalls, KeyInfo, KeyRole, KeyWithSecret, NewKey } from './key-calls.js';
export type { NodeRole, NodeView, ReadPreference } from './nodes.js';
export type { ReplicationCalls } from './replication-calls.js';
export type * from './replication-types.js';
export type { RetrySettings } from './retry.js';
export type { LogLevel, LogState, ServerCalls, SlowQuery, SlowQuerySettings } from './server-calls.js';
export type { StreamAnswer, StreamRequest, Transport, TransportAnswer, TransportRequest } from './transport.js';
export type * from './types.js';
export type { WaitOptions } from './wait-for.js';
