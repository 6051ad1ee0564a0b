/** Roles as routes see them: routes exist from the first moment of a start, roles only once the store is open. */

import type { ReplicationService, WriteConcernService } from '../http/http.js';
import type { Role } from '../model/replication.js';
import type { LinkGuard } from './link-guard.js';
import type { Roles } from './roles.js';

export interface LateRoles {
  readonly replication: ReplicationService;
  readonly writeConcern: WriteConcernService;
}

export interface LateRolesParts {
  /** Null until there are any. */
  roles(): Roles | null;
  /** @throws Starting, ShuttingDown */
  opened(): Roles;
  /** The role that the node starts in. */
  roleBefore(): Role;
  readonly links: Pick<LinkGuard, 'mayLink' | 'admit'>;
}

export function lateRoles({ roles, opened, roleBefore, links }: LateRolesParts): LateRoles {
  return {
    replication: {
      role: () => roles()?.role() ?? roleBefore(),
      masterUrl: () => roles()?.masterUrl() ?? null,
      enabled: () => roles()?.enabled() ?? links.mayLink,
      stats: () => opened().stats(),
      replicas: () => roles()?.replicas() ?? [],
      stalenessMs: () => roles()?.stalenessMs() ?? null,
      promote: (options) => opened().promote(options),
      follow: (masterUrl) => opened().follow(masterUrl),
      resync: (options) => opened().resync(options),
      verify: (options) => opened().verify(options),
      forget: (replicaId) => opened().forget(replicaId),
      upgrade: (request, socket, head) => {
        const served = opened();
        links.admit();
        served.upgrade(request, socket, head);
      },
      wrongClusterKeys: () => roles()?.wrongClusterKeys() ?? 0,
      endLinks: () => roles()?.endLinks(),
    },
    writeConcern: {
      admit: () => opened().writeConcern.admit(),
      mayAcknowledge: () => opened().writeConcern.mayAcknowledge(),
      defaultRequired: () => opened().writeConcern.defaultRequired(),
      voters: () => opened().writeConcern.voters(),
      joining: () => opened().writeConcern.joining(),
      wait: (seq, required, waitMs) => opened().writeConcern.wait(seq, required, waitMs),
    },
  };
}
