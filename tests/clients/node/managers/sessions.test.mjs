import assert from 'node:assert/strict';
import test from 'node:test';

import services from '@jupyterlab/services';

import { isBehind, managed, run, serverSettings, until } from '../server.mjs';

const kernelManager = managed(new services.KernelManager({ serverSettings }));
const sessions = managed(new services.SessionManager({ kernelManager, serverSettings }));
await sessions.ready;

function start(path) {
  return sessions.startNew({ path, name: path, type: 'notebook', kernel: { name: 'python3' } });
}

// A stock server does not tell its gateway.
test('a session has a kernel that knows its document', { skip: isBehind }, async () => {
  const session = await start('one.ipynb');
  const { printed } = await run(session.kernel, 'import os; print(os.environ["JPY_SESSION_NAME"])');
  assert.match(printed, /one\.ipynb\n$/);
  await session.shutdown();
});

test('a path has one session', async () => {
  const session = await start('same.ipynb');
  const found = await sessions.findByPath('same.ipynb');
  assert.equal(found.id, session.id);
  const other = await start('same.ipynb');
  assert.equal(other.id, session.id);
  assert.equal(other.kernel.id, session.kernel.id);
  await session.shutdown();
});

test('a session takes another path, name, type and kernel', async () => {
  const session = await start('before.ipynb');
  const old = session.kernel.id;
  await session.setPath('after.ipynb');
  await session.setName('after');
  await session.setType('console');
  const kernel = await session.changeKernel({ name: 'python3' });
  assert.notEqual(kernel.id, old);
  assert.deepEqual([session.path, session.name, session.type], ['after.ipynb', 'after', 'console']);
  await sessions.refreshRunning();
  const model = await sessions.findById(session.id);
  assert.equal(model.path, 'after.ipynb');
  assert.equal(model.kernel.id, kernel.id);
  await until(async () => {
    await kernelManager.refreshRunning();
    return ![...kernelManager.running()].some(model => model.id === old);
  });
  await session.shutdown();
});

test('a session goes with its kernel', async () => {
  const session = await start('gone.ipynb');
  await kernelManager.shutdown(session.kernel.id);
  await until(async () => {
    await sessions.refreshRunning();
    return ![...sessions.running()].some(model => model.id === session.id);
  });
});
