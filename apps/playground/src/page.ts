import type { AnsweringModel, Suggestion } from './answering-model.ts';
import { hueOf, initialsOf } from './item-look.ts';

/** Recommended items that are shown. */
const K = 10;
/** Items of the catalogue that are shown at a time. */
const NUM_SHOWN = 60;

function byId<Element extends HTMLElement = HTMLElement>(id: string): Element {
  return document.getElementById(id) as Element;
}

/** The page: what was clicked, what comes next, and all items. */
export class Page {
  onFiles: (files: readonly File[]) => void = () => {};
  onDrop: (transfer: DataTransfer) => void = () => {};
  readonly #backend: string;
  #model: AnsweringModel | undefined;
  #items: string[] = [];
  #times: number[] = [];
  #wanted = 0;

  constructor(backend: string) {
    this.#backend = backend;
    const files = byId<HTMLInputElement>('files');
    byId('open').addEventListener('click', () => files.click());
    files.addEventListener('change', () => {
      if (files.files?.length) this.onFiles([...files.files]);
      files.value = '';
    });
    byId('undo').addEventListener('click', () => this.#setSession(this.#items.slice(0, -1)));
    byId('clear').addEventListener('click', () => this.#setSession([]));
    byId('typed').addEventListener('submit', (event) => {
      event.preventDefault();
      const ids = byId<HTMLInputElement>('ids').value.split(/[,\s]+/);
      this.#setSession(ids.filter((id) => id.length > 0));
    });
    byId('search').addEventListener('input', () => this.#showItems());
    this.#listenForDrops();
    for (const list of ['next', 'items']) {
      byId(list).addEventListener('click', (event) => {
        const item = (event.target as HTMLElement).closest<HTMLButtonElement>('button')?.dataset.item;
        if (item !== undefined) this.#setSession([...this.#items, item]);
      });
    }
  }

  /** Shows another model, with an empty session. */
  async show(model: AnsweringModel): Promise<void> {
    this.#model?.dispose();
    this.#model = model;
    byId('error').hidden = true;
    byId('model-label').textContent = model.label;
    byId('model-about').textContent = `${model.description} · ${model.items.length.toLocaleString('en')} items`;
    byId<HTMLInputElement>('search').value = '';
    this.#showItems();
    // The first answer compiles what the others find ready.
    await model.recommend([], [], K);
    await this.#setSession([]);
  }

  fail(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    byId('error').textContent = `${text} ${this.#model ? 'The model before is still here.' : ''}`.trim();
    byId('error').hidden = false;
  }

  async #setSession(items: readonly string[]): Promise<void> {
    const isLonger = items.length === this.#items.length + 1;
    this.#items = [...items];
    const now = Date.now();
    this.#times = isLonger ? [...this.#times, now] : items.map((_, i) => now - 1000 * (items.length - 1 - i));
    this.#showSession();
    await this.#answer();
  }

  async #answer(): Promise<void> {
    const model = this.#model;
    if (!model) return;
    const wanted = ++this.#wanted;
    const start = performance.now();
    let list: readonly Suggestion[];
    try {
      list = await model.recommend(this.#items, this.#times, K);
    } catch (error) {
      this.fail(error);
      return;
    }
    const ms = performance.now() - start;
    // A later click has been answered, or is about to be.
    if (wanted !== this.#wanted) return;
    byId('error').hidden = true;
    byId('time').textContent = `${ms.toFixed(ms < 10 ? 1 : 0)} ms on this device (${this.#backend})`;
    byId('time').dataset.ms = String(ms);
    this.#showNext(list);
    const best = list.slice(0, 3).map(({ item }) => this.#titleOf(item));
    const last = this.#items.at(-1);
    const clicked =
      last === undefined ? 'Empty session.' : `${this.#titleOf(last)}, ${this.#items.length} in the session.`;
    byId('status').textContent = `${clicked} Recommended next: ${best.join(', ')}.`;
  }

  #titleOf(item: string): string {
    return this.#model?.titles.get(item) ?? item;
  }

  #showSession(): void {
    const known = new Set(this.#model?.items);
    byId('chips').replaceChildren(
      ...this.#items.map((item) => {
        const chip = document.createElement('li');
        chip.append(this.#tile(item), this.#titleOf(item));
        if (!known.has(item)) {
          chip.className = 'unknown';
          chip.append(' (unknown)');
        }
        return chip;
      }),
    );
    byId('chips').lastElementChild?.scrollIntoView({ block: 'nearest', inline: 'end' });
    byId('session-hint').hidden = this.#items.length > 0;
    byId<HTMLInputElement>('ids').value = this.#items.join(', ');
    for (const id of ['undo', 'clear']) byId<HTMLButtonElement>(id).disabled = this.#items.length === 0;
  }

  /** Buttons stay where they are and get new items, so that the keyboard stays there, too. */
  #showNext(list: readonly Suggestion[]): void {
    const rows = byId('next');
    while (rows.children.length > list.length) rows.lastElementChild?.remove();
    const [best, worst] = [list[0]?.score ?? 0, list.at(-1)?.score ?? 0];
    list.forEach(({ item, score }, place) => {
      const row = rows.children[place] ?? rows.appendChild(document.createElement('li'));
      const button = row.querySelector('button') ?? row.appendChild(document.createElement('button'));
      const share = best === worst ? 1 : 0.08 + (0.92 * (score - worst)) / (best - worst);
      const bar = document.createElement('progress');
      bar.max = 1;
      bar.value = share;
      bar.setAttribute('aria-hidden', 'true');
      this.#fill(button, item, `Add ${this.#titleOf(item)}, recommended at place ${place + 1}`);
      button.querySelector('.words')?.append(bar);
    });
  }

  #showItems(): void {
    const model = this.#model;
    if (!model) return;
    const wanted = byId<HTMLInputElement>('search').value.trim().toLowerCase();
    const found = model.items.filter(
      (item) => item.toLowerCase().includes(wanted) || this.#titleOf(item).toLowerCase().includes(wanted),
    );
    const count = found.length.toLocaleString('en');
    byId('count').textContent =
      found.length > NUM_SHOWN
        ? `${NUM_SHOWN} of ${count}; search for others`
        : `${count} ${found.length === 1 ? 'item' : 'items'}`;
    byId('items').replaceChildren(
      ...found.slice(0, NUM_SHOWN).map((item) => {
        const row = document.createElement('li');
        this.#fill(row.appendChild(document.createElement('button')), item, `Add ${this.#titleOf(item)}`);
        return row;
      }),
    );
  }

  #fill(button: HTMLButtonElement, item: string, label: string): void {
    button.type = 'button';
    button.dataset.item = item;
    button.setAttribute('aria-label', label);
    const words = document.createElement('span');
    words.className = 'words';
    const title = document.createElement('span');
    title.className = 'title';
    title.textContent = this.#titleOf(item);
    words.append(title);
    if (this.#model?.titles.has(item)) {
      const id = document.createElement('span');
      id.className = 'id';
      id.textContent = item;
      words.append(id);
    }
    button.replaceChildren(this.#tile(item), words);
  }

  /** A square that tells items apart at a glance; the same last word, the same hue. */
  #tile(item: string): HTMLElement {
    const tile = document.createElement('span');
    tile.className = `tile hue${hueOf(this.#titleOf(item))}`;
    tile.setAttribute('aria-hidden', 'true');
    tile.textContent = initialsOf(this.#titleOf(item));
    return tile;
  }

  #listenForDrops(): void {
    let depth = 0;
    const over = (change: number) => {
      depth = Math.max(0, depth + change);
      byId('drop').hidden = depth === 0;
    };
    document.addEventListener('dragenter', () => over(1));
    document.addEventListener('dragleave', () => over(-1));
    document.addEventListener('dragover', (event) => event.preventDefault());
    document.addEventListener('drop', (event) => {
      event.preventDefault();
      over(-depth);
      if (event.dataTransfer) this.onDrop(event.dataTransfer);
    });
  }
}
