import assert from 'node:assert/strict';
import test from 'node:test';

import services from '@jupyterlab/services';

import { managed, serverSettings, toldBy } from '../server.mjs';

const contents = managed(new services.ContentsManager({ defaultDrive: new services.Drive({ serverSettings }) }));
const folder = await contents.newUntitled({ type: 'directory' });

test('a notebook is made, saved and read', async () => {
  const made = await contents.newUntitled({ path: folder.path, type: 'notebook' });
  assert.match(made.path, /Untitled\.ipynb$/);
  const cell = { cell_type: 'code', id: 'a', metadata: {}, outputs: [], source: '1', execution_count: null };
  const content = { cells: [cell], metadata: {}, nbformat: 4, nbformat_minor: 5 };
  const saved = await contents.save(made.path, { type: 'notebook', format: 'json', content });
  const got = await contents.get(made.path, { content: true, hash: true });
  assert.equal(got.content.cells[0].source, '1');
  assert.equal(got.last_modified, saved.last_modified);
  assert.equal(got.hash_algorithm, 'sha256');
});

test('a file larger than one request goes in parts', async () => {
  const path = `${folder.path}/large.bin`;
  const parts = [Buffer.alloc(1000, 1), Buffer.alloc(1000, 2), Buffer.alloc(10, 3)];
  for (const [index, part] of parts.entries()) {
    const chunk = index === parts.length - 1 ? -1 : index + 1;
    await contents.save(path, {
      type: 'file', format: 'base64', name: 'large.bin', chunk, content: part.toString('base64')
    });
  }
  const got = await contents.get(path, { type: 'file', format: 'base64', content: true });
  assert.deepEqual(Buffer.from(got.content, 'base64'), Buffer.concat(parts));
  const answer = await services.ServerConnection.makeRequest(
    await contents.getDownloadUrl(path), {}, serverSettings
  );
  assert.equal((await answer.arrayBuffer()).byteLength, 2010);
});

test('what is renamed, copied and deleted is told', async () => {
  const { path } = await contents.newUntitled({ path: folder.path, type: 'file', ext: '.txt' });
  const told = toldBy(contents.fileChanged, change => change.type === 'rename');
  const renamed = await contents.rename(path, `${folder.path}/a ü.txt`);
  await told;
  const copy = await contents.copy(renamed.path, folder.path);
  assert.match(copy.path, /a ü-Copy1\.txt$/);
  await contents.delete(copy.path);
  const names = (await contents.get(folder.path)).content.map(entry => entry.name);
  assert(names.includes('a ü.txt') && !names.includes('a ü-Copy1.txt'));
});

test('a rename onto what is there is refused with its status', async () => {
  const one = await contents.newUntitled({ path: folder.path, type: 'file', ext: '.md' });
  const two = await contents.newUntitled({ path: folder.path, type: 'file', ext: '.md' });
  await assert.rejects(contents.rename(one.path, two.path), error => error.response.status === 409);
});

test('a checkpoint is made, listed, restored and deleted', async () => {
  const path = `${folder.path}/kept.txt`;
  await contents.save(path, { type: 'file', format: 'text', content: 'old' });
  const made = await contents.createCheckpoint(path);
  await contents.save(path, { type: 'file', format: 'text', content: 'new' });
  assert.deepEqual((await contents.listCheckpoints(path)).map(one => one.id), [made.id]);
  await contents.restoreCheckpoint(path, made.id);
  assert.equal((await contents.get(path)).content, 'old');
  await contents.deleteCheckpoint(path, made.id);
  assert.deepEqual(await contents.listCheckpoints(path), []);
});

test('what is not there is a 404', async () => {
  await assert.rejects(contents.get('no such.txt'), error => error.response.status === 404);
});
