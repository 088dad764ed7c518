// The device: a folder. An object is one file; it is written beside its place and linked there at commit, so that it appears
// whole, at one moment, or not at all. Nothing here knows of gRPC.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');

const CHUNK_BYTES = 1 << 20;
const NAME_BYTES = 80; // two such names, encoded, fit into a file name
const KINDS = ['VOLUME', 'TEMPLATE', 'SNAPSHOT', 'ISO'];

// An error of the contract, and what is known about the outcome.
class StorageError extends Error {
  constructor(error, message, outcome = 'NOT_DONE') {
    super(message);
    this.detail = { error, message, outcome };
  }
}

const refuse = (error, message) => { throw new StorageError(error, message); };

// What the folder says, in the contract's words. Whether it happened all the same, nobody knows then.
function typed(error) {
  if (error instanceof StorageError || typeof error.code !== 'string') return error;
  if (['ENOSPC', 'EDQUOT', 'EFBIG'].includes(error.code)) return new StorageError('CAPACITY_EXCEEDED', error.message);
  if (['EACCES', 'EPERM'].includes(error.code)) return new StorageError('PERMISSION_DENIED', error.message);
  return new StorageError('DEVICE_UNAVAILABLE', error.message, 'OUTCOME_UNKNOWN');
}

class Folder {
  constructor({ folder }) {
    if (typeof folder !== 'string') refuse('INVALID_REQUEST', 'the configuration has no "folder"');
    this.folder = folder;
  }

  // One file name for each name, and never one for two: the segments, NUL between them, in base64 made for file names.
  place({ kind, account, object_id: id }) {
    const long = [account, id].some((segment) => Buffer.byteLength(segment) > NAME_BYTES);
    if (long || !KINDS.includes(kind)) refuse('INVALID_REQUEST', `no name of at most ${NAME_BYTES} bytes, or no kind`);
    return path.join(this.folder, `${kind}.${Buffer.from(`${account}\0${id}`).toString('base64url')}`);
  }

  // The size of what stands there, or null; a folder that is gone is no absent object.
  size(place) {
    const found = fs.statSync(place, { throwIfNoEntry: false });
    if (!found) fs.accessSync(this.folder);
    return found ? found.size : null;
  }

  describe(uri) {
    const size = this.size(this.place(uri));
    return size === null ? refuse('OBJECT_NOT_FOUND', 'absent') : { uri, size_bytes: size };
  }

  // What streams that were dropped left beside a place: gone with the object, or with the next one there.
  sweep(place) {
    const start = `${path.basename(place)}.part-`;
    for (const file of fs.readdirSync(this.folder)) {
      if (file.startsWith(start)) fs.rmSync(path.join(this.folder, file), { force: true });
    }
    const fd = fs.openSync(this.folder, 'r');
    fs.fsyncSync(fd); // and what came and went is durable
    fs.closeSync(fd);
  }

  create(uri, size) {
    if (size < 0) refuse('INVALID_REQUEST', 'negative size');
    const held = this.size(this.place(uri));
    if (held === size) return;
    if (held !== null) refuse('OBJECT_EXISTS', `there is one of ${held} bytes`);
    const output = new Output(this, { uri });
    try {
      output.grow(size);
      output.commit();
    } catch (error) {
      output.close();
      if (error.detail?.error !== 'OBJECT_EXISTS') throw error;
      this.create(uri, size); // somebody else was faster: the same question again
    }
  }

  delete(uri) {
    const place = this.place(uri);
    fs.rmSync(place, { force: true });
    this.sweep(place);
  }

  list() {
    const names = [];
    for (const file of fs.readdirSync(this.folder)) {
      const [kind, encoded, part] = file.split('.');
      if (part !== undefined || !KINDS.includes(kind)) continue;
      const [account, id] = Buffer.from(encoded, 'base64url').toString().split('\0');
      names.push({ kind, account, object_id: id });
    }
    return names;
  }
}

// Streams: each method answers one step of the protocol.

class Input {
  constructor(device, { uri, offset, length }) {
    if (offset < 0 || length < 0) refuse('INVALID_REQUEST', 'negative range');
    device.describe(uri);
    this.fd = fs.openSync(device.place(uri), 'r'); // keeps the bytes, whatever becomes of the name
    this.at = offset;
    this.end = length === undefined ? Infinity : offset + length;
  }

  read({ max_bytes: wanted = CHUNK_BYTES }) {
    if (this.fd === undefined || wanted < 0) refuse('INVALID_REQUEST', 'read after close, or less than nothing');
    const buffer = Buffer.alloc(Math.min(wanted, CHUNK_BYTES, Math.max(this.end - this.at, 0)));
    const count = buffer.length && fs.readSync(this.fd, buffer, 0, buffer.length, this.at);
    this.at += count;
    return { data: buffer.subarray(0, count) };
  }

  close() {
    if (this.fd !== undefined) fs.closeSync(this.fd);
    this.fd = undefined;
    return { closed: {} };
  }
}

class Output {
  constructor(device, { uri, size_bytes: size }) {
    if (size < 0) refuse('INVALID_REQUEST', 'negative size');
    Object.assign(this, { device, uri, size, place: device.place(uri), written: 0, failed: false });
    if (device.size(this.place) !== null) refuse('OBJECT_EXISTS', 'taken');
    this.part = `${this.place}.part-${crypto.randomBytes(6).toString('hex')}`;
    this.fd = fs.openSync(this.part, 'wx');
  }

  grow(size) {
    try {
      fs.ftruncateSync(this.fd, size);
    } catch (error) {
      throw error.code === 'EINVAL' ? new StorageError('CAPACITY_EXCEEDED', `${size} bytes`) : error;
    }
    this.written = size;
  }

  write(data) {
    if (this.fd === undefined) refuse('INVALID_REQUEST', 'the stream has ended');
    this.failed = true; // unless it comes to its end
    const count = data.length && fs.writeSync(this.fd, data);
    this.failed = false;
    this.written += count;
    return { written: count };
  }

  commit() {
    if (this.fd === undefined) refuse('INVALID_REQUEST', 'the stream has ended');
    try {
      if (this.failed) refuse('DEVICE_UNAVAILABLE', 'a write before it failed');
      if (this.size !== undefined && this.size !== this.written) refuse('SIZE_MISMATCH', `${this.written} bytes were written`);
      fs.fsyncSync(this.fd);
      fs.linkSync(this.part, this.place); // the one moment; fails where the name is taken
      this.device.sweep(this.place);
    } catch (error) {
      if (error.code === 'EEXIST') refuse('OBJECT_EXISTS', 'taken');
      // The part was swept: by a commit that won, or by a delete.
      if (error.code === 'ENOENT' && this.device.size(this.place) !== null) refuse('OBJECT_EXISTS', 'taken');
      throw error;
    } finally {
      this.close();
    }
    return { committed: { uri: this.uri, size_bytes: this.written } };
  }

  abort() {
    this.close();
    return { aborted: {} };
  }

  close() {
    if (this.fd !== undefined) {
      fs.closeSync(this.fd);
      this.fd = undefined;
      fs.rmSync(this.part, { force: true });
    }
    return { closed: {} };
  }
}

module.exports = { CHUNK_BYTES, Folder, Input, NAME_BYTES, Output, StorageError, typed };
