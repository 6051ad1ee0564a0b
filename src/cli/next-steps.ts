/** What somebody at a terminal can do about an error of a server: one sentence for each type where there is something to do. Types whose details
 *  matter for it are in failure.ts. Pure. */

import type { ErrorType } from '../model/errors.js';

export const NEXT_STEPS: Readonly<Partial<Record<ErrorType, string>>> = {
  Unauthorized: 'give the key with SKEIN_API_KEY, or the file that holds it with --api-key-file FILE',
  Forbidden: 'use a key with the role that it needs: "skein keys create" makes one',
  AliasNotFound: 'GET /v1/aliases lists those that there are',
  KeyNotFound: '"skein keys list" shows the ids',
  ReplicaNotFound: '"skein status" on the master shows the ids of replicas',
  BackupNotFound: '"skein backup list" shows the ids',
  BackupsOff: 'start the server with --backup-folder, or --backup-s3-bucket',
  RouteNotFound: 'is the server older than this command? "skein status" shows its version',
  CollectionAlreadyExists: 'choose another name, or delete the collection first',
  DimensionMismatch: '"skein status" shows the dimension of each collection',
  PositionLost: 'the server has been restored, or another node has taken over; look at "skein status" on all nodes',
  ChangesGone: 'begin again with --from snapshot (a copy: anew), or ask a node that reaches back further',
  RateLimited: 'ask more slowly, or let the key make more requests a second',
  Starting: 'wait for it: "skein wait"',
  ShuttingDown: 'wait until it is back: "skein wait"',
  NoMaster: 'look at "skein status" on all nodes; "skein promote" makes a replica the master',
  ReplicaBehind: 'ask again, or ask the master; "skein status" shows the lag',
  IndexBehind: 'ask again; "skein status" shows how far the index is',
  Overloaded: 'ask again later; "skein top" shows what the node does',
  WriteConcernTimeout: 'it is on the disk of the master; "skein status" shows which replicas are missing',
  SearchUnavailable: 'GET /health/detailed says which part of the node fails',
  MemoryLimitExceeded: 'give the node more memory, or delete what is not needed; reads go on',
  DiskLimitExceeded: 'free space on the disk of the node; reads go on, and writes come back by themselves',
  CorruptData: '"skein verify --url URL --repair" fetches damaged rows again from another node',
  BackupTargetFailed: 'is the place of the backups there, and may the server write to it? Its log says more',
};
