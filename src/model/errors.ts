/** The one table of errors that a client can see.
 *
 *  type → HTTP status · may the same request succeed later · whose fault it is. The message says what happened and where;
 *  details are plain JSON for programs. Types never change meaning; a retired one is never used again.
 *  tests/model/errors.test.ts holds docs/ERRORS.md and the OpenAPI document to this table in both directions.
 *
 *  Must not know: HTTP replies, languages of clients. */

type Fault = 'client' | 'server' | 'state';

interface ErrorKind {
  readonly status: number;
  readonly retryable: boolean;
  readonly fault: Fault;
  readonly meaning: string;
}

export const ERRORS = {
  InvalidRequest: {
    status: 400,
    retryable: false,
    fault: 'client',
    meaning: 'The request breaks its schema; details.issues names each place.',
  },
  InvalidJson: {
    status: 400,
    retryable: false,
    fault: 'client',
    meaning: 'The body is not well-formed JSON or MessagePack; details.offset is where reading stopped.',
  },
  DimensionMismatch: {
    status: 400,
    retryable: false,
    fault: 'client',
    meaning: 'A vector has another length than its collection’s dimension.',
  },
  InvalidVector: {
    status: 400,
    retryable: false,
    fault: 'client',
    meaning: 'A vector component is not a finite float32 number; details.component is the first such index.',
  },
  InvalidFilter: {
    status: 400,
    retryable: false,
    fault: 'client',
    meaning: 'A filter breaks its grammar; details.path is the place inside it.',
  },
  InvalidCollectionName: {
    status: 400,
    retryable: false,
    fault: 'client',
    meaning: 'A collection name is not 1–128 of A–Z a–z 0–9 _ . - or starts with a dot.',
  },
  ZeroVector: {
    status: 400,
    retryable: false,
    fault: 'client',
    meaning: 'A vector without direction was given to a collection with cosine distance.',
  },
  WriteConcernImpossible: {
    status: 400,
    retryable: false,
    fault: 'client',
    meaning: 'The write concern asks for more nodes than there are voters and replicas that are joining.',
  },
  Unauthorized: { status: 401, retryable: false, fault: 'client', meaning: 'No key was given, or it is not known.' },
  Forbidden: { status: 403, retryable: false, fault: 'client', meaning: 'The key does not allow this.' },
  CollectionNotFound: { status: 404, retryable: false, fault: 'client', meaning: 'No collection has this name.' },
  PointNotFound: { status: 404, retryable: false, fault: 'client', meaning: 'No point has this id.' },
  AliasNotFound: { status: 404, retryable: false, fault: 'client', meaning: 'No alias has this name.' },
  RouteNotFound: { status: 404, retryable: false, fault: 'client', meaning: 'No route has this path.' },
  ReplicaNotFound: { status: 404, retryable: false, fault: 'client', meaning: 'No replica has this node id.' },
  KeyNotFound: { status: 404, retryable: false, fault: 'client', meaning: 'No access key has this id.' },
  BackupNotFound: { status: 404, retryable: false, fault: 'client', meaning: 'No backup has this id.' },
  MethodNotAllowed: {
    status: 405,
    retryable: false,
    fault: 'client',
    meaning: 'The path exists, but not for this method; details.allowed lists those it has.',
  },
  RequestTimeout: { status: 408, retryable: true, fault: 'client', meaning: 'The body did not arrive in time.' },
  CollectionAlreadyExists: {
    status: 409,
    retryable: false,
    fault: 'client',
    meaning: 'A collection or an alias has this name already.',
  },
  VersionConflict: {
    status: 409,
    retryable: false,
    fault: 'client',
    meaning: 'The point’s version is not the one that if_version asked for.',
  },
  IdempotencyConflict: {
    status: 409,
    retryable: false,
    fault: 'client',
    meaning: 'This idempotency key was used before with another request.',
  },
  BackupsOff: {
    status: 409,
    retryable: false,
    fault: 'state',
    meaning: 'No backup target is configured on this node, or this node may not do this with it.',
  },
  BackupNeeded: {
    status: 409,
    retryable: false,
    fault: 'state',
    meaning: 'The backup stays, because more than what it holds itself would or may be lost with it; details.reason says why.',
  },
  PositionLost: {
    status: 409,
    retryable: false,
    fault: 'state',
    meaning: 'The position belongs to a history that this data does not continue.',
  },
  AdminKeyRequired: {
    status: 409,
    retryable: false,
    fault: 'client',
    meaning: 'Keys would be left without an admin key of all collections that does not expire, so nobody could manage them.',
  },
  NotPromotable: {
    status: 409,
    retryable: true,
    fault: 'state',
    meaning: 'This node cannot become master now; details.reason says why.',
  },
  NotRepairable: {
    status: 409,
    retryable: false,
    fault: 'state',
    meaning: 'The data of a replica cannot be made equal point by point; details.reason says why. A full resync helps.',
  },
  ChangesGone: {
    status: 410,
    retryable: false,
    fault: 'state',
    meaning:
      'The log of this node does not reach back to this place of the change feed; details.oldest is the oldest that it has.',
  },
  PayloadTooLarge: {
    status: 413,
    retryable: false,
    fault: 'client',
    meaning:
      'The body, a line, a payload, an id or what is asked for is larger than its limit; details.limit_bytes is the limit.',
  },
  UnsupportedMediaType: {
    status: 415,
    retryable: false,
    fault: 'client',
    meaning: 'The content type or encoding is not one that this route reads.',
  },
  NotMaster: {
    status: 307,
    retryable: true,
    fault: 'state',
    meaning: 'A write reached a replica; Location is the same path on the master.',
  },
  RateLimited: {
    status: 429,
    retryable: true,
    fault: 'client',
    meaning: 'Too many requests; Retry-After says when to come back.',
  },
  Internal: {
    status: 500,
    retryable: false,
    fault: 'server',
    meaning: 'A defect in the server; the request id leads to its log line.',
  },
  BackupDamaged: {
    status: 500,
    retryable: false,
    fault: 'server',
    meaning: 'A backup is not what was stored; details.object is what is wrong. Nothing of it was used.',
  },
  CorruptData: { status: 500, retryable: false, fault: 'server', meaning: 'A stored row fails its checksum and is not served.' },
  BackupTargetFailed: {
    status: 502,
    retryable: true,
    fault: 'state',
    meaning: 'The place where backups are kept cannot be reached or refuses; details.reason says which.',
  },
  Starting: {
    status: 503,
    retryable: true,
    fault: 'state',
    meaning: 'The server is starting; details say the step, how far it is, and an estimate.',
  },
  ShuttingDown: { status: 503, retryable: true, fault: 'state', meaning: 'The server is stopping and takes no new work.' },
  NoMaster: { status: 503, retryable: true, fault: 'state', meaning: 'No master is known at the moment.' },
  ReplicaBehind: {
    status: 503,
    retryable: true,
    fault: 'state',
    meaning: 'The node has not reached the requested position in time, or may show an older state than max_staleness_ms allows.',
  },
  IndexBehind: {
    status: 503,
    retryable: true,
    fault: 'state',
    meaning: 'The index has not reached the requested position in time.',
  },
  CircuitOpen: {
    status: 503,
    retryable: true,
    fault: 'state',
    meaning: 'A dependency failed repeatedly and is not called for a while.',
  },
  Overloaded: {
    status: 503,
    retryable: true,
    fault: 'state',
    meaning: 'More is asked for than can be done now (`details.reason` says of what); nothing was done.',
  },
  SearchUnavailable: {
    status: 503,
    retryable: true,
    fault: 'server',
    meaning: 'No search engine could answer; details.failed lists them.',
  },
  ReadOnly: {
    status: 503,
    retryable: true,
    fault: 'state',
    meaning: 'The data folder cannot be written, or its data is being replaced by a restore.',
  },
  WriteConcernTimeout: {
    status: 504,
    retryable: true,
    fault: 'state',
    meaning: 'Durable here, not yet confirmed by as many nodes as asked; retry with the same idempotency key.',
  },
  Timeout: {
    status: 504,
    retryable: true,
    fault: 'state',
    meaning: 'The answer was not ready within the deadline; a write may still take effect.',
  },
  MemoryLimitExceeded: {
    status: 507,
    retryable: true,
    fault: 'state',
    meaning: 'The memory limit is reached; nothing was done.',
  },
  DiskLimitExceeded: {
    status: 507,
    retryable: true,
    fault: 'state',
    meaning: 'The disk is full or below its watermark; nothing was written, reads go on.',
  },
} as const satisfies Record<string, ErrorKind>;

export type ErrorType = keyof typeof ERRORS;
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** The plain form in which an error crosses a thread border. */
export interface ErrorRecord {
  readonly type: ErrorType;
  readonly message: string;
  readonly details: ErrorDetails;
}

/** An expected failure, thrown where it is known and turned into an answer once, at the edge. */
export class SkeinError extends Error {
  readonly type: ErrorType;
  readonly details: ErrorDetails;

  constructor(type: ErrorType, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = type;
    this.type = type;
    this.details = details;
  }

  get status(): number {
    return ERRORS[this.type].status;
  }

  get retryable(): boolean {
    return ERRORS[this.type].retryable;
  }

  toRecord(): ErrorRecord {
    return { type: this.type, message: this.message, details: this.details };
  }

  static fromRecord(record: ErrorRecord): SkeinError {
    return new SkeinError(record.type, record.message, record.details);
  }
}

/** One place in a request that breaks its schema; path is a JSON path such as `points[3].vector`. */
export interface RequestIssue {
  readonly path: string;
  readonly message: string;
}

export function invalidRequest(path: string, message: string): SkeinError {
  const where = path === '' ? '' : `${path}: `;
  return new SkeinError('InvalidRequest', `${where}${message}`, { issues: [{ path, message }] });
}

/** What a person reads of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** @param path inside the filter, such as `must[0].range.gt`  @param limit where a bound was passed */
export function invalidFilter(path: string, message: string, limit?: number): SkeinError {
  const where = path === '' ? 'The filter' : `The filter at ${path}:`;
  return new SkeinError('InvalidFilter', `${where} ${message}`, { path, message, ...(limit === undefined ? {} : { limit }) });
}
