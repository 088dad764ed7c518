// A storage driver in Node.js behind storcert's driver protocol: `node driver.js path/to/driver.proto [PORT]`.
// Its first line is the address to certify. What is asked of each method stands in driver.proto.
'use strict';
const crypto = require('crypto');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const { CHUNK_BYTES, Folder, Input, NAME_BYTES, Output, StorageError, typed } = require('./folder');

const PAGE_NAMES = 1000;
const [protoFile, port = '0'] = process.argv.slice(2);
if (!protoFile) {
  console.error('usage: node driver.js path/to/driver.proto [PORT]');
  process.exit(2);
}
const proto = loader.loadSync(protoFile, { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true });
const instances = new Map();

function instance(name) {
  const found = instances.get(name);
  if (!found) throw { code: grpc.status.FAILED_PRECONDITION, details: `no instance ${name}` };
  return found;
}

// The status of a call that failed: with a StorageError in the trailing metadata it is typed, without one it is foreign.
function status(raised) {
  const error = typed(raised);
  if (!(error instanceof StorageError)) return Number.isInteger(error.code) ? error : { code: grpc.status.UNKNOWN, details: String(error) };
  const metadata = new grpc.Metadata();
  metadata.set('storcert-error-bin', proto['storcert.driver.v1.StorageError'].serialize(error.detail));
  return { code: grpc.status.UNKNOWN, details: error.message, metadata };
}

const unary = (body) => (call, callback) => {
  try {
    callback(null, body(call.request));
  } catch (error) {
    callback(status(error));
  }
};

// `open` makes the stream; every further step is the method of that name, and its answer or what failed is one response.
const streaming = (Stream) => (call) => {
  let stream;
  call.on('data', (request) => {
    try {
      if (request.step === 'open') {
        stream = new Stream(instance(request.open.instance), request.open);
        call.write({ opened: {} });
      } else {
        call.write(stream[request.step](request[request.step]));
      }
    } catch (raised) {
      const error = typed(raised);
      if (!(error instanceof StorageError)) return call.emit('error', status(error));
      call.write({ failed: error.detail });
      if (!stream) call.end();
    }
  });
  // A client that went away without an end has dropped its stream: nothing is published.
  const over = () => { if (stream) stream.close(); };
  call.on('cancelled', over);
  call.on('error', over);
  call.on('end', () => { over(); call.end(); });
};

const server = new grpc.Server();
server.addService(grpc.loadPackageDefinition(proto).storcert.driver.v1.Driver.service, {
  Hello: unary(() => ({
    protocol_version: 1, driver_name: 'node-folder', driver_version: '1.0.0', language: `Node.js ${process.version}`,
    max_chunk_bytes: CHUNK_BYTES,
  })),
  MakeInstance: unary(({ configuration_json: json }) => {
    const name = crypto.randomUUID();
    instances.set(name, new Folder(JSON.parse(json || '{}')));
    return { instance: name };
  }),
  CloseInstance: unary((request) => { instances.delete(request.instance); return {}; }),
  GetCapabilities: unary((request) => {
    instance(request.instance);
    return { range_read: true, enumerate: true, max_name_bytes: NAME_BYTES };
  }),
  Create: unary((request) => { instance(request.instance).create(request.uri, request.size_bytes); return {}; }),
  Delete: unary((request) => { instance(request.instance).delete(request.uri); return {}; }),
  Describe: unary((request) => instance(request.instance).describe(request.uri)),
  ListObjects: (call) => {
    try {
      const names = instance(call.request.instance).list();
      call.write({ uris: [] });
      for (let at = 0; at < names.length; at += PAGE_NAMES) call.write({ uris: names.slice(at, at + PAGE_NAMES) });
      call.end();
    } catch (error) {
      call.emit('error', status(error));
    }
  },
  OpenInput: streaming(Input),
  OpenOutput: streaming(Output),
});

server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error, bound) => {
  if (error) {
    console.error(error.message);
    process.exit(1);
  }
  console.log(`grpc://127.0.0.1:${bound}`);
});
