import assert from 'node:assert/strict';
import test from 'node:test';

import services from '@jupyterlab/services';

import { isBehind, managed, run, serverSettings, toldBy, until } from '../server.mjs';

const kernels = managed(new services.KernelManager({ serverSettings }));
await kernels.ready;

test('a kernel runs a cell', async () => {
  const kernel = await kernels.startNew({ name: 'python3' });
  const { implementation } = await kernel.info;
  assert.equal(implementation, 'ipython');
  const { reply, printed } = await run(kernel, 'print(6 * 7)');
  assert.equal(reply.status, 'ok');
  assert.equal(printed, '42\n');
  await kernel.shutdown();
  assert.equal(kernel.status, 'dead');
});

test('a kernel that is busy is interrupted', async () => {
  const kernel = await kernels.startNew({ name: 'python3' });
  await kernel.info;
  const future = kernel.requestExecute({ code: 'print(1, flush=True)\nwhile True: pass' });
  await new Promise(resolve => {
    future.onIOPub = message => message.header.msg_type === 'stream' && resolve();
  });
  await kernel.interrupt();
  const { content } = await future.done;
  assert.equal(content.ename, 'KeyboardInterrupt');
  await kernel.shutdown();
});

test('a kernel that is restarted is the same, and forgets', async () => {
  const kernel = await kernels.startNew({ name: 'python3' });
  const { id } = kernel;
  await run(kernel, 'a = 1');
  await kernel.restart();
  const { reply } = await run(kernel, 'a');
  assert.equal(reply.ename, 'NameError');
  assert.equal(kernel.id, id);
  await kernel.shutdown();
});

test('a kernel whose process dies is there again', async () => {
  const kernel = await kernels.startNew({ name: 'python3' });
  await kernel.info;
  const again = toldBy(kernel.statusChanged, status => status === 'autorestarting');
  kernel.requestExecute({ code: 'import os; os._exit(3)' }).done.catch(() => undefined);
  await again;
  const { printed } = await run(kernel, 'print("again")');
  assert.equal(printed, 'again\n');
  await kernel.shutdown();
});

test('two clients of a kernel see what it prints, and the one that asked has the reply', async () => {
  const first = await kernels.startNew({ name: 'python3' });
  await first.info;
  const second = kernels.connectTo({ model: first.model });
  await second.info;
  const seen = toldBy(second.iopubMessage, message => message.content.text === 'for all\n');
  const { printed } = await run(first, 'print("for all")');
  assert.equal(printed, 'for all\n');
  await seen;
  second.dispose();
  await first.shutdown();
});

test('a kernel asks its user, and gets the answer', async () => {
  const kernel = await kernels.startNew({ name: 'python3' });
  const future = kernel.requestExecute({ code: 'print(input("who? "))', allow_stdin: true });
  const printed = [];
  future.onIOPub = message => message.header.msg_type === 'stream' && printed.push(message.content.text);
  future.onStdin = message => {
    assert.equal(message.content.prompt, 'who? ');
    kernel.sendInputReply({ status: 'ok', value: 'ada' }, message.header);
  };
  assert.equal((await future.done).content.status, 'ok');
  assert.equal(printed.join(''), 'ada\n');
  await kernel.shutdown();
});

// A stock server takes what its gateway sends for text.
test('bytes travel with comms, both ways', { skip: isBehind }, async () => {
  const kernel = await kernels.startNew({ name: 'python3' });
  const code = [
    'def opened(comm, message):',
    '    comm.on_msg(lambda m: comm.send({}, buffers=[bytes(m["buffers"][0])[::-1]]))',
    'get_ipython().kernel.comm_manager.register_target("echo", opened)'
  ].join('\n');
  await run(kernel, code);
  const comm = kernel.createComm('echo');
  await comm.open().done;
  const back = new Promise(resolve => {
    comm.onMsg = message => resolve(message.buffers[0]);
  });
  await comm.send({}, {}, [new Uint8Array([1, 2, 255]).buffer]).done;
  const buffer = await back;
  assert.deepEqual([...new Uint8Array(buffer.buffer ?? buffer)], [255, 2, 1]);
  await kernel.shutdown();
});

test('the list is what runs', async () => {
  const kernel = await kernels.startNew({ name: 'python3' });
  await kernels.refreshRunning();
  assert([...kernels.running()].some(model => model.id === kernel.id));
  assert.equal((await kernels.findById(kernel.id)).name, 'python3');
  await kernels.shutdown(kernel.id);
  await until(async () => {
    await kernels.refreshRunning();
    return ![...kernels.running()].some(model => model.id === kernel.id);
  });
});

// A stock server says nothing of what its gateway did.
test('a kernelspec that is not there is an error with a text', { skip: isBehind }, async () => {
  await assert.rejects(kernels.startNew({ name: 'absent' }), /absent/);
});
