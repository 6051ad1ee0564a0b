/** One checkpoint of a text index as one file.
 *
 *    block       u32 bytes, little-endian · so many bytes
 *    file        block: head (checkpoint-head.ts) · blocks of terms until there are as many as the head says · blocks of documents, the same
 *                · 32 bytes: SHA-256 of all before
 *    terms       a JSON list of strings, numbered through all blocks from 0
 *    documents   one behind the other: label, a number · terms, as document-bytes.ts has them
 *
 *  History: format 1 the first. Postings are not in it: they are made of the documents when it is opened, in ordinals without gaps.
 *  Invariant: nothing of a file is used before all of it has been read and found to have its checksum.
 *  Must not know: names of files, which checkpoint is the newest. */

import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { decodeTextHead, encodeTextHead, type StoredTextHead } from './checkpoint-head.js';
import { Corpus, type CorpusSnapshot } from './corpus.js';
import { decodeDocument, noTerms, readNumber, writeNumber } from './document-bytes.js';

const HASH_BYTES = 32;
const SIZE_BYTES = 4;
/** A block is closed when it has so much. */
const BLOCK_BYTES = 64 * 1024;
const TERMS_PER_BLOCK = 2_048;
/** The longest document and what stood in the block before it fit in with room. */
const BLOCK_BYTES_MAX = 64 * 1024 * 1024;
const LABEL_BYTES_MAX = 5;

/** Writes the file and brings it to the disk. Between two blocks the thread is free.
 *  @param path a file that is there already, empty  @returns bytes written  @throws Error of the file system */
export async function writeTextFile(path: string, head: StoredTextHead, content: CorpusSnapshot): Promise<number> {
  const file = await open(path, 'r+');
  try {
    const hash = createHash('sha256');
    let bytes = 0;
    for (const block of blocksOf(head, content)) {
      hash.update(block);
      bytes += await writeWhole(file, block);
    }
    bytes += await writeWhole(file, hash.digest());
    await file.sync();
    return bytes;
  } finally {
    await file.close();
  }
}

async function writeWhole(file: FileHandle, bytes: Uint8Array): Promise<number> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
  return bytes.length;
}

/** Each with its size in front; valid until the next one is asked for. */
function* blocksOf(head: StoredTextHead, content: CorpusSnapshot): Generator<Uint8Array> {
  const sized = (body: Uint8Array): Buffer => {
    const size = Buffer.alloc(SIZE_BYTES);
    size.writeUInt32LE(body.length);
    return Buffer.concat([size, body]);
  };
  yield sized(Buffer.from(encodeTextHead(head)));
  for (let from = 0; from < content.terms.length; from += TERMS_PER_BLOCK)
    yield sized(Buffer.from(JSON.stringify(content.terms.slice(from, from + TERMS_PER_BLOCK))));
  const list = noTerms();
  let block = new Uint8Array(2 * BLOCK_BYTES);
  let used = 0;
  for (const { label, bytes } of content.entries()) {
    const document = bytes.subarray(0, decodeDocument(bytes, list));
    if (used > 0 && used + LABEL_BYTES_MAX + document.length > BLOCK_BYTES) {
      yield sized(block.subarray(0, used));
      used = 0;
    }
    if (block.length < LABEL_BYTES_MAX + document.length) block = new Uint8Array(LABEL_BYTES_MAX + document.length);
    used = writeNumber(block, used, label);
    block.set(document, used);
    used += document.length;
  }
  if (used > 0) yield sized(block.subarray(0, used));
}

/** The head of a file of which every byte is as it was written.
 *  @throws Error of the file system, or saying what is wrong. Cost: reads the file once. */
export async function verifyTextFile(path: string): Promise<StoredTextHead> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(BLOCK_BYTES);
    const hashed = size - HASH_BYTES;
    for (let at = 0; at < hashed; ) {
      const part = await readWhole(file, buffer.subarray(0, Math.min(BLOCK_BYTES, hashed - at)), at);
      hash.update(part);
      at += part.length;
    }
    const wanted = hashed < 0 ? null : await readWhole(file, Buffer.alloc(HASH_BYTES), hashed);
    if (wanted === null || !hash.digest().equals(wanted)) throw new Error('the file fails its checksum');
    return decodeTextHead((await readBlock(file, 0)).toString());
  } finally {
    await file.close();
  }
}

/** Makes the corpus anew. @param path,head what verifyTextFile() has read  @throws Error when the file does not hold what it says */
export async function readTextFile(path: string, head: StoredTextHead): Promise<Corpus> {
  const file = await open(path, 'r');
  try {
    const end = (await file.stat()).size - HASH_BYTES;
    const corpus = new Corpus();
    let at = SIZE_BYTES + Buffer.byteLength(encodeTextHead(head));
    while (at < end) {
      const block = await readBlock(file, at);
      at += SIZE_BYTES + block.length;
      if (corpus.terms < head.terms) for (const word of JSON.parse(block.toString()) as string[]) corpus.termOf(word);
      else addDocuments(corpus, block, head.nextLabel);
    }
    if (corpus.terms !== head.terms || corpus.live !== head.documents)
      throw new Error(`the file holds ${corpus.live} documents with ${corpus.terms} terms`);
    return corpus;
  } finally {
    await file.close();
  }
}

function addDocuments(corpus: Corpus, block: Uint8Array, nextLabel: number): void {
  const list = noTerms();
  for (let at = 0; at < block.length; ) {
    const reader = { bytes: block, at };
    const label = readNumber(reader);
    at = reader.at + decodeDocument(block.subarray(reader.at), list);
    if (label >= nextLabel) throw new Error(`label ${label} is beyond next_label ${nextLabel}`);
    if (corpus.has(label)) throw new Error(`label ${label} stands there twice`);
    for (let i = 0; i < list.size; i++)
      if ((list.terms[i] as number) >= corpus.terms) throw new Error(`term ${list.terms[i]} is beyond the terms of the file`);
    corpus.put(label, list);
  }
}

async function readBlock(file: FileHandle, at: number): Promise<Buffer> {
  const bytes = (await readWhole(file, Buffer.alloc(SIZE_BYTES), at)).readUInt32LE();
  if (bytes > BLOCK_BYTES_MAX) throw new Error(`a block has ${bytes} bytes`);
  return readWhole(file, Buffer.allocUnsafe(bytes), at + SIZE_BYTES);
}

/** Fills `buffer`. @throws Error when the file ends before */
async function readWhole(file: FileHandle, buffer: Buffer, position: number): Promise<Buffer> {
  for (let at = 0; at < buffer.length; ) {
    const { bytesRead } = await file.read(buffer, at, buffer.length - at, position + at);
    if (bytesRead === 0) throw new Error('the file ends too early');
    at += bytesRead;
  }
  return buffer;
}
