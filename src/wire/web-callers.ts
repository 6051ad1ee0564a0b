/** Which callers are pages in a browser that have no business here. Pure.
 *
 *  A page must not reach a server that asks for no key through the browser of somebody who can: it is known by its Origin, and a name that was bent
 *  to the server (DNS rebinding) by the Host that the browser sends. Programs send no Origin, and the name they were given.
 *  Must not know: keys, routes. */

export interface NameRules {
  /** Further names under which it is called, without ports, in lower case. */
  readonly hosts: readonly string[];
  /** Of pages that may call, as browsers send them. `*` among them names none. Default: none. */
  readonly origins?: readonly string[];
}

export interface CallerHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
}

/** Ends of names that nobody can register, so that whoever sets one is in the network already (RFC 6761, 6762, 8375, ICANN's list). */
const PRIVATE_ENDS = ['localhost', 'local', 'internal', 'home.arpa', 'lan', 'corp', 'home', 'test', 'svc'];
const IP_ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/;

/** Is the server called by a name that somebody outside may have bent to it? Addresses are none, and so are names without a dot. */
export function isForeignName({ host = '' }: CallerHeaders, { hosts }: NameRules): boolean {
  const name = nameOf(host);
  if (hosts.includes(name)) return false;
  return name.includes('.') && !IP_ADDRESS.test(name) && !PRIVATE_ENDS.some((end) => name.endsWith(`.${end}`));
}

/** Does a page of another origin ask that nobody has named? */
export function isForeignPage({ host = '', origin }: CallerHeaders, { origins = [] }: Pick<NameRules, 'origins'> = {}): boolean {
  if (origin === undefined || origins.includes(origin)) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host.toLowerCase();
}

function nameOf(host: string): string {
  return host.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase();
}
