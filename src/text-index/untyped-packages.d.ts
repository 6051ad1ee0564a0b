/** What this room uses of two packages that come without types. */

declare module 'snowball-stemmers' {
  interface Stemmer {
    /** @param word in lower case */
    stem(word: string): string;
  }
  /** @throws Error on a name that is not in algorithms() */
  export function newStemmer(name: string): Stemmer;
}

declare module 'stopword' {
  type Words = readonly string[];
  export const ara: Words, cat: Words, ces: Words, dan: Words, deu: Words, eng: Words, eus: Words, fin: Words, fra: Words;
  export const gle: Words, hun: Words, hye: Words, ita: Words, nld: Words, nob: Words, por: Words, ron: Words, rus: Words;
  export const slv: Words, spa: Words, swe: Words, tur: Words;
}
