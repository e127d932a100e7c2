import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The browser of this machine; undefined when there is none that starts. */
export function findBrowser(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find((path) => existsSync(path));
  return found && spawnSync(found, ['--version']).status === 0 ? found : undefined;
}

export interface PageLook {
  readonly width: number;
  readonly height: number;
  readonly scheme?: 'light' | 'dark';
  readonly media?: 'screen' | 'print';
}

export interface SeenPage {
  /** PNG of the whole page. */
  readonly screenshot: Buffer;
  readonly consoleMessages: readonly string[];
  /** Addresses that the page asked for, the page itself left out. */
  readonly requests: readonly string[];
  readonly failures: readonly string[];
  /** What the expression gave in the page. */
  readonly value: unknown;
}

type Message = {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
};

/** A browser without a window, spoken to in the DevTools protocol over a pipe. Close it. */
export class HeadlessBrowser {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #waiting = new Map<number, (result: Record<string, unknown>) => void>();
  readonly #listeners = new Set<(message: Message) => void>();
  #nextId = 1;

  private constructor(process: ChildProcess, profile: string) {
    this.#process = process;
    this.#profile = profile;
    let text = '';
    (process.stdio[4] as Readable).on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      for (let end = text.indexOf('\0'); end >= 0; end = text.indexOf('\0')) {
        const message = JSON.parse(text.slice(0, end)) as Message;
        text = text.slice(end + 1);
        if (message.id !== undefined) this.#waiting.get(message.id)?.(message.result ?? {});
        else for (const listener of this.#listeners) listener(message);
      }
    });
  }

  static async start(path: string): Promise<HeadlessBrowser> {
    const profile = await mkdtemp(join(tmpdir(), 'nimue-browser-'));
    const flags = [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--hide-scrollbars',
      '--remote-debugging-pipe',
    ];
    const child = spawn(path, [...flags, `--user-data-dir=${profile}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    return new HeadlessBrowser(child, profile);
  }

  #send(method: string, params: Record<string, unknown> = {}, sessionId?: string): Promise<Record<string, unknown>> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      (this.#process.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  }

  /** Opens a page and looks at it. @param expression evaluated in the page when it has loaded */
  async look(
    url: string,
    { width, height, scheme = 'light', media = 'screen' }: PageLook,
    expression = 'null',
  ): Promise<SeenPage> {
    const { targetId } = await this.#send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.#send('Target.attachToTarget', { targetId, flatten: true });
    const send = (method: string, params = {}) => this.#send(method, params, String(sessionId));
    const consoleMessages: string[] = [];
    const requests: string[] = [];
    const failures: string[] = [];
    const loaded = new Promise<void>((resolve) => {
      this.#listeners.add(({ method, params }) => {
        if (method === 'Page.loadEventFired') resolve();
        if (method === 'Runtime.consoleAPICalled' || method === 'Log.entryAdded')
          consoleMessages.push(JSON.stringify(params));
        if (method === 'Runtime.exceptionThrown') failures.push(JSON.stringify(params));
        if (method === 'Network.requestWillBeSent') {
          const asked = String((params?.request as { url?: unknown } | undefined)?.url);
          if (asked !== url && !asked.startsWith('data:')) requests.push(asked);
        }
      });
    });
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`);
    await send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: width < 600 });
    await send('Emulation.setEmulatedMedia', { media, features: [{ name: 'prefers-color-scheme', value: scheme }] });
    await send('Page.navigate', { url });
    await loaded;
    const { result } = await send('Runtime.evaluate', { expression, returnByValue: true });
    const { data } = await send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true });
    await this.#send('Target.closeTarget', { targetId });
    this.#listeners.clear();
    return {
      screenshot: Buffer.from(String(data), 'base64'),
      consoleMessages,
      requests,
      failures,
      value: (result as { value?: unknown } | undefined)?.value,
    };
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    void this.#send('Browser.close');
    await ended;
    await rm(this.#profile, { recursive: true, force: true });
  }
}
