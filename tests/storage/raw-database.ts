/** A plain connection beside the store, for tests that damage what it wrote. Not synced: what a test damages need not survive. */

import { type Database, loadDriver } from '../../src/storage/driver.js';

export function driver(path: string): Database {
  const db = new (loadDriver())(path);
  db.pragma('synchronous = OFF');
  return db;
}
