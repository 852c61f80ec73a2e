// The server under test, as JupyterLab's page tells a browser about it.

import assert from 'node:assert/strict';
import { after } from 'node:test';

import { PageConfig } from '@jupyterlab/coreutils';
import services from '@jupyterlab/services';

const PATIENCE_MS = 60_000;
const { PERIJOVE_URL: url, PERIJOVE_TOKEN: token } = process.env;
assert(url && token, 'PERIJOVE_URL and PERIJOVE_TOKEN say where the server is');

// A server without a front end has no such page.
const page = await fetch(new URL('lab', url), { headers: { Authorization: `token ${token}` } });
const found = (await page.text()).match(/id="jupyter-config-data"[^>]*>([^<]*)</);
for (const [name, value] of Object.entries(JSON.parse(found?.[1] ?? '{}'))) {
  PageConfig.setOption(name, typeof value === 'string' ? value : JSON.stringify(value));
}

/** Whether what is driven is another server, whose gateway is the one under test. */
export const isBehind = Boolean(process.env.PERIJOVE_IS_BEHIND);

// What a manager throws away without a word shows here.
process.on('unhandledRejection', error => {
  console.error(error);
  process.exitCode = 1;
});

/** How to reach the server: the token in the header, and in the address of sockets. */
export const serverSettings = services.ServerConnection.makeSettings({
  baseUrl: url,
  wsUrl: url.replace('http', 'ws'),
  appUrl: PageConfig.getOption('appUrl'),
  token,
  appendToken: true
});

/** Make a manager that is disposed of when the tests of the file are done. */
export function managed(manager) {
  after(() => manager.dispose());
  return manager;
}

/** Wait for what a signal tells, until it is what one waits for. */
export function toldBy(signal, suits = () => true) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('nobody told of it')), PATIENCE_MS);
    const listen = (_, value) => {
      if (suits(value)) {
        clearTimeout(late);
        signal.disconnect(listen);
        resolve(value);
      }
    };
    signal.connect(listen);
  });
}

/** Wait until something holds, and return it. */
export async function until(condition) {
  for (const end = Date.now() + PATIENCE_MS; ; ) {
    const value = await condition();
    if (value) {
      return value;
    }
    assert(Date.now() < end, 'it did not come true');
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

/** Run a cell, and return its reply and all that it printed. */
export async function run(kernel, code) {
  const future = kernel.requestExecute({ code });
  const printed = [];
  future.onIOPub = message => {
    if (message.header.msg_type === 'stream') {
      printed.push(message.content.text);
    }
  };
  const reply = await future.done;
  return { reply: reply.content, printed: printed.join('') };
}
