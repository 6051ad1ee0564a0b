/** Where collections and aliases stand on a server (docs/HTTP_API.md). Pure. Must not know: hosts, queries. */

export function aliasPath(alias: string): string {
  return `/v1/aliases/${encodeURIComponent(alias)}`;
}

/** @param rest behind the collection, with its slash */
export function collectionPath(collection: string, rest = ''): string {
  return `/v1/collections/${encodeURIComponent(collection)}${rest}`;
}
