/** The script of browser.html: named colours as points, the nearest ones to a colour that somebody chose. In a project of your own import
 *  'skein/client'; a bundler takes the same file. */

import { errors, SkeinClient } from '../../dist/bundle/client/skein-client.js';

const COLOURS = {
  red: '#ff0000',
  orange: '#ffa500',
  gold: '#ffd700',
  green: '#008000',
  teal: '#008080',
  navy: '#000080',
  plum: '#dda0dd',
};
const colours = 'example-browser';
const form = document.querySelector('form');
const said = document.querySelector('output');
const list = document.querySelector('ol');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const { url, key, colour } = Object.fromEntries(new FormData(form));
  let client;
  try {
    client = new SkeinClient({ url, ...(key !== '' && { apiKey: key }), timeoutMs: 5_000 });
    await fill(client);
    const { hits } = await client.search(colours, { vector: vectorOf(colour), limit: 3 });
    list.replaceChildren(...hits.map(({ id }) => Object.assign(document.createElement('li'), { textContent: id })));
    said.textContent = `${await client.count(colours)} colours`;
  } catch (error) {
    said.textContent = `${error.name}: ${error.message}`;
  } finally {
    client?.close();
  }
});

async function fill(client) {
  try {
    await client.createCollection(colours, { dimension: 3, distance: 'euclid' });
  } catch (error) {
    if (error instanceof errors.CollectionAlreadyExists) return;
    throw error;
  }
  const points = Object.entries(COLOURS).map(([id, colour]) => ({ id, vector: vectorOf(colour) }));
  await client.upsert(colours, points);
}

function vectorOf(colour) {
  return Float32Array.from([1, 3, 5], (at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255);
}
