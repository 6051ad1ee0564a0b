/** Servers as a command line lists them: addresses, with NAME= before them where they have names. Pure. */

import { UsageError } from './failure.js';

export interface NamedServer {
  /** Host and port, where it has no other. */
  readonly name: string;
  readonly url: string;
}

const SERVERS_MAX = 100;

/** @throws UsageError */
export function namedServers(command: string, servers: readonly string[]): NamedServer[] {
  if (servers.length > SERVERS_MAX)
    throw new UsageError(`${command} takes at most ${SERVERS_MAX} servers, not ${servers.length}`);
  const named = servers.map((server) => {
    const [, name, address = server] = /^([^=/:]+)=(.*)$/.exec(server) ?? [];
    const url = URL.canParse(address) ? new URL(address) : null;
    if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
      throw new UsageError(`${JSON.stringify(address)} is no http or https address of a server`);
    return { name: name ?? url.host, url: url.href.replace(/\/$/, '') };
  });
  const twice = named.find(({ name }, i) => named.findIndex((other) => other.name === name) !== i);
  if (twice !== undefined) throw new UsageError(`two servers are named ${twice.name}`);
  return named;
}
