/** The connection to PostgreSQL: the only file that names its client. Values come as the texts that the database wrote.
 *  What the address leaves out comes from the variables and files of PostgreSQL's own programs (PGPASSWORD, .pgpass). */

import pg from 'pg';
import { messageOf } from '../../../model/errors.js';
import { ForeignProblem } from './foreign-server.js';
import type { Query } from './pgvector-table.js';

export interface ConnectionSettings {
  /** postgres://user@host:port/database */
  readonly url: string;
  readonly password: string | null;
  readonly timeoutMs: number;
}

export interface OpenConnection {
  readonly query: Query;
  close(): Promise<void>;
}

/** @throws ForeignProblem when the database is not there, or lets nobody in */
export async function connectToPostgres({ url, password, timeoutMs }: ConnectionSettings): Promise<OpenConnection> {
  const address = new URL(url);
  // Beside the address, as `password`, it would be overruled by the empty one that the client finds in the address.
  if (password !== null) address.searchParams.set('password', password);
  const client = new pg.Client({
    connectionString: address.href,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    application_name: 'skein import',
    types: { getTypeParser: () => (value: string | Buffer) => value },
  });
  // A connection that breaks between two queries is found by the next one.
  client.on('error', () => undefined);
  await client.connect().catch(async (error: unknown) => {
    await client.end().catch(() => undefined);
    throw new ForeignProblem(
      0,
      `PostgreSQL does not let us in: ${messageOf(error)}; look at --source, and at the password in --source-key-file or PGPASSWORD`,
    );
  });
  return {
    query: async (sql, parameters = []) => {
      try {
        return (await client.query<Record<string, string | null>>(sql, [...parameters])).rows;
      } catch (error) {
        throw new ForeignProblem(0, `PostgreSQL: ${messageOf(error)}`);
      }
    },
    close: () => client.end().catch(() => undefined),
  };
}
