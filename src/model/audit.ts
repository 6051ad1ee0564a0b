/** What is written down of an administrative call: who did what, and what came of it. No secrets, and no bodies. */

export interface AuditEntry {
  /** ISO 8601. */
  readonly time: string;
  readonly requestId: string;
  /** `access_key:<id>`, `token:<subject>`, `key_file`, `anyone`; null: nobody who is known. */
  readonly who: string | null;
  /** The other end of the connection. */
  readonly address: string;
  /** Operation id of the route. */
  readonly operation: string;
  /** What it is about: names and ids in the path, and what of the body says it. */
  readonly target: Readonly<Record<string, string>>;
  /** unknown: it had only begun, or was not answered in time, and may be done. */
  readonly outcome: 'done' | 'refused' | 'failed' | 'unknown';
  readonly status: number;
  /** Type of the error that it was answered with. */
  readonly error: string | null;
}

/** Keeps entries in their order. Never throws. */
export type Audit = (entry: AuditEntry) => void;
