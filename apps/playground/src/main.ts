import type { AnsweringModel } from './answering-model.ts';
import { chooseBackend } from './choose-backend.ts';
import { filesOfDrop, openFiles, openShippedModel } from './open-files.ts';
import { Page } from './page.ts';

const backend = await chooseBackend();
const page = new Page(backend);

async function open(opening: Promise<AnsweringModel>): Promise<void> {
  try {
    await page.show(await opening);
  } catch (error) {
    page.fail(error);
  }
}

page.onFiles = (files) => open(openFiles(files));
page.onDrop = async (transfer) => open(openFiles(await filesOfDrop(transfer)));
await open(openShippedModel());

// Only a built page has the worker that keeps its files. Not import.meta.env.PROD: that follows NODE_ENV, also in a build.
if (import.meta.env.KEEPS_FILES && 'serviceWorker' in navigator) await navigator.serviceWorker.register('./sw.js');
