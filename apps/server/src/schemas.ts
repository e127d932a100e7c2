import type { ServerLimits } from './server-options.ts';

/** Milliseconds that a Date can hold. */
const MAX_TIME_MS = 8.64e15;
const MAX_TEXT = 512;

const text = { type: 'string', maxLength: MAX_TEXT } as const;
const name = { type: 'string', minLength: 1, maxLength: MAX_TEXT } as const;
const itemId = { type: ['string', 'number'], minLength: 1, maxLength: MAX_TEXT, description: 'Raw item id' } as const;
const cell = { type: ['string', 'number', 'null'], maxLength: MAX_TEXT } as const;
const time = { type: 'number', minimum: -MAX_TIME_MS, maximum: MAX_TIME_MS } as const;

const object = <Properties extends object>(properties: Properties, required: readonly string[] = []) => ({
  type: 'object' as const,
  properties,
  required,
  additionalProperties: false,
});
const list = (items: object, maxItems: number, minItems = 0) => ({ type: 'array' as const, items, minItems, maxItems });
const byName = (values: object) => ({
  type: 'object' as const,
  maxProperties: 100,
  propertyNames: name,
  additionalProperties: values,
});

/** Bodies of requests; what they do not allow is answered by 400. */
export function requestSchemas(limits: ServerLimits) {
  const { maxK, maxSessions, maxEvents, maxListedItems } = limits;
  const k = { type: 'integer', minimum: 1, maximum: maxK, default: Math.min(10, maxK), description: 'Items per list' };
  const session = object(
    {
      items: { ...list(itemId, maxEvents), description: 'Raw item ids, oldest first' },
      timestampsMs: { ...list(time, maxEvents), description: 'Milliseconds since 1970 UTC, one per item' },
      columns: { ...byName(list(cell, maxEvents)), description: 'Columns that features read, one value per item' },
      context: { ...byName(cell), description: 'Columns that say the same of every event' },
    },
    ['items'],
  );
  const newItem = object(
    {
      item: itemId,
      title: text,
      columns: { ...byName(cell), description: 'What the log would say of it' },
      like: { ...list(itemId, 100), description: 'Known items that it is like' },
      timestampMs: time,
    },
    ['item'],
  );
  return {
    recommend: {
      ...object({
        sessions: list(session, maxSessions, 1),
        users: { ...list(name, maxSessions, 1), description: 'Users whose histories are kept; after the sessions' },
        k,
        filterSeen: { type: 'boolean', default: false, description: 'Leave out what the session has' },
        candidates: { ...list(itemId, maxListedItems), description: 'The only items that can be recommended' },
        exclude: { ...list(itemId, maxListedItems), description: 'Items that must not be recommended' },
        onUnsupported: {
          type: 'string',
          enum: ['error', 'warn', 'skip'],
          default: 'warn',
          description: 'What becomes of a session without a known item, and of an unknown user',
        },
        withScores: { type: 'boolean', default: false },
      }),
      anyOf: [{ required: ['sessions'] }, { required: ['users'] }],
    },
    similar: object({ items: list(itemId, maxSessions, 1), k }, ['items']),
    explain: object({ session, item: itemId }, ['session', 'item']),
    addItems: object({ items: list(newItem, maxSessions, 1) }, ['items']),
    history: session,
  };
}

const recommended = object({ item: { type: 'string' }, title: { type: 'string' }, score: { type: 'number' } }, [
  'item',
]);

/** What is answered. */
export const ANSWERS = {
  recommend: object(
    {
      results: {
        type: 'array',
        items: object(
          {
            items: { type: 'array', items: recommended },
            unknownItems: { type: 'array', items: { type: 'string' } },
            warning: { type: 'string' },
          },
          ['items', 'unknownItems'],
        ),
      },
    },
    ['results'],
  ),
  similar: object({ results: { type: 'array', items: { type: 'array', items: recommended } } }, ['results']),
  explain: object(
    { effects: { type: 'array', items: object({ item: { type: 'string' }, effect: { type: 'number' } }) } },
    ['effects'],
  ),
  model: object({
    label: { type: 'string' },
    trainedUntil: { type: 'string' },
    numItems: { type: 'integer' },
    numUsers: { type: 'integer' },
    generation: { type: 'integer', description: 'How many models there have been since the server started' },
    columns: {
      type: 'array',
      items: object({ name: { type: 'string' }, kind: { type: 'string' } }),
      description: 'What columns and context may hold',
    },
  }),
  addItems: object({ numItems: { type: 'integer' } }, ['numItems']),
  status: object({ status: { type: 'string' } }, ['status']),
  error: object({ error: object({ code: { type: 'string' }, message: { type: 'string' } }, ['code', 'message']) }, [
    'error',
  ]),
};

/** Errors that any route may answer with. */
export const ERROR_ANSWERS = {
  '4xx': { description: 'The request is at fault', ...ANSWERS.error },
  '5xx': { description: 'The server is at fault, or busy', ...ANSWERS.error },
};
