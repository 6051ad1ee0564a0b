/** A step of an exact path into a payload: a key of an object, a place in an array, or every element of an array (null). */
export type PathStep = string | number | null;
