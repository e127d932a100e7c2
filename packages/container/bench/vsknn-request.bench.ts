// What V-SkNN takes to answer one request when it knows a million sessions (target: under 5 ms):
//   npm run bench:vsknn -w @nimue/container
import { performance } from 'node:perf_hooks';
import { FIRST_ITEM_ID, packSessions } from '@nimue/batch';
import { models } from '@nimue/models';
import { deriveSeed } from '@nimue/ops';

const NUM_ITEMS = 50_000;
const NUM_SESSIONS = 1_000_000;
const NUM_REQUESTS = 2000;

let drawn = 0;
const random = () => deriveSeed(7, drawn++) / 2 ** 32;
/** Popularity falls as one over the rank. */
const item = () => FIRST_ITEM_ID + Math.min(NUM_ITEMS - 1, Math.floor(Math.exp(random() * Math.log(NUM_ITEMS))) - 1);

const offsets = new Int32Array(NUM_SESSIONS + 1);
for (let s = 0; s < NUM_SESSIONS; s++) offsets[s + 1] = offsets[s] + 2 + Math.floor(8 * random());
const itemIds = Int32Array.from({ length: offsets[NUM_SESSIONS] }, item);
const timestampsMs = Float64Array.from(itemIds, (_, i) => 1000 * i);
const model = models.vsknn.create(models.vsknn.configSchema.parse({}), {
  numRows: FIRST_ITEM_ID + NUM_ITEMS,
  seed: 1,
});
if (model.kind !== 'statistical') throw new Error('vsknn counts');
const start = performance.now();
model.fitWindow({ itemIds, offsets, timestampsMs });
const fitSeconds = (performance.now() - start) / 1000;
const times = Array.from({ length: NUM_REQUESTS }, () => {
  const session = Array.from({ length: 1 + Math.floor(8 * random()) }, item);
  const targets = { positions: Int32Array.of(session.length - 1), itemIds: Int32Array.of(FIRST_ITEM_ID) };
  const asked = { ...packSessions([session], targets), timestampsMs: Float64Array.from(session, (_, i) => 1e10 + i) };
  const before = performance.now();
  model.recommend(asked, 20);
  return performance.now() - before;
}).sort((a, b) => a - b);
const at = (share: number) => `${times[Math.floor(share * NUM_REQUESTS)].toFixed(2)} ms`;
console.log(
  `V-SkNN, ${NUM_SESSIONS} sessions of ${itemIds.length} clicks on ${NUM_ITEMS} items: indexed in ${fitSeconds.toFixed(1)} s`,
);
console.log(`one request, 20 items: median ${at(0.5)}, p99 ${at(0.99)}, slowest ${at(0.9999)}`);
