import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { toSpecs } from '@nimue/container';
import { type ObjectiveSpec, objectives } from '@nimue/data';
import { losses } from '@nimue/losses';
import { models } from '@nimue/models';
import { parse } from 'yaml';
import { explainAsYaml, explainValues } from './explain-experiment.ts';
import { createJsonSchema } from './json-schema.ts';
import { loadWithOrigins, parseExperiment } from './load-experiment.ts';
import { parseSetting } from './setting.ts';

const catalogue = {
  models: toSpecs(models),
  losses: toSpecs(losses),
  objectives: toSpecs<ObjectiveSpec>(objectives),
};

let folder = '';
const at = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimue-layers-'));
  writeFileSync(
    at('base.yaml'),
    'name: base\ndataset: { generated: shop, days: 4 }\nwindows: { span: day }\nmodels:\n  - name: popularity\n  - name: sasrec\n' +
      'training: { epochs: 3, batchSize: 16 }\n',
  );
  writeFileSync(at('child.yaml'), 'extends: base.yaml\nname: child\ntraining:\n  epochs: 4\n');
  writeFileSync(at('last.yaml'), 'training: { learningRate: 0.5 }\n');
  writeFileSync(at('log.yaml'), 'dataset: { files: clicks.csv, columns: { session: s, item: i, timestamp: t } }\n');
  writeFileSync(at('circle.yaml'), 'name: circle\nextends: [base.yaml, circle.yaml]\n');
  writeFileSync(at('lost.yaml'), 'extends: basis.yaml\nname: lost\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const load = (files: readonly string[], settings: readonly string[] = []) =>
  loadWithOrigins(
    files.map((file) => at(file)),
    { ...catalogue, environment: { RATE: '7' }, settings: settings.map(parseSetting) },
  );

describe('precedence: command line > later file > earlier file > defaults', () => {
  test('each value comes from the last that names it, and explain says which', () => {
    const loaded = load(['child.yaml', 'last.yaml'], ['training.batchSize=8']);
    expect(loaded.experiment).toMatchObject({ name: 'child', seeds: [1] });
    expect(loaded.experiment.contenders[1].training).toMatchObject({ epochs: 4, batchSize: 8, learningRate: 0.5 });
    const from = Object.fromEntries(explainValues(loaded).map(({ path, from: origin }) => [path, origin]));
    expect(from).toMatchObject({
      name: `${at('child.yaml')}:2:7`,
      'dataset.days': `${at('base.yaml')}:2:35`,
      'training.epochs': `${at('child.yaml')}:4:11`,
      'training.learningRate': `${at('last.yaml')}:1:27`,
      'training.batchSize': '--set training.batchSize=8',
      'seeds[0]': 'default',
      'models[1].name': `${at('base.yaml')}:6:11`,
    });
  });

  test('what explain prints is the same experiment', () => {
    const loaded = load(['child.yaml'], ['training.batchSize=8']);
    const text = explainAsYaml(loaded);
    expect(parseExperiment('explained.yaml', text, catalogue).resolved).toEqual(loaded.experiment.resolved);
    expect(parse(text)).toEqual(JSON.parse(JSON.stringify(loaded.experiment.resolved)));
    expect(text.split('\n')[0]).toMatch(/^name: child +# .*child\.yaml:2:7$/);
    expect(text).toContain('#   sasrec: causal');
  });

  test('a mapping that names something else is replaced as a whole', () => {
    const { dataset } = load(['child.yaml', 'log.yaml']).experiment;
    expect(dataset).toEqual({
      files: 'clicks.csv',
      columns: { session: 's', item: 'i', timestamp: 't' },
      onMissing: 'error',
    });
  });

  test('a list is replaced as a whole, and its entries come from the file that has it', () => {
    const loaded = load(['child.yaml'], ['models=[{ name: sasrec }]']);
    expect(loaded.experiment.contenders.map(({ label }) => label)).toEqual(['sasrec']);
  });

  test('a setting may name a variable', () => {
    const name = ['name=run-$', '{RATE}'].join('');
    expect(load(['child.yaml'], [name]).experiment.name).toBe('run-7');
  });
});

describe('mistakes', () => {
  test('a problem of a file that is extended is placed there', () => {
    writeFileSync(at('wrong.yaml'), 'name: wrong\nextends: wrong-base.yaml\n');
    writeFileSync(
      at('wrong-base.yaml'),
      'training: { epoch: 3 }\ndataset: { generated: shop }\nwindows: { span: day }\nmodels: [{ name: sasrec }]\n',
    );
    expect(() => load(['wrong.yaml'])).toThrow(
      `${at('wrong-base.yaml')}:1:13: training.epoch: unknown key; did you mean 'epochs'?`,
    );
  });

  test('a circle and a missing file are refused where they are named', () => {
    expect(() => load(['circle.yaml'])).toThrow(`${at('circle.yaml')}:2:22: extends[1]: a circle: `);
    expect(() => load(['lost.yaml'])).toThrow(
      `${at('lost.yaml')}:1:10: extends: ${at('basis.yaml')}: the file does not exist`,
    );
  });
});

describe('JSON Schema', () => {
  const whole = createJsonSchema(catalogue) as { $defs: Record<string, unknown> };
  /** Named parts written out where they are used; one that is not there is an error. */
  const inlined = (part: unknown): unknown => {
    if (typeof part !== 'object' || part === null) return part;
    if (Array.isArray(part)) return part.map(inlined);
    const { $ref, ...own } = part as { $ref?: string };
    const named = $ref === undefined ? {} : whole.$defs[$ref.replace('#/$defs/', '')];
    if (named === undefined) throw new Error(`${$ref} leads nowhere`);
    const entries = Object.entries({ ...(named as object), ...own });
    return Object.fromEntries(entries.map(([key, value]) => [key, inlined(value)]));
  };
  const { $defs: _, ...sections } = whole;
  const schema = inlined(sections) as { properties: Record<string, unknown>; anyOf: unknown };

  test('has every section, with the options of each', () => {
    expect(Object.keys(schema.properties).sort()).toEqual(
      'backend checkpoints dataset evaluation extends features loss models name objective report seeds sessions split sweep training windows'.split(
        ' ',
      ),
    );
    expect(schema).toMatchObject({
      additionalProperties: false,
      anyOf: [{ required: ['extends'] }, { required: ['name', 'dataset', 'windows', 'models'] }],
      properties: { training: { properties: { epochs: { type: 'integer', minimum: 1, default: 5 } } } },
    });
    expect(JSON.stringify(schema.properties.windows)).toContain('"const":"sliding"');
    expect(JSON.stringify(schema.properties.dataset)).toContain('"sessionsPerDay"');
    for (const name of catalogue.models.keys())
      expect(JSON.stringify(schema.properties.models)).toContain(`"const":"${name}"`);
  });
});
