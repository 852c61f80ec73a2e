import assert from 'node:assert/strict';
import test from 'node:test';

import services from '@jupyterlab/services';

import { managed, serverSettings, toldBy, until } from '../server.mjs';

const terminals = managed(new services.TerminalManager({ serverSettings }));
await terminals.ready;

function shows(terminal, text) {
  let shown = '';
  return toldBy(terminal.messageReceived, message => {
    shown += message.type === 'stdout' ? message.content.join('') : '';
    return shown.includes(text);
  });
}

test('front ends are told that there are terminals', () => {
  assert(terminals.isAvailable());
});

test('a terminal runs what is typed, and shows it to a second client', async () => {
  const first = await terminals.startNew();
  const shown = shows(first, 'sum 42');
  first.send({ type: 'set_size', content: [40, 100] });
  first.send({ type: 'stdin', content: ['echo sum $((6 * 7))\n'] });
  await shown;
  const second = terminals.connectTo({ model: first.model });
  await shows(second, 'sum 42');
  second.dispose();
  await first.shutdown();
});

test('a shell that ends takes its terminal along', async () => {
  const terminal = await terminals.startNew();
  const gone = toldBy(terminal.disposed);
  terminal.send({ type: 'stdin', content: ['exit\n'] });
  await gone;
  await until(async () => {
    await terminals.refreshRunning();
    return ![...terminals.running()].some(model => model.name === terminal.name);
  });
});

test('all terminals are shut down', async () => {
  await terminals.startNew();
  await terminals.startNew({ cwd: '/' });
  await terminals.refreshRunning();
  assert([...terminals.running()].length >= 2);
  await terminals.shutdownAll();
  await terminals.refreshRunning();
  assert.deepEqual([...terminals.running()], []);
});
