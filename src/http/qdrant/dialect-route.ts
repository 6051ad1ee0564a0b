/** What a route of the dialect is before routes.ts marks it as one, and what the dialect is set to. */

import type { Route } from '../route-table.js';

export type DialectRoute = Omit<Route, 'dialect'>;

export interface DialectSettings {
  /** What it shows itself as. */
  readonly version: string;
}
