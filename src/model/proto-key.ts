/** The key that no body may have, wherever it stands: an object that is made from it would have another prototype. */
export const PROTO_KEY = '__proto__';
