/** What a program imports as `skein`: the embedded database, and all of its client. */

export { ConfigError } from '../config/resolve.js';
export * from '../sdk/index.js';
export type { OpenOptions } from './open-options.js';
export { type EmbeddedSkein, openSkein } from './open-skein.js';
