/** Texts of filters, held against what the text fields of a collection are read as: a text of stop words alone says nothing of any point,
 *  and to match all of them, or none, would be a guess.
 *
 *  Settings may change between this look and the answer; such a text then matches nothing. Must not know: points, indexes. */

import type { CollectionSpec, TextSettings } from '../model/collection.js';
import { invalidFilter } from '../model/errors.js';
import type { Condition, Filter } from '../model/filter.js';
import { textAnalyser } from '../text-index/open-index.js';

const CLAUSES = [
  ['must', 'must'],
  ['should', 'should'],
  ['must_not', 'mustNot'],
] as const;

/** Cost: the words of the filter's texts. @throws InvalidFilter (details: path inside the filter, message) */
export function checkFilterTexts({ text }: CollectionSpec, filter: Filter | undefined): void {
  if (filter !== undefined && text.fields.length > 0) new TextCheck(text).filter(filter, '', '');
}

function nameOf({ words }: Extract<Condition, { kind: 'match_text' }>): string {
  return words === 'any' ? 'text_any' : (words ?? 'text');
}

class TextCheck {
  readonly #text: TextSettings;

  constructor(text: TextSettings) {
    this.#text = text;
  }

  /** @param path of the filter, with a dot behind it, or nothing  @param prefix of its keys, likewise */
  filter(filter: Filter, path: string, prefix: string): void {
    for (const [name, field] of CLAUSES) this.#list(filter[field] ?? [], `${path}${name}`, prefix);
    this.#list(filter.minShould?.conditions ?? [], `${path}min_should.conditions`, prefix);
  }

  #list(conditions: readonly Condition[], path: string, prefix: string): void {
    for (const [place, condition] of conditions.entries()) this.#condition(condition, `${path}[${place}].`, prefix);
  }

  #condition(condition: Condition, path: string, prefix: string): void {
    if (condition.kind === 'filter') this.filter(condition.filter, path, prefix);
    else if (condition.kind === 'nested') this.filter(condition.filter, `${path}nested.filter.`, `${prefix}${condition.key}.`);
    else if (condition.kind === 'match_text')
      this.#words(prefix + condition.key, condition.text, `${path}match.${nameOf(condition)}`);
  }

  #words(key: string, text: string, path: string): void {
    if (!this.#text.fields.includes(key) || textAnalyser(this.#text)(text).length > 0) return;
    throw invalidFilter(path, `has no word that the text field '${key}' is searched by: what is passed over says nothing`);
  }
}
