/** What is asked of an exchange of the data: from which store, and as whom it is opened. */

import type { IncomingSnapshot } from '../engine/snapshot.js';
import type { NodeState } from './node-state.js';

/** As whom the engine over a store is opened. */
export type OpenedAs = Pick<NodeState, 'role' | 'highestEpoch'>;

/** Puts a complete store in the place of the one that counts. */
export type InstallStore = (identity: {
  readonly nodeId: string;
  readonly bootId: string;
}) => ReturnType<IncomingSnapshot['install']>;
