/** The TypeScript client's door: everything that a program in Node may import. */

export * from './browser.js';
export { HttpTransport, type HttpTransportSettings } from './http-transport.js';
