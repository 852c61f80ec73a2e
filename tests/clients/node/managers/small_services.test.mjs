// Events, the user, kernelspecs, conversion and builds; and all managers at once.

import assert from 'node:assert/strict';
import test from 'node:test';

import services from '@jupyterlab/services';

import { managed, serverSettings, toldBy } from '../server.mjs';

// The manager of users keeps something in the browser.
const stored = new Map();
globalThis.window = {
  localStorage: { getItem: key => stored.get(key) ?? null, setItem: (key, value) => stored.set(key, value) }
};

const SAVED = 'https://events.jupyter.org/jupyter_server/contents_service/v1';

test('events are told to whoever follows them', async () => {
  const events = managed(new services.EventManager({ serverSettings }));
  const contents = managed(new services.ContentsManager({ defaultDrive: new services.Drive({ serverSettings }) }));
  // Following begins some time after it was asked for: until then nothing that happens is told.
  let following = true;
  const told = toldBy(
    events.stream, event => event.schema_id === SAVED && event.action === 'save' && event.path.endsWith('told.txt')
  ).finally(() => { following = false; });
  while (following) {
    await contents.save('told.txt', { type: 'file', format: 'text', content: '1' });
    await Promise.race([told, new Promise(resolve => setTimeout(resolve, 200))]);
  }
  assert.equal((await told).path.replace(/^\//, ''), 'told.txt');
});

test('an event that suits no schema is refused', async () => {
  const events = managed(new services.EventManager({ serverSettings }));
  await assert.rejects(
    events.emit({ schema_id: 'https://example.org/none', version: '1', data: {} }),
    error => error.response.status === 400
  );
});

test('the user has a name, and may do what users may', async () => {
  const user = managed(new services.UserManager({ serverSettings }));
  await user.ready;
  assert(user.identity.username && user.identity.name && user.identity.initials);
  assert.equal(typeof user.permissions, 'object');
});

test('kernelspecs have what launchers show', async () => {
  const kernelspecs = managed(new services.KernelSpecManager({ serverSettings }));
  await kernelspecs.ready;
  assert.equal(kernelspecs.specs.default, 'python3');
  const { display_name, language, resources } = kernelspecs.specs.kernelspecs.python3;
  assert.equal(language, 'python');
  assert(display_name);
  const url = new URL(resources['logo-svg'] ?? resources['logo-64x64'], serverSettings.baseUrl);
  const logo = await services.ServerConnection.makeRequest(url.href, {}, serverSettings);
  assert.equal(logo.status, 200);
});

test('notebooks can be exported to the usual formats', async () => {
  const nbconvert = new services.NbConvertManager({ serverSettings });
  const formats = await nbconvert.getExportFormats();
  for (const name of ['html', 'script', 'markdown']) {
    assert(formats[name].output_mimetype !== undefined, name);
  }
});

test('all managers are ready together, and nothing is to be built', async () => {
  const all = managed(new services.ServiceManager({ serverSettings }));
  const failures = [];
  all.connectionFailure.connect((_, error) => failures.push(error));
  await all.ready;
  assert(all.isReady);
  assert.deepEqual(failures, []);
  assert.equal((await all.builder.getStatus()).status, 'stable');
});
