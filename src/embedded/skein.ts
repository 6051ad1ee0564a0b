/** What a program imports as `skein`: the embedded database, and all of its client. */

export * from '../sdk/index.js';
export { type EmbeddedSkein, type OpenOptions, openSkein } from './open-skein.js';
