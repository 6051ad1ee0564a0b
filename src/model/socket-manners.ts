/** What is asked of any connection, and streams in memory in its place have no need of: to be kept alive, to time out, not to hold the process. */

export const SOCKET_MANNERS = { setKeepAlive: nothing, setTimeout: nothing, ref: nothing, unref: nothing };

function nothing(): void {}
