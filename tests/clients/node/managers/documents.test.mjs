// Settings, workspaces and sections of configuration.

import assert from 'node:assert/strict';
import test from 'node:test';

import services from '@jupyterlab/services';

import { serverSettings } from '../server.mjs';

const THEME = '@jupyterlab/apputils-extension:themes';

test('a setting is saved and read, with its comments', async () => {
  const settings = new services.SettingManager({ serverSettings });
  const raw = '{\n  // dark at night\n  "theme": "JupyterLab Dark"\n}';
  await settings.save(THEME, raw);
  const found = await settings.fetch(THEME);
  assert.equal(found.raw, raw);
  assert(found.schema.properties.theme);
  assert((await settings.list()).ids.includes(THEME));
  assert((await settings.list('ids')).ids.length > 20);
});

test('a setting of no schema is refused', async () => {
  const settings = new services.SettingManager({ serverSettings });
  await assert.rejects(settings.save('no-such:plugin', '{}'), error => error.response.status >= 400);
  await assert.rejects(settings.save(THEME, '{"theme": 5}'), error => error.response.status === 400);
});

test('a workspace is saved, listed, read and removed', async () => {
  const workspaces = new services.WorkspaceManager({ serverSettings });
  const id = 'of a test/ü';
  await workspaces.save(id, { data: { 'layout:one': { a: [1] } }, metadata: { id } });
  assert.deepEqual((await workspaces.fetch(id)).data, { 'layout:one': { a: [1] } });
  assert((await workspaces.list()).ids.includes(id));
  await workspaces.remove(id);
  assert(!(await workspaces.list()).ids.includes(id));
});

test('a section of configuration is changed in part', async () => {
  const section = await services.ConfigSection.create({ name: 'ofatest', serverSettings });
  assert.deepEqual(section.data, {});
  await section.update({ a: { b: 1, c: 2 } });
  await section.update({ a: { b: null } });
  const again = await services.ConfigSection.create({ name: 'ofatest', serverSettings });
  assert.deepEqual(again.data, { a: { c: 2 } });
});
